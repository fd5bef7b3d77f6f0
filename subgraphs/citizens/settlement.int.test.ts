import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { withClient } from '../../test/kit/database.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { caller, id, scopes, unit } from '../../test/kit/record-world.ts';

let world: CitizenWorld;
let centre: Caller;
let steward: Caller;
let clerk: Caller;
let lastId = 0x2000;

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  centre = inClear(await world.account('centre', unit.c1, scopes.centre1));
  steward = inClear(await world.account('steward', unit.p, scopes.province));
  clerk = await world.account('clerk', unit.x11, scopes.x11);
}, 60_000);
afterAll(() => world.close());

const inClear = (who: Caller): Caller => ({ ...who, purpose: 'TREAT' });
const u = (number: number): string => `u${String(number)}`;

interface Item {
  readonly citizen: string;
  readonly work: string;
}

interface Difference {
  readonly field: string;
  readonly kind?: string;
  readonly foundBy?: string;
  readonly ours?: string | null;
  readonly theirs?: string | null;
  readonly unitNo?: number;
}

/** A person of x11, and one difference about him. */
async function difference({
  field,
  kind = 'DIFFERENT',
  foundBy = 'RECONCILE',
  ours = null,
  theirs = null,
  unitNo = unit.x11,
}: Difference): Promise<Item> {
  const citizen = id((lastId += 1));
  const work = id((lastId += 1));
  await world.add({
    id: citizen,
    unitNo: unit.x11,
    fullName: 'Nguyễn Văn An',
    personalId: `0380900${String(lastId).padStart(5, '0')}`,
    ...(kind === 'DIFFERENT' && { conflicted: [field as 'PHONE'] }),
    more: { phone: '0912345678' },
  });
  await world.insert('citizens.discrepancy', [
    { id: work, citizen_id: citizen, unit_no: unitNo, field, kind, found_by: foundBy, ours, theirs },
  ]);
  return { citizen, work };
}

interface Payload {
  readonly ok: {
    readonly discrepancy: Readonly<Record<string, unknown>> | null;
    readonly citizen: {
      readonly version: number;
      readonly fieldStatuses: readonly { readonly field: string; readonly status: string; readonly conflict: boolean }[];
    } & Readonly<Record<string, unknown>>;
    readonly changeId: string;
  } | null;
  readonly error: Readonly<Record<string, unknown>> | null;
}

const citizenFields = 'id version fullName phone personalId gender fieldStatuses { field status conflict source checkedAt }';

async function settle(who: Caller, input: Readonly<Record<string, unknown>>): Promise<Payload> {
  const { data, errors } = await world.ask(
    { ...who, idempotencyKey: randomUUID() },
    `mutation S($input: SettleDiscrepancyInput!) { settleDiscrepancy(input: $input) {
       ok { discrepancy { id version state theirs orgUnit { id } } citizen { ${citizenFields} } changeId }
       error { code reason field } } }`,
    { input },
  );
  expect(errors).toEqual([]);
  return (data as Record<string, Payload>).settleDiscrepancy!;
}

async function undo(who: Caller, changeId: string, version: number): Promise<Payload & { readonly newer: object | null }> {
  const { data, errors } = await world.ask(
    { ...who, idempotencyKey: randomUUID() },
    `mutation U($input: UndoCitizenChangeInput!) { undoCitizenChange(input: $input) {
       ok { citizen { ${citizenFields} } } error { code reason field } newer { id action } } }`,
    { input: { changeId, version } },
  );
  expect(errors).toEqual([]);
  return (data as Record<string, Payload & { readonly newer: object | null }>).undoCitizenChange!;
}

async function truth<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return withClient(world.database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query(text, [...values])).rows as Row[];
  });
}

const statusOf = (payload: Payload, field: string): unknown =>
  payload.ok?.citizen.fieldStatuses.find((status) => status.field === field);
const workOf = (work: string): Promise<readonly object[]> =>
  truth('select version, state, decision, unit_no, theirs, settled_by from citizens.discrepancy where id = $1', [work]);

