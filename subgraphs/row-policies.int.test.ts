import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { everyUnit } from '#kernel/db/database.ts';
import { hubRoles, type HubRole } from '#kernel/db/roles.ts';
import { privilegeOf, tableGrants } from './grants.ts';
import { seedDemoWorld } from './seed.ts';
import { unitsScope, withClient } from '../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';

interface Scoped {
  readonly table: string;
  readonly columns: readonly string[];
}

let database: TestDatabase;
let dataDir: string;
let scoped: readonly Scoped[];
let owner: Client;
const clients = new Map<HubRole, Client>();

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'schema-policies-'));
  await seedDemoWorld({ ownerUrl: database.ownerUrl, dataDir, seed: 7, identifierKey: Buffer.alloc(32, 7) });
  scoped = await withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<Scoped>(`
      select c.oid::regclass::text as table, array_agg(a.attname::text order by a.attname desc) as columns
      from pg_policy p join pg_class c on c.oid = p.polrelid
        join pg_attribute a on a.attrelid = c.oid and a.attname in ('unit_no', 'facility_no') and not a.attisdropped
      where p.polname = 'scope' group by c.oid order by 1`);
    return rows;
  });
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  for (const role of hubRoles) {
    const client = new Client({ connectionString: database.roles[role] });
    await client.connect();
    clients.set(role, client);
  }
}, 120_000);
afterAll(async () => {
  for (const client of [owner, ...clients.values()]) await client.end();
  await database.close();
  await rm(dataDir, { recursive: true });
});

const rights = (table: string, role: HubRole): readonly string[] =>
  (tableGrants[table]?.[role] ?? []).map((grant) => privilegeOf(grant).privilege);

const clientOf = (role: HubRole): Client => {
  const client = clients.get(role);
  if (client === undefined) throw new Error(role);
  return client;
};

async function under<T>(client: Client, scope: string | null, body: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    if (scope !== null) await client.query(`select set_config('hub.scope', $1, true)`, [scope]);
    return await body();
  } finally {
    await client.query('rollback');
  }
}

/** Rows that the scope covers, counted over everything by the rule as the design has it. */
async function covered({ table, columns }: Scoped, scope: string): Promise<number> {
  const inside = columns.map((column) => `${column} <@ $1::int4multirange`).join(' or ');
  const text = `select count(*)::int as count from ${table} where coalesce(${inside}, false)`;
  const { rows } = await under(owner, everyUnit, () => owner.query<{ count: number }>(text, [scope]));
  return rows[0]?.count ?? -1;
}

const visible = (client: Client, table: string): Promise<number> =>
  client.query<{ count: number }>(`select count(1)::int as count from ${table}`).then(({ rows }) => rows[0]?.count ?? -1);

test('each login sees of each table exactly the rows of its scope, whatever the scope [A08] [A18]', async () => {
  const anyScope = fc.oneof(
    fc.subarray([1, 2, 3, 4, 5, 6, 7]).map((units) => unitsScope(...units)),
    fc.constantFrom('{}', everyUnit, '{[1,100)}'),
  );
  let compared = 0;
  let withRows = 0;
  for (const scope of fc.sample(anyScope, { numRuns: 12, seed: 5 })) {
    for (const one of scoped) {
      const expected = await covered(one, scope);
      for (const role of hubRoles.filter((name) => rights(one.table, name).includes('select'))) {
        const client = clientOf(role);
        const seen = await under(client, scope, () => visible(client, one.table));
        expect({ table: one.table, role, scope, seen }).toEqual({ table: one.table, role, scope, seen: expected });
        compared += 1;
        if (expected > 0) withRows += 1;
      }
    }
  }
  expect(compared).toBeGreaterThan(300);
  expect(withRows / compared).toBeGreaterThan(0.3);
}, 120_000);

test('each login changes of each table exactly the rows of its scope, and moves none of them out of it', async () => {
  const scope = unitsScope(3, 7);
  for (const one of scoped) {
    const expected = await covered(one, scope);
    for (const role of hubRoles.filter((name) => rights(one.table, name).includes('update'))) {
      const client = clientOf(role);
      // A slip that a clerk entered is its facility's to read, not to write.
      const writable =
        one.columns.length > 1 && one.table.endsWith('_slip')
          ? ` where unit_no <@ '${scope}'::int4multirange or origin = 'SIGNED'`
          : '';
      const mine = await under(client, scope, async () => (await client.query(`select from ${one.table}${writable}`)).rowCount);
      const changed = await under(
        client,
        scope,
        async () => (await client.query(`update ${one.table} set unit_no = unit_no${writable}`)).rowCount,
      );
      expect({ table: one.table, changed }).toEqual({ table: one.table, changed: mine });
      if (writable === '') expect(changed).toBe(expected);
      if (expected > 0 && one.columns.length === 1) {
        await expect(under(client, scope, () => client.query(`update ${one.table} set unit_no = 4`))).rejects.toThrow(
          /row-level security/,
        );
      }
      const removed = rights(one.table, role).includes('delete')
        ? await under(client, scope, async () => (await client.query(`delete from ${one.table}`)).rowCount)
        : expected;
      expect({ table: one.table, removed }).toEqual({ table: one.table, removed: expected });
    }
  }
}, 120_000);

test('after a failed transaction, and without a scope, a login sees nothing of any scoped table [A18]', async () => {
  for (const role of hubRoles) {
    const client = clientOf(role);
    await client.query('begin');
    await client.query(`select set_config('hub.scope', $1, true)`, [everyUnit]);
    await expect(client.query('select 1/0')).rejects.toThrow();
    await client.query('rollback');
    for (const { table } of scoped.filter((one) => rights(one.table, role).includes('select'))) {
      expect({ role, table, seen: await visible(client, table) }).toEqual({ role, table, seen: 0 });
    }
  }
});

test('a scope that is no set of numbers is an error, never everything', async () => {
  const client = clientOf('reader');
  for (const scope of ['*', 'null', '{[1,2}', 'true', '{(,)} or true']) {
    await expect(under(client, scope, () => visible(client, 'citizens.citizen'))).rejects.toThrow(/multirange/);
  }
});
