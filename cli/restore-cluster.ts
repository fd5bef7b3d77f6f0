import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Client } from 'pg';
import type { Backup } from './backup-manifest.ts';
import { makeDataDir } from './data-dir.ts';
import { OperatorError } from './operator-error.ts';
import { clusterOwner, shellWord, usePostgres, type PostgresUse } from './postgres.ts';
import type { RecoveryPlan } from './recovery-plan.ts';
import { fetchFile, makeFolder, storedSuffix } from './stored-file.ts';

/*
 * From a backup to a running server: files, each checked against the manifest; then PostgreSQL's own recovery from the log, to its end
 * or to a moment.
 */

export interface RecoverOptions {
  readonly backup: Backup;
  /** A data directory that is made; nothing may be there. */
  readonly dataDir: string;
  readonly key: Buffer | null;
  /** Where the log goes on after the backup; `null`: only what the backup itself has. */
  readonly archive: string | null;
  /** `null`: to the end of the log. */
  readonly to: Date | null;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

export interface Recovered {
  /** Holds the server; it runs without archiving. */
  readonly postgres: PostgresUse;
  /** When the last transaction that is there was committed; `null`: none after the backup. */
  readonly recoveredTo: string | null;
}

const hands = 4;

/** Folders that PostgreSQL wants to find, beside those that have files. */
const clusterFolders = [
  'pg_commit_ts',
  'pg_dynshmem',
  'pg_logical/mappings',
  'pg_logical/snapshots',
  'pg_multixact/members',
  'pg_multixact/offsets',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_tblspc',
  'pg_twophase',
  'pg_wal/archive_status',
  'pg_wal/summaries',
  'pg_xact',
];

export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { backup, dataDir, key, archive, to, signal } = options;
  makeDataDir(dataDir);
  await fetchAll(options);
  const pgData = join(dataDir, 'postgres');
  for (const folder of clusterFolders) mkdirSync(join(pgData, folder), { recursive: true, mode: 0o700 });
  await writeFile(join(pgData, 'recovery.signal'), '', { mode: 0o600 });
  const plan: RecoveryPlan = {
    folders: [join(backup.folder, 'wal'), ...(archive === null ? [] : [archive])],
    key: key?.toString('hex') ?? null,
  };
  const planFile = join(pgData, 'recovery-plan.json');
  await writeFile(planFile, JSON.stringify(plan), { mode: 0o600 });
  giveToServer(dataDir, pgData);
  const program = [process.execPath, join(import.meta.dirname, 'restore-wal.ts'), planFile].map(shellWord).join(' ');
  const postgres = await usePostgres(dataDir, signal, {
    archive_mode: 'off',
    hot_standby: 'off',
    restore_command: `exec ${program} "%f" "%p"`,
    // The line of this very backup: what was written on another line after an earlier restore is another history.
    recovery_target_timeline: 'current',
    recovery_target_action: 'promote',
    ...(to === null ? {} : { recovery_target_time: to.toISOString().replace('T', ' ').replace('Z', '+00') }),
  });
  try {
    await rm(planFile, { force: true });
    return { postgres, recoveredTo: await lastCommit(postgres) };
  } catch (error) {
    await postgres.leave();
    throw error;
  }
}

async function fetchAll({ backup, dataDir, key, signal, progress }: RecoverOptions): Promise<void> {
  const { files } = backup.manifest;
  const suffix = storedSuffix(backup.manifest.encrypted ? key : null);
  const total = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const waiting = Object.entries(files)
    // The log is read by the recovery itself, from where it lies.
    .filter(([stored]) => !stored.startsWith('wal/'))
    .sort(([, one], [, other]) => other.bytes - one.bytes);
  const made = new Set<string>();
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      signal.throwIfAborted();
      const [stored, wanted] = next;
      if (!stored.endsWith(suffix)) throw new OperatorError(`${stored}: not a file of this backup`);
      const name = stored.slice(0, -suffix.length);
      const target = resolve(dataDir, placeIn(name));
      if (!made.has(dirname(target))) await makeFolder(dirname(target));
      made.add(dirname(target));
      let found;
      try {
        found = await fetchFile(join(backup.folder, stored), target, {
          name,
          key,
          signal,
          read: (bytes) => progress((done += bytes), total),
        });
      } catch (error) {
        if (signal.aborted) throw error;
        throw damaged(backup, stored, error);
      }
      if (found.sha256 !== wanted.sha256 || found.bytes !== wanted.bytes) throw damaged(backup, stored, null);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: hands }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function damaged({ folder }: Backup, stored: string, cause: unknown): OperatorError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new OperatorError(
    `${join(folder, stored)} bị hỏng hoặc thiếu${why}: hãy dùng bản sao lưu khác · ${join(folder, stored)} is damaged or missing${why}: take another backup`,
  );
}

/** The hub's own files lie at the top of the data directory, beside the cluster. */
function placeIn(name: string): string {
  return name.startsWith('hub/') ? name.slice('hub/'.length) : name;
}

/** Where PostgreSQL runs as another user, its files are his. */
function giveToServer(dataDir: string, pgData: string): void {
  const owner = clusterOwner(dataDir);
  if (owner === null) return;
  chmodSync(dataDir, 0o711);
  chownSync(pgData, owner.uid, owner.gid);
  for (const path of readdirSync(pgData, { recursive: true, encoding: 'utf8' }))
    chownSync(join(pgData, path), owner.uid, owner.gid);
}

async function lastCommit({ administratorUrl }: PostgresUse): Promise<string | null> {
  const client = new Client({ connectionString: administratorUrl, application_name: 'hub restore' });
  await client.connect();
  try {
    const { rows } = await client.query<{ at: Date | null }>('select pg_last_xact_replay_timestamp() as at');
    return rows[0]?.at?.toISOString() ?? null;
  } finally {
    await client.end();
  }
}