describe('keep', () => {
  test('leaves the value, ends conflict and work, and stands in the history; what they said is not shown any more', async () => {
    const { citizen, work } = await difference({ field: 'PHONE', ours: '0912345678', theirs: '0987654321' });
    const payload = await settle(centre, { id: work, version: 1, decision: 'KEEP', note: 'Đã gọi điện xác nhận' });
    expect(payload).toMatchObject({
      ok: { discrepancy: { id: work, version: 2, state: 'SETTLED', theirs: null }, citizen: { version: 2, phone: '0912345678' } },
      error: null,
    });
    expect(statusOf(payload, 'PHONE')).toMatchObject({ status: 'YELLOW', conflict: false });
    expect(
      await truth('select id, action, before, after, version from citizens.change where citizen_id = $1', [citizen]),
    ).toEqual([
      {
        id: payload.ok?.changeId,
        action: 'discrepancy.settled',
        before: {},
        after: { decision: 'KEEP', discrepancy: work, note: 'Đã gọi điện xác nhận' },
        version: 2,
      },
    ]);
    expect(
      await truth(
        `select subjects, fields from hub.audit_event where action = 'discrepancy.settled' and subjects @> array[$1::uuid]`,
        [citizen],
      ),
    ).toEqual([{ subjects: [citizen], fields: ['Discrepancy.state'] }]);
    expect(await truth(`select version, payload->>'state' as state from hub.outbox where subject = $1`, [work])).toEqual([
      { version: 2, state: 'SETTLED' },
    ]);
  });

  test('is decided once: a second decision, a stale version, a foreign item and a role without the right are refused', async () => {
    const { work } = await difference({ field: 'PHONE', theirs: '0987654321' });
    const input = { id: work, version: 1, decision: 'KEEP' };
    expect((await settle(clerk, input)).error).toMatchObject({ code: 'FORBIDDEN', reason: 'ROLE_LACKS_RIGHT' });
    expect((await settle(centre, { ...input, version: 2 })).error).toMatchObject({ code: 'CONFLICT_VERSION' });
    const foreign = inClear(await world.account('centre', unit.c2, scopes.x21));
    expect((await settle(foreign, input)).error).toMatchObject({ code: 'NOT_FOUND', field: 'id' });
    expect((await settle(foreign, { ...input, id: id(0xdead) })).error).toMatchObject({ code: 'NOT_FOUND', field: 'id' });
    expect((await settle(centre, input)).error).toBeNull();
    expect((await settle(centre, { ...input, version: 2 })).error).toMatchObject({ code: 'CONFLICT', reason: 'WORK_DECIDED' });
  });
});

