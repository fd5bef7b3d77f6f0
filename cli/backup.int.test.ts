import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { backupsIn, readBackup, type Backup } from './backup-manifest.ts';
import { archiveNote, readArchiveNote } from '#kernel/backup-note.ts';
import { segmentBefore } from './backup-notes.ts';
import { takeBackup, type Taken, type TakeOptions } from './backup-take.ts';
import { makeDataDir } from './data-dir.ts';
import { usePostgres, type PostgresUse } from './postgres.ts';
import { recover, type RecoverOptions } from './restore-cluster.ts';
import { fetchFile, storeFile } from './stored-file.ts';

/* Backups of a small cluster with one table; the whole hub is restored in test/e2e/backup.e2e.ts. */

const root = mkdtempSync(join(tmpdir(), 'lien-thong-backup-'));
const dataDir = join(root, 'data');
const folder = join(root, 'backups');
const key = randomBytes(32);
const patience = () => AbortSignal.timeout(60_000);
let use: PostgresUse;
let written: readonly number[] = [];

beforeAll(async () => {
  makeDataDir(dataDir);
  use = await usePostgres(dataDir, patience());
  writeFileSync(join(dataDir, 'keys.json'), '{"identifierKey":"secret"}', { mode: 0o600 });
  await rows('create table write (n int primary key, at timestamptz not null default clock_timestamp())');
}, 90_000);
afterAll(async () => {
  await use.leave();
  rmSync(root, { recursive: true, force: true });
});

async function rows<R extends object>(text: string, url = use.administratorUrl): Promise<R[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text)).rows;
  } finally {
    await client.end();
  }
}

function take(more: Partial<TakeOptions> = {}): Promise<Taken> {
  return takeBackup({
    dataDir,
    administratorUrl: use.administratorUrl,
    folder,
    archiveRoot: join(root, 'wal'),
    key,
    kept: 2,
    signal: patience(),
    progress: () => undefined,
    ...more,
  });
}

/** The numbers of table `write` in a restored copy. */
async function restored(backup: Backup, more: Partial<RecoverOptions> = {}): Promise<number[]> {
  const copy = mkdtempSync(join(root, 'copy-'));
  try {
    const { postgres } = await recover({
      backup,
      dataDir: copy,
      key,
      archive: backup.manifest.archive,
      to: null,
      signal: patience(),
      progress: () => undefined,
      ...more,
    });
    const found = await rows<{ n: number }>('select n from write order by n', postgres.administratorUrl);
    await postgres.leave();
    return found.map(({ n }) => n);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Numbers one after the other until told to stop; those that were acknowledged, with the database's time. */
function writing(from: number): { stop(): Promise<{ n: number; at: Date }[]> } {
  const acknowledged: { n: number; at: Date }[] = [];
  const stop = new AbortController();
  const done = (async () => {
    const client = new Client({ connectionString: use.administratorUrl });
    await client.connect();
    for (let n = from; !stop.signal.aborted; n += 1) {
      await client.query('insert into write (n) values ($1)', [n]);
      const { rows: now } = await client.query<{ at: Date }>('select clock_timestamp() as at');
      acknowledged.push({ n, at: now[0]?.at ?? new Date(8.64e15) });
    }
    await client.end();
  })();
  return {
    async stop() {
      stop.abort();
      await done;
      return acknowledged;
    },
  };
}

/** Hands what was written so far to the archive, as a minute's wait would. */
async function archived(): Promise<void> {
  const [{ name } = { name: '' }] = await rows<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
  for (const until = performance.now() + 20_000; performance.now() < until;) {
    const [found] = await rows<{ last: string | null }>('select last_archived_wal as last from pg_stat_archiver');
    if ((found?.last ?? '') >= name) return;
    await sleep(50);
  }
  throw new Error('the archive does not take the log');
}

test('without a backup the log is thrown away, since there is nothing that it could complete', async () => {
  await rows('insert into write (n) values (1)');
  await archived();
  expect(existsSync(archiveNote(dataDir))).toBe(false);
  expect(existsSync(join(root, 'wal'))).toBe(false);
});

test('a backup that is cut short leaves nothing, and nothing is archived after it', async () => {
  const stop = new AbortController();
  await expect(
    take({
      signal: stop.signal,
      progress(done) {
        if (done > 5_000_000) stop.abort(new Error('SIGINT'));
      },
    }),
  ).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(archiveNote(dataDir))).toBe(false);
});

test('what was acknowledged before its end is in a backup taken under writes, even without the archive [F29]', async () => {
  const writer = writing(100);
  const { manifest, folder: taken } = await take();
  const acknowledged = await writer.stop();
  await archived();
  const end = new Date(manifest.endedAt);
  const before = acknowledged.filter(({ at }) => at < end).map(({ n }) => n);
  expect(before.length).toBeGreaterThan(20);
  const backup = readBackup(taken, key);
  expect(await restored(backup, { archive: null })).toEqual(expect.arrayContaining([1, ...before]));
  written = acknowledged.map(({ n }) => n);
});

test('with the archive all there is comes back, up to a moment that is named; one that the log does not reach is refused', async () => {
  const backup = backupsIn(folder, key).at(-1);
  if (backup === undefined) throw new Error('no backup');
  await rows('insert into write (n) values (1000001)');
  await sleep(50);
  const [{ at } = { at: new Date(0) }] = await rows<{ at: Date }>('select clock_timestamp() as at');
  await sleep(50);
  await rows('insert into write (n) values (1000002)');
  await archived();
  const then = await restored(backup, { to: at });
  expect(then).toEqual([1, ...written, 1_000_001]);
  await expect(restored(backup, { to: new Date('2100-01-01') })).rejects.toThrow(
    /recovery ended before configured recovery target/,
  );
});

test('only its owner may look into a backup; it holds no clear byte of what is secret, and its manifest counts every file', async () => {
  const backup = backupsIn(folder, key).at(-1);
  if (backup === undefined) throw new Error('no backup');
  expect(statSync(backup.folder).mode & 0o077).toBe(0);
  const names = readdirSync(backup.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(backup.folder, name)).isFile(),
  );
  expect(names.filter((name) => name !== 'manifest.json').sort()).toEqual(Object.keys(backup.manifest.files).sort());
  for (const name of names) {
    const bytes = readFileSync(join(backup.folder, name));
    expect(statSync(join(backup.folder, name)).mode & 0o077).toBe(0);
    expect(bytes.includes('identifierKey')).toBe(false);
    const noted = backup.manifest.files[name];
    if (noted !== undefined) expect(createHash('sha256').update(bytes).digest('hex')).toBe(noted.sha256);
  }
  expect(names.filter((name) => /postmaster|pg_wal|pg_replslot|pgsql_tmp|postgres\.users|archive\.json/.test(name))).toEqual([]);
  expect(() => readBackup(backup.folder, randomBytes(32))).toThrow(/HUB_BACKUP_KEY/);
  expect(() => readBackup(backup.folder, null)).toThrow(/HUB_BACKUP_KEY/);
});

