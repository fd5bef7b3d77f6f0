import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Caller } from '#kernel/auth/principal.ts';
import { changesOf, type Changes } from '#kernel/db/change.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { openIdentity, organisation, type Identity } from './index.ts';
import { asScope, withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { caller, id, scopes, unit } from '../../test/kit/record-world.ts';

let database: TestDatabase;
let door: ReturnType<typeof openReadDoor>;
let changes: Changes;
let runtime: SubgraphRuntime;
let identity: Identity;
let steward: Caller;
/** A steward of the first centre alone. */
let steward1: Caller;

beforeAll(async () => {
  database = await createTestDatabase();
  door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  const own = await changesOf(organisation, database.roles.organisation);
  if (own === null) throw new Error('organisation has no mutations');
  changes = own;
  const identifierKey = Buffer.alloc(32, 7);
  const clock = { now: () => new Date() };
  runtime = openRuntime(organisation, { door, changes, clock, identifierKey }, { commit: () => Promise.resolve() });
  identity = openIdentity({
    url: database.roles.organisation,
    identifierKey,
    issuer: () => 'http://hub',
    clock,
    report: () => undefined,
  });
  await truth(
    `insert into hub.unit (number, code, name, level, parent_number, valid_from) values
       (1, 'p', 'Sở Y tế', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'), (3, 'c2', 'Trung tâm 2', 'CENTRE', 1, '2025-07-01'),
       (4, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01'), (5, 'x12', 'Trạm 12', 'STATION', 2, '2025-07-01'), (6, 'x21', 'Trạm 21', 'STATION', 3, '2025-07-01'),
       (7, '52901', 'Bệnh viện A', 'FACILITY', 1, '2025-07-01')`,
  );
  await truth(`select setval('hub.unit_number', 7)`);
  steward = await account('steward', unit.p, scopes.province);
  steward1 = await account('steward', unit.c1, scopes.centre1);
}, 60_000);
afterAll(async () => {
  await runtime.close();
  await changes.close();
  await identity.close();
  await door.close();
  await database.close();
});

async function account(role: 'steward' | 'clerk', unitNo: number, scope: string): Promise<Caller> {
  const known = caller(role, { scope });
  await truth('insert into organisation.account (id, login, name, unit_no, role) values ($1, $2, $3, $4, $5)', [
    known.principal.id,
    known.principal.id,
    role,
    unitNo,
    role,
  ]);
  return { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo } };
}

async function truth<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return withClient(database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<Row>(text, [...values])).rows;
  });
}

async function run(who: Caller, query: string, variables: object): Promise<Record<string, unknown>> {
  const answer = await runtime.execute({ query, variables: { ...variables }, caller: who, signal: AbortSignal.timeout(10_000) });
  await answer.audit();
  expect(answer.errors ?? []).toEqual([]);
  return JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>;
}

interface Payload {
  readonly ok: { readonly orgUnit: Readonly<Record<string, unknown>> | null } | null;
  readonly error: {
    readonly code: string;
    readonly reason: string;
    readonly field: string | null;
    readonly message: string;
  } | null;
}

async function mutate(who: Caller, verb: string, input: object, key: string | null = randomUUID()): Promise<Payload> {
  const data = await run(
    { ...who, idempotencyKey: key },
    `mutation M($input: ${verb.charAt(0).toUpperCase()}${verb.slice(1)}OrgUnitInput!) { done: ${verb}OrgUnit(input: $input) {
       ok { orgUnit { id code name level version validFrom validTo parent { id } history { totalCount nodes { version action trueFrom before { field value } after { field value } } } } }
       error { code reason field message } } }`,
    { input },
  );
  return (data as unknown as { done: Payload }).done;
}

const counts = (): Promise<readonly object[]> =>
  truth(`select (select count(*)::int from hub.unit) as units, (select sum(version)::int from hub.unit) as versions,
    (select count(*)::int from organisation.change) as changes, (select count(*)::int from hub.outbox) as messages`);

const orgUnits = async (who: Caller, parent: string, ended = false): Promise<readonly unknown[]> =>
  (
    (await run(who, 'query ($parent: ID, $ended: Boolean) { orgUnits(parent: $parent, ended: $ended) { code } }', {
      parent,
      ended,
    })) as unknown as {
      orgUnits: readonly { code: string }[];
    }
  ).orgUnits.map(({ code }) => code);

