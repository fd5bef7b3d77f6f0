import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { slips } from './index.ts';

let world: RecordWorld;

const slip = {
  an: id(0x101),
  anAtStation: id(0x102),
  binh: id(0x201),
  chi: id(0x301),
  waiting: id(0x401),
  withdrawn: id(0x501),
} as const;
const again = { an: id(0x111), binh: id(0x211) } as const;

beforeAll(async () => {
  world = await openRecordWorld(slips);
  const row = (
    slipId: string,
    citizen_id: string | null,
    unit_no: number | null,
    facility_no: number | null,
    more: object = {},
  ) => ({
    id: slipId,
    citizen_id,
    unit_no,
    facility_no,
    origin: facility_no === null ? 'ENTERED' : 'SIGNED',
    status: 'ISSUED',
    number: 'CT-1',
    issued_on: '2026-11-02',
    ...more,
  });
  const referral = { valid_to: '2026-11-16', from_facility: '52901', to_facility: '01001', reason: '1' };
  await world.insert('slips.referral_slip', [
    row(slip.an, people.an, unit.x11, unit.facilityA, referral),
    row(slip.anAtStation, people.an, unit.x11, null, { ...referral, number: 'CT-2', from_facility: '38001', status: 'USED' }),
    row(slip.binh, people.binh, unit.x12, unit.facilityA, { ...referral, issued_on: '2026-10-01', valid_to: null }),
    row(slip.chi, people.chi, unit.x21, null, { ...referral, number: 'CT-3', from_facility: '38002' }),
    row(slip.waiting, null, null, unit.facilityA, { ...referral, number: 'CT-4' }),
    row(slip.withdrawn, people.an, unit.x11, unit.facilityA, { ...referral, status: 'WITHDRAWN' }),
  ]);
  await world.insert('slips.reexamination_slip', [
    row(again.an, people.an, unit.x11, unit.facilityA, { facility: '52901', appointment_on: '2026-12-01' }),
    row(again.binh, people.binh, unit.x12, null, { facility: '38001', appointment_on: '2026-12-02' }),
  ]);
  const change = { principal: 'hospital-a', principal_name: 'Bệnh viện A', cause: 'MUTATION', action: 'slip.created' };
  await world.insert('slips.change', [
    { ...change, record_id: slip.binh, citizen_id: people.binh, unit_no: unit.x12, facility_no: unit.facilityA, version: 1 },
  ]);
});
afterAll(() => world.close());

const integrator = caller('integrator');
const hospital = caller('hospital', { scope: scopes.facilityA });
const clerk11 = caller('clerk', { scope: scopes.x11 });
const centre1 = caller('centre', { scope: scopes.centre1 });
const one = `query ($id: ID!) { referralSlip(id: $id) {
  id version number origin status issuedOn validTo fromFacility toFacility reason citizen { id } orgUnit { id } } }`;
const entities = `query ($representations: [_Any!]!, $n: Int) { _entities(representations: $representations) { ... on Citizen {
  id referralSlips(first: $n) { nodes { number status issuedOn } } reexaminationSlips(first: $n) { nodes { id appointmentOn } } } } }`;
const citizens = (...ids: readonly string[]) => ({ representations: ids.map((one) => ({ __typename: 'Citizen', id: one })) });

test('a referral slip shows every field', async () => {
  const answer = await world.ask(integrator, one, { id: slip.an });
  expect(answer.data).toEqual({
    referralSlip: {
      id: slip.an,
      version: 1,
      number: 'CT-1',
      origin: 'SIGNED',
      status: 'ISSUED',
      issuedOn: '2026-11-02',
      validTo: '2026-11-16',
      fromFacility: '52901',
      toFacility: '01001',
      reason: '1',
      citizen: { id: people.an },
      orgUnit: { id: 'u4' },
    },
  });
  expect(answer.audit).toMatchObject([{ action: 'slip.read', subjects: [people.an] }]);
});