test('a damaged file, a damaged piece of the log and an altered manifest stop a restore', async () => {
  const backup = backupsIn(folder, key).at(-1);
  if (backup === undefined) throw new Error('no backup');
  const damaged = join(backup.folder, 'postgres/global/pg_control.zst.aes');
  const good = readFileSync(damaged);
  appendFileSync(damaged, 'x');
  await expect(restored(backup)).rejects.toThrow(/pg_control.*damaged/);
  writeFileSync(damaged, good);
  // A piece of the log that cannot be read never passes for the end of the log.
  const piece = join(backup.folder, 'wal', readdirSync(join(backup.folder, 'wal'))[0] ?? '');
  const log = readFileSync(piece);
  writeFileSync(piece, log.subarray(0, log.length - 100));
  await expect(restored(backup)).rejects.toThrow(/does not start/);
  writeFileSync(piece, log);
  const manifest = join(backup.folder, 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, text.replace(/"bytes": \d+/, '"bytes": 1'));
  expect(() => readBackup(backup.folder, key)).toThrow(/altered/);
  writeFileSync(manifest, text);
});

test('so many backups are kept, and of the log what the oldest of them needs', async () => {
  await sleep(1_000);
  const second = await take();
  await sleep(1_000);
  await rows('create table filler as select g, repeat(g::text, 50) from generate_series(1, 200000) g');
  const third = await take();
  expect(third.removed.backups).toHaveLength(1);
  expect(third.removed.segments).toBeGreaterThan(0);
  expect(backupsIn(folder, key).map(({ folder: path }) => path)).toEqual([second.folder, third.folder]);
  expect(readArchiveNote(archiveNote(dataDir))?.backups.map(({ folder: path }) => path)).toEqual([second.folder, third.folder]);
});

test('the archive never overwrites: the same piece again is no mistake, another one under its name is', () => {
  const note = join(root, 'note.json');
  const archive = join(root, 'other-archive');
  const source = join(root, 'piece');
  writeFileSync(note, JSON.stringify({ archive, key: key.toString('hex'), backups: [] }));
  writeFileSync(source, randomBytes(100_000));
  const run = () =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'archive-wal.ts'), note, source, '000000010000000000000009'], {
      encoding: 'utf8',
    });
  expect(run().status).toBe(0);
  expect(run().status).toBe(0);
  writeFileSync(source, randomBytes(100_000));
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('two hubs archive into one folder') });
  expect(readdirSync(archive)).toEqual(['000000010000000000000009.zst.aes']);
});

test('a stored file is bound to its name', async () => {
  const stored = join(root, 'one.zst.aes');
  await storeFile(Buffer.from('An'), stored, { name: 'hub/one', key });
  await fetchFile(stored, join(root, 'one'), { name: 'hub/one', key });
  expect(readFileSync(join(root, 'one'), 'utf8')).toBe('An');
  await expect(fetchFile(stored, join(root, 'two'), { name: 'hub/two', key })).rejects.toThrow();
});

test('pieces of the log are counted as PostgreSQL counts them', async () => {
  expect(segmentBefore('00000001', '0/3000000')).toBe('000000010000000000000002');
  expect(segmentBefore('00000001', '0/3000001')).toBe('000000010000000000000003');
  expect(segmentBefore('00000002', '1/0')).toBe('0000000200000000000000FF');
  const [{ lsn, name } = { lsn: '', name: '' }] = await rows<{ lsn: string; name: string }>(
    `select lsn::text, pg_walfile_name(lsn) as name from (select pg_current_wal_insert_lsn() as lsn) x`,
  );
  expect(segmentBefore('00000001', lsn)).toBe(name);
});
