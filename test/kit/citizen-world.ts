import { Registry } from 'prom-client';
import type { ReadAudit, ReadRecord } from '#kernel/audit/audit.ts';
import type { Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { changesOf, type Changes } from '#kernel/db/change.ts';
import { fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { fold, sortName, type PersonName } from '#kernel/domain/person-name.ts';
import { firstDay, lastDay, precisionOf, type PlainDate } from '#kernel/domain/plain-date.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { citizens } from '../../subgraphs/citizens/index.ts';
import { insertNameKeys } from '../../subgraphs/citizens/name-keys.ts';
import { withClient } from './database.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { caller, CountingDoor, id, today, unit, type Answer } from './record-world.ts';

/** A person of a test: whatever is not said is ordinary. */
export interface TestCitizen {
  readonly id: string;
  readonly unitNo: number;
  readonly fullName: string;
  readonly dateOfBirth?: string | null;
  readonly personalId?: string | null;
  readonly lifeStatus?: 'ACTIVE' | 'MOVED_AWAY' | 'DECEASED' | 'MERGED';
  readonly mergedInto?: string;
  readonly confirmed?: readonly CitizenField[];
  readonly conflicted?: readonly CitizenField[];
  /** Columns as PostgreSQL names them. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface CitizenWorld {
  readonly database: TestDatabase;
  readonly door: ReadDoor;
  /** Runs the operation compiled and interpreted, and fails when the two differ. */
  ask(caller: Caller, query: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer>;
  insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  add(...people: readonly TestCitizen[]): Promise<void>;
  /** Where mutations go: the login of the subgraph, beside the graph. */
  readonly changes: Changes | null;
  /** A caller whose account stands in the database: only such a one changes anything. */
  account(role: Role, unitNo: number, scope: string): Promise<Caller>;
  close(): Promise<void>;
}

export interface CitizenWorldOptions {
  /** With a way to write: mutations run. */
  readonly writes?: boolean;
}

/** The units of the small province (test/kit/record-world.ts) and nobody in them. */
export async function openCitizenWorld({ writes = false }: CitizenWorldOptions = {}): Promise<CitizenWorld> {
  const database = await createTestDatabase();
  const door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  const counting = new CountingDoor(door);
  const committed: ReadRecord[] = [];
  const audit: ReadAudit = {
    commit: (record) => {
      committed.push(record);
      return Promise.resolve();
    },
  };
  const changes = writes ? await changesOf(citizens, database.roles.citizens) : null;
  const deps = {
    door: counting,
    clock: { now: () => today },
    identifierKey: Buffer.alloc(32, 7),
    ...(changes !== null && { changes }),
  };
  const compiled = openRuntime(citizens, deps, audit);
  const interpreted = openRuntime(citizens, deps, audit, { interpreted: true });

  async function insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await withClient(database.ownerUrl, async (client) => {
      await client.query('begin');
      await client.query(`select set_config('hub.scope', '{(,)}', true)`);
      for (const row of rows) {
        const columns = Object.keys(row);
        const values = columns.map((_, place) => `$${String(place + 1)}`);
        await client.query(`insert into ${table} (${columns.join(', ')}) values (${values.join(', ')})`, Object.values(row));
      }
      if (table === 'citizens.citizen') await client.query(insertNameKeys, [rows.map((row) => row.id)]);
      await client.query('commit');
    });
  }

  await insert('hub.unit', units);

  async function run(
    runtime: typeof compiled,
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
    changes,
    insert,
    async account(role, unitNo, scope) {
      const known = caller(role, { scope });
      const { id: account } = known.principal;
      await insert('organisation.account', [{ id: account, login: account, name: role, unit_no: unitNo, role }]);
      return { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo } };
    },
    async add(...people) {
      let number = 0x90000 + Math.floor(performance.now() * 1000);
      for (const person of people) {
        await insert('citizens.citizen', [citizenRow(person)]);
        if (typeof person.personalId !== 'string') continue;
        const standing = person.confirmed?.includes('PERSONAL_ID') === true ? 'CONFIRMED' : 'CLAIMED';
        await insert('citizens.identifier', [
          {
            id: id((number += 1)),
            citizen_id: person.id,
            unit_no: person.unitNo,
            system: 'PERSONAL_ID',
            value: person.personalId,
            standing,
            source: 'IMPORT',
          },
        ]);
      }
    },
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

const units = (
  [
    [unit.p, 'p', 'PROVINCE', null],
    [unit.c1, 'c1', 'CENTRE', unit.p],
    [unit.c2, 'c2', 'CENTRE', unit.p],
    [unit.x11, 'x11', 'STATION', unit.c1],
    [unit.x12, 'x12', 'STATION', unit.c1],
    [unit.x21, 'x21', 'STATION', unit.c2],
    [unit.facilityA, '52901', 'FACILITY', unit.p],
  ] as const
).map(([number, code, level, parent]) => ({ number, code, name: code, level, parent_number: parent, valid_from: '2025-07-01' }));

function citizenRow(person: TestCitizen): Readonly<Record<string, unknown>> {
  const name = person.fullName as PersonName;
  const birth = (person.dateOfBirth === undefined ? '1990-03-15' : person.dateOfBirth) as PlainDate | null;
  return {
    id: person.id,
    unit_no: person.unitNo,
    life_status: person.lifeStatus ?? 'ACTIVE',
    merged_into: person.mergedInto ?? null,
    personal_id: person.personalId ?? null,
    full_name: name,
    name_folded: fold(name),
    name_sort: sortName(name),
    date_of_birth: birth,
    birth_precision: birth === null ? null : precisionOf(birth),
    born_from: birth === null ? null : firstDay(birth),
    born_to: birth === null ? null : lastDay(birth),
    gender: 'MALE',
    confirmed: fieldBits(person.confirmed ?? []),
    conflicted: fieldBits(person.conflicted ?? []),
    ...person.more,
  };
}
