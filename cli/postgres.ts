import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveNote } from '#kernel/backup-note.ts';
import { alone, identityOf, isAlive, writeSafely, type ProcessIdentity } from './data-dir.ts';
import { OperatorError } from './operator-error.ts';
import { postgresBinaries, runAs, type RunAs } from './postgres-binaries.ts';

/*
 * The PostgreSQL of a data directory: made once, started by whoever needs it first, stopped by whoever leaves last, so that a
 * hub and any number of commands share it. It is a process of its own (no Ctrl-C of a terminal reaches it), survives the death of
 * its starter, and is then found again by its postmaster.pid.
 */

/** A hold on the running server. */
export interface PostgresUse {
  /** Owner of the tables: may create roles, is no superuser. The port stays the same as long as somebody holds on. */
  readonly ownerUrl: string;
  /** The superuser, on the same database: for base backups and for what verifies them, nothing else. */
  readonly administratorUrl: string;
  readonly port: number;
  pid(): number;
  isAlive(): boolean;
  /** Starts it again if it died. */
  revive(signal: AbortSignal): Promise<void>;
  /** Lets go; the last one stops the server, or kills it (crash-safe) after `patience` milliseconds. */
  leave(patience?: number): Promise<void>;
}

/** Kept in postgres.json: what only the owner of the data directory may know. */
interface Notes {
  readonly administratorPassword: string;
  readonly ownerPassword: string;
  readonly port: number;
  /** The owner's role and the database exist. */
  readonly prepared: boolean;
}

const database = 'hub';
const owner = 'hub_owner';
const administrator = 'administrator';

/**
 * Given on the command line at every start, so that a new version of the hub brings its own. Sized for two cores shared with
 * the hub. What a message could quote of a row is left out of the log: no statements, no details, no errors of statements.
 */
const serverSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  wal_buffers: '16MB',
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '10min',
  wal_compression: 'pglz',
  random_page_cost: '1.1',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  autovacuum_naptime: '15s',
  client_connection_check_interval: '5s',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
  // Archiving needs a restart to be switched on: it is on from the first start, and its command keeps nothing until the first backup.
  wal_level: 'replica',
  archive_mode: 'on',
  // What a loss of the machine may cost, in seconds; a segment that was closed early is almost empty and compresses well.
  archive_timeout: '60',
};

interface Places {
  readonly pgData: string;
  readonly notes: string;
  readonly users: string;
  readonly guard: string;
  readonly log: string;
}

function placesIn(dataDir: string): Places {
  return {
    pgData: join(dataDir, 'postgres'),
    notes: join(dataDir, 'postgres.json'),
    users: join(dataDir, 'postgres.users'),
    guard: join(dataDir, 'postgres.guard'),
    log: join(dataDir, 'logs', 'postgres.log'),
  };
}

/**
 * Holds on to the server of this data directory; makes and starts it if need be. `recovery` are settings of a server that first
 * recovers from a backup: it gets one try, and is ready when it has recovered.
 */
