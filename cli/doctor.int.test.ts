import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { readSettings, type Settings } from '#kernel/config.ts';
import { everyUnit } from '#kernel/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { archiveNote } from '#kernel/backup-note.ts';
import { writeArchiveNote } from './backup-notes.ts';
import { checkAudit, checkFiles } from './doctor-audit.ts';
import { checkBackup, checkMachine, checkRecords, checkServer, checkWork } from './doctor-checks.ts';
import type { Finding } from './doctor-finding.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'lien-thong-doctor-'));
let database: TestDatabase;
let owner: Client;
let settings: Settings;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', $1, false)`, [everyUnit]);
  const read = readSettings({ HUB_DATA_DIR: dataDir }, 'operator', '/');
  if (!read.ok) throw new Error('settings');
  settings = read.value;
  writeFileSync(join(dataDir, 'keys.json'), '{}', { mode: 0o600 });
});
afterAll(async () => {
  await owner.end();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function state(findings: readonly Finding[], check: string): Finding['state'] | undefined {
  return findings.find((finding) => finding.check === check)?.state;
}

test('of a sound installation there is nothing to complain but the backup that nobody has taken', async () => {
  const findings = [
    ...(await checkServer(owner)),
    ...(await checkWork(owner, settings)),
    ...(await checkRecords(owner)),
    ...(await checkFiles(owner, settings)),
    ...(await checkAudit(owner, settings)),
    ...(await checkBackup(owner, settings)),
  ];
  // Other test files share the server: how busy it is, is not ours to judge.
  const bad = findings.filter(({ check, state: found }) => found !== 'ok' && !['connections', 'transactions'].includes(check));
  expect(bad.map(({ check }) => check)).toEqual(['backup']);
  for (const { advice } of bad) expect(advice?.vi.length).toBeGreaterThan(10);
});

test('a folder that others may read, and one without its keys, is an error', async () => {
  expect(state(await checkMachine(settings), 'folder')).toBe('ok');
  chmodSync(dataDir, 0o755);
  expect(state(await checkMachine(settings), 'folder')).toBe('error');
  chmodSync(dataDir, 0o700);
  rmSync(join(dataDir, 'keys.json'));
  expect(state(await checkMachine(settings), 'folder')).toBe('error');
});

test('records of nobody are an error, records that wait for ever a warning', async () => {
  const insert = `insert into insurance.card (id, unit_no, number, bhxh_number, citizen_id) values ($1, 1, $2, right($2, 10), $3)`;
  // An id tells when it was given: this one in 2020.
  await owner.query(insert, ['016f5e66-e800-7000-8000-000000000001', 'DN4380123456789', null]);
  expect(state(await checkRecords(owner), 'waiting')).toBe('warning');
  await owner.query(insert, [randomUUID(), 'DN4380123456780', randomUUID()]);
  const findings = await checkRecords(owner);
  expect(state(findings, 'orphans')).toBe('error');
  expect(findings.map(({ found }) => found.en).join()).not.toContain('DN4380123456789');
});

test('a replica that knows somebody who does not exist, files without a row and rows without their file are told', async () => {
  await owner.query(`insert into slips.citizen (id, unit_no, life_status, version) values (gen_random_uuid(), 1, 'ACTIVE', 1)`);
  expect(state(await checkRecords(owner), 'strays')).toBe('warning');
  mkdirSync(settings.filesDir, { recursive: true });
  const left = join(settings.filesDir, 'a'.repeat(32));
  writeFileSync(left, '');
  expect(state(await checkFiles(owner, settings), 'files')).toBe('ok');
  utimesSync(left, new Date('2026-01-01'), new Date('2026-01-01'));
  expect(state(await checkFiles(owner, settings), 'files')).toBe('warning');
  rmSync(left);
  await owner.query(
    `insert into hub.import_file (id, kind, unit_no, sender, sender_name, state, stored_as)
     values (uuidv7(), 'CITIZENS', 1, 'clerk11', 'clerk11', 'RECEIVED', $1)`,
    ['b'.repeat(32)],
  );
  const files = await checkFiles(owner, settings);
  expect(files.map(({ found, advice }) => [found.en.split(';')[1], (advice?.vi.length ?? 0) > 10])).toEqual([
    [expect.stringContaining('1 that are named are not there'), true],
  ]);
});

test('a head that nobody published for a day, and a damaged file of heads, are errors', async () => {
  const head = `insert into hub.audit_head (no, line, kind, at, rows, batch_hash, previous, head, key_id, signature)
    values ($1, gen_random_uuid(), 'SEAL', clock_timestamp() - $2::interval, 0, '', '', '', 'k', '')`;
  mkdirSync(settings.auditHeadsDir, { recursive: true });
  const published = join(settings.auditHeadsDir, 'heads-2026.jsonl');
  const publish = (at: Date) => {
    const line = {
      no: 1,
      line: 'l',
      kind: 'SEAL',
      at: at.toISOString(),
      head: '0'.repeat(64),
      keyId: 'k',
      signature: '0'.repeat(128),
    };
    writeFileSync(published, `${JSON.stringify(line)}\n`);
  };
  await owner.query(head, [1, '0']);
  publish(new Date(Date.now() - 600_000));
  expect(state(await checkAudit(owner, settings), 'heads')).toBe('ok');
  publish(new Date(Date.now() - 2 * 3_600_000));
  expect(state(await checkAudit(owner, settings), 'heads')).toBe('warning');
  publish(new Date(Date.now() - 30 * 3_600_000));
  expect(state(await checkAudit(owner, settings), 'heads')).toBe('error');
  publish(new Date());
  appendFileSync(published, 'damaged\n');
  expect(state(await checkAudit(owner, settings), 'heads')).toBe('error');
  rmSync(settings.auditHeadsDir, { recursive: true });
});

test('an event that a replica lacks, a run without a sign of life and messages that are never removed are told', async () => {
  await owner.query(
    `insert into hub.outbox (kind, subject, version, unit_after, at) values ('CITIZEN', $1, 1, 1, now() - interval '10 minutes')`,
    [randomUUID()],
  );
  expect(state(await checkWork(owner, settings), 'replicas')).toBe('error');
  await owner.query(`update hub.outbox set at = now() - interval '12 days'`);
  await owner.query(
    `insert into hub.run (id, kind, state, unit_no, subgraph, started_by, heartbeat_at)
     values (uuidv7(), 'IMPORT', 'RUNNING', 1, 'citizens', 'clerk11', now() - interval '1 hour')`,
  );
  const findings = await checkWork(owner, settings);
  expect([state(findings, 'queue'), state(findings, 'retention')]).toEqual(['warning', 'warning']);
});

test('an old backup is a warning, a very old one an error; so is a log that the archive does not take', async () => {
  const folder = join(dataDir, 'backup-20260101T000000Z');
  mkdirSync(folder);
  const waiting = join(dataDir, 'postgres', 'pg_wal', 'archive_status');
  mkdirSync(waiting, { recursive: true });
  const aged = async (hours: number) => {
    const endedAt = new Date(Date.now() - hours * 3_600_000).toISOString();
    const backups = [{ folder, endedAt, firstSegment: '000000010000000000000001' }];
    writeArchiveNote(archiveNote(dataDir), { archive: join(dataDir, 'wal'), key: null, backups }, null);
    return checkBackup(owner, settings);
  };
  expect(state(await aged(20), 'backup')).toBe('ok');
  expect(state(await aged(50), 'backup')).toBe('warning');
  expect(state(await aged(500), 'backup')).toBe('error');
  for (const n of [1, 2, 3, 4]) writeFileSync(join(waiting, `00000001000000000000000${n}.ready`), '');
  expect(state(await aged(1), 'archive')).toBe('error');
});

test('a database of an older version, and an audit without coming months, are errors', async () => {
  await owner.query(`delete from organisation.migration where name = '0003-create-session'`);
  const server = await checkServer(owner);
  expect(state(server, 'migrations')).toBe('error');
  const { rows } = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'hub.audit_event'::regclass`,
  );
  for (const { name } of rows) await owner.query(`drop table ${name}`);
  expect(state(await checkAudit(owner, settings), 'audit')).toBe('error');
});
