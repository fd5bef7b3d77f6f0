import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { ReadAudit, ReadRecord, SubgraphName } from '#kernel/audit/audit.ts';
import { permissionsOf, type Permission, type Role } from '#kernel/auth/permissions.ts';
import type { Caller, LegalBasis } from '#kernel/auth/principal.ts';
import { defaultPurpose, type Purpose } from '#kernel/auth/purposes.ts';
import { changesOf } from '#kernel/db/change.ts';
import type { KeyedRead, PageRead, ReadDoor } from '#kernel/db/read-door.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import type { RowScope } from '#kernel/auth/policy.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { countOfUnits } from '#kernel/unit-scope.ts';
import { unitsScope, withClient } from './database.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

/** Units of the small province in which records are tested: two centres, three stations, one facility. */
export const unit = { p: 1, c1: 2, c2: 3, x11: 4, x12: 5, x21: 6, facilityA: 7 } as const;

export const scopes = {
  province: unitsScope(...Object.values(unit)),
  centre1: unitsScope(unit.c1, unit.x11, unit.x12),
  x11: unitsScope(unit.x11),
  x21: unitsScope(unit.x21),
  facilityA: unitsScope(unit.facilityA),
} as const;

const units: readonly (readonly [number, string, string, number | null])[] = [
  [unit.p, 'p', 'PROVINCE', null],
  [unit.c1, 'c1', 'CENTRE', unit.p],
  [unit.c2, 'c2', 'CENTRE', unit.p],
  [unit.x11, 'x11', 'STATION', unit.c1],
  [unit.x12, 'x12', 'STATION', unit.c1],
  [unit.x21, 'x21', 'STATION', unit.c2],
  [unit.facilityA, '52901', 'FACILITY', unit.p],
];

