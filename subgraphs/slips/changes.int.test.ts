import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { slips } from './index.ts';

let world: RecordWorld;
let clerk: Caller;
let steward: Caller;

beforeAll(async () => {
  world = await openRecordWorld(slips, 'reader', { writes: true });
  clerk = await world.account('clerk', unit.x11, scopes.x11);
  steward = await world.account('steward', unit.p, scopes.province);
}, 60_000);
beforeEach(() => world.truth('with gone as (delete from slips.referral_slip) delete from slips.reexamination_slip'));
afterAll(() => world.close());

type Type = 'ReferralSlip' | 'ReexaminationSlip';
interface Payload {
  readonly ok: { readonly slip: Readonly<Record<string, unknown>> | null } | null;
  readonly error: { readonly code: string; readonly reason: string; readonly field: string | null } | null;
}

const shown = {
  ReferralSlip: 'validTo fromFacility toFacility reason',
  ReexaminationSlip: 'appointmentOn facility',
} as const satisfies Record<Type, string>;

async function mutate(who: Caller, verb: string, type: Type, input: object, key: string | null = randomUUID()): Promise<Payload> {
  const answer = await world.ask(
    { ...who, idempotencyKey: key },
    `mutation M($input: ${verb.charAt(0).toUpperCase()}${verb.slice(1)}${type}Input!) { done: ${verb}${type}(input: $input) {
       ok { slip: ${type.charAt(0).toLowerCase()}${type.slice(1)} { id version number origin status issuedOn ${shown[type]} citizen { id } orgUnit { id }
         history { nodes { version action before { field value } after { field value } } } } }
       error { code reason field } } }`,
    { input },
  );
  expect(answer.errors).toEqual([]);
  return (answer.data as { done: Payload }).done;
}

const counts = (): Promise<readonly object[]> =>
  world.truth(`select (select count(*)::int from slips.referral_slip) as referrals, (select count(*)::int from slips.reexamination_slip) as reexaminations,
    (select count(*)::int from slips.change) as changes, (select count(*)::int from hub.outbox) as messages`);

const referral = {
  citizenId: people.an,
  number: 'GCT-0012',
  issuedOn: '2026-11-20',
  validTo: '2026-12-04',
  fromFacility: '52901',
  toFacility: '01929',
  reason: 'Vượt khả năng chuyên môn',
} as const;
const reexamination = {
  citizenId: people.an,
  number: 'HK-7',
  issuedOn: '2026-11-20',
  appointmentOn: '2026-12-20',
  facility: '52901',
} as const;

async function signed(slip: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const slipId = randomUUID();
  await world.insert('slips.referral_slip', [
    {
      id: slipId,
      citizen_id: people.an,
      unit_no: unit.x11,
      facility_no: unit.facilityA,
      number: 'KS-1',
      origin: 'SIGNED',
      status: 'ISSUED',
      from_facility: '52901',
      ...slip,
    },
  ]);
  return slipId;
}

test('a referral slip is entered, moved forward and withdrawn, each with history, audit and message', async () => {
  const entered = await mutate(clerk, 'create', 'ReferralSlip', referral);
  expect(entered.error).toBeNull();
  const { id: slip, ...first } = entered.ok?.slip ?? {};
  expect(first).toMatchObject({
    version: 1,
    origin: 'ENTERED',
    status: 'ISSUED',
    citizen: { id: people.an },
    orgUnit: { id: 'u4' },
  });
  expect(
    (await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 1, status: 'USED', reason: null })).ok?.slip,
  ).toMatchObject({
    version: 2,
    status: 'USED',
    reason: null,
  });
  for (const status of ['ISSUED', 'CANCELLED', 'REPLACED', 'WITHDRAWN']) {
    expect((await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 2, status })).error).toMatchObject({
      code: 'CONFLICT',
      reason: 'SLIP_STATUS_WAY',
      field: 'status',
    });
  }
  const gone = await mutate(clerk, 'withdraw', 'ReferralSlip', { id: slip, version: 2, reason: 'Nhập nhầm người' });
  expect(gone.ok?.slip).toMatchObject({ version: 3, status: 'WITHDRAWN' });
  expect(
    await world.truth(
      'select version, action, before, after, facility_no from slips.change where record_id = $1 order by version',
      [slip],
    ),
  ).toEqual([
    {
      version: 1,
      action: 'slip.created',
      before: null,
      after: {
        number: 'GCT-0012',
        issuedOn: '2026-11-20',
        validTo: '2026-12-04',
        fromFacility: '52901',
        toFacility: '01929',
        reason: 'Vượt khả năng chuyên môn',
        origin: 'ENTERED',
        status: 'ISSUED',
        citizen: people.an,
        orgUnit: 'u4',
        facilityNo: '7',
      },
      facility_no: unit.facilityA,
    },
    {
      version: 2,
      action: 'slip.changed',
      before: { reason: 'Vượt khả năng chuyên môn', status: 'ISSUED' },
      after: { reason: null, status: 'USED' },
      facility_no: unit.facilityA,
    },
    {
      version: 3,
      action: 'slip.withdrawn',
      before: { status: 'USED' },
      after: { status: 'WITHDRAWN', note: 'Nhập nhầm người' },
      facility_no: unit.facilityA,
    },
  ]);
  expect(await world.truth('select version, kind, unit_after from hub.outbox where subject = $1 order by id', [slip])).toEqual(
    [1, 2, 3].map((version) => ({ version, kind: 'SLIP', unit_after: unit.x11 })),
  );
  expect(
    await world.truth(
      `select action, subjects from hub.audit_event where subgraph = 'slips' and action <> 'slip.read' order by at`,
    ),
  ).toEqual(['created', 'changed', 'withdrawn'].map((done) => ({ action: `slip.${done}`, subjects: [people.an] })));
});

