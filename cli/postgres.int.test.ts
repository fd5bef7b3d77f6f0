import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { isAlive, makeDataDir } from './data-dir.ts';
import { usePostgres, type PostgresUse } from './postgres.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'lien-thong-postgres-'));
const patience = () => AbortSignal.timeout(60_000);
let use: PostgresUse;

beforeAll(async () => {
  makeDataDir(dataDir);
  use = await usePostgres(dataDir, patience());
}, 90_000);
afterAll(async () => {
  await use.leave();
  rmSync(dataDir, { recursive: true, force: true });
});

async function asOwner<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: use.ownerUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function one(text: string): Promise<Record<string, unknown>> {
  return asOwner(async (client) => (await client.query<Record<string, unknown>>(text)).rows[0] ?? {});
}

test('it knows Vietnamese letters and their order', async () => {
  const row = await one(`
    select lower('ĐẶNG THỊ Ý') as lower, length('Đặng') as length, 'Đ' > 'D' and 'Đ' < 'E' as between,
      (select datlocale || ' ' || datctype || ' ' || pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as locale,
      array(select n from unnest(array['Ích', 'Ân', 'Đức', 'Anh', 'Dũng', 'Ánh']) n order by n)::text[] as names`);
  expect(row).toEqual({
    lower: 'đặng thị ý',
    length: 4,
    between: true,
    locale: 'vi C.UTF-8 UTF8',
    names: ['Anh', 'Ánh', 'Ân', 'Dũng', 'Đức', 'Ích'],
  });
});

test('the owner of the tables is bound by row policies, and what is acknowledged is durable', async () => {
  expect(
    await one(`
      select rolsuper, rolbypassrls, rolcreaterole, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync,
        current_setting('full_page_writes') as pages
      from pg_roles where rolname = current_user`),
  ).toEqual({ rolsuper: false, rolbypassrls: false, rolcreaterole: true, fsync: 'on', sync: 'on', pages: 'on' });
});

test('its log holds no value of a row or statement, whatever goes wrong', async () => {
  await asOwner(async (client) => {
    await client.query('create table person (number text primary key)');
    await client.query(`insert into person values ('038090000001')`);
    await expect(client.query(`insert into person values ('038090000001')`)).rejects.toThrow('duplicate key');
    await expect(client.query(`insert into person values ($1)`, ['038090000001'])).rejects.toThrow('duplicate key');
    await expect(client.query(`select '038090000001x'::int`)).rejects.toThrow('out of range');
  });
  expect(readFileSync(join(dataDir, 'logs', 'postgres.log'), 'utf8')).not.toContain('038090000001');
});

test('its passwords and data are closed to others', () => {
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o077).toBe(0);
  expect(statSync(join(dataDir, 'postgres')).mode & 0o077).toBe(0);
});

test('a second user joins it, and it runs until the last has left', async () => {
  const second = await usePostgres(dataDir, patience());
  expect([second.port, second.pid()]).toEqual([use.port, use.pid()]);
  await second.leave();
  expect(use.isAlive()).toBe(true);
});

test('killed outright, it comes back on the same port with everything that was committed', async () => {
  await asOwner((client) => client.query('create table kept as select 42 as n'));
  const before = use.pid();
  process.kill(before, 'SIGKILL');
  while (use.isAlive()) await new Promise((resolve) => setTimeout(resolve, 20));
  await use.revive(patience());
  expect(use.pid()).not.toBe(before);
  expect(await one('select n from kept')).toEqual({ n: 42 });
});

test('the last to leave stops it', async () => {
  const pid = use.pid();
  await use.leave();
  expect(isAlive({ pid, started: '' })).toBe(false);
  expect(readFileSync(join(dataDir, 'logs', 'postgres.log'), 'utf8').trimEnd()).toMatch(/database system is shut down$/);
  use = await usePostgres(dataDir, patience());
  expect(await one('select n from kept')).toEqual({ n: 42 });
});
