import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Client } from 'pg';
import { archiveNote, readArchiveNote, type BackupNote } from '#kernel/backup-note.ts';
import { numberOf, placeOf, segmentBefore, writeArchiveNote } from './backup-notes.ts';
import { backupName, manifestText, type Manifest } from './backup-manifest.ts';
import { rowCounts } from './backup-counts.ts';
import { OperatorError } from './operator-error.ts';
import { clusterOwner } from './postgres.ts';
import { copyStored, isCode, makeFolder, storeFile, storedSuffix, syncFolder, type StoredFile } from './stored-file.ts';

/*
 * A backup of a running hub: PostgreSQL is told when the copy begins and ends, in one session; what its files show of the time between is
 * put right by the log of that time, which is part of the backup. So the copy is the state at its end, whatever was written meanwhile.
 */

export interface TakeOptions {
  readonly dataDir: string;
  readonly administratorUrl: string;
  /** Folder of the backups. */
  readonly folder: string;
  /** Where the log is archived. */
  readonly archiveRoot: string;
  readonly key: Buffer | null;
  readonly kept: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

export interface Taken {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly storedBytes: number;
  /** Backups that were removed because enough newer ones are kept, and pieces of the log before the oldest one. */
  readonly removed: { readonly backups: readonly string[]; readonly segments: number };
}

/** So many files are read, compressed and written at a time. */
const hands = 4;

/** Of a cluster, what belongs to the running server alone and is made anew; the log comes by the archive. */
const notCopied = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'backup_label',
  'backup_label.old',
  'tablespace_map',
  'tablespace_map.old',
  'recovery.signal',
  'standby.signal',
  'pg_internal.init',
  'current_logfiles.tmp',
]);
const emptyFolders = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

/** Of the data directory, what tells of this machine's running processes, or is the backup itself. */
function notOfTheHub(name: string): boolean {
  return (
    [
      'postgres',
      'logs',
      'wal',
      'restoring',
      'postgres.users',
      'addresses.json',
      'population-simulator.json',
      'archive.json',
    ].includes(name) || /\.(?:lock|guard|clearing|sock)$|\.guard\.|\.\d+$/.test(name)
  );
}

