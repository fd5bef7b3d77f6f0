import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { givenSettings, namesGiven } from '#kernel/config-in-force.ts';
import type { ProcessMessage } from '#kernel/main-process.ts';
import { OperatorError } from './operator-error.ts';

/** One process of the hub, kept alive. */
export interface ProcessSpec {
  readonly name: string;
  /** Program file and its arguments. */
  readonly command: readonly string[];
  /** Settings of this process; `address` is where it listened before it was started again, so that others still find it. */
  env(address: string | null): Readonly<Record<string, string>>;
}

export interface Supervised {
  readonly name: string;
  /** Its first address; rejects when it cannot be started at all. */
  readonly listening: Promise<string | null>;
  pid(): number | null;
  /** SIGTERM, and SIGKILL after `patience` milliseconds. It is not started again. */
  stop(patience: number): Promise<void>;
}

/** Ends this often before it ever listened: it cannot be started. */
const triesAtStart = 3;
/** A process that lived longer than this is started again at once; others wait twice as long each time, at most `longestWait`. */
const lived = 10_000;
const longestWait = 3_000;

export interface SupervisorOptions {
  readonly logs: string;
  /** Told when a process ended by itself. */
  readonly ended: (name: string, how: string) => void;
}

export function supervise(spec: ProcessSpec, options: SupervisorOptions): Supervised {
  const output = join(options.logs, `${spec.name}.out`);
  let child: ChildProcess | null = null;
  let address: string | null = null;
  let stopping = false;
  let everListened = false;
  let shortLives = 0;
  let again: NodeJS.Timeout | null = null;
  const settled = Promise.withResolvers<string | null>();
  // Nobody may be waiting yet when it fails.
  settled.promise.catch(() => undefined);

  function start(): void {
    again = null;
    const began = performance.now();
    if (existsSync(output) && statSync(output).size > 1024 * 1024) renameSync(output, `${output}.1`);
    const from = existsSync(output) ? statSync(output).size : 0;
    const out = openSync(output, 'a', 0o600);
    const current = spawn(process.execPath, [...spec.command], {
      env: { ...inherited(), HUB_LOG_FILE: join(options.logs, `${spec.name}.log`), ...spec.env(address) },
      // A group of its own: Ctrl-C reaches the supervisor alone, which ends the processes in order.
      detached: true,
      stdio: ['ignore', out, out, 'ipc'],
    });
    closeSync(out);
    child = current;
    current.on('message', (message: ProcessMessage) => {
      ({ address } = message);
      everListened = true;
      settled.resolve(address);
    });
    const end = (how: string) => {
      if (child !== current) return;
      child = null;
      if (stopping) return;
      options.ended(spec.name, how);
      shortLives = performance.now() - began > lived ? 0 : shortLives + 1;
      if (!everListened && shortLives >= triesAtStart) {
        const tail = readFileSync(output).subarray(from).toString('utf8').trim().split('\n').slice(0, 12).join('\n');
        settled.reject(new OperatorError(`${spec.name}: ${how}\n${tail}`));
        return;
      }
      again = setTimeout(start, shortLives <= 1 ? 0 : Math.min(100 * 2 ** shortLives, longestWait));
    };
    current.on('error', (error) => end(error.message));
    current.on('exit', (code, signal) => end(signal ?? `exit ${code ?? ''}`));
  }

  start();
  return {
    name: spec.name,
    listening: settled.promise,
    pid: () => child?.pid ?? null,
    async stop(patience) {
      stopping = true;
      if (again !== null) clearTimeout(again);
      settled.reject(new Error('stopped'));
      const current = child;
      if (current?.exitCode !== null || current.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => current.once('exit', () => resolve()));
      current.kill('SIGTERM');
      const force = setTimeout(() => current.kill('SIGKILL'), patience);
      await gone;
      clearTimeout(force);
    },
  };
}

/** Never the owner's address of the database or the keys of backups and audit, nor what only npm needs. */
export function inherited(): Record<string, string> {
  const passed: Record<string, string> = { [givenSettings]: namesGiven(process.env) };
  for (const [name, value] of Object.entries(process.env)) {
    if (
      value !== undefined &&
      !/^(DATABASE_URL|HUB_BACKUP_KEY|HUB_AUDIT_KEY|npm_|NODE_OPTIONS$|NODE_CHANNEL|INIT_CWD$)/.test(name)
    )
      passed[name] = value;
  }
  return passed;
}
