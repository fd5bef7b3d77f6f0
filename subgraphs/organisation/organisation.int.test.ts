import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import type { ReadRecord } from '#kernel/audit/audit.ts';
import { permissionsOf, type Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { unitsScope, withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { caller as callerOf, CountingDoor, id, people, scopes, unit } from '../../test/kit/record-world.ts';
import { everyUnit, openOrganisationDatabase, type OrganisationDatabase } from './database.ts';
import { organisation } from './index.ts';
import { feedWork } from './work-feed.ts';

let database: TestDatabase;
let door: ReturnType<typeof openReadDoor>;
let auditor: ReturnType<typeof openReadDoor>;
let counting: CountingDoor;
let compiled: SubgraphRuntime;
let interpreted: SubgraphRuntime;
const committed: ReadRecord[] = [];

const account = id(900);
const runs = { province: id(700), centre: id(701), file: id(702) };

async function owner(text: string, values: readonly unknown[] = []): Promise<void> {
  await withClient(database.ownerUrl, async (client) => {
    await client.query('begin');
    await client.query(`select set_config('hub.scope', $1, true)`, [everyUnit]);
    await client.query(text, [...values]);
    await client.query('commit');
  });
}

beforeAll(async () => {
  database = await createTestDatabase();
  await owner(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'),
    (3, 'c2', 'Trung tâm 2', 'CENTRE', 1, '2025-07-01'), (4, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01'),
    (5, 'x12', 'Trạm 12', 'STATION', 2, '2025-07-01'), (6, 'x21', 'Trạm 21', 'STATION', 3, '2025-07-01'),
    (7, '52901', 'Bệnh viện A', 'FACILITY', 1, '2025-07-01')`);
  await owner(
    `insert into organisation.account (id, login, name, unit_no, role) values ($1, 'steward', 'Steward', 1, 'steward')`,
    [account],
  );
  await owner(
    `insert into hub.run (id, kind, state, unit_no, subgraph, started_by, total, done, refused, counts, started_at) values
      ($1, 'RECONCILE', 'DONE', 1, 'citizens', 'schedule', 2000, 1990, 10, '{"matched": 1990, "unknown": 10}', '2026-11-24T02:00:00Z'),
      ($2, 'RECONCILE', 'RUNNING', 2, 'citizens', 'schedule', null, 0, 0, '{}', '2026-11-24T02:30:00Z'),
      ($3, 'IMPORT', 'DONE', 4, 'citizens', 'clerk11', 100, 99, 1, '{"added": 99}', '2026-11-24T02:40:00Z')`,
    [runs.province, runs.centre, runs.file],
  );
  door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  auditor = openReadDoor({ connection: database.roles.auditor, registry: new Registry(), name: 'auditor' });
  counting = new CountingDoor(door);
  const audit = {
    commit: (record: ReadRecord) => {
      committed.push(record);
      return Promise.resolve();
    },
  };
  const deps = { door: counting, auditor, clock: { now: () => new Date() }, identifierKey: Buffer.alloc(32, 7) };
  compiled = openRuntime(organisation, deps, audit);
  interpreted = openRuntime(organisation, deps, audit, { interpreted: true });
});
afterAll(async () => {
  await Promise.all([compiled.close(), interpreted.close()]);
  await Promise.all([door.close(), auditor.close()]);
  await database.close();
});

function caller(role: Role, unitNo: number, scope: string): Caller {
  const made = callerOf(role, { scope });
  return { ...made, principal: { ...made.principal, unitNo } };
}
const steward = (): Caller => caller('steward', unit.p, scopes.province);
const clerk11 = (): Caller => caller('clerk', unit.x11, scopes.x11);

interface Answer<Data> {
  readonly data: Data;
  readonly errors: readonly string[];
  readonly audit: readonly ReadRecord[];
  readonly reads: readonly string[];
}

/** Runs the operation by both executors and fails when they differ. */
async function ask<Data>(who: Caller, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Answer<Data>> {
  const answers = [];
  for (const runtime of [interpreted, compiled]) {
    committed.length = 0;
    counting.asked = [];
    const answer = await runtime.execute({ query, variables, caller: who, signal: AbortSignal.timeout(10_000) });
    await answer.audit();
    answers.push({
      data: JSON.parse(JSON.stringify(answer.data)) as Data,
      errors: (answer.errors ?? []).map(({ extensions }) => `${String(extensions.code)} ${String(extensions.reason)}`),
      audit: [...committed],
      reads: counting.asked,
    });
  }
  const [plain, fast] = answers;
  if (plain === undefined || fast === undefined) throw new Error('no answer');
  expect(fast.data).toEqual(plain.data);
  expect(fast.errors).toEqual(plain.errors);
  return fast;
}

test('me is who asks, with his unit, and purpose as this request states it', async () => {
  const who = { ...clerk11(), purpose: 'TREAT' as const };
  const { data } = await ask(who, '{ me { id name kind role permissions purpose orgUnit { id name level parent { code } } } }');
  expect(data).toEqual({
    me: {
      id: who.principal.id,
      name: 'clerk',
      kind: 'CLIENT',
      role: 'clerk',
      permissions: permissionsOf.clerk,
      purpose: 'TREAT',
      orgUnit: { id: 'u4', name: 'Trạm 11', level: 'STATION', parent: { code: 'c1' } },
    },
  });
});

const entities = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on OrgUnit { id name } } }';
const unitRefs = (...numbers: readonly number[]) => ({
  r: numbers.map((number) => ({ __typename: 'OrgUnit', id: `u${String(number)}` })),
});

test('units are answered from memory: no statement while they are fresh', async () => {
  await ask(steward(), entities, unitRefs(1));
  const { data, reads, audit } = await ask(steward(), entities, unitRefs(1, 2, 3, 4, 5, 6, 7, 7));
  expect(reads).toEqual([]);
  expect(audit).toEqual([]);
  expect(data).toMatchObject({ _entities: [{ id: 'u1' }, { id: 'u2' }, {}, {}, {}, {}, { name: 'Bệnh viện A' }, { id: 'u7' }] });
});

test('one sees the units at, below and above one’s own; others do not exist [A08]', async () => {
  const parents: Readonly<Record<number, number | null>> = { 1: null, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 1 };
  const above = (number: number): number[] => {
    const parent = parents[number] ?? null;
    return parent === null ? [] : [parent, ...above(parent)];
  };
  const all = Object.keys(parents).map(Number);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...all),
      fc.constantFrom<Role>('steward', 'clerk', 'hospital', 'auditor'),
      async (own, role) => {
        const below = all.filter((number) => number === own || above(number).includes(own));
        const seen = new Set([...below, ...above(own)]);
        const who = caller(role, own, unitsScope(...below));
        const { data } = await ask<{ _entities: ({ id: string } | null)[] }>(who, entities, unitRefs(...all, 99));
        expect(data._entities.map((found) => found !== null)).toEqual([...all.map((number) => seen.has(number)), false]);
        for (const parent of [null, ...all]) {
          const { data: list } = await ask<{ orgUnits: { id: string }[] }>(
            who,
            'query ($parent: ID) { orgUnits(parent: $parent) { id children { id } } }',
            { parent: parent === null ? null : `u${String(parent)}` },
          );
          const expected =
            parent !== null && !seen.has(parent) ? [] : all.filter((number) => parents[number] === parent && seen.has(number));
          expect(list.orgUnits.map((found) => found.id)).toEqual(expected.map((number) => `u${String(number)}`));
        }
      },
    ),
    { numRuns: 40 },
  );
  const wrong = await ask<{ _entities: unknown[] }>(steward(), entities, { r: [{ __typename: 'OrgUnit', id: "u1' or true" }] });
  expect(wrong).toMatchObject({ data: { _entities: [null] }, errors: [] });
});

test('runs are seen within one’s units, the latest first, and only by who may', async () => {
  const query =
    '{ syncRuns(first: 1) { nodes { id kind state total done refused startedAt startedBy counts { name value } } totalCount pageInfo { hasNextPage endCursor } } imports { nodes { id } totalCount } }';
  const { data } = await ask<{ syncRuns: { pageInfo: { endCursor: string } } }>(steward(), query);
  expect(data).toMatchObject({
    syncRuns: {
      nodes: [{ id: runs.centre, state: 'RUNNING', total: null, counts: [] }],
      totalCount: 2,
      pageInfo: { hasNextPage: true },
    },
    imports: { nodes: [{ id: runs.file }], totalCount: 1 },
  });
  const next = await ask(
    steward(),
    'query ($after: String) { syncRuns(after: $after) { nodes { id done startedAt counts { name value } } pageInfo { hasNextPage } } }',
    {
      after: data.syncRuns.pageInfo.endCursor,
    },
  );
  expect(next.data).toEqual({
    syncRuns: {
      nodes: [
        {
          id: runs.province,
          done: 1990,
          startedAt: '2026-11-24T02:00:00.000Z',
          counts: [
            { name: 'matched', value: 1990 },
            { name: 'unknown', value: 10 },
          ],
        },
      ],
      pageInfo: { hasNextPage: false },
    },
  });
  expect((await ask(clerk11(), query)).data).toMatchObject({
    syncRuns: { nodes: [], totalCount: 0 },
    imports: { nodes: [{ id: runs.file }] },
  });
  expect((await ask(caller('centre', unit.c1, scopes.centre1), query)).data).toMatchObject({
    syncRuns: { nodes: [{ id: runs.centre }] },
  });
  const refused = await ask(caller('reader', unit.p, scopes.province), query);
  expect(refused).toMatchObject({
    data: { syncRuns: null, imports: null },
    errors: ['FORBIDDEN ROLE_LACKS_RIGHT', 'FORBIDDEN ROLE_LACKS_RIGHT'],
  });
  const foreign = await ask(steward(), 'query ($after: String) { imports(after: $after) { nodes { id } } }', {
    after: data.syncRuns.pageInfo.endCursor,
  });
  expect(foreign.errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
});

/** Events are taken below the snapshot horizon, which any open transaction of the server holds back, also that of another test. */
async function fed(own: OrganisationDatabase, events: number): Promise<void> {
  const until = Date.now() + 30_000;
  let taken = 0;
  while (taken < events && Date.now() < until) {
    const some = await feedWork(own);
    taken += some;
    if (some === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(taken).toBe(events);
}

test('the joint queue is fed from the outbox: once, in order, newest version wins', async () => {
  const event = (subject: string, version: number, unitNo: number, more: Record<string, unknown>) =>
    owner(`insert into hub.outbox (kind, subject, version, unit_after, payload) values ('WORK', $1, $2, $3, $4)`, [
      subject,
      version,
      unitNo,
      JSON.stringify({
        source: 'CITIZENS',
        kind: 'DIFFERENT',
        field: 'PHONE',
        citizenId: subject,
        citizenUnit: unitNo,
        foundBy: 'RECONCILE',
        state: 'OPEN',
        raisedAt: '2026-11-24T01:00:00Z',
        ...more,
      }),
    ]);
  await event(people.an, 1, unit.x11, {});
  await event(people.an, 2, unit.x11, { state: 'LEASED' });
  await event(people.an, 3, unit.x11, { state: 'OPEN' });
  await event(people.binh, 2, unit.x12, { source: 'INSURANCE', kind: 'OVERLAP', field: null, foundBy: 'CARDS' });
  await event(people.chi, 1, unit.x21, { field: 'PERSONAL_ID', kind: 'UNKNOWN_PERSON' });
  const own = openOrganisationDatabase(database.roles.organisation);
  try {
    await fed(own, 5);
    expect(await feedWork(own)).toBe(0);
    await event(people.binh, 1, unit.x12, {
      source: 'INSURANCE',
      kind: 'OVERLAP',
      field: null,
      foundBy: 'CARDS',
      state: 'SETTLED',
    }); // late
    await fed(own, 1);
  } finally {
    await own.close();
  }
  const query = `query ($filter: WorkItemFilter, $first: Int) { workItems(filter: $filter, first: $first) {
    nodes { source kind subject citizen { id } field foundBy state orgUnit { id } raisedAt } totalCount pageInfo { hasNextPage } } }`;
  const all = await ask<{ workItems: { nodes: { subject: string }[] } }>(steward(), query);
  expect(all.data.workItems.nodes.map(({ subject }) => subject).sort()).toEqual([people.an, people.binh, people.chi]);
  expect(all.audit).toMatchObject([{ action: 'work.read', subgraph: 'organisation' }]);
  expect([...(all.audit[0]?.subjects ?? [])].sort()).toEqual([people.an, people.binh, people.chi]);
  const one = await ask(clerk11(), query);
  expect(one.data).toEqual({
    workItems: {
      nodes: [
        {
          source: 'CITIZENS',
          kind: 'DIFFERENT',
          subject: people.an,
          citizen: { id: people.an },
          field: 'PHONE',
          foundBy: 'RECONCILE',
          state: 'OPEN',
          orgUnit: { id: 'u4' },
          raisedAt: '2026-11-24T01:00:00.000Z',
        },
      ],
      totalCount: 1,
      pageInfo: { hasNextPage: false },
    },
  });
  const open = async (who: Caller, orgUnit: string | null): Promise<unknown> =>
    (await ask(who, 'query ($orgUnit: ID) { workCounts(orgUnit: $orgUnit) { kind week month older } }', { orgUnit })).data;
  const sums = (await open(steward(), null)) as { workCounts: readonly { week: number; month: number; older: number }[] };
  expect(sums.workCounts.reduce((sum, { week, month, older }) => sum + week + month + older, 0)).toBe(3);
  expect(await open(clerk11(), null)).toMatchObject({ workCounts: [{ kind: 'DIFFERENT' }] });
  expect(await open(clerk11(), 'u6')).toEqual({ workCounts: [] });
  const count = async (who: Caller, filter: Record<string, unknown>): Promise<unknown> =>
    (await ask<{ workItems: { totalCount: number } }>(who, query, { filter })).data.workItems.totalCount;
  expect(await count(steward(), { orgUnit: 'u2' })).toBe(2);
  expect(await count(clerk11(), { orgUnit: 'u6' })).toBe(0);
  expect(await count(steward(), { citizen: people.chi })).toBe(1);
  expect(await count(clerk11(), { citizen: people.chi })).toBe(0);
  expect(await count(steward(), { citizen: 'nobody' })).toBe(0);
  expect(await count(steward(), { kind: 'OVERLAP', source: 'INSURANCE', foundBy: 'CARDS' })).toBe(1);
  expect(await count(steward(), { field: 'PERSONAL_ID' })).toBe(1);
  expect(await count(steward(), { state: 'SETTLED' })).toBe(0);
  expect((await ask(caller('insurer', unit.p, scopes.province), query)).errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
});

test('work of a unit above names no citizen who moved out of the caller’s scope [A08]', async () => {
  const moved = id(0x77);
  const tell = (kind: string, version: number, unitNo: number, payload: Record<string, unknown>) =>
    owner(`insert into hub.outbox (kind, subject, version, unit_after, payload) values ($1, $2, $3, $4, $5)`, [
      kind,
      moved,
      version,
      unitNo,
      JSON.stringify(payload),
    ]);
  const item = {
    source: 'CITIZENS',
    kind: 'TWO_HOLDERS',
    field: 'PERSONAL_ID',
    citizenId: moved,
    foundBy: 'IMPORT',
    state: 'OPEN',
  };
  const work = { ...item, citizenUnit: unit.x11, raisedAt: '2026-11-24T01:00:00Z' };
  const centre = caller('centre', unit.c1, scopes.centre1);
  const named = async (who: Caller): Promise<unknown> =>
    (
      await ask<{ workItems: { nodes: unknown[] } }>(
        who,
        '{ workItems(filter: { kind: "TWO_HOLDERS", orgUnit: "u2" }) { nodes { citizen { id } } } }',
      )
    ).data.workItems.nodes;
  const own = openOrganisationDatabase(database.roles.organisation);
  try {
    await tell('WORK', 1, unit.c1, work);
    await fed(own, 1);
    expect(await named(centre)).toEqual([{ citizen: { id: moved } }]);
    await tell('CITIZEN', 2, unit.x21, { hashes: [], lifeStatus: 'ACTIVE', mergedInto: null });
    await fed(own, 1);
    expect(await named(centre)).toEqual([{ citizen: null }]);
    expect(await named(steward())).toEqual([{ citizen: { id: moved } }]);
    // Who says nothing of his unit changes nothing of it.
    await tell('WORK', 2, unit.c1, { ...work, citizenUnit: undefined, state: 'OPEN' });
    await fed(own, 1);
    expect(await named(centre)).toEqual([{ citizen: null }]);
    await tell('CITIZEN', 3, unit.x12, { hashes: [], lifeStatus: 'ACTIVE', mergedInto: null });
    await fed(own, 1);
    expect(await named(centre)).toEqual([{ citizen: { id: moved } }]);
  } finally {
    await own.close();
  }
});

test('the audit is read by who may, the latest first, by any filter, and leaves a row itself', async () => {
  const rows = Array.from({ length: 25 }, (_, n) => n);
  await owner(
    `insert into hub.audit_event (id, at, principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects,
        subject_count, operation, trace_id)
      select ('01900000-0000-7000-8000-0000000a' || lpad(to_hex(n), 4, '0'))::uuid, now() - make_interval(mins => 60 - n / 2),
        case when n % 5 = 0 then $1 else 'reader' end, 'CLIENT', 'name', 'reader', case when n % 2 = 0 then 4 else 6 end, 'HOPERAT',
        case when n % 3 = 0 then 'card.read' else 'citizen.read' end, 'citizens', array[case when n % 4 = 0 then $2 else $3 end]::uuid[], 1, 'Q', 't'
      from unnest($4::int[]) n`,
    [account, people.an, people.chi, rows],
  );
  const query = `query ($filter: AuditFilter, $first: Int, $after: String) { auditEvents(filter: $filter, first: $first, after: $after) {
    nodes { id at principal purpose action subgraph subjects traceId } totalCount totalCountIsEstimate pageInfo { hasNextPage endCursor } } }`;
  interface Events {
    auditEvents: {
      nodes: { id: string; at: string; principal: string; action: string; subjects: string[] }[];
      totalCount: number;
      totalCountIsEstimate: boolean;
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  }
  const auditorCaller = caller('auditor', unit.p, scopes.province);
  const seen: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < 10; page++) {
    const { data, audit }: Answer<Events> = await ask<Events>(auditorCaller, query, { first: 7, after });
    expect(audit).toMatchObject([{ action: 'audit.read', subjects: data.auditEvents.nodes.map((node) => node.id) }]);
    expect(data.auditEvents).toMatchObject({ totalCount: 25, totalCountIsEstimate: false });
    seen.push(...data.auditEvents.nodes.map((node) => node.id));
    if (!data.auditEvents.pageInfo.hasNextPage) break;
    after = data.auditEvents.pageInfo.endCursor;
  }
  expect(new Set(seen).size).toBe(25);
  const times = (await ask<Events>(auditorCaller, query, { first: 100 })).data.auditEvents.nodes.map(({ at }) => at);
  expect(times).toEqual([...times].sort().reverse());

  const count = async (filter: Record<string, unknown>) =>
    (await ask<Events>(auditorCaller, query, { filter })).data.auditEvents.totalCount;
  expect(await count({ person: people.an })).toBe(7);
  expect(await count({ principal: 'steward' })).toBe(5); // by log-in
  expect(await count({ principal: account })).toBe(5);
  expect(await count({ principal: 'nobody' })).toBe(0);
  expect(await count({ unit: 'u2' })).toBe(13);
  expect(await count({ unit: 'u9' })).toBe(0);
  expect(await count({ action: 'card.read', person: people.an })).toBe(3);
  expect(await count({ from: new Date(Date.now() - 50.5 * 60_000).toISOString() })).toBe(5);
  expect(await count({ to: new Date(Date.now() - 50.5 * 60_000).toISOString() })).toBe(20);
  expect((await ask(auditorCaller, query, { filter: { person: 'x' } })).errors).toEqual(['BAD_INPUT ID_FORMAT']);
  const person = await ask(auditorCaller, query, { filter: { person: people.binh } });
  expect(person.audit).toMatchObject([{ action: 'audit.read' }]);
  expect(person.audit[0]?.subjects).toContain(people.binh);
  expect((await ask(auditorCaller, query, { filter: { from: 'yesterday' } })).errors).toEqual(['BAD_INPUT INSTANT_FORMAT']);
  expect((await ask(clerk11(), query)).errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
});
