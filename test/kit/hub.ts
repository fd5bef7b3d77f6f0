import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/*
 * A whole hub for a test: real processes, started as an operator starts them, in a data directory of their own.
 */

export const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface HubOptions {
  readonly processes?: 'one' | 'apart';
  /** Kept by whoever gives it; else a fresh one, removed at the end. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `npm start` instead of `node cli/start.mjs`. */
  readonly npm?: boolean;
  /** Another copy of the checkout. */
  readonly folder?: string;
  /** As this user; only root can. */
  readonly uid?: number;
  /** Milliseconds until it must be ready; the first start of a machine fills an empty database. */
  readonly patience?: number;
}

export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
}

export interface TestHub {
  /** `http://127.0.0.1:PORT`, as the line `ready` says. */
  readonly address: string;
  readonly dataDir: string;
  /** The process that a test signals: npm, or cli/start.mjs. */
  readonly child: ChildProcess;
  /** Milliseconds from the start to the line `ready`. */
  readonly readyAfter: number;
  output(): string;
  /** Every process that belongs to this hub now. */
  processes(): readonly RunningProcess[];
  /** SIGTERM (or another) to the started process alone; resolves when nothing is left, with the milliseconds it took. */
  stop(signal?: NodeJS.Signals): Promise<number>;
}

export function freshDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'lien-thong-hub-'));
}

/** Starts a hub and waits until it is ready; throws with its output when it is not. */
export async function startHub(options: HubOptions = {}): Promise<TestHub> {
  const own = options.dataDir === undefined;
  const dataDir = options.dataDir ?? freshDataDir();
  if (options.uid !== undefined) chownSync(dataDir, options.uid, options.uid);
  const began = performance.now();
  const { child, output } = launch(dataDir, options);
  const ready = /^ready (http:\/\/\S+)$/m;
  const until = began + (options.patience ?? 120_000);
  while (!ready.test(output())) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
      await end(child, dataDir, 'SIGTERM').catch(() => undefined);
      throw new Error(`The hub did not become ready (exit ${String(child.exitCode)}):\n${output()}`);
    }
    await sleep(20);
  }
  const readyAfter = performance.now() - began;
  return {
    address: ready.exec(output())?.[1] ?? '',
    dataDir,
    child,
    readyAfter,
    output,
    processes: () => processesOf(dataDir),
    async stop(signal = 'SIGTERM') {
      const milliseconds = await end(child, dataDir, signal);
      if (own) rmSync(dataDir, { recursive: true, force: true });
      return milliseconds;
    },
  };
}

/** Runs a start that is expected to refuse; its exit code and what it said. */
export async function refusedStart(dataDir: string, options: HubOptions = {}): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(dataDir, options);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

function launch(dataDir: string, options: HubOptions): { child: ChildProcess; output: () => string } {
  const folder = options.folder ?? checkout;
  const program = options.npm === true ? ['npm', 'start'] : ['node', join(folder, 'cli', 'start.mjs')];
  const as =
    options.uid === undefined ? [] : ['setpriv', `--reuid=${options.uid}`, `--regid=${options.uid}`, '--clear-groups', '--'];
  const [command = '', ...args] = [...as, ...program];
  let said = '';
  const child = spawn(command, args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: options.uid === undefined ? (process.env.HOME ?? dataDir) : dataDir,
      PORT: '0',
      HUB_DATA_DIR: dataDir,
      HUB_PROCESSES: options.processes ?? 'one',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session of its own, as a terminal gives it: a signal to the group is Ctrl-C.
    detached: true,
  });
  const hear = (chunk: Buffer) => (said += chunk.toString('utf8'));
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return { child, output: () => said };
}

/** Signals, and waits until no process of the hub is left. SIGINT goes to the whole group, as Ctrl-C in a terminal does. */
async function end(child: ChildProcess, dataDir: string, signal: NodeJS.Signals): Promise<number> {
  const began = performance.now();
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    process.kill(signal === 'SIGINT' ? -child.pid : child.pid, signal);
  }
  while (processesOf(dataDir).length > 0 || (child.exitCode === null && child.signalCode === null)) {
    if (performance.now() - began > 20_000) {
      const left = processesOf(dataDir);
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      throw new Error(`Still running 20 s after ${signal}: ${left.map(({ pid, command }) => `${pid} ${command}`).join('; ')}`);
    }
    await sleep(100);
  }
  return performance.now() - began;
}

/** Processes that were told this data directory, by their settings or their command line. */
export function processesOf(dataDir: string): readonly RunningProcess[] {
  const found: RunningProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const zombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
      if (zombie) continue;
      const told = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HUB_DATA_DIR=${dataDir}\0`);
      if (told || command.includes(`${dataDir}/`)) found.push({ pid, command });
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

/** A copy of the checkout in another folder, by hard links where the disk allows it: what git has, and the installed packages. */
export function copyCheckout(folder: string): void {
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: checkout });
  const names = git.stdout
    .toString()
    .split('\0')
    .filter((name) => name !== '');
  const copy = (args: readonly string[], input?: string) => {
    for (const link of [['--link'], []]) {
      if (spawnSync('cp', ['--archive', ...link, ...args], { cwd: checkout, input }).status === 0) return true;
    }
    return false;
  };
  const tops = [...new Set(names.map((name) => name.split('/')[0] ?? name))];
  if (!copy(['--target-directory', folder, 'node_modules', ...tops]))
    throw new Error(`The checkout cannot be copied to ${folder}`);
}

export async function getJson(address: string): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** An access token of a demo client. */
export async function tokenOf(hub: Pick<TestHub, 'address'>, client = 'demo-integrator'): Promise<string> {
  const answer = await fetch(`${hub.address}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const said = (await answer.json()) as { access_token?: string };
  if (said.access_token === undefined) throw new Error(`no token for ${client}: ${answer.status}`);
  return said.access_token;
}

export interface GraphAnswer {
  readonly status: number;
  readonly body: {
    readonly data?: Record<string, unknown> | null;
    readonly errors?: readonly { extensions?: Record<string, unknown> }[];
  };
}

export async function askGraph(
  hub: Pick<TestHub, 'address'>,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<GraphAnswer> {
  const answer = await fetch(`${hub.address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(15_000),
  });
  return { status: answer.status, body: (await answer.json()) as GraphAnswer['body'] };
}