test('a unit is registered, renamed, moved and ended, each with history, audit and message; its number stays', async () => {
  const made = await mutate(steward, 'create', {
    code: 'x13',
    name: '  Trạm  13 ',
    level: 'STATION',
    parentId: 'u2',
    validFrom: '2026-01-01',
  });
  expect(made.error).toBeNull();
  expect(made.ok?.orgUnit).toMatchObject({
    id: 'u8',
    code: 'x13',
    name: 'Trạm 13',
    level: 'STATION',
    version: 1,
    validFrom: '2026-01-01',
    validTo: null,
    parent: { id: 'u2' },
  });
  expect(await orgUnits(steward, 'u2')).toEqual(['x11', 'x12', 'x13']);
  expect(
    (await mutate(steward, 'update', { id: 'u8', version: 1, code: 'x22', name: 'Trạm 22', parentId: 'u3' })).ok?.orgUnit,
  ).toMatchObject({
    id: 'u8',
    code: 'x22',
    version: 2,
    parent: { id: 'u3' },
  });
  expect(await orgUnits(steward, 'u3')).toEqual(['x21', 'x22']);
  // Equal to what stands there: nothing happened.
  expect((await mutate(steward, 'update', { id: 'u8', version: 2, name: 'Trạm 22' })).ok?.orgUnit).toMatchObject({ version: 2 });
  const ended = await mutate(steward, 'withdraw', { id: 'u8', version: 2, reason: 'Sáp nhập', trueFrom: '2026-06-30' });
  expect(ended.ok?.orgUnit).toMatchObject({ version: 3, validTo: '2026-06-30', history: { totalCount: 3 } });
  expect(await orgUnits(steward, 'u3')).toEqual(['x21']);
  expect(await orgUnits(steward, 'u3', true)).toEqual(['x21', 'x22']);
  expect((await mutate(steward, 'update', { id: 'u8', version: 3, name: 'Trạm' })).error).toMatchObject({
    code: 'CONFLICT',
    reason: 'UNIT_ENDED',
  });
  expect(
    await truth(
      `select version, action, before, after, unit_no from organisation.change where record_id = 'u8' order by version`,
    ),
  ).toEqual([
    {
      version: 1,
      action: 'unit.created',
      before: null,
      after: { code: 'x13', name: 'Trạm 13', level: 'STATION', parent: 'u2', validFrom: '2026-01-01' },
      unit_no: 8,
    },
    {
      version: 2,
      action: 'unit.changed',
      before: { code: 'x13', name: 'Trạm 13', parent: 'u2' },
      after: { code: 'x22', name: 'Trạm 22', parent: 'u3' },
      unit_no: 8,
    },
    {
      version: 3,
      action: 'unit.withdrawn',
      before: { validTo: null },
      after: { validTo: '2026-06-30', reason: 'Sáp nhập' },
      unit_no: 8,
    },
  ]);
  expect(await truth(`select version, kind, unit_after from hub.outbox where kind = 'UNIT' order by id`)).toEqual(
    [1, 2, 3].map((version) => ({ version, kind: 'UNIT', unit_after: 8 })),
  );
  expect(await truth(`select distinct action, subjects from hub.audit_event where subgraph = 'organisation'`)).toEqual([
    { action: 'unit.changed', subjects: ['00000000-0000-8000-8000-000000000008'] },
  ]);
  // Its code is free again; its number never is.
  expect(
    (await mutate(steward, 'create', { code: 'x22', name: 'Trạm 22 mới', level: 'STATION', parentId: 'u3' })).ok?.orgUnit,
  ).toMatchObject({ id: 'u9' });
});

test.each([
  ['below a foreign unit', 'create', { parentId: 'u3' }, 'BAD_INPUT', 'parentId'],
  ['below a unit that does not exist', 'create', { parentId: 'u999' }, 'BAD_INPUT', 'parentId'],
  ['below what is no id', 'create', { parentId: 'x11' }, 'BAD_INPUT', 'parentId'],
  ['of a level that does not fit', 'create', { level: 'CENTRE' }, 'BAD_INPUT', 'level'],
  ['with the code of another', 'create', { code: 'x21' }, 'CONFLICT', 'code'],
  ['with a code of blanks', 'create', { code: 'x 1' }, 'BAD_INPUT', 'code'],
  ['without a name', 'create', { name: ' ' }, 'BAD_INPUT', 'name'],
  ['from a day that is none', 'create', { validFrom: '2026-02-30' }, 'BAD_INPUT', 'validFrom'],
] as const)('a unit %s is refused as data and leaves nothing [A13]', async (_, verb, input, code, field) => {
  const before = await counts();
  const { ok, error } = await mutate(steward1, verb, { code: 'neu', name: 'Trạm', level: 'STATION', parentId: 'u2', ...input });
  expect({ ok, code: error?.code, field: error?.field }).toEqual({ ok: null, code, field });
  expect(await counts()).toEqual(before);
});