test('a facility reads the slips it issued, but not where their citizen belongs; the audit names him [A10]', async () => {
  const answer = await world.ask(hospital, one, { id: slip.an });
  expect(answer.data).toMatchObject({ referralSlip: { id: slip.an, citizen: null, orgUnit: null } });
  expect(answer.errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']); // on `citizen`: a hospital may not read citizens at all
  const reading = caller('hospital', { scope: scopes.facilityA, permissions: ['slip:read', 'citizen:read'] });
  const visible = await world.ask(reading, one, { id: slip.an });
  expect(visible.errors).toEqual([]);
  expect(visible.data).toMatchObject({ referralSlip: { id: slip.an, citizen: null, orgUnit: null } });
  expect(answer.audit).toMatchObject([{ subjects: [people.an] }]);
  expect((await world.ask(hospital, one, { id: slip.waiting })).audit).toMatchObject([{ subjects: [slip.waiting] }]);
  expect((await world.ask(hospital, entities, citizens(people.an))).data).toEqual({ _entities: [null] });
});

test('out of scope is not found', async () => {
  for (const [who, slipId] of [
    [hospital, slip.anAtStation],
    [hospital, slip.chi],
    [clerk11, slip.binh],
    [clerk11, slip.waiting],
    [clerk11, id(0xfff)],
    [clerk11, 'nothing'],
  ] as const) {
    expect(await world.ask(who, one, { id: slipId })).toMatchObject({ data: { referralSlip: null }, errors: [], audit: [] });
  }
});

test('slips of citizens: one read for each kind of slip, whatever the page', async () => {
  for (const n of [null, 5, 50]) {
    const answer = await world.ask(centre1, entities, { ...citizens(people.an, people.binh, people.chi), n });
    expect(answer.reads).toHaveLength(2);
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({
      _entities: [
        {
          id: people.an,
          referralSlips: {
            nodes: [
              { number: 'CT-1', status: 'ISSUED', issuedOn: '2026-11-02' },
              { number: 'CT-2', status: 'USED', issuedOn: '2026-11-02' },
            ],
          },
          reexaminationSlips: { nodes: [{ id: again.an, appointmentOn: '2026-12-01' }] },
        },
        {
          id: people.binh,
          referralSlips: { nodes: [{ number: 'CT-1', status: 'ISSUED', issuedOn: '2026-10-01' }] },
          reexaminationSlips: { nodes: [{ id: again.binh, appointmentOn: '2026-12-02' }] },
        },
        null,
      ],
    });
    expect(answer.audit).toMatchObject([{ subjects: [people.an, people.binh] }]);
  }
});

test('one kind alone is one read, also through aliases, fragments and variables', async () => {
  const query = `query ($representations: [_Any!]!, $no: Boolean = false) { _entities(representations: $representations) { ...C } }
    fragment C on Citizen { referralSlips @include(if: $no) { nodes { id } } x: reexaminationSlips(first: 1) { nodes { id } } }`;
  const answer = await world.ask(centre1, query, citizens(people.an, people.binh));
  expect(answer.reads).toHaveLength(1);
  expect(answer.data).toEqual({ _entities: [{ x: { nodes: [{ id: again.an }] } }, { x: { nodes: [{ id: again.binh }] } }] });
});

test('who may not read slips is refused on each field', async () => {
  const answer = await world.ask(caller('reader'), entities, citizens(people.an));
  expect(answer.errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT', 'FORBIDDEN ROLE_LACKS_RIGHT']);
  expect(answer.audit).toEqual([]);
});

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
}

async function listed(who: typeof integrator, filter: object, first = 100, field = 'referralSlips'): Promise<readonly string[]> {
  const query = `query ($filter: SlipFilter, $first: Int, $after: String) {
    ${field}(filter: $filter, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } }`;
  const found: string[] = [];
  let after: string | null = null;
  for (;;) {
    const answer = await world.ask(who, query, { filter, first, after });
    expect(answer.errors).toEqual([]);
    const page = answer.data?.[field] as Page;
    found.push(...page.nodes.map((node) => node.id));
    if (!page.pageInfo.hasNextPage) {
      expect(page.totalCount).toBe(found.length);
      return found;
    }
    after = page.pageInfo.endCursor;
  }
}

const all = [slip.an, slip.anAtStation, slip.binh, slip.chi, slip.waiting];

test.each([
  [{}, all],
  [{ status: 'USED' }, [slip.anAtStation]],
  [{ status: 'WITHDRAWN' }, [slip.withdrawn]],
  [{ number: ' CT-1 ' }, [slip.an, slip.binh]],
  [{ number: 'ct-%' }, []],
  [{ facility: '52901' }, [slip.an, slip.binh, slip.waiting]],
  [{ facility: '52901', status: 'ISSUED' }, [slip.an, slip.binh, slip.waiting]],
  [{ facility: "' or 1=1" }, []],
  [{ issuedFrom: '2026-11-01' }, [slip.an, slip.anAtStation, slip.chi, slip.waiting]],
  [{ issuedTo: '2026-10-31' }, [slip.binh]],
  [{ issuedFrom: '2026-11-02', issuedTo: '2026-11-02', status: 'USED' }, [slip.anAtStation]],
  [{ citizen: people.an }, [slip.an, slip.anAtStation]],
  [{ citizen: people.an, facility: '52901' }, [slip.an]],
  [{ citizen: '?' }, []],
])('referral slips by %j: each seen once, by unit or by facility', async (filter, expected) => {
  const seenBy = {
    facilityA: new Set<string>([slip.an, slip.binh, slip.waiting, slip.withdrawn]),
    x11: new Set<string>([slip.an, slip.anAtStation, slip.withdrawn]),
    centre1: new Set<string>([slip.an, slip.anAtStation, slip.binh, slip.withdrawn]),
  };
  for (const first of [1, 2, 100]) {
    expect(await listed(integrator, filter, first)).toEqual(expected);
    if (!('citizen' in filter))
      expect(await listed(hospital, filter, first)).toEqual(expected.filter((one) => seenBy.facilityA.has(one)));
    expect(await listed(clerk11, filter, first)).toEqual(expected.filter((one) => seenBy.x11.has(one)));
    expect(await listed(centre1, filter, first)).toEqual(expected.filter((one) => seenBy.centre1.has(one)));
  }
});

test('re-examination slips are listed alike', async () => {
  expect(await listed(integrator, {}, 1, 'reexaminationSlips')).toEqual([again.an, again.binh]);
  expect(await listed(integrator, { facility: '38001' }, 1, 'reexaminationSlips')).toEqual([again.binh]);
  expect(await listed(hospital, {}, 1, 'reexaminationSlips')).toEqual([again.an]);
  const query = `query ($id: ID!) { reexaminationSlip(id: $id) { number origin status issuedOn appointmentOn facility citizen { id } orgUnit { id } } }`;
  expect((await world.ask(clerk11, query, { id: again.an })).data).toMatchObject({
    reexaminationSlip: { appointmentOn: '2026-12-01', facility: '52901', citizen: { id: people.an }, orgUnit: { id: 'u4' } },
  });
});

test('a facility does not learn by a filter whose slip it is', async () => {
  for (const citizen of [people.an, people.chi, id(99)]) expect(await listed(hospital, { citizen })).toEqual([]);
});

test('history of a slip is read where the slip is', async () => {
  const query = `query ($id: ID!) { referralSlip(id: $id) { history { nodes { version who } totalCount } } }`;
  const expected = { referralSlip: { history: { nodes: [{ version: 1, who: 'Bệnh viện A' }], totalCount: 1 } } };
  expect((await world.ask(hospital, query, { id: slip.binh })).data).toEqual(expected);
  expect((await world.ask(centre1, query, { id: slip.binh })).data).toEqual(expected);
});