describe('take', () => {
  test('writes what a trusted source said, confirmed, with verification and source', async () => {
    const { citizen, work } = await difference({ field: 'FULL_NAME', ours: 'Nguyễn Văn An', theirs: 'Nguyễn Văn Ân' });
    const payload = await settle(centre, { id: work, version: 1, decision: 'TAKE' });
    expect(payload.ok?.citizen).toMatchObject({ version: 2, fullName: 'Nguyễn Văn Ân' });
    expect(statusOf(payload, 'FULL_NAME')).toMatchObject({ status: 'GREEN', conflict: false, source: 'POPULATION' });
    expect(
      await truth('select field, outcome, source, unit_no from citizens.verification where citizen_id = $1', [citizen]),
    ).toEqual([{ field: 'FULL_NAME', outcome: 'MATCH', source: 'POPULATION', unit_no: unit.x11 }]);
    expect(await truth('select key from citizens.name_key where citizen_id = $1 order by key', [citizen])).toHaveLength(3);
    expect(await truth('select before, after from citizens.change where citizen_id = $1', [citizen])).toEqual([
      {
        before: { fullName: 'Nguyễn Văn An', confirmed: '' },
        after: { fullName: 'Nguyễn Văn Ân', confirmed: 'FULL_NAME', decision: 'TAKE', discrepancy: work },
      },
    ]);
  });

  test('of a number ends the old one, confirms the new one and tells the other subgraphs', async () => {
    const { citizen, work } = await difference({ field: 'PERSONAL_ID', theirs: '038090044401' });
    const [before] = await truth<{ personal_id: string }>('select personal_id from citizens.citizen where id = $1', [citizen]);
    const payload = await settle(centre, { id: work, version: 1, decision: 'TAKE' });
    expect(payload.ok?.citizen).toMatchObject({ personalId: '038090044401' });
    expect(
      await truth(
        'select value, standing, source, valid_to is null as current from citizens.identifier where citizen_id = $1 order by valid_to nulls last',
        [citizen],
      ),
    ).toEqual([
      { value: before?.personal_id, standing: 'CLAIMED', source: 'IMPORT', current: false },
      { value: '038090044401', standing: 'CONFIRMED', source: 'POPULATION', current: true },
    ]);
    const told = await truth<{ hashes: number }>(
      `select jsonb_array_length(payload->'hashes') as hashes from hub.outbox where kind = 'CITIZEN' and subject = $1`,
      [citizen],
    );
    expect(told).toEqual([{ hashes: 2 }]);
  });

  test('of what a file said is stated, not confirmed', async () => {
    const { work } = await difference({ field: 'PHONE', foundBy: 'IMPORT', ours: '0912345678', theirs: '0987654321' });
    const payload = await settle(centre, { id: work, version: 1, decision: 'TAKE' });
    expect(payload.ok?.citizen).toMatchObject({ phone: '0987654321' });
    expect(statusOf(payload, 'PHONE')).toMatchObject({ status: 'YELLOW', conflict: false });
  });

  test('is refused where there is nothing to take, and of a number that another holds', async () => {
    for (const kind of ['UNKNOWN_PERSON', 'TWO_HOLDERS', 'INCONSISTENT', 'ONLY_OURS']) {
      const { work } = await difference({ field: 'PERSONAL_ID', kind, ours: '038090000001' });
      expect((await settle(centre, { id: work, version: 1, decision: 'TAKE' })).error).toMatchObject({
        code: 'CONFLICT',
        reason: 'NOTHING_TO_TAKE',
        field: 'decision',
      });
    }
    await world.add({ id: id(0x99), unitNo: unit.x21, fullName: 'Lê Thị Chi', personalId: '038090055501' });
    const { work } = await difference({ field: 'PERSONAL_ID', theirs: '038090055501' });
    expect((await settle(centre, { id: work, version: 1, decision: 'TAKE' })).error).toMatchObject({ reason: 'NUMBER_TAKEN' });
    expect(await workOf(work)).toMatchObject([{ state: 'OPEN', version: 1 }]);
  });
});

test('ask again leaves the difference to the next reconciliation', async () => {
  const { work } = await difference({ field: 'PHONE', ours: '0912345678', theirs: '0987654321' });
  const payload = await settle(centre, { id: work, version: 1, decision: 'ASK_AGAIN' });
  expect(payload.ok).toMatchObject({ discrepancy: { state: 'LEASED', version: 2 }, citizen: { version: 1 } });
  expect(statusOf(payload, 'PHONE')).toMatchObject({ conflict: true });
  expect(await workOf(work)).toMatchObject([{ decision: 'ASK_AGAIN', theirs: '0987654321' }]);
});