/** A UUIDv7 with a number of our choice, so that ids sort as they were given. */
export function id(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

export const people = { an: id(1), binh: id(2), chi: id(3) } as const;
export const unitOf = { [people.an]: unit.x11, [people.binh]: unit.x12, [people.chi]: unit.x21 } as const;

/** Counts the statements that a subgraph asks of the door: what the door merges counts once per tick and text. */
export class CountingDoor implements ReadDoor {
  readonly #door: ReadDoor;
  asked: string[] = [];

  constructor(door: ReadDoor) {
    this.#door = door;
  }
  byKeys<Row>(read: KeyedRead<Row>, scope: RowScope, keys: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    this.asked.push(read.name);
    return this.#door.byKeys(read, scope, keys);
  }
  page<Row>(read: PageRead<Row>, scope: RowScope, after: string | null, limit: number): Promise<readonly Row[]> {
    this.asked.push(read.name);
    return this.#door.page(read, scope, after, limit);
  }
  rows<Row>(name: string, text: string, scope: RowScope, values: readonly unknown[]): Promise<readonly Row[]> {
    this.asked.push(name);
    return this.#door.rows(name, text, scope, values);
  }
}

export interface Answer {
  readonly data: Record<string, unknown> | null;
  /** `code reason` of each error. */
  readonly errors: readonly string[];
  readonly audit: readonly ReadRecord[];
  /** Names of the reads that the operation asked of the door. */
  readonly reads: readonly string[];
}

export interface RecordWorld {
  readonly database: TestDatabase;
  readonly door: ReadDoor;
  /** Runs the operation compiled and interpreted, and fails when the two differ. */
  ask(caller: Caller, query: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer>;
  insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** A caller whose account stands in the database: only such a one changes anything. */
  account(role: Role, unitNo: number, scope: string): Promise<Caller>;
  /** What the tables hold, under every unit. */
  truth<Row extends object = Readonly<Record<string, unknown>>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
  close(): Promise<void>;
}

export const today = new Date('2026-11-24T03:00:00Z');

/** A migrated database with the units and, in the subgraph's replica, An (x11), Bình (x12) and Chi (x21). */
export async function openRecordWorld(
  module: SubgraphModule,
  role: 'reader' | SubgraphName = 'reader',
  { writes = false }: { readonly writes?: boolean } = {},
): Promise<RecordWorld> {
  const database = await createTestDatabase();
  const door = openReadDoor({ connection: database.roles[role], registry: new Registry() });
  const counting = new CountingDoor(door);
  const committed: ReadRecord[] = [];
  const audit: ReadAudit = {
    commit: (record) => {
      committed.push(record);
      return Promise.resolve();
    },
  };
  const changes = writes ? await changesOf(module, database.roles[module.name]) : null;
  const deps = {
    door: counting,
    clock: { now: () => today },
    identifierKey: Buffer.alloc(32, 7),
    ...(changes !== null && { changes }),
  };
  const compiled = openRuntime(module, deps, audit);
  const interpreted = openRuntime(module, deps, audit, { interpreted: true });

  async function insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await withClient(database.ownerUrl, async (client) => {
      await client.query('begin');
      await client.query(`select set_config('hub.scope', '{(,)}', true)`);
      for (const row of rows) {
        const columns = Object.keys(row);
        const values = columns.map((_, place) => `$${String(place + 1)}`);
        await client.query(`insert into ${table} (${columns.join(', ')}) values (${values.join(', ')})`, Object.values(row));
      }
      await client.query('commit');
    });
  }

  await insert(
    'hub.unit',
    units.map(([number, code, level, parent]) => ({
      number,
      code,
      name: code,
      level,
      parent_number: parent,
      valid_from: '2025-07-01',
    })),
  );
  // The organisation keeps nothing of citizens.
  if (module.name !== 'organisation')
    await insert(
      `${module.name}.citizen`,
      Object.entries(unitOf).map(([citizen, unit_no]) => ({ id: citizen, unit_no, life_status: 'ACTIVE', version: 1 })),
    );

  async function run(
    runtime: SubgraphRuntime,
    caller: Caller,
    query: string,
    variables: Readonly<Record<string, unknown>>,
  ): Promise<Answer> {
    counting.asked = [];
    committed.length = 0;
    const answer = await runtime.execute({ query, variables, caller, signal: AbortSignal.timeout(10_000) });
    await answer.audit();
    return {
      data: answer.data === null ? null : (JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>),
      errors: (answer.errors ?? []).map(({ extensions }) => `${String(extensions.code)} ${String(extensions.reason)}`),
      audit: [...committed],
      reads: counting.asked,
    };
  }

  return {
    database,
    door,
    insert,
    async account(role, unitNo, scope) {
      const known = caller(role, { scope });
      const { id: account } = known.principal;
      await insert('organisation.account', [{ id: account, login: account, name: role, unit_no: unitNo, role }]);
      return { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo } };
    },
    truth: <Row extends object>(text: string, values: readonly unknown[] = []) =>
      withClient(database.ownerUrl, async (client) => {
        await client.query(`select set_config('hub.scope', '{(,)}', false)`);
        return (await client.query<Row>(text, [...values])).rows;
      }),
    async ask(caller, query, variables = {}) {
      const plain = await run(interpreted, caller, query, variables);
      const fast = await run(compiled, caller, query, variables);
      if (JSON.stringify([plain.data, plain.errors]) !== JSON.stringify([fast.data, fast.errors])) {
        throw new Error(`compiled and interpreted differ: ${JSON.stringify(plain)} ${JSON.stringify(fast)}`);
      }
      return fast;
    },
    async close() {
      await Promise.all([compiled.close(), interpreted.close(), changes?.close()]);
      await door.close();
      await database.close();
    },
  };
}

export interface CallerOptions {
  readonly scope?: string;
  readonly purpose?: Purpose;
  readonly basis?: LegalBasis;
  readonly permissions?: readonly Permission[];
}

export function caller(role: Role, options: CallerOptions = {}): Caller {
  const scope = options.scope ?? scopes.province;
  const purpose = options.purpose ?? defaultPurpose[role];
  return {
    principal: {
      id: randomUUID(),
      name: role,
      kind: 'CLIENT',
      role,
      unitNo: unit.p,
      scope,
      scopeUnits: countOfUnits(scope),
      permissions: options.permissions ?? permissionsOf[role],
      purpose,
      pointsPerMinute: 60_000,
    },
    purpose,
    basis: options.basis ?? null,
    locale: 'en',
    traceId: 'trace',
    operation: 'test',
    idempotencyKey: null,
  };
}
