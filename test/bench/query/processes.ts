import { fork, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load-generator.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** A program under measurement, whatever number of processes it has. */
export interface Started {
  readonly pid: number;
  /** What followed `ready` on its output. */
  readonly ready: string;
  /** Milliseconds from its start until it said so. */
  readonly startedIn: number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

/** Starts a program in a group of its own and waits until it prints a line that begins with `ready `. */
export async function startProgram(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly patience: number },
): Promise<Started> {
  const [file = '', ...args] = command;
  const started = performance.now();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  let said = '';
  const heard = (text: string): void => {
    said = (said + text).slice(-20_000);
  };
  child.stderr.setEncoding('utf8').on('data', heard);
  child.stdout.setEncoding('utf8').on('data', heard);
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      running.delete(child);
      resolve();
    }),
  );
  for (;;) {
    const ready = /^ready (.+)$/m.exec(said)?.[1];
    if (ready !== undefined) {
      return { pid: child.pid ?? 0, ready, startedIn: performance.now() - started, stop: () => stopGroup(child, ended) };
    }
    if (child.exitCode !== null || performance.now() - started > options.patience) {
      await stopGroup(child, ended);
      throw new Error(`${command.join(' ')} did not become ready:\n${said}`);
    }
    await sleep(10);
  }
}

async function stopGroup(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), name);
    } catch {
      // all of it is gone
    }
  };
  if (child.exitCode === null) child.kill('SIGTERM');
  const late = setTimeout(() => {
    signal('SIGKILL');
  }, 12_000);
  await ended;
  clearTimeout(late);
  signal('SIGTERM');
}

/** Whatever happens, nothing stays behind. */
process.on('exit', () => {
  for (const child of running) {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // it is gone
    }
  }
});

/** The process and all it started, without the branch that begins at `except`. */
export function processTree(root: number, except: number | null = null): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statOf(Number(name))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const walk = (pid: number): void => {
    if (pid === except) return;
    found.push(pid);
    for (const child of children.get(pid) ?? []) walk(child);
  };
  walk(root);
  return found;
}

interface Stat {
  readonly parent: number;
  /** Seconds of its own, and of children that have ended. */
  readonly cpu: number;
  readonly endedChildren: number;
}

/** Clock ticks of /proc are 100 per second on every Linux that Node runs on. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (nth: number): number => fields[nth] ?? 0;
    return { parent: at(1), cpu: (at(11) + at(12)) / 100, endedChildren: (at(13) + at(14)) / 100 };
  } catch {
    return null;
  }
}

/** CPU seconds of a program or of PostgreSQL up to now. */
export function cpuOf(root: number, except: number | null = null): number {
  return processTree(root, except).reduce((sum, pid) => {
    const stat = statOf(pid);
    return stat === null ? sum : sum + stat.cpu + stat.endedChildren;
  }, 0);
}

/** Proportional set size of the Node processes of a program, MiB; PostgreSQL below it does not count. */
export function memoryOf(root: number): number {
  return processTree(root).reduce((sum, pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.includes('node')) return sum;
      const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      return sum + Number(pss ?? 0) / 1024;
    } catch {
      return sum;
    }
  }, 0);
}

export interface Generator {
  run(job: LoadJob): Promise<LoadResult>;
  stop(): void;
}

export function startGenerator(): Generator {
  const child = fork(`${here}load-generator.ts`, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  running.add(child);
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        const failed = (): void => {
          reject(new Error('the load generator ended'));
        };
        child.once('exit', failed);
        child.once('message', (result) => {
          child.off('exit', failed);
          resolve(result as LoadResult);
        });
        child.send(job);
      }),
    stop: () => {
      running.delete(child);
      child.disconnect();
    },
  };
}
