import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hubRoles, parseRoleUrls } from '#kernel/db/roles.ts';
import { onDatabase, testServer, type TestServer } from '../test/kit/postgres.ts';
import { withClient } from '../test/kit/database.ts';
import { migrate } from './migrate.ts';

const mark = randomBytes(4).toString('hex');
const name = `migrate_${mark}`;
const rolePrefix = `m${mark}`;
let server: TestServer;
let ownerUrl: string;
let dataDir: string;

beforeAll(async () => {
  server = await testServer();
  await withClient(server.ownerUrl, (client) => client.query(`create database ${name}`));
  ownerUrl = onDatabase(server.ownerUrl, name);
  dataDir = await mkdtemp(join(tmpdir(), 'schema-migrate-'));
});
afterAll(async () => {
  await withClient(server.ownerUrl, async (client) => {
    await client.query(`drop database if exists ${name} with (force)`);
    for (const role of hubRoles) await client.query(`drop role if exists ${rolePrefix}_${role}`);
  });
  await rm(dataDir, { recursive: true });
});

const rolesText = (): Promise<string> => readFile(join(dataDir, 'roles.json'), 'utf8');

test('two migrations at once wait for one another; every role can log in with what roles.json says, which only its owner may read', async () => {
  await Promise.all([migrate({ ownerUrl, dataDir, rolePrefix }), migrate({ ownerUrl, dataDir, rolePrefix })]);
  const urls = parseRoleUrls(await rolesText());
  for (const role of hubRoles) {
    const { rows } = await withClient(urls[role], (client) =>
      client.query<{ name: string; strong: boolean }>(
        `select current_user as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as strong from pg_roles where rolname = current_user`,
      ),
    );
    expect(rows).toEqual([{ name: `${rolePrefix}_${role}`, strong: false }]);
  }
  expect((await stat(join(dataDir, 'roles.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(dataDir)).toEqual(['roles.json']);
});

test('a second run changes nothing and takes less than a second', async () => {
  const before = await rolesText();
  const started = performance.now();
  await migrate({ ownerUrl, dataDir, rolePrefix });
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(await rolesText()).toBe(before);
});

test('lost passwords are replaced, and rights that someone added by hand on the way of a change are taken away again', async () => {
  await withClient(ownerUrl, async (client) => {
    await client.query(`grant select on citizens.citizen to ${rolePrefix}_slips`);
    await client.query(`comment on schema hub is null`); // as after a change of the list of rights
  });
  await rm(join(dataDir, 'roles.json'));
  await migrate({ ownerUrl, dataDir, rolePrefix });
  const urls = parseRoleUrls(await rolesText());
  const { rows } = await withClient(urls.slips, (client) =>
    client.query(
      `select has_table_privilege(c.oid, 'select') as may from pg_class c where relname = 'citizen' and relnamespace = 'citizens'::regnamespace`,
    ),
  );
  expect(rows).toEqual([{ may: false }]);
});

test('passwords that the server does not know any more are replaced', async () => {
  await withClient(ownerUrl, (client) => client.query(`alter role ${rolePrefix}_reader password 'another'`));
  await migrate({ ownerUrl, dataDir, rolePrefix });
  const urls = parseRoleUrls(await rolesText());
  for (const role of hubRoles) await withClient(urls[role], (client) => client.query('select 1'));
});

test('the roles of another hub on the same server are left alone', async () => {
  const other = `other_${mark}`;
  await withClient(server.ownerUrl, (client) => client.query(`create database ${other}`));
  try {
    await expect(
      migrate({ ownerUrl: onDatabase(server.ownerUrl, other), dataDir: join(dataDir, 'other'), rolePrefix }),
    ).rejects.toThrow(/Give this hub another role prefix/);
  } finally {
    await withClient(server.ownerUrl, (client) => client.query(`drop database ${other} with (force)`));
  }
});

test('an owner whom row policies would not bind is refused, saying what to do', async () => {
  if (server.administratorUrl === null) {
    // A server that was given to us has no superuser for us: an owner that may not create roles is refused the same way.
    const urls = parseRoleUrls(await rolesText());
    await expect(migrate({ ownerUrl: urls.citizens, dataDir, rolePrefix })).rejects.toThrow(/CREATEROLE/);
    return;
  }
  await expect(migrate({ ownerUrl: onDatabase(server.administratorUrl, name), dataDir, rolePrefix })).rejects.toThrow(
    /no superuser/,
  );
});

test('a server that would lose acknowledged changes is refused (P1)', async () => {
  const settings = (value: string) =>
    withClient(ownerUrl, (client) => client.query(`alter database ${name} set synchronous_commit = ${value}`));
  await settings('off');
  try {
    await expect(migrate({ ownerUrl, dataDir, rolePrefix })).rejects.toThrow(/synchronous_commit off/);
  } finally {
    await settings('on');
  }
});

test('partitions of the audit reach two years ahead, and are made again when some are missing', async () => {
  await withClient(ownerUrl, async (client) => {
    const months = await client.query<{ count: number }>(
      `select count(*)::int from pg_inherits where inhparent = 'hub.audit_event'::regclass`,
    );
    expect(months.rows[0]?.count).toBe(25);
    await client.query(
      `drop table hub.audit_event_${new Date(Date.now() + 400 * 86_400_000).toISOString().slice(0, 7).replace('-', '_')}`,
    );
    expect((await client.query(`select hub.make_audit_partitions() as made`)).rows).toEqual([{ made: 1 }]);
    await expect(client.query(`select hub.make_audit_partitions(0)`)).rejects.toThrow(/months/);
  });
});