export async function usePostgres(
  dataDir: string,
  signal: AbortSignal,
  recovery: Readonly<Record<string, string>> | null = null,
): Promise<PostgresUse> {
  const places = placesIn(dataDir);
  const mine = join(places.users, `${process.pid}-${randomBytes(4).toString('hex')}`);
  const [server, notes] = await alone(places.guard, signal, async () => {
    mkdirSync(places.users, { recursive: true, mode: 0o700 });
    const known = await makeCluster(dataDir, places);
    const settings = { ...serverSettings, archive_command: archiveCommand(dataDir), ...recovery };
    const running = await ensureRunning(places, known, settings, signal, { tries: recovery === null ? 20 : 1 });
    const current = { ...known, port: running.port, prepared: true };
    if (!known.prepared) await prepare(current);
    if (!known.prepared || known.port !== running.port) writeSafely(places.notes, JSON.stringify(current));
    writeFileSync(mine, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
    return [running, current] as const;
  });
  return hold(dataDir, places, mine, server, notes);
}

function hold(dataDir: string, places: Places, mine: string, first: Server, notes: Notes): PostgresUse {
  let server = first;
  return {
    ownerUrl: `postgresql://${owner}:${notes.ownerPassword}@127.0.0.1:${first.port}/${database}`,
    administratorUrl: `postgresql://${administrator}:${notes.administratorPassword}@127.0.0.1:${first.port}/${database}`,
    port: first.port,
    pid: () => server.identity.pid,
    isAlive: () => isAlive(server.identity),
    async revive(signal) {
      await alone(places.guard, signal, async () => {
        const settings = { ...serverSettings, archive_command: archiveCommand(dataDir) };
        server = await ensureRunning(places, { ...notes, port: first.port }, settings, signal, { samePort: true });
      });
    },
    async leave(patience = 8_000) {
      await alone(join(dataDir, 'postgres.guard'), AbortSignal.timeout(patience), async () => {
        rmSync(mine, { force: true });
        if (othersIn(places.users)) return;
        await stop(places.pgData, patience);
      });
    },
  };
}

/**
 * Hands each finished piece of the log to cli/archive-wal.ts. Without a backup there is nothing that it could complete: then it
 * costs no more than a look for a file.
 */
function archiveCommand(dataDir: string): string {
  const note = archiveNote(dataDir);
  const program = join(import.meta.dirname, 'archive-wal.ts');
  const quoted = [process.execPath, program, note].map(shellWord).join(' ');
  return `test ! -e ${shellWord(note)} || exec ${quoted} "%p" "%f"`;
}

/** One word for a shell, and a percent sign that PostgreSQL does not read as its own. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
}

/** Who owns the files of a cluster, where that is not who makes them. */
export function clusterOwner(dataDir: string): { readonly uid: number; readonly gid: number } | null {
  const { uid, gid } = runAs(join(dataDir, 'postgres'));
  return uid === undefined || gid === undefined ? null : { uid, gid };
}

/** Stops a server that a killed command left on this folder. */
export async function stopPostgres(dataDir: string): Promise<void> {
  await stop(placesIn(dataDir).pgData, 8_000);
}

/** Whether a living process still holds on; forgets the dead. */
function othersIn(users: string): boolean {
  let found = false;
  for (const name of readdirSync(users)) {
    const path = join(users, name);
    const holder = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity | null;
    if (holder !== null && isAlive(holder)) found = true;
    else rmSync(path, { force: true });
  }
  return found;
}

/** Makes the cluster beside its place and moves it there when it is whole: a start cut short leaves nothing half-made. */
async function makeCluster(dataDir: string, places: Places): Promise<Notes> {
  if (existsSync(join(places.pgData, 'PG_VERSION'))) return JSON.parse(readFileSync(places.notes, 'utf8')) as Notes;
  if (existsSync(places.pgData)) {
    throw new OperatorError(
      `${places.pgData} exists and holds no PostgreSQL: move it away. · ${places.pgData} không phải dữ liệu PostgreSQL.`,
    );
  }
  const notes: Notes = {
    administratorPassword: randomBytes(24).toString('base64url'),
    ownerPassword: randomBytes(24).toString('base64url'),
    port: await freePort(),
    prepared: false,
  };
  const fresh = `${places.pgData}.new`;
  const passwordFile = `${fresh}.password`;
  const as = runAs(places.pgData);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  writeFileSync(passwordFile, notes.administratorPassword, { mode: 0o600 });
  if (as.uid !== undefined && as.gid !== undefined) {
    for (const path of [fresh, passwordFile]) chownSync(path, as.uid, as.gid);
    chmodSync(dataDir, 0o711);
  }
  const made = spawnSync(
    ...command(as, postgresBinaries().initdb, [
      `--pgdata=${fresh}`,
      `--username=${administrator}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--locale-provider=icu',
      '--icu-locale=vi',
      '--no-instructions',
    ]),
    { ...identity(as), env: environment(), encoding: 'utf8' },
  );
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    const why = (made.error?.message ?? made.stderr).trim().split('\n').slice(-4).join('\n');
    throw new OperatorError(
      `PostgreSQL could not be set up in ${places.pgData} · Không tạo được PostgreSQL:\n${why}\n${permissionAdvice(as)}`,
    );
  }
  writeSafely(places.notes, JSON.stringify(notes));
  renameSync(fresh, places.pgData);
  return notes;
}

function permissionAdvice(as: RunAs): string {
  if (as.uid === undefined) return '';
  return (
    `It runs as user ${as.uid}, since it refuses root and this machine refuses user namespaces (unshare): that user must be able to enter ` +
    `the folders above the checkout and the data folder. Start as another user, or move them.`
  );
}

function command(as: RunAs, program: string, args: readonly string[]): [string, string[]] {
  const [first = program, ...rest] = [...as.prefix, program, ...args];
  return [first, rest];
}

function identity({ uid, gid }: RunAs): { uid?: number; gid?: number } {
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

/** PostgreSQL gets none of our settings: secrets stand among them. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' };
}

async function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => {
        resolve(port);
      });
    });
  });
}

interface Server {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly state: string;
}

/** The server that runs on this folder, whoever started it. `null`: none does. */
function look(pgData: string): Server | null {
  let lines: string[];
  try {
    lines = readFileSync(join(pgData, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const found = identityOf(Number(lines[0]));
  if (found === null || !worksIn(found.pid, pgData)) return null;
  return { identity: found, port: Number(lines[3] ?? 0), state: (lines[7] ?? 'starting').trim() };
}

/** Every process of a server has the cluster as its working directory: a number given anew to somebody else does not. */
function worksIn(pid: number, pgData: string): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(pgData);
  } catch {
    return false;
  }
}

function anyWorksIn(pgData: string): boolean {
  if (process.platform !== 'linux') return false;
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && worksIn(Number(name), pgData));
}

async function ensureRunning(
  places: Places,
  notes: Notes,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal,
  { tries = 20, samePort = false }: { readonly tries?: number; readonly samePort?: boolean },
): Promise<Server> {
  for (let attempt = 1; ;) {
    signal.throwIfAborted();
    const server = look(places.pgData);
    if (server?.state === 'ready') return server;
    if (server !== null) {
      // Starting (recovery after a crash may take its time) or stopping: neither is ended by us.
      await sleep(50);
      continue;
    }
    const outcome = await start(places, await portFor(notes.port, samePort), settings, signal);
    if (typeof outcome !== 'string') return outcome;
    if (attempt >= tries) throw new OperatorError(`PostgreSQL does not start · PostgreSQL không khởi động được:\n${outcome}`);
    attempt += 1;
    await clearStaleFile(places.pgData, outcome);
  }
}

async function portFor(noted: number, same: boolean): Promise<number> {
  try {
    return await freePort(noted);
  } catch {
    // Somebody else has it. Those who hold on know only this one, so there it must be awaited.
    if (same) return noted;
    return freePort();
  }
}

/**
 * A postmaster.pid whose number now belongs to a stranger stops PostgreSQL for ever. It is removed only when no process works in the
 * cluster any more: backends that outlive their postmaster still write.
 */
async function clearStaleFile(pgData: string, outcome: string): Promise<void> {
  if (/lock file "postmaster.pid" already exists/.test(outcome) && look(pgData) === null && !anyWorksIn(pgData)) {
    rmSync(join(pgData, 'postmaster.pid'), { force: true });
    return;
  }
  await sleep(250);
}

/** Starts it and waits until it takes connections; a text when it ended instead. */
async function start(
  places: Places,
  port: number,
  given: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Server | string> {
  if (existsSync(places.log) && statSync(places.log).size > 8 * 1024 * 1024) renameSync(places.log, `${places.log}.1`);
  const before = existsSync(places.log) ? statSync(places.log).size : 0;
  const log = openSync(places.log, 'a', 0o600);
  const as = runAs(places.pgData);
  const settings = Object.entries({ ...given, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(...command(as, postgresBinaries().postgres, ['-D', places.pgData, ...settings]), {
    ...identity(as),
    env: environment(),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ends: string[] = [];
  child.once('error', (error) => ends.push(error.message));
  child.once('exit', (code, by) => ends.push(`exit ${code ?? by ?? ''}`));
  child.unref();
  for (;;) {
    if (ends.length > 0) {
      const tail = readFileSync(places.log).subarray(before).toString('utf8').trim().split('\n').slice(-6).join('\n');
      return `${ends.join(', ')}\n${tail}\n${permissionAdvice(as)}`.trim();
    }
    const server = look(places.pgData);
    if (server?.state === 'ready' && server.identity.pid === child.pid) return server;
    if (signal.aborted) {
      child.kill('SIGINT');
      signal.throwIfAborted();
    }
    await sleep(15);
  }
}

/** Ends connections, writes a checkpoint and stops; what takes longer than `patience` is stopped as by a power failure, which is safe. */
async function stop(pgData: string, patience: number): Promise<void> {
  const server = look(pgData);
  if (server === null) return;
  const gone = async (milliseconds: number) => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until) {
      if (!isAlive(server.identity)) return true;
      await sleep(15);
    }
    return false;
  };
  process.kill(server.identity.pid, 'SIGINT');
  if (await gone(Math.max(patience - 1_500, 500))) return;
  process.kill(server.identity.pid, 'SIGQUIT');
  if (await gone(1_500)) return;
  throw new OperatorError(`PostgreSQL (process ${server.identity.pid}) does not stop`);
}

/** The owner of the tables and the database, once. */
async function prepare(notes: Notes): Promise<void> {
  const { Client, escapeIdentifier, escapeLiteral } = (await import('pg')).default;
  const client = new Client({
    host: '127.0.0.1',
    port: notes.port,
    user: administrator,
    password: notes.administratorPassword,
    database: 'postgres',
  });
  await client.connect();
  try {
    const name = escapeIdentifier(owner);
    const roles = await client.query('select 1 from pg_roles where rolname = $1', [owner]);
    if (roles.rowCount === 0) await client.query(`create role ${name} login createrole nosuperuser nobypassrls`);
    await client.query(`alter role ${name} password ${escapeLiteral(notes.ownerPassword)}`);
    const databases = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (databases.rowCount === 0) await client.query(`create database ${escapeIdentifier(database)} owner ${name}`);
  } finally {
    await client.end();
  }
}
