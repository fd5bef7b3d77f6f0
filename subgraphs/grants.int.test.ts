import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hubRoles } from '#kernel/db/roles.ts';
import { functionGrants, privilegeOf, tableGrants } from './grants.ts';
import { unitsScope, withClient } from '../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';

/** Rows without a scope of their own, each with its reason. Every other table is bound by a row policy, or this test fails. */
const unscoped: Readonly<Record<string, string>> = {
  'hub.unit': 'not personal; every role needs the tree',
  'hub.audit_seal': 'hashes of audit rows, without anything of a person; the sealer adds, the auditor verifies',
  'hub.audit_head': 'the chain over the seals; the sealer adds, the auditor verifies',
  'hub.audit_sealer': 'how far the sealer is',
  'hub.audit_event': 'insert only; read by the auditor alone',
  'hub.outbox': 'insert only; taken through a function that checks the role',
  'hub.outbox_consumer': 'marks of the consumers',
  'hub.outbox_done': 'marks of the consumers',
  'hub.schedule': 'when something was begun last',
  'hub.used_link': 'random numbers of links and when they are over',
  'hub.queue_seen': 'numbers of the queues',
  'citizens.outside_calls': 'until when calls to an outside system are given out; no person',
  'organisation.signing_key': 'keys of the hub',
  'organisation.oidc_payload': 'store of the OpenID provider',
  'organisation.session': 'found by the hash of a cookie alone',
  'organisation.draft': 'found by a live session alone, sealed for its account',
  'organisation.security_event': 'of the hub, not of a unit',
};

interface Table {
  /** By number: a name is not even looked up in a schema that the role may not use. */
  readonly oid: number;
  readonly name: string;
  readonly forced: boolean;
  readonly scoped: boolean;
  readonly policies: string | null;
}

let database: TestDatabase;
let tables: readonly Table[];
beforeAll(async () => {
  database = await createTestDatabase();
  tables = await withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<Table>(`
      select c.oid::int8::int4 as oid, n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname in ('unit_no','facility_no','principal') and not a.attisdropped) as scoped,
        (select string_agg(p.polname, ',' order by p.polname) from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('hub','citizens','insurance','results','slips','organisation') and c.relkind in ('r','p') and not c.relispartition
        and c.relname <> 'migration'
      order by 1`);
    return rows;
  });
});
afterAll(() => database.close());

test('every table that is not on the short list is bound by a forced row policy', () => {
  const open = tables.filter(({ forced, policies }) => !forced || policies === null).map(({ name }) => name);
  expect(open.sort()).toEqual(Object.keys(unscoped).sort());
});

test('every table of the database is in the matrix of rights, and the other way round', () => {
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(tableGrants).sort());
});

describe('each role has exactly the rights of the matrix', () => {
  test.each(hubRoles)('%s', async (role) => {
    const [rights, functions] = await withClient(database.roles[role], async (client) => {
      const { rows } = await client.query<{ oid: number; rights: string[] }>(
        `select t as oid, array(select p from unnest(array['select','insert','update','delete','truncate','references','trigger']) p
           where has_table_privilege(t::oid, p) or (p not in ('delete','truncate','trigger') and has_any_column_privilege(t::oid, p))) as rights
         from unnest($1::int[]) t`,
        [tables.map(({ oid }) => oid)],
      );
      const callable = await client.query<{ name: string }>(
        `select n.nspname || '.' || p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('hub','citizens','insurance','results','slips','organisation') and has_function_privilege(p.oid, 'execute')`,
      );
      return [rows, callable.rows.map(({ name }) => name)];
    });
    const expected = Object.fromEntries(
      Object.entries(tableGrants).map(([table, grants]) => [
        table,
        (grants[role] ?? []).map((grant) => privilegeOf(grant).privilege).sort(),
      ]),
    );
    const names = new Map(tables.map(({ oid, name }) => [oid, name]));
    expect(Object.fromEntries(rights.map((row) => [names.get(row.oid), [...row.rights].sort()]))).toEqual(expected);
    expect(functions.sort()).toEqual(
      Object.entries(functionGrants)
        .filter(([, to]) => to.includes(role))
        .map(([signature]) => signature.slice(0, signature.indexOf('(')))
        .sort(),
    );
  });
});