describe('hand over', () => {
  test('goes up beyond the own scope, and down again; nobody else is a receiver', async () => {
    const { work } = await difference({ field: 'PHONE', theirs: '0987654321' });
    for (const orgUnitId of [u(unit.x11), u(unit.x12), u(unit.c2), 'u4711']) {
      expect((await settle(centre, { id: work, version: 1, decision: 'HAND_OVER', orgUnitId })).error).toMatchObject({
        code: 'BAD_INPUT',
        reason: 'HAND_OVER_UNIT',
        field: 'orgUnitId',
      });
    }
    const up = await settle(centre, { id: work, version: 1, decision: 'HAND_OVER', orgUnitId: u(unit.p) });
    expect(up).toMatchObject({ ok: { discrepancy: null, citizen: { version: 1 } }, error: null });
    expect(await truth('select version, unit_before, unit_after from hub.outbox where subject = $1', [work])).toEqual([
      { version: 2, unit_before: unit.x11, unit_after: unit.p },
    ]);
    expect((await settle(centre, { id: work, version: 2, decision: 'KEEP' })).error).toMatchObject({ code: 'NOT_FOUND' });
    const down = await settle(steward, { id: work, version: 2, decision: 'HAND_OVER', orgUnitId: u(unit.c1) });
    expect(down.ok?.discrepancy).toMatchObject({ orgUnit: { id: u(unit.c1) }, version: 3, state: 'OPEN' });
    expect((await settle(centre, { id: work, version: 3, decision: 'KEEP' })).error).toBeNull();
  });

  test('of work about two people only goes up', async () => {
    const { work } = await difference({ field: 'PERSONAL_ID', kind: 'TWO_HOLDERS', ours: '038090000001', unitNo: unit.c1 });
    expect((await settle(centre, { id: work, version: 1, decision: 'HAND_OVER', orgUnitId: u(unit.x11) })).error).toMatchObject({
      reason: 'HAND_OVER_UNIT',
    });
    expect((await settle(centre, { id: work, version: 1, decision: 'HAND_OVER', orgUnitId: u(unit.p) })).error).toBeNull();
  });
});

describe('a decision undone', () => {
  test('brings back value, number, confirmation, conflict and work', async () => {
    const { citizen, work } = await difference({ field: 'PERSONAL_ID', theirs: '038090066601' });
    const [before] = await truth<{ personal_id: string }>('select personal_id from citizens.citizen where id = $1', [citizen]);
    const taken = await settle(centre, { id: work, version: 1, decision: 'TAKE' });
    const back = await undo(centre, taken.ok?.changeId ?? '', 2);
    expect(back).toMatchObject({ ok: { citizen: { version: 3, personalId: before?.personal_id } }, error: null });
    expect(statusOf(back, 'PERSONAL_ID')).toMatchObject({ status: 'YELLOW', conflict: true });
    expect(await workOf(work)).toEqual([
      { version: 3, state: 'OPEN', decision: null, unit_no: unit.x11, theirs: '038090066601', settled_by: null },
    ]);
    expect(await truth(`select value from citizens.identifier where citizen_id = $1 and valid_to is null`, [citizen])).toEqual([
      { value: before?.personal_id },
    ]);
    expect(
      await truth(`select action, cause, cause_id from citizens.change where citizen_id = $1 and cause = 'UNDO'`, [citizen]),
    ).toEqual([{ action: 'discrepancy.reopened', cause: 'UNDO', cause_id: taken.ok?.changeId }]);
    expect((await settle(centre, { id: work, version: 3, decision: 'TAKE' })).ok?.citizen).toMatchObject({
      personalId: '038090066601',
    });
  });

  test('needs the right to decide, and nothing newer about the same work', async () => {
    const { citizen, work } = await difference({ field: 'PHONE', theirs: '0987654321' });
    const kept = await settle(centre, { id: work, version: 1, decision: 'ASK_AGAIN' });
    expect((await undo(clerk, kept.ok?.changeId ?? '', 1)).error).toMatchObject({ code: 'FORBIDDEN' });
    const again = await settle(centre, { id: work, version: 2, decision: 'KEEP' });
    expect(await undo(centre, kept.ok?.changeId ?? '', 2)).toMatchObject({
      ok: null,
      error: { code: 'CONFLICT', reason: 'NEWER_CHANGE', field: 'changeId' },
      newer: { id: again.ok?.changeId, action: 'discrepancy.settled' },
    });
    expect((await undo(centre, again.ok?.changeId ?? '', 2)).error).toBeNull();
    expect(await truth('select state, decision from citizens.discrepancy where id = $1', [work])).toEqual([
      { state: 'OPEN', decision: null },
    ]);
    expect((await undo(caller('reader'), kept.ok?.changeId ?? '', 3)).error).toMatchObject({ code: 'FORBIDDEN' });
    expect(await truth('select conflicted from citizens.citizen where id = $1', [citizen])).toEqual([{ conflicted: 16 }]);
  });
});
