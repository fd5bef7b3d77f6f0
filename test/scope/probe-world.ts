import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import type { RowScope } from '#kernel/auth/policy.ts';
import { permissionsOf, type Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { defaultPurpose } from '#kernel/auth/purposes.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { silentLog } from '#kernel/log.ts';
import { rangesOf, unitTree, type UnitTree } from '#kernel/unit-scope.ts';
import { readSupergraph } from '../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import { allSubgraphs } from '../../subgraphs/all.ts';
import { seedDemoWorld } from '../../subgraphs/seed.ts';
import { createTestDatabase, type TestDatabase } from '../kit/postgres.ts';
import { addLateKinds } from './late-kinds.ts';

/*
 * The demo world behind the whole graph, for probes of the scope: with both locks, with either one taken away, and on
 * connections whose last transaction failed. What is in the tables is read beside the graph, past every lock.
 */

/** A row of a table that is bound to a scope, as it is, whoever may see it. */
export interface Row {
  readonly table: string;
  readonly id: string;
  readonly unitNo: number | null;
  readonly facilityNo: number | null;
  readonly citizenId: string | null;
  /** Number, code or name by which the graph looks it up. */
  readonly number: string | null;
}

/** A table with a row policy on units, the column that names a row, and the columns that hold units. */
export interface ScopedTable {
  readonly table: string;
  readonly key: string;
  readonly units: readonly string[];
}

export interface Probed {
  readonly body: { readonly data?: Record<string, unknown> | null; readonly errors?: readonly GraphError[] };
  readonly traceId: string;
}

export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

export interface ProbeWorld {
  readonly database: TestDatabase;
  readonly units: readonly number[];
  readonly tree: UnitTree;
  /** Rows by table. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  /** Every table with a row policy on units. */
  readonly scopedTables: readonly ScopedTable[];
  /** Everything of a table, past the locks. */
  truth<T extends object>(text: string, values?: readonly unknown[]): Promise<readonly T[]>;
  /** Replaces the policy of these tables by `true`, runs `body`, and puts the policies back. */
  withoutPolicies<T>(tables: readonly string[], body: () => Promise<T>): Promise<T>;
  openGraph(locks?: { readonly one: boolean }): Promise<ProbedGraph>;
  callerOf(role: Role, unit: number): Caller;
  close(): Promise<void>;
}

export interface ProbedGraph {
  readonly gateway: Gateway;
  ask(caller: Caller, query: string, variables: Readonly<Record<string, unknown>>): Promise<Probed>;
  /** Makes the next transaction of every reading connection the one after a failure. */
  failTransactions(scope: RowScope): Promise<void>;
  close(): Promise<void>;
}

interface RecordColumns {
  readonly number: string;
  readonly facility?: boolean;
  /** `null`: about nobody. */
  readonly citizen: string | null;
}

const recordTables: Readonly<Record<string, RecordColumns>> = {
  'citizens.citizen': { number: 'personal_id', citizen: 'id' },
  'citizens.discrepancy': { number: 'field', citizen: 'citizen_id' },
  'citizens.change': { number: 'action', citizen: 'citizen_id' },
  'insurance.card': { number: 'number', citizen: 'citizen_id' },
  'insurance.change': { number: 'action', citizen: 'citizen_id' },
  'results.result': { number: 'code', citizen: 'citizen_id' },
  'results.change': { number: 'action', citizen: 'citizen_id' },
  'slips.referral_slip': { number: 'number', facility: true, citizen: 'citizen_id' },
  'slips.reexamination_slip': { number: 'number', facility: true, citizen: 'citizen_id' },
  'slips.change': { number: 'action', facility: true, citizen: 'citizen_id' },
  'organisation.work_item': { number: 'kind', citizen: 'citizen_id' },
  'organisation.account': { number: 'login', citizen: null },
  'organisation.client': { number: 'name', citizen: null },
  'organisation.change': { number: 'action', citizen: null },
  'hub.run': { number: 'kind', citizen: null },
  'hub.import_file': { number: 'kind', citizen: null },
  'hub.export_file': { number: 'kind', citizen: null },
};

export async function openProbeWorld(): Promise<ProbeWorld> {
  const database = await createTestDatabase();
  const directory = mkdtempSync(join(tmpdir(), 'lien-thong-probes-'));
  const identifierKey = Buffer.alloc(32, 5);
  await seedDemoWorld({ ownerUrl: database.ownerUrl, dataDir: directory, seed: 7, identifierKey });
  const owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  // The owner is bound by the policies too: he reads everything by the scope of maintenance.
  await owner.query(`select set_config('hub.scope', '{(,)}', false)`);

  async function truth<T extends object>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
    const { rows } = await owner.query(text, [...values]);
    return rows as T[];
  }

  const unitRows = await truth<{ number: number; parent: number | null }>('select number, parent_number as parent from hub.unit');
  const tree = unitTree(unitRows);
  const rows = new Map<string, readonly Row[]>();
  await addLateKinds(owner);
  for (const [table, { number, facility = false, citizen }] of Object.entries(recordTables)) {
    rows.set(
      table,
      await truth<Row>(
        `select '${table}' as table, id::text as id, unit_no as "unitNo", ${facility ? 'facility_no' : 'null::int'} as "facilityNo",
                ${citizen ?? 'null'}::text as "citizenId", ${number} as number from ${table} order by id`,
      ),
    );
  }
  const policies = await truth<{ table: string; name: string; using: string; check: string | null }>(
    `select schemaname || '.' || tablename as table, policyname as name, qual as using, with_check as check
       from pg_policies where qual like '%hub.scope%' order by 1, 2`,
  );

  const scopedTables = await truth<ScopedTable>(
    `select c.table_schema || '.' || c.table_name as table,
            case when bool_or(c.column_name = 'id') then 'id' when bool_or(c.column_name = 'citizen_id') then 'citizen_id'
              else min(c.column_name::text) filter (where c.column_name like '%_id') end as key,
            array_agg(c.column_name::text) filter (where c.column_name in ('unit_no', 'facility_no')) as units
       from information_schema.columns c
      where c.table_schema || '.' || c.table_name = any ($1)
      group by c.table_schema, c.table_name having bool_or(c.column_name in ('unit_no', 'facility_no')) order by 1`,
    [[...new Set(policies.map(({ table }) => table))]],
  );

  async function withoutPolicies<T>(tables: readonly string[], body: () => Promise<T>): Promise<T> {
    const opened = policies.filter(({ table }) => tables.includes(table));
    if (tables.some((table) => !opened.some((policy) => policy.table === table))) throw new Error('A table without policy');
    for (const { table, name } of opened) await owner.query(`alter policy ${name} on ${table} using (true)`);
    try {
      return await body();
    } finally {
      for (const { table, name, using } of opened) await owner.query(`alter policy ${name} on ${table} using (${using})`);
    }
  }

  async function openGraph({ one }: { readonly one: boolean } = { one: true }): Promise<ProbedGraph> {
    const registry = new Registry();
    const door = openReadDoor({ connection: database.roles.reader, registry, keyedConnections: 1, wideConnections: 1 });
    const auditor = openReadDoor({ connection: database.roles.auditor, registry, name: 'auditor', keyedConnections: 1 });
    const audit = openReadAudit({ connection: database.roles.reader, registry });
    const read = one ? door : withoutLockOne(door);
    const deps = { door: read, auditor, clock: { now: () => new Date() }, identifierKey };
    const runtimes = allSubgraphs.map((module) => openRuntime(module, deps, audit));
    const gateway = await openGateway({ supergraph: readSupergraph(), doors: runtimes, production: false, log: silentLog });
    return {
      gateway,
      async ask(caller, query, variables) {
        const operation = { query, operationName: null, variables };
        const answer = await gateway.answer(operation, caller, AbortSignal.timeout(20_000));
        return { body: JSON.parse(answer.body) as Probed['body'], traceId: caller.traceId };
      },
      async failTransactions(scope) {
        const fail = { name: 'probe_failure', text: `select $2::text[], 1 / (0 * length($1::text)) from (select $3::uuid) as n` };
        const failed = await Promise.allSettled([
          door.byKeys(fail, scope, ['x']),
          door.rows('probe_failure', 'select 1 / (0 * length($1::int4multirange::text))', scope, []),
        ]);
        if (failed.some(({ status }) => status === 'fulfilled')) throw new Error('The failing read did not fail');
      },
      async close() {
        await gateway.stop();
        await Promise.all(runtimes.map((runtime) => runtime.close()));
        await Promise.all([door.close(), auditor.close(), audit.close()]);
      },
    };
  }

  return {
    database,
    units: unitRows.map(({ number }) => number),
    tree,
    rows,
    scopedTables,
    truth,
    withoutPolicies,
    openGraph,
    callerOf(role, unit) {
      const below = tree.below(unit);
      const purpose = defaultPurpose[role];
      return {
        principal: {
          id: `probe-${role}`,
          name: role,
          kind: 'CLIENT',
          role,
          unitNo: unit,
          scope: rangesOf(below),
          scopeUnits: below.length,
          permissions: permissionsOf[role],
          purpose,
          pointsPerMinute: 60_000,
        },
        purpose,
        basis: null,
        locale: 'en',
        traceId: randomUUID().replaceAll('-', ''),
        operation: 'probe',
        idempotencyKey: null,
      };
    },
    async close() {
      await owner.end();
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The same reads with the condition of lock one taken out of their texts: what is left is the row policy. */
export function withoutLockOne(door: ReadDoor): ReadDoor {
  const open = (text: string): string => text.replaceAll('<@ $1::int4multirange', `<@ ($1::int4multirange + '{(,)}')`);
  const opened = <Read extends { readonly name: string; readonly text: string }>(read: Read): Read => ({
    ...read,
    name: `${read.name}_open`,
    text: open(read.text),
  });
  return {
    byKeys: (read, scope, keys) => door.byKeys(opened(read), scope, keys),
    page: (read, scope, after, limit) => door.page(opened(read), scope, after, limit),
    rows: (name, text, scope, values) => door.rows(`${name}_open`, open(text), scope, values),
  };
}