test('a re-examination slip is entered and changed; its facility reads it, and nothing of where the citizen belongs', async () => {
  const { ok } = await mutate(clerk, 'create', 'ReexaminationSlip', reexamination);
  const slip = ok?.slip?.id;
  expect(ok?.slip).toMatchObject({ origin: 'ENTERED', status: 'ISSUED', appointmentOn: '2026-12-20', facility: '52901' });
  const read = (who: Caller) =>
    world.ask(who, 'query ($id: ID!) { reexaminationSlip(id: $id) { number origin orgUnit { id } } }', { id: slip });
  const hospital = caller('hospital', { scope: scopes.facilityA });
  expect((await read(hospital)).data).toEqual({ reexaminationSlip: { number: 'HK-7', origin: 'ENTERED', orgUnit: null } });
  // Another facility than the hub's own: it is no more the business of facility A.
  expect(
    (await mutate(clerk, 'update', 'ReexaminationSlip', { id: slip, version: 1, facility: '01929' })).ok?.slip,
  ).toMatchObject({ version: 2 });
  expect((await read(hospital)).data).toEqual({ reexaminationSlip: null });
  expect(await world.truth('select distinct facility_no from slips.change where record_id = $1', [slip])).toEqual([
    { facility_no: null },
  ]);
});

test.each([
  ['ReferralSlip', 'of another station’s citizen', { citizenId: people.chi }, 'citizenId'],
  ['ReferralSlip', 'of nobody', { citizenId: id(0x999) }, 'citizenId'],
  ['ReferralSlip', 'that ends before it was issued', { validTo: '2026-11-19' }, 'validTo'],
  ['ReferralSlip', 'of an unknown place', { fromFacility: '00000' }, 'fromFacility'],
  ['ReferralSlip', 'to no facility', { toFacility: '5290' }, 'toFacility'],
  ['ReferralSlip', 'without a number', { number: '  ' }, 'number'],
  ['ReexaminationSlip', 'of another station’s citizen', { citizenId: people.chi }, 'citizenId'],
  ['ReexaminationSlip', 'whose day lies before its issue', { appointmentOn: '2026-11-19' }, 'appointmentOn'],
  ['ReexaminationSlip', 'on a day that is none', { appointmentOn: '2026-02-30' }, 'appointmentOn'],
] as const)('a %s %s is refused as data and leaves nothing [A13]', async (type, _, input, field) => {
  const before = await counts();
  const { ok, error } = await mutate(clerk, 'create', type, {
    ...(type === 'ReferralSlip' ? referral : reexamination),
    ...input,
  });
  expect({ ok, code: error?.code, field: error?.field }).toEqual({ ok: null, code: 'BAD_INPUT', field });
  expect(await counts()).toEqual(before);
});

test('what a hospital signed is never edited; its status moves, and it can be withdrawn', async () => {
  const slip = await signed();
  for (const [field, value] of Object.entries({
    number: 'KS-2',
    issuedOn: '2026-11-01',
    fromFacility: '01929',
    reason: 'khác',
  })) {
    expect((await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 1, [field]: value })).error).toMatchObject({
      code: 'CONFLICT',
      reason: 'SLIP_SIGNED',
      field,
    });
  }
  expect(
    (await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 1, number: 'KS-1', status: 'SHOWN' })).ok?.slip,
  ).toMatchObject({
    version: 2,
    origin: 'SIGNED',
    number: 'KS-1',
    status: 'SHOWN',
  });
  expect(
    (await mutate(clerk, 'withdraw', 'ReferralSlip', { id: slip, version: 2, reason: 'Bệnh viện báo hủy' })).ok?.slip,
  ).toMatchObject({
    version: 3,
    status: 'WITHDRAWN',
    origin: 'SIGNED',
  });
});