test('what the matrix must never say: no role of a subgraph in the schema of another, the reader writes nothing but audit, nobody changes audit', () => {
  for (const [table, grants] of Object.entries(tableGrants)) {
    const schema = table.slice(0, table.indexOf('.'));
    for (const role of hubRoles) {
      const rights = grants[role]?.map((grant) => privilegeOf(grant).privilege) ?? [];
      if (schema !== 'hub' && rights.length > 0) expect([schema, 'reader']).toContain(role);
      if (role === 'reader')
        expect(rights.filter((right) => right !== 'select')).toEqual(table === 'hub.audit_event' ? ['insert'] : []);
      if (table === 'hub.audit_event') {
        expect(rights).not.toContain('update');
        expect(rights).not.toContain('delete');
        if (rights.includes('select')) expect(['auditor', 'sealer']).toContain(role);
      }
    }
  }
});

test('the reader sees no password, secret or key', async () => {
  await withClient(database.roles.reader, async (client) => {
    for (const column of [
      'organisation.account.password_hash',
      'organisation.account.totp_secret',
      'organisation.client.secret_hashes',
    ]) {
      const [schema, table, name] = column.split('.');
      const { rows } = await client.query<{ may: boolean }>(`select has_column_privilege($1, $2, 'select') as may`, [
        `${String(schema)}.${String(table)}`,
        name,
      ]);
      expect(rows).toEqual([{ may: false }]);
    }
    await expect(client.query('select * from organisation.client')).rejects.toThrow(/permission denied/);
  });
});

test('who tells of a change has no say about its id, time and place in the order', async () => {
  await withClient(database.roles.citizens, async (client) => {
    const { rows } = await client.query<{ column: string }>(
      `select a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'hub' and c.relname = 'outbox' and a.attnum > 0 and has_column_privilege(c.oid, a.attnum, 'insert')`,
    );
    expect(rows.map(({ column }) => column).sort()).toEqual([
      'kind',
      'payload',
      'subject',
      'unit_after',
      'unit_before',
      'version',
    ]);
  });
});

test('without a scope no row is visible and none can be written; the owner is bound too [A18]', async () => {
  const id = '0192f000-0000-7000-8000-000000000001';
  const insert = `insert into insurance.citizen (id, unit_no, life_status, version) values ($1, 7, 'ACTIVE', 1)`;
  for (const url of [database.roles.insurance, database.ownerUrl]) {
    await withClient(url, async (client) => {
      await expect(client.query(insert, [id])).rejects.toThrow(/row-level security/);
      await client.query('begin');
      await client.query(`select set_config('hub.scope', $1, true)`, [unitsScope(7)]);
      await client.query(insert, [id]);
      expect((await client.query('select 1 from insurance.citizen')).rowCount).toBe(1);
      await client.query('commit');
      // The variable reads '' from now on on this connection: still nothing.
      expect((await client.query('select 1 from insurance.citizen')).rowCount).toBe(0);
      expect((await client.query('update insurance.citizen set version = 2')).rowCount).toBe(0);
      await client.query('begin');
      await client.query(`select set_config('hub.scope', $1, true)`, [unitsScope(6, 8)]);
      expect((await client.query('select 1 from insurance.citizen')).rowCount).toBe(0);
      await expect(
        client.query('update insurance.citizen set unit_no = 9 where id = $1 returning 1', [id]),
      ).resolves.toMatchObject({ rowCount: 0 });
      await client.query('rollback');
      await client.query('begin');
      await client.query(`select set_config('hub.scope', $1, true)`, [unitsScope(7)]);
      await expect(client.query('update insurance.citizen set unit_no = 9')).rejects.toThrow(/row-level security/);
      await client.query('rollback');
    });
    await withClient(database.ownerUrl, async (client) => {
      await client.query('begin');
      await client.query(`select set_config('hub.scope', '{(,)}', true)`);
      expect((await client.query('delete from insurance.citizen')).rowCount).toBe(1);
      await client.query('commit');
    });
  }
});