test('a foreign parent answers exactly as one that does not exist [A13]', async () => {
  const asked = { code: 'neu', name: 'Trạm', level: 'STATION' };
  expect((await mutate(steward1, 'create', { ...asked, parentId: 'u3' })).error).toEqual(
    (await mutate(steward1, 'create', { ...asked, parentId: 'u999' })).error,
  );
});

test('a unit never comes to stand below itself, not even by two moves at once', async () => {
  expect((await mutate(steward, 'update', { id: 'u2', version: 1, parentId: 'u4' })).error).toMatchObject({
    reason: 'UNIT_CYCLE',
    field: 'parentId',
  });
  expect((await mutate(steward, 'update', { id: 'u2', version: 1, parentId: 'u2' })).error).toMatchObject({
    reason: 'UNIT_CYCLE',
  });
  const one = (await mutate(steward, 'create', { code: 'k1', name: 'K1', level: 'CENTRE', parentId: 'u1' })).ok?.orgUnit?.id;
  const other = (await mutate(steward, 'create', { code: 'k2', name: 'K2', level: 'STATION', parentId: 'u1' })).ok?.orgUnit?.id;
  const moves = await Promise.all([
    mutate(steward, 'update', { id: one, version: 1, level: 'STATION', parentId: 'u2' }),
    mutate(steward, 'update', { id: other, version: 1, parentId: one }),
  ]);
  expect(moves.filter(({ ok }) => ok !== null).length).toBeLessThan(2);
});