test('the facility that issued a slip sees it, and changes neither it nor an entered one of its name', async () => {
  const atFacility = await world.account('clerk', unit.facilityA, scopes.facilityA);
  const entered = (await mutate(clerk, 'create', 'ReferralSlip', referral)).ok?.slip?.id;
  const before = await counts();
  for (const slip of [await signed(), entered]) {
    expect((await mutate(atFacility, 'update', 'ReferralSlip', { id: slip, version: 1, status: 'USED' })).error).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'SLIP_OF_ANOTHER_UNIT',
    });
  }
  expect((await mutate(atFacility, 'create', 'ReferralSlip', referral)).error).toMatchObject({
    code: 'BAD_INPUT',
    field: 'citizenId',
  });
  expect(await counts()).toEqual([{ ...before[0], referrals: 2 }]);
  // A slip that waits for its citizen is the facility's own.
  const waiting = await signed({ citizen_id: null, unit_no: null, number: 'KS-9' });
  expect(
    (await mutate(atFacility, 'withdraw', 'ReferralSlip', { id: waiting, version: 1, reason: 'Gửi nhầm' })).error,
  ).toBeNull();
});

test('a number stands once per citizen and facility among slips that count', async () => {
  const { ok } = await mutate(clerk, 'create', 'ReferralSlip', referral);
  expect((await mutate(clerk, 'create', 'ReferralSlip', referral)).error).toMatchObject({
    code: 'CONFLICT',
    reason: 'SLIP_KNOWN',
    field: 'number',
  });
  expect((await mutate(clerk, 'create', 'ReferralSlip', { ...referral, fromFacility: '01929' })).error).toBeNull();
  expect((await mutate(steward, 'create', 'ReferralSlip', { ...referral, citizenId: people.binh })).error).toBeNull();
  expect((await mutate(clerk, 'withdraw', 'ReferralSlip', { id: ok?.slip?.id, version: 1, reason: 'x' })).error).toBeNull();
  expect((await mutate(clerk, 'create', 'ReferralSlip', referral)).error).toBeNull();
  const at = await Promise.all(Array.from({ length: 5 }, () => mutate(clerk, 'create', 'ReexaminationSlip', reexamination)));
  expect(at.filter((one) => one.ok !== null)).toHaveLength(1);
});

test('twins of one request in the same moment are one slip and one answer [F28]', async () => {
  const once = randomUUID();
  const done = await Promise.all(
    Array.from({ length: 8 }, () => mutate(clerk, 'create', 'ReexaminationSlip', reexamination, once)),
  );
  expect(new Set(done.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(done[0]?.error).toBeNull();
});

test('the same request twice is one slip; a stale version, a bad key and another body are told apart [B27] [B29] [B30] [B31] [B32]', async () => {
  const once = randomUUID();
  const first = await mutate(clerk, 'create', 'ReferralSlip', referral, once);
  expect(await mutate(clerk, 'create', 'ReferralSlip', referral, once)).toEqual(first);
  expect((await mutate(clerk, 'create', 'ReferralSlip', { ...referral, number: 'X' }, once)).error).toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  });
  const slip = first.ok?.slip?.id;
  expect((await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 4, status: 'SHOWN' })).error).toMatchObject({
    code: 'CONFLICT_VERSION',
  });
  for (const bad of [null, 'k'.repeat(129), 'line\nfeed1']) {
    expect((await mutate(clerk, 'update', 'ReferralSlip', { id: slip, version: 1, status: 'SHOWN' }, bad)).error).toMatchObject({
      code: 'BAD_INPUT',
      field: 'idempotencyKey',
    });
  }
});

test('a slip out of scope is none, and a role without the right changes nothing [A14] [A17]', async () => {
  const foreign = await signed({ citizen_id: people.chi, unit_no: unit.x21, facility_no: null, number: 'KS-3' });
  const before = await counts();
  const answer = await mutate(clerk, 'update', 'ReferralSlip', { id: foreign, version: 1, status: 'USED' });
  expect(answer).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
  expect(await mutate(clerk, 'withdraw', 'ReferralSlip', { id: randomUUID(), version: 1, reason: 'thử' })).toEqual(answer);
  for (const role of ['hospital', 'insurer', 'reader', 'integrator', 'auditor'] as const) {
    for (const type of ['ReferralSlip', 'ReexaminationSlip'] as const) {
      for (const [verb, input] of [
        ['create', type === 'ReferralSlip' ? referral : reexamination],
        ['update', { id: foreign, version: 1, status: 'USED' }],
        ['withdraw', { id: foreign, version: 1, reason: 'x' }],
      ] as const) {
        expect((await mutate(caller(role), verb, type, input)).error).toMatchObject({ code: 'FORBIDDEN' });
      }
    }
  }
  expect(await counts()).toEqual(before);
});
