import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicUrlOf, settingsOrExit, type Settings } from '#kernel/config.ts';
import { createLog, type Log } from '#kernel/log.ts';
import { claimHub, makeDataDir, writeSafely, type Claim } from './data-dir.ts';
import { installationKeys } from './keys.ts';
import { turnOverLogs } from './log-files.ts';
import { OperatorError } from './operator-error.ts';
import { usePostgres, type PostgresUse } from './postgres.ts';
import {
  commonSettings,
  gatewayProcess,
  hubProcess,
  populationSimulator,
  programFile,
  subgraphProcesses,
  workerProcess,
  type HubPlan,
} from './processes.ts';
import { inherited, supervise, type ProcessSpec, type Supervised } from './supervised.ts';
import { welcome } from './welcome.ts';

/*
 * The supervisor behind `npm start`: PostgreSQL, then migration and demo world, then the processes of the hub; whatever dies is
 * started again; on a signal everything ends in order. It loads little and serves nobody, so that nothing a request does can harm it.
 */

/** All of it has to be over 10 s after the signal; what one leaves over is for the next. Milliseconds. */
const patience = { front: 5_500, behind: 1_500, postgres: 2_500, all: 9_500 } as const;

async function claimOrRefuse(dataDir: string): Promise<Claim> {
  const claimed = await claimHub(dataDir);
  if ('release' in claimed) return claimed;
  throw new OperatorError(
    `Thư mục ${dataDir} đang được một hệ thống khác dùng (tiến trình ${claimed.pid}): dừng nó hoặc đặt HUB_DATA_DIR khác · ` +
      `Another hub (process ${claimed.pid}) runs on ${dataDir}: stop it, or set another HUB_DATA_DIR`,
  );
}

/** A port of the hub, a free one where none is set; held until it is let go. A taken one is told before anything is started. */
async function takePort(host: string, port: number, setting: 'PORT' | 'FILES_PORT'): Promise<HeldPort> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const code = 'code' in error ? String(error.code) : error.message;
      reject(
        new OperatorError(
          `Không dùng được cổng ${port} trên ${host} (${code}): hãy đặt ${setting} khác · Port ${port} on ${host} cannot be used (${code}): set another ${setting}`,
        ),
      );
    });
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ port: taken, letGo: () => new Promise((done) => probe.close(() => done())) });
    });
  });
}

interface HeldPort {
  readonly port: number;
  letGo(): Promise<void>;
}

/** The graph's is held until that of the files is found, else the system may give the same one twice. */
async function portsToTake({ host, port, filesPort }: Settings): Promise<{ readonly port: number; readonly filesPort: number }> {
  const graph = await takePort(host, port, 'PORT');
  try {
    const files = await takePort(host, filesPort, 'FILES_PORT');
    await files.letGo();
    return { port: graph.port, filesPort: files.port };
  } finally {
    await graph.letGo();
  }
}

/** Runs a program to its end; what it says goes to stderr, since stdout is for `ready`. */
async function runToEnd(name: string, file: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [file], {
    env: { ...inherited(), ...env },
    detached: true,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const stop = () => {
    child.kill('SIGTERM');
    // What it does is one transaction at a time: cut short, it leaves nothing half-done.
    setTimeout(() => child.kill('SIGKILL'), patience.front).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  const how = await new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, by) => resolve(code === 0 ? null : (by ?? `exit ${code ?? ''}`)));
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (how !== null) throw new OperatorError(`${name}: ${how}, xem phía trên · see above`);
}

