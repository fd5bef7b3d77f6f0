import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hubFolder, publicUrlOf, settingsOrExit, type Settings } from '#kernel/config.ts';
import { createLog, type Log } from '#kernel/log.ts';
import { claimHub, makeDataDir, writeSafely } from './data-dir.ts';
import { installationKeys, type InstallationKeys } from './keys.ts';
import { usePostgres, type PostgresUse } from './postgres.ts';
import { inherited, supervise, type ProcessSpec, type Supervised } from './supervised.ts';
import { welcome } from './welcome.ts';

/*
 * The supervisor behind `npm start`: PostgreSQL, then migration and demo world, then the processes of the hub; whatever dies is
 * started again; on a signal everything ends in order. It loads little and serves nobody, so that nothing a request does can harm it.
 */

/** All of it has to be over 10 s after the signal. Milliseconds. */
const patience = { front: 5_500, behind: 1_500, postgres: 2_500 } as const;
const subgraphNames = ['citizens', 'insurance', 'results', 'slips', 'organisation'] as const;

interface Hub {
  readonly settings: Settings;
  /** Of the graph; the processes have to know it before they listen, since tokens name it. */
  readonly port: number;
  readonly keys: InstallationKeys;
  readonly log: Log;
  /** Aborted when everything is to end. */
  readonly signal: AbortSignal;
}

/** A mistake of whoever starts the hub: told in his words, without a stack. */
class StartError extends Error {}

function path(...parts: string[]): string {
  return join(hubFolder, ...parts);
}

/** Settings every serving process gets beside those of the environment. */
function common({ settings, port, keys }: Hub): Record<string, string> {
  return {
    PORT: String(port),
    FILES_PORT: String(settings.filesPort),
    HUB_DATA_DIR: settings.dataDir,
    HUB_ROLES_FILE: settings.rolesFile,
    HUB_IDENTIFIER_KEY: keys.identifierKey.toString('hex'),
    HUB_DEMO: settings.demo ? '1' : '0',
  };
}

/** Gateway and all subgraphs in one process. */
function oneProcess(hub: Hub): ProcessSpec {
  return {
    name: 'hub',
    command: [path('cli', 'hub-process.ts')],
    env: () => common(hub),
  };
}

function subgraphProcess(hub: Hub, name: string): ProcessSpec {
  return {
    name,
    command: [path('subgraphs', 'main.ts'), name],
    env: (address) => ({
      ...common(hub),
      HUB_HOP_PUBLIC_KEYS: hub.keys.hopPublicKeys,
      HUB_SUBGRAPH_PORT: address === null ? '0' : new URL(address).port,
    }),
  };
}

function gatewayProcess(hub: Hub, subgraphs: string): ProcessSpec {
  return {
    name: 'gateway',
    command: [path('gateway', 'main.ts')],
    env: () => ({ ...common(hub), HUB_HOP_KEY: hub.keys.hopKey, HUB_SUBGRAPHS: subgraphs }),
  };
}

/** The port of the graph, a free one where none is set. A taken one is told before anything is started. */
async function portToTake({ host, port }: Settings): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const code = 'code' in error ? String(error.code) : error.message;
      reject(
        new StartError(
          `Không dùng được cổng ${port} trên ${host} (${code}): hãy đặt PORT khác · Port ${port} on ${host} cannot be used (${code}): set another PORT`,
        ),
      );
    });
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      probe.close(() => resolve(taken));
    });
  });
}

/** Runs a program to its end; what it says goes to stderr, since stdout is for `ready`. */
async function runToEnd(name: string, file: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [file], {
    env: { ...inherited(), ...env },
    detached: true,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const how = await new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, by) => resolve(code === 0 ? null : (by ?? `exit ${code ?? ''}`)));
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (how !== null) throw new StartError(`${name}: ${how}, xem phía trên · see above`);
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
    if (performance.now() > until) throw new StartError(`${address}/health/ready không báo sẵn sàng · does not become ready`);
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

async function main(): Promise<void> {
  const settings = settingsOrExit('operator');
  const { dataDir } = settings;
  const ending = new AbortController();
  const { signal } = ending;
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => ending.abort(new Error(name)));
  process.on('disconnect', () => ending.abort(new Error('start.mjs is gone')));

  makeDataDir(dataDir);
  const lock = await claimHub(dataDir);
  if (!('release' in lock)) {
    throw new StartError(
      `Thư mục ${dataDir} đang được một hệ thống khác dùng (tiến trình ${lock.pid}): dừng nó hoặc đặt HUB_DATA_DIR khác · ` +
        `Another hub (process ${lock.pid}) runs on ${dataDir}: stop it, or set another HUB_DATA_DIR`,
    );
  }
  const log = createLog({ level: settings.logLevel, file: join(dataDir, 'logs', 'supervisor.log'), process: 'supervisor' });
  log.info('process.started', { pid: process.pid });
  let postgres: PostgresUse | null = null;
  const front: Supervised[] = [];
  const behind: Supervised[] = [];
  try {
    const port = await portToTake(settings);
    postgres = settings.databaseUrl === null ? await usePostgres(dataDir, signal) : null;
    const keys = await installationKeys(settings, signal);
    const hub: Hub = { settings, port, keys, log, signal };
    await runToEnd(
      'prepare',
      path('cli', 'prepare.ts'),
      { ...common(hub), DATABASE_URL: settings.databaseUrl ?? postgres?.ownerUrl ?? '' },
      signal,
    );
    if (postgres !== null) void watchPostgres(postgres, log, signal);

    const options = {
      logs: join(dataDir, 'logs'),
      ended(name: string, how: string) {
        log.warn('process.ended', { process: name, state: how });
        process.stderr.write(`${name} đã dừng (${how}), đang khởi động lại · ${name} ended (${how}), starting it again\n`);
      },
    };
    const addresses: Record<string, string> = {};
    const listen = async (process: Supervised) => {
      const address = await process.listening;
      if (address !== null) addresses[process.name] = address;
      return address;
    };
    if (settings.processes === 'apart') {
      for (const name of subgraphNames) behind.push(supervise(subgraphProcess(hub, name), options));
      await Promise.all(behind.map(listen));
      const list = Object.entries(addresses).map(([name, address]) => `${name}=${address}`);
      front.push(supervise(gatewayProcess(hub, list.join(',')), options));
    } else {
      front.push(supervise(oneProcess(hub), options));
    }
    const [address] = await Promise.all(front.map(listen));
    if (address === undefined || address === null) throw new StartError('the gateway has no address');
    signal.throwIfAborted();
    await untilReady(address, signal);
    writeSafely(
      join(dataDir, 'addresses.json'),
      `${JSON.stringify({ ...addresses, postgres: postgres?.port ?? null }, null, 2)}\n`,
    );
    process.stdout.write(`${welcome(settings, publicUrlOf(settings, port))}ready ${publicUrlOf(settings, port)}\n`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } catch (error) {
    if (!signal.aborted) {
      process.exitCode = 1;
      const text =
        error instanceof StartError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`${text}\n`);
    }
    ending.abort(new Error('start failed'));
  }
  // First who takes requests, then who answers them, then where everything is kept.
  await Promise.all(front.map((one) => one.stop(patience.front)));
  await Promise.all(behind.map((one) => one.stop(patience.behind)));
  await postgres?.leave(patience.postgres).catch((error: unknown) => {
    process.exitCode = 1;
    log.error('process.stop-failed', { process: 'postgres' }, error);
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  });
  lock.release();
  log.info('process.stopped', { exitCode: Number(process.exitCode ?? 0) });
  log.flush();
  process.exit();
}

await main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof StartError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