interface Source {
  /** Inside the backup, without the suffix. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

export async function takeBackup(options: TakeOptions): Promise<Taken> {
  const { dataDir, signal, key } = options;
  const startedAt = new Date();
  const folder = join(resolve(options.folder), backupName(startedAt));
  const partial = `${folder}.part`;
  if (existsSync(folder)) throw new OperatorError(`${folder} đã có, hãy chạy lại · exists already, run it again`);
  for (const kept of ['postgres', 'restoring', 'logs']) {
    const place = relative(join(resolve(dataDir), kept), folder);
    if (!place.startsWith('..'))
      throw new OperatorError(`${options.folder} nằm trong dữ liệu cần sao lưu · lies inside what is to be backed up`);
  }
  const notePath = archiveNote(dataDir);
  const owner = clusterOwner(dataDir);
  const before = readArchiveNote(notePath);
  const session = new Client({ connectionString: options.administratorUrl, application_name: 'hub backup' });
  // A connection that breaks rejects what is under way; without a listener it would end the process first.
  session.on('error', () => undefined);
  await session.connect();
  let archive: string | null = null;
  try {
    const system = await systemOf(session);
    archive = join(resolve(options.archiveRoot), system.identifier);
    mkdirSync(archive, { recursive: true, mode: 0o700 });
    if (owner !== null) chownSync(archive, owner.uid, owner.gid);
    // From here on the archive keeps what it gets; which pieces the earlier backups need stays noted.
    writeArchiveNote(notePath, { archive, key: key?.toString('hex') ?? null, backups: before?.backups ?? [] }, owner);
    await makeFolder(partial);
    const copied = await copyWhileRunning(session, options, partial);
    const wal = await copyLog(archive, join(partial, 'wal'), copied.firstSegment, copied.lastSegment, key);
    const manifest: Manifest = {
      format: 1,
      startedAt: startedAt.toISOString(),
      endedAt: copied.endedAt,
      postgres: system.version,
      system: system.identifier,
      encrypted: key !== null,
      archive,
      firstSegment: copied.firstSegment,
      lastSegment: copied.lastSegment,
      rows: copied.rows,
      files: { ...copied.files, ...wal },
    };
    signal.throwIfAborted();
    await writeFile(join(partial, 'manifest.json'), manifestText(manifest, key), { mode: 0o600, flush: true });
    await syncFolder(partial);
    await rename(partial, folder);
    await syncFolder(dirname(folder));
    const note = { folder, endedAt: copied.endedAt, firstSegment: copied.firstSegment };
    const backups = [...(before?.backups.filter((one) => existsSync(one.folder)) ?? []), note];
    const removed = await forgetOld(backups, options.kept, archive);
    const left = backups.slice(-options.kept);
    writeArchiveNote(notePath, { archive, key: key?.toString('hex') ?? null, backups: left }, owner);
    const storedBytes = Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
    return { folder, manifest, storedBytes, removed };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Without a backup nothing is to be archived.
    if (before !== null) writeArchiveNote(notePath, before, owner);
    else {
      rmSync(notePath, { force: true });
      if (archive !== null) await rm(archive, { recursive: true, force: true });
    }
    throw error;
  } finally {
    // Ends a backup that was not stopped, too.
    await session.end();
  }
}

async function systemOf(session: Client): Promise<{ identifier: string; version: string }> {
  const { rows } = await session.query<{ identifier: string; version: string; spaces: number; segment: string }>(`
    select (select system_identifier::text from pg_control_system()) as identifier, current_setting('server_version') as version,
      (select count(*)::int from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as spaces,
      current_setting('wal_segment_size') as segment`);
  const found = rows[0];
  if (found === undefined) throw new Error('PostgreSQL does not name its cluster');
  if (found.spaces > 0)
    throw new OperatorError('Có tablespace ngoài thư mục dữ liệu · There are tablespaces outside the data directory');
  if (found.segment !== '16MB') throw new OperatorError(`wal_segment_size ${found.segment}`);
  return found;
}

interface Copied {
  readonly files: Record<string, StoredFile>;
  readonly firstSegment: string;
  readonly lastSegment: string;
  readonly endedAt: string;
  readonly rows: Readonly<Record<string, number>>;
}

async function copyWhileRunning(session: Client, options: TakeOptions, partial: string): Promise<Copied> {
  const { dataDir, signal, progress, key } = options;
  const pgData = join(dataDir, 'postgres');
  await session.query(`set statement_timeout = 0; set idle_session_timeout = 0`);
  await session.query(`select pg_backup_start($1, fast => true)`, [`lien-thong ${basename(partial)}`]);
  const sources = await sourcesIn(
    pgData,
    'postgres',
    (name) => notCopied.has(name) || name.startsWith('pgsql_tmp'),
    emptyFolders,
  );
  const control = sources.find(({ name }) => name === 'postgres/global/pg_control');
  if (control === undefined) throw new Error('the cluster has no pg_control');
  const own = async () =>
    (await sourcesIn(dataDir, 'hub', notOfTheHub, new Set())).filter(
      ({ path }) => !resolve(path).startsWith(resolve(options.folder)),
    );
  const total = [...sources, ...(await own())].reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const read = (bytes: number) => progress((done += bytes), Math.max(total, done));
  const files: Record<string, StoredFile> = {};
  const store = storing(partial, key, signal, read, files);
  const storeBytes = async (name: string, bytes: Buffer) => {
    const stored = `${name}${storedSuffix(key)}`;
    files[stored] = await storeFile(bytes, join(partial, stored), { name, key });
  };
  await store(sources.filter((one) => one !== control));
  // Last, as PostgreSQL's own tool does; it is written in place, so what is stored is a reading that two looks agreed on.
  await storeBytes(control.name, await steady(control.path));
  const rows = await rowCounts(session);
  signal.throwIfAborted();
  const { label, lsn, endedAt } = await stopped(session, signal);
  await storeBytes('postgres/backup_label', Buffer.from(label));
  // After the end: a row never names a file that is not there.
  await store(await own());
  const history = (await readdir(join(pgData, 'pg_wal'))).filter((name) => name.endsWith('.history'));
  await store(history.map((name) => ({ name: `wal/${name}`, path: join(pgData, 'pg_wal', name), bytes: 0 })));
  const firstSegment = /^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)/m.exec(label)?.[1];
  if (firstSegment === undefined) throw new Error('the backup label does not name its first piece of the log');
  return { files, firstSegment, lastSegment: segmentBefore(firstSegment.slice(0, 8), lsn), endedAt, rows };
}

/**
 * Ends the backup and waits for the last piece of its log. When the archive does not take it, that is told instead of waiting for ever.
 */
async function stopped(session: Client, signal: AbortSignal): Promise<{ label: string; lsn: string; endedAt: string }> {
  const failures = async () => {
    const watcher = new Client({ connectionString: connectionOf(session), application_name: 'hub backup watch' });
    await watcher.connect();
    try {
      const { rows } = await watcher.query<{ count: string }>('select failed_count::text as count from pg_stat_archiver');
      return Number(rows[0]?.count ?? 0);
    } finally {
      await watcher.end();
    }
  };
  const before = await failures();
  // Taken before the end is marked in the log: what was acknowledged until now stands before that mark.
  const { rows: now } = await session.query<{ at: Date }>('select clock_timestamp() as at');
  const endedAt = (now[0]?.at ?? new Date(0)).toISOString();
  const ended = session.query<{ label: string; lsn: string }>(
    `select labelfile as label, lsn::text from pg_backup_stop(wait_for_archive => true)`,
  );
  ended.catch(() => undefined);
  for (;;) {
    const first = await Promise.race([ended, new Promise<null>((resolve) => setTimeout(() => resolve(null), 500))]);
    if (first !== null) {
      const row = first.rows[0];
      if (row === undefined) throw new Error('PostgreSQL gave no backup label');
      return { label: row.label, lsn: row.lsn, endedAt };
    }
    if (signal.aborted) {
      await cancel(session);
      signal.throwIfAborted();
    }
    if ((await failures()) > before + 2) {
      await cancel(session);
      throw new OperatorError(
        'Không ghi được nhật ký WAL vào nơi lưu trữ, xem logs/postgres.log (dòng "archive:") · The log cannot be archived, see logs/postgres.log (lines "archive:")',
      );
    }
  }
}

function connectionOf({ host, port, user, password, database }: Client): string {
  const url = new URL(`postgresql://${host}:${port}/${database ?? ''}`);
  url.username = user ?? '';
  url.password = password ?? '';
  return url.href;
}

async function cancel(session: Client): Promise<void> {
  await session.end();
}

async function sourcesIn(
  root: string,
  as: string,
  skip: (name: string) => boolean,
  empty: ReadonlySet<string>,
): Promise<Source[]> {
  const sources: Source[] = [];
  async function walk(folder: string): Promise<void> {
    for (const entry of (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? []) {
      const path = join(folder, entry.name);
      if ((folder === root || as === 'postgres') && skip(entry.name)) continue;
      if (entry.isDirectory()) {
        if (!(folder === root && empty.has(entry.name))) await walk(path);
      } else if (entry.isFile()) {
        const found = await unlessGone(stat(path));
        if (found !== null) sources.push({ name: `${as}/${relative(root, path)}`, path, bytes: found.size });
      }
    }
  }
  await walk(root);
  return sources;
}

/** A running server removes files: what is gone was not needed, or the log says so. */
async function unlessGone<T>(look: Promise<T>): Promise<T | null> {
  try {
    return await look;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function storing(
  partial: string,
  key: Buffer | null,
  signal: AbortSignal,
  read: (bytes: number) => void,
  files: Record<string, StoredFile>,
): (sources: readonly Source[]) => Promise<void> {
  const made = new Set<string>();
  return async (sources) => {
    const waiting = [...sources].sort((one, other) => other.bytes - one.bytes);
    const worker = async () => {
      for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
        signal.throwIfAborted();
        const stored = `${source.name}${storedSuffix(key)}`;
        const target = join(partial, stored);
        const folder = dirname(target);
        if (!made.has(folder)) await makeFolder(folder);
        made.add(folder);
        try {
          // A piece of the log is called the same here and in the archive.
          const name = source.name.startsWith('wal/') ? basename(source.name) : source.name;
          files[stored] = await storeFile(source.path, target, { name, key, signal, read });
        } catch (error) {
          if (!isCode(error, 'ENOENT') || existsSync(source.path)) throw error;
          await rm(target, { force: true });
        }
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: hands }, worker));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
}

/** The content of a small file that is written in place. */
async function steady(path: string): Promise<Buffer> {
  for (let last = readFileSync(path); ;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = readFileSync(path);
    if (now.equals(last)) return now;
    last = now;
  }
}

/** The pieces that the backup needs to be whole on its own, without the archive. */
async function copyLog(
  archive: string,
  target: string,
  first: string,
  last: string,
  key: Buffer | null,
): Promise<Record<string, StoredFile>> {
  await makeFolder(target);
  const files: Record<string, StoredFile> = {};
  const wanted = (await readdir(archive)).filter((name) => {
    const segment = name.slice(0, 24);
    return (
      name === `${segment}${storedSuffix(key)}` && segment.startsWith(first.slice(0, 8)) && segment >= first && segment <= last
    );
  });
  const count = numberOf(last) - numberOf(first) + 1;
  if (wanted.length !== count) throw new Error(`the archive holds ${wanted.length} of the ${count} pieces ${first} to ${last}`);
  for (const name of wanted) files[`wal/${name}`] = await copyStored(join(archive, name), join(target, name));
  await syncFolder(target);
  return files;
}

/** Removes backups above the number that is kept, and the log that only they needed. */
async function forgetOld(backups: readonly BackupNote[], kept: number, archive: string): Promise<Taken['removed']> {
  const old = backups.slice(0, -kept);
  for (const { folder } of old) await rm(folder, { recursive: true, force: true });
  const oldest = backups.slice(-kept)[0];
  let segments = 0;
  for (const name of oldest === undefined ? [] : await readdir(archive)) {
    if (!/^[0-9A-F]{24}\./.test(name) || placeOf(name) >= placeOf(oldest?.firstSegment ?? '')) continue;
    await rm(join(archive, name), { force: true });
    segments += 1;
  }
  return { backups: old.map(({ folder }) => folder), segments };
}