function statusOf(address: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get(address, { timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}

async function untilReady(address: string, signal: AbortSignal): Promise<void> {
  for (const until = performance.now() + 60_000; ;) {
    signal.throwIfAborted();
    if ((await statusOf(`${address}/health/ready`)) === 200) return;
    if (performance.now() > until) throw new OperatorError(`${address}/health/ready không báo sẵn sàng · does not become ready`);
    await sleep(25);
  }
}

/** Starts PostgreSQL again when it dies, however it dies. */
async function watchPostgres(postgres: PostgresUse, log: Log, signal: AbortSignal): Promise<void> {
  const over = () => signal.aborted;
  for (;;) {
    await sleep(200);
    if (over()) return;
    if (postgres.isAlive()) continue;
    log.warn('process.ended', { process: 'postgres' });
    process.stderr.write('postgres đã dừng, đang khởi động lại · postgres ended, starting it again\n');
    await postgres.revive(signal).catch((error: unknown) => {
      if (over()) return;
      log.error('process.start-failed', { process: 'postgres' }, error);
      return sleep(1_000);
    });
  }
}

/** A full disk is no reason to end: the next minute may find room. */
function turnOver(logs: string, mib: number, log: Log): void {
  try {
    turnOverLogs(logs, mib);
  } catch (error) {
    log.warn('logs.not-turned-over', {}, error);
  }
}

/** Everything that was started, in the order in which it ends. */
class Hub {
  readonly #log: Log;
  readonly #logs: string;
  readonly #front: Supervised[] = [];
  readonly #behind: Supervised[] = [];
  readonly #addresses: Record<string, string> = {};
  #postgres: PostgresUse | null = null;

  constructor(log: Log, logs: string) {
    this.#log = log;
    this.#logs = logs;
  }

  /** Starts everything; returns when the graph answers. */
  async start(given: Settings, signal: AbortSignal): Promise<number> {
    const { dataDir } = given;
    // Every process that makes or answers links has to know that of the files.
    const { port, filesPort } = await portsToTake(given);
    const settings = { ...given, filesPort };
    this.#postgres = settings.databaseUrl === null ? await usePostgres(dataDir, signal) : null;
    const { populationUrl, production } = settings;
    const first: HubPlan = { settings, port, keys: await installationKeys(settings, signal), populationUrl };
    const owner = { DATABASE_URL: settings.databaseUrl ?? this.#postgres?.ownerUrl ?? '' };
    const simulators = populationUrl === null && !production ? [populationSimulator(first)] : [];
    await Promise.all([
      runToEnd('prepare', programFile('cli', 'prepare.ts'), { ...commonSettings(first), ...owner }, signal),
      this.#launch(simulators, this.#behind, signal),
    ]);
    const plan: HubPlan = { ...first, populationUrl: populationUrl ?? this.#addresses.population ?? null };
    if (this.#postgres !== null) void watchPostgres(this.#postgres, this.#log, signal);
    const behind = settings.processes === 'apart' ? subgraphProcesses(plan) : [];
    await this.#launch(behind, this.#behind, signal);
    const front = settings.processes === 'apart' ? gatewayProcess(plan, this.#addresses) : hubProcess(plan);
    await Promise.all([this.#launch([front], this.#front, signal), this.#launch([workerProcess(plan)], this.#behind, signal)]);
    await untilReady(this.#addresses[front.name] ?? '', signal);
    const addresses = { ...this.#addresses, postgres: this.#postgres?.port ?? null };
    writeSafely(join(dataDir, 'addresses.json'), `${JSON.stringify(addresses, null, 2)}\n`);
    return port;
  }

  async #launch(specs: readonly ProcessSpec[], among: Supervised[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const ended = (name: string, how: string) => {
      this.#log.warn('process.ended', { process: name, state: how });
      process.stderr.write(`${name} đã dừng (${how}), đang khởi động lại · ${name} ended (${how}), starting it again\n`);
    };
    const started = specs.map((spec) => supervise(spec, { logs: this.#logs, ended }));
    among.push(...started);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    aborted.catch(() => undefined);
    for (const one of started) {
      const address = await Promise.race([one.listening, aborted]);
      if (address !== null) this.#addresses[one.name] = address;
    }
  }

  /** First who takes requests, then who answers them, then where everything is kept. */
  async stop(): Promise<void> {
    const began = performance.now();
    await Promise.all(this.#front.map((one) => one.stop(patience.front)));
    await Promise.all(this.#behind.map((one) => one.stop(patience.behind)));
    const left = Math.round(patience.all - (performance.now() - began));
    await this.#postgres?.leave(Math.max(left, patience.postgres));
  }
}

function textOf(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<number> {
  const settings = settingsOrExit('operator');
  const { dataDir } = settings;
  const ending = new AbortController();
  const { signal } = ending;
  const asked = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => ending.abort(new Error(name)));
  // The process that npm started is gone: whoever ended it meant everything.
  process.on('disconnect', () => ending.abort(new Error('disconnect')));

  makeDataDir(dataDir);
  const claim = await claimOrRefuse(dataDir);
  const logs = join(dataDir, 'logs');
  const turnOverMib = settings.keep.logMib;
  const log = createLog({ level: settings.logLevel, file: join(logs, 'supervisor.log'), process: 'supervisor', turnOverMib });
  log.info('process.started', { pid: process.pid });
  const hub = new Hub(log, logs);
  let exitCode = 0;
  const failed = (error: unknown) => {
    exitCode = 1;
    log.error('hub.failed', {}, error);
    process.stderr.write(`${textOf(error)}\n`);
  };
  try {
    const port = await hub.start(settings, signal);
    const address = publicUrlOf(settings, port);
    process.stdout.write(`${welcome(settings, address)}ready ${address}\n`);
    const turning = setInterval(() => turnOver(logs, settings.keep.logMib, log), 60_000);
    await asked;
    clearInterval(turning);
  } catch (error) {
    if (!signal.aborted) failed(error);
    ending.abort(error);
  }
  await hub.stop().catch(failed);
  claim.release();
  log.info('process.stopped', { exitCode });
  log.flush();
  return exitCode;
}

process.exit(
  await main().catch((error: unknown) => {
    process.stderr.write(`${textOf(error)}\n`);
    return 1;
  }),
);