test('a unit that moved changes scopes within a minute and no row: centre 1 loses what centre 2 gets', async () => {
  await truth(
    `insert into citizens.citizen (id, unit_no, full_name, name_folded, name_sort) values ($1, 5, 'Trần Thanh Bình', 'tran thanh binh', 'x')`,
    [id(0x51)],
  );
  const people = () =>
    truth<{ id: string; version: number; unit_no: number }>('select id, version, unit_no from citizens.citizen');
  const before = await people();
  const scopeOf = async (who: Caller): Promise<string> =>
    (await identity.principals.find(who.principal.id, new Date()))?.scope ?? '';
  const centre2 = await account('clerk', unit.c2, '{[3,4),[6,7)}');
  const seen = async (who: Caller): Promise<number> =>
    (await asScope(database.roles.citizens, await scopeOf(who), 'select from citizens.citizen')).length;
  expect([await seen(steward1), await seen(centre2)]).toEqual([1, 0]);
  expect((await mutate(steward, 'update', { id: 'u5', version: 1, parentId: 'u3' })).error).toBeNull();
  const deadline = performance.now() + 6_000; // the units are held for five seconds
  while ((await seen(centre2)) !== 1 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
  expect([await seen(steward1), await seen(centre2)]).toEqual([0, 1]);
  expect(await people()).toEqual(before);
  // Whoever still comes with the scope of before cannot touch it any more.
  expect((await mutate(steward1, 'update', { id: 'u5', version: 2, name: 'Của tôi' })).error).toMatchObject({
    code: 'NOT_FOUND',
  });
}, 20_000);

test('a unit does not end while something stands there, and the refusal says what and how many', async () => {
  const made = (await mutate(steward, 'create', { code: 'x29', name: 'Trạm 29', level: 'STATION', parentId: 'u3' })).ok?.orgUnit;
  const number = Number(String(made?.id).slice(1));
  const withdraw = () => mutate({ ...steward, locale: 'en' }, 'withdraw', { id: made?.id, version: 1, reason: 'x' });
  const standing = [
    [
      'UNIT_HOLDS_UNITS',
      `insert into hub.unit (number, code, name, level, parent_number, valid_from) values (900, 'f', 'f', 'FACILITY', $1, '2026-01-01')`,
      'delete from hub.unit where parent_number = $1',
    ],
    [
      'UNIT_HOLDS_ACCOUNTS',
      `insert into organisation.client (id, name, unit_no, role, secret_hashes) values ('client-x', 'x', $1, 'reader', '{x}')`,
      'update organisation.client set revoked_at = now() where unit_no = $1',
    ],
    [
      'UNIT_HOLDS_CITIZENS',
      `insert into citizens.citizen (id, unit_no, full_name, name_folded, name_sort) values (uuidv7(), $1, 'A', 'a', 'a')`,
      `update citizens.citizen set life_status = 'MOVED_AWAY' where unit_no = $1`,
    ],
    [
      'UNIT_HOLDS_RECORDS',
      `insert into results.result (id, unit_no, name) values (uuidv7(), $1, 'x')`,
      `update results.result set state = 'WITHDRAWN' where unit_no = $1`,
    ],
    [
      'UNIT_HOLDS_WORK',
      `insert into organisation.work_item (id, source, subject, kind, unit_no, found_by, state, raised_at) values (uuidv7(), 'JOBS', uuidv7(), 'POISON', $1, 'CLERK', 'OPEN', now())`,
      `update organisation.work_item set state = 'SETTLED' where unit_no = $1`,
    ],
  ] as const;
  for (const [, put] of standing) await truth(put, [number]);
  for (const [reason, , end] of standing) {
    const { error } = await withdraw();
    expect(error).toMatchObject({ code: 'CONFLICT', reason, field: 'id' });
    expect(error?.message).toContain(': 1.');
    await truth(end, [number]);
  }
  const before = await counts();
  for (const trueFrom of ['2999-01-01', '2020-01-01']) {
    expect((await mutate(steward, 'withdraw', { id: made?.id, version: 1, reason: 'x', trueFrom })).error).toMatchObject({
      reason: 'UNIT_END_DAY',
      field: 'trueFrom',
    });
  }
  expect((await mutate(steward, 'withdraw', { id: made?.id, version: 1, reason: ' ' })).error).toMatchObject({
    reason: 'REASON_NEEDED',
  });
  expect(await counts()).toEqual(before);
  expect((await withdraw()).error).toBeNull();
});

test('twins of one request in the same moment are one unit and one answer [F28]', async () => {
  const once = randomUUID();
  const input = { code: 'x41', name: 'Trạm 41', level: 'STATION', parentId: 'u2' };
  const done = await Promise.all(Array.from({ length: 8 }, () => mutate(steward, 'create', input, once)));
  expect(new Set(done.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(done[0]?.error).toBeNull();
  const moves = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      mutate(steward, 'update', { id: done[0]?.ok?.orgUnit?.id, version: 1, name: `Trạm ${String(n)}` }),
    ),
  );
  expect(moves.filter(({ ok }) => ok !== null)).toHaveLength(1);
  expect(moves.flatMap(({ error }) => (error === null ? [] : [error.code]))).toEqual(Array(7).fill('CONFLICT_VERSION'));
});

test('the same request twice is one unit; a stale version, a bad key and another body are told apart [B27] [B29] [B30] [B31] [B32]', async () => {
  const once = randomUUID();
  const input = { code: 'x31', name: 'Trạm 31', level: 'STATION', parentId: 'u2' };
  const first = await mutate(steward, 'create', input, once);
  expect(first.error).toBeNull();
  expect(await mutate(steward, 'create', input, once)).toEqual(first);
  expect((await mutate(steward, 'create', { ...input, name: 'Khác' }, once)).error).toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  });
  const made = first.ok?.orgUnit?.id;
  expect((await mutate(steward, 'update', { id: made, version: 7, name: 'Khác' })).error).toMatchObject({
    code: 'CONFLICT_VERSION',
  });
  for (const bad of [null, 'k'.repeat(129), 'line\nfeed1']) {
    expect((await mutate(steward, 'update', { id: made, version: 1, name: 'Khác' }, bad)).error).toMatchObject({
      code: 'BAD_INPUT',
      field: 'idempotencyKey',
    });
  }
});

test('a unit out of scope is none, and a role without the right changes nothing [A14] [A17]', async () => {
  const before = await counts();
  const foreign = await mutate(steward1, 'update', { id: 'u6', version: 1, name: 'Của tôi' });
  expect(foreign).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
  expect(await mutate(steward1, 'withdraw', { id: 'u999', version: 1, reason: 'thử' })).toEqual(foreign);
  // The unit above one's own is seen, and still not one's own to change.
  expect(await mutate(steward1, 'update', { id: 'u1', version: 1, name: 'Của tôi' })).toEqual(foreign);
  for (const role of ['centre', 'clerk', 'auditor', 'hospital', 'insurer', 'reader', 'integrator'] as const) {
    for (const [verb, input] of [
      ['create', { code: 'y', name: 'y', level: 'STATION', parentId: 'u2' }],
      ['update', { id: 'u4', version: 1, name: 'y' }],
      ['withdraw', { id: 'u4', version: 1, reason: 'y' }],
    ] as const) {
      expect((await mutate(caller(role), verb, input)).error).toMatchObject({ code: 'FORBIDDEN' });
    }
  }
  expect(await counts()).toEqual(before);
});

test('a change of a unit is put back, an end too, unless something newer stands on it or its place is gone', async () => {
  const made = await mutate(steward, 'create', { code: 'x91', name: 'Trạm 31', level: 'STATION', parentId: 'u3' });
  const unitOf = made.ok?.orgUnit as { readonly id: string };
  const { id: unitId } = unitOf;
  const changesNow = (): Promise<readonly { readonly id: string; readonly version: number }[]> =>
    truth(`select id, version from organisation.change where record_id = $1 order by version`, [unitId]);
  const undo = async (
    changeId: string | undefined,
    version: number,
    who = steward,
  ): Promise<Payload & { readonly newer: unknown }> => {
    const data = await run(
      { ...who, idempotencyKey: randomUUID() },
      `mutation ($input: UndoOrgUnitChangeInput!) { done: undoOrgUnitChange(input: $input) {
         ok { orgUnit { id code name level version validTo parent { id } } } error { code reason field message } newer { version } } }`,
      { input: { changeId, version } },
    );
    return (data as unknown as { done: Payload & { readonly newer: unknown } }).done;
  };
  await mutate(steward, 'update', { id: unitId, version: 1, name: 'Trạm ba mốt', parentId: 'u2' });
  await mutate(steward, 'update', { id: unitId, version: 2, name: 'Trạm 31 mới' });
  await mutate(steward, 'withdraw', { id: unitId, version: 3, reason: 'Thử' });
  const [created, moved, renamed, ended] = await changesNow();

  expect((await undo(renamed?.id, 4)).error).toMatchObject({ code: 'CONFLICT', reason: 'UNIT_ENDED' });
  expect((await undo(ended?.id, 3)).error).toMatchObject({ code: 'CONFLICT_VERSION' });
  expect((await undo(ended?.id, 4)).ok?.orgUnit).toMatchObject({ version: 5, validTo: null, name: 'Trạm 31 mới' });
  const built = await undo(moved?.id, 5);
  expect({ ...built.error, newer: built.newer }).toMatchObject({
    code: 'CONFLICT',
    reason: 'NEWER_CHANGE',
    newer: { version: 3 },
  });
  expect((await undo(renamed?.id, 5)).ok?.orgUnit).toMatchObject({ version: 6, name: 'Trạm ba mốt', parent: { id: 'u2' } });
  expect((await undo(moved?.id, 6)).ok?.orgUnit).toMatchObject({ version: 7, name: 'Trạm 31', parent: { id: 'u3' } });
  expect((await undo(created?.id, 7)).error).toMatchObject({ code: 'CONFLICT', reason: 'CHANGE_FINAL' });

  // A steward of another centre knows nothing of it, and an account's change is none of a unit.
  expect((await undo(renamed?.id, 7, steward1)).error).toMatchObject({ code: 'NOT_FOUND', reason: 'CHANGE_UNKNOWN' });

  const second = await mutate(steward, 'withdraw', { id: unitId, version: 7, reason: 'Thử' });
  expect(second.error).toBeNull();
  await mutate(steward, 'create', { code: 'x91', name: 'Trạm 31', level: 'STATION', parentId: 'u2' });
  const last = (await changesNow()).at(-1);
  expect((await undo(last?.id, 8)).error).toMatchObject({ code: 'CONFLICT', reason: 'UNIT_CODE_TAKEN', field: 'changeId' });
});
