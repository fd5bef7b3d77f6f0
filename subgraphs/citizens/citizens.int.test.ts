import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { openCitizenWorld, type CitizenWorld, type TestCitizen } from '../../test/kit/citizen-world.ts';
import { caller, id, people, scopes, unit } from '../../test/kit/record-world.ts';

let world: CitizenWorld;

const numbers = {
  an: '038090000001',
  binh: '038085000002',
  chi: '038192000003',
  dung: '038070000004',
  former: '038090000009',
} as const;
const merged = { old: id(0x21), older: id(0x20) } as const;
const twins = { first: id(0x31), second: id(0x32), third: id(0x33) } as const;

const small: readonly TestCitizen[] = [
  {
    id: people.an,
    unitNo: unit.x11,
    fullName: 'Nguyễn Văn An',
    personalId: numbers.an,
    confirmed: ['FULL_NAME', 'PERSONAL_ID', 'DATE_OF_BIRTH'],
    conflicted: ['PHONE'],
    more: {
      phone: '0912345678',
      email: 'an@example.vn',
      old_id_number: '210000001',
      ethnicity: '01',
      birthplace: 'Xã A',
      permanent_text: 'Thôn Đông',
      permanent_code: '23938',
      permanent_list: '2025',
      permanent_current_code: '23938',
      permanent_confidence: 'EXACT',
      check_source: ['POPULATION', null, 'POPULATION', 'POPULATION'],
      checked_at: ['2026-10-01T00:00:00Z', null, '2026-10-01T00:00:00Z', '2026-10-02T00:00:00Z'],
    },
  },
  { id: people.binh, unitNo: unit.x12, fullName: 'Trần Thanh Bình', personalId: numbers.binh, dateOfBirth: '1985' },
  {
    id: people.chi,
    unitNo: unit.x21,
    fullName: 'Lê Thị Chi',
    personalId: numbers.chi,
    dateOfBirth: '1992-11-02',
    more: { gender: 'FEMALE' },
  },
  {
    id: merged.old,
    unitNo: unit.x11,
    fullName: 'Nguyễn Văn An',
    lifeStatus: 'MERGED',
    mergedInto: people.an,
    personalId: numbers.former,
  },
  { id: merged.older, unitNo: unit.x11, fullName: 'Nguyễn Văn An', lifeStatus: 'MERGED', mergedInto: merged.old },
  { id: twins.first, unitNo: unit.x11, fullName: 'Phạm Dũng', personalId: numbers.dung, dateOfBirth: null },
  {
    id: twins.second,
    unitNo: unit.x12,
    fullName: 'Võ Đức Đạt',
    personalId: numbers.dung,
    lifeStatus: 'DECEASED',
    dateOfBirth: '1948',
  },
  {
    id: twins.third,
    unitNo: unit.x21,
    fullName: 'Đặng Ánh',
    personalId: numbers.dung,
    confirmed: ['PERSONAL_ID'],
    lifeStatus: 'MOVED_AWAY',
  },
];

const discrepancies = [
  {
    citizen: people.an,
    unit: unit.x11,
    field: 'PHONE',
    kind: 'DIFFERENT',
    found: 'RECONCILE',
    ours: '0912345678',
    theirs: '0987654321',
    state: 'OPEN',
  },
  {
    citizen: people.an,
    unit: unit.x11,
    field: 'EMAIL',
    kind: 'DIFFERENT',
    found: 'IMPORT',
    ours: 'an@example.vn',
    theirs: null,
    state: 'SETTLED',
  },
  {
    citizen: people.chi,
    unit: unit.x21,
    field: 'FULL_NAME',
    kind: 'DIFFERENT',
    found: 'RECONCILE',
    ours: 'Lê Thị Chi',
    theirs: 'Lê Thị Tri',
    state: 'OPEN',
  },
  {
    citizen: twins.first,
    unit: unit.c1,
    field: 'PERSONAL_ID',
    kind: 'TWO_HOLDERS',
    found: 'IMPORT',
    ours: numbers.dung,
    theirs: null,
    state: 'OPEN',
  },
  {
    citizen: people.binh,
    unit: unit.x12,
    field: 'GENDER',
    kind: 'INCONSISTENT',
    found: 'IMPORT',
    ours: null,
    theirs: null,
    state: 'LEASED',
  },
] as const;

beforeAll(async () => {
  world = await openCitizenWorld();
  await world.add(...small);
  await world.insert('citizens.identifier', [
    {
      id: id(0x501),
      citizen_id: people.an,
      unit_no: unit.x11,
      system: 'OLD_ID_NUMBER',
      value: '210000001',
      standing: 'CLAIMED',
      source: 'IMPORT',
    },
    {
      id: id(0x502),
      citizen_id: people.binh,
      unit_no: unit.x12,
      system: 'PERSONAL_ID',
      value: '038085000099',
      standing: 'CANCELLED',
      source: 'POPULATION',
      valid_to: '2024-01-01',
    },
  ]);
  await world.insert(
    'citizens.discrepancy',
    discrepancies.map((item, index) => ({
      id: id(0x601 + index),
      citizen_id: item.citizen,
      unit_no: item.unit,
      field: item.field,
      kind: item.kind,
      found_by: item.found,
      ours: item.ours,
      theirs: item.theirs,
      state: item.state,
      raised_at: '2026-11-01T00:00:00Z',
    })),
  );
  const change = { citizen_id: people.an, unit_no: unit.x11, principal: 'cli', principal_name: 'clerk' };
  await world.insert('citizens.change', [
    {
      ...change,
      id: id(0x701),
      version: 1,
      cause: 'IMPORT',
      action: 'citizen.created',
      after: JSON.stringify({ fullName: 'Nguyễn Văn An', personalId: numbers.an, phone: null, hidden: 'x' }),
    },
    {
      ...change,
      id: id(0x702),
      version: 2,
      cause: 'MUTATION',
      action: 'citizen.changed',
      effective_from: '2026-01-01',
      before: JSON.stringify({ phone: null }),
      after: JSON.stringify({ phone: '0912345678' }),
    },
  ]);
});
afterAll(() => world.close());

const integrator = caller('integrator');
const steward = caller('steward');
const clerk11 = caller('clerk', { scope: scopes.x11 });
const operator = { ...steward, principal: { ...steward.principal, kind: 'ACCOUNT' as const } };

const one = `query ($id: ID, $personalId: String) { citizen(id: $id, personalId: $personalId) {
  id version orgUnit { id } lifeStatus personalId oldIdNumber fullName dateOfBirth { value precision } gender ethnicity phone email
  birthplace nativePlace permanentAddress { text code listVersion currentCode confidence } currentAddress { text }
  identifiers { system value period { start end } standing source } } }`;

test('a citizen by number shows every field, in clear where role and purpose allow, and is named in the audit', async () => {
  const answer = await world.ask(integrator, one, { personalId: numbers.an });
  expect(answer.errors).toEqual([]);
  expect(answer.data?.citizen).toEqual({
    id: people.an,
    version: 1,
    orgUnit: { id: 'u4' },
    lifeStatus: 'ACTIVE',
    personalId: numbers.an,
    oldIdNumber: '210000001',
    fullName: 'Nguyễn Văn An',
    dateOfBirth: { value: '1990-03-15', precision: 'DAY' },
    gender: 'MALE',
    ethnicity: '01',
    phone: '0912345678',
    email: 'an@example.vn',
    birthplace: 'Xã A',
    nativePlace: null,
    permanentAddress: { text: 'Thôn Đông', code: '23938', listVersion: '2025', currentCode: '23938', confidence: 'EXACT' },
    currentAddress: null,
    identifiers: [
      { system: 'OLD_ID_NUMBER', value: '210000001', period: { start: null, end: null }, standing: 'CLAIMED', source: 'IMPORT' },
      { system: 'PERSONAL_ID', value: numbers.an, period: { start: null, end: null }, standing: 'CONFIRMED', source: 'IMPORT' },
    ],
  });
  expect(answer.audit).toMatchObject([{ action: 'citizen.read', subgraph: 'citizens', subjects: [people.an] }]);
  expect(answer.audit[0]?.fields).toContain('Citizen.phone');
});

test('numbers, telephone and e-mail are masked unless role and purpose allow, everywhere alike', async () => {
  const answer = await world.ask(steward, one, { personalId: numbers.an });
  const shown = JSON.stringify(answer.data);
  for (const value of [numbers.an, '210000001', '0912345678', 'an@example.vn']) expect(shown).not.toContain(value);
  expect(answer.data).toMatchObject({
    citizen: { personalId: '038•••••0001', oldIdNumber: '•••••001', fullName: 'Nguyễn Văn An' },
  });
  const treating = await world.ask(caller('steward', { purpose: 'TREAT' }), one, { personalId: numbers.an });
  expect(treating.data).toMatchObject({ citizen: { personalId: numbers.an, phone: '0912345678' } });
  const sentBack = await world.ask(steward, one, { personalId: '038•••••0001' });
  expect(sentBack).toMatchObject({ data: { citizen: null }, errors: ['BAD_INPUT MASKED_VALUE'] });
});

test('a year alone stays a year, and no birth date is none [B57]', async () => {
  const birth = async (citizen: string) => {
    const { data } = await world.ask(
      integrator,
      '($id: ID) { citizen(id: $id) { dateOfBirth { value precision } } }'.replace(/^/, 'query '),
      { id: citizen },
    );
    return (data?.citizen as { dateOfBirth: unknown }).dateOfBirth;
  };
  expect(await birth(people.binh)).toEqual({ value: '1985', precision: 'YEAR' });
  expect(await birth(twins.first)).toBeNull();
});

test('a station never finds a person of another station: not by id, not by number, not as an entity [A08]', async () => {
  const unknown = await world.ask(clerk11, one, { id: id(0xfff) });
  for (const key of [{ id: people.chi }, { personalId: numbers.chi }, { id: 'no id' }, { personalId: '038000000000' }]) {
    const foreign = await world.ask(clerk11, one, key);
    expect([foreign.data, foreign.errors, foreign.audit]).toEqual([unknown.data, unknown.errors, []]);
  }
  const entities = await world.ask(
    clerk11,
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { id fullName } } }',
    {
      r: [people.chi, people.an, 'x'].map((citizen) => ({ __typename: 'Citizen', id: citizen })),
    },
  );
  expect(entities.data).toEqual({ _entities: [null, { id: people.an, fullName: 'Nguyễn Văn An' }, null] });
  expect(entities.audit[0]?.subjects).toEqual([people.an]);
});

test.each([
  ['03809000000', 'PERSONAL_ID_FORMAT'],
  ['0380900000012', 'PERSONAL_ID_FORMAT'],
  ['03809000000A', 'PERSONAL_ID_FORMAT'],
  ['０３８０９０００００１２', 'PERSONAL_ID_FORMAT'],
  [' 038090000001', 'PERSONAL_ID_FORMAT'],
  ['000000000000', 'PERSONAL_ID_RESERVED'],
])('the number %j is refused with its reason [B34] [B35] [B36] [B37] [B38] [B40]', async (personalId, reason) => {
  expect(await world.ask(integrator, one, { personalId })).toMatchObject({
    data: { citizen: null },
    errors: [`BAD_INPUT ${reason}`],
  });
});

test('exactly one key is given', async () => {
  for (const key of [{}, { id: people.an, personalId: numbers.an }, { id: null }]) {
    expect((await world.ask(integrator, one, key)).errors).toEqual(['BAD_INPUT LOOKUP_ONE_KEY']);
  }
});

test('a merged record and its number lead to the one that goes on, over several steps', async () => {
  for (const key of [{ id: merged.old }, { id: merged.older }, { personalId: numbers.former }]) {
    const answer = await world.ask(integrator, one, key);
    expect(answer.data).toMatchObject({ citizen: { id: people.an, lifeStatus: 'ACTIVE' } });
    expect(answer.audit[0]?.subjects).toEqual([people.an]);
  }
});

test('a cancelled number still finds its person', async () => {
  expect((await world.ask(integrator, one, { personalId: '038085000099' })).data).toMatchObject({ citizen: { id: people.binh } });
});

test('of several holders the confirmed one answers, among those in scope; else it is a conflict', async () => {
  expect((await world.ask(integrator, one, { personalId: numbers.dung })).data).toMatchObject({ citizen: { id: twins.third } });
  const centre = await world.ask(caller('centre', { scope: scopes.centre1 }), one, { personalId: numbers.dung });
  expect(centre).toMatchObject({ data: { citizen: null }, errors: ['CONFLICT NUMBER_OF_TWO'] });
  // That there are two says of each of them that he is here.
  expect([...(centre.audit[0]?.subjects ?? [])].sort()).toEqual([twins.first, twins.second].sort());
  expect((await world.ask(clerk11, one, { personalId: numbers.dung })).data).toMatchObject({ citizen: { id: twins.first } });
});

test('a sum for one number notes its holder, and no place made up hides him', async () => {
  const query = `query ($filter: CitizenFilter, $first: Int, $after: String) {
    citizens(filter: $filter, first: $first, after: $after) { totalCount pageInfo { endCursor } } }`;
  const filter = { text: numbers.an };
  const sum = async (more: Readonly<Record<string, unknown>>) => await world.ask(integrator, query, { filter, ...more });
  const shown = await sum({});
  expect(shown.audit[0]?.subjects).toEqual([people.an]);
  const { endCursor } = (shown.data as { citizens: { pageInfo: { endCursor: string } } }).citizens.pageInfo;
  const behind = await sum({ after: endCursor });
  expect(behind.data).toMatchObject({ citizens: { totalCount: 1 } });
  expect(behind.audit[0]?.subjects).toEqual([people.an]);
  const [seal] = JSON.parse(Buffer.from(endCursor, 'base64url').toString()) as [string];
  const unkeyed = createHash('sha256')
    .update(JSON.stringify(['citizens', filter, 'id+']))
    .digest('base64url');
  for (const first of [seal, unkeyed, unkeyed.slice(0, 8), null, 0]) {
    const made = Buffer.from(JSON.stringify([first, 'ffffffff-ffff-ffff-ffff-ffffffffffff'])).toString('base64url');
    expect(await sum({ after: made })).toMatchObject({ errors: ['BAD_INPUT CURSOR_INVALID'], audit: [] });
  }
  // Two hold it: the page shows one, the sum speaks of both.
  const two = await sum({ filter: { text: numbers.dung }, first: 1 });
  expect(two.audit[0]?.subjects.length).toBe((two.data as { citizens: { totalCount: number } }).citizens.totalCount);
});

test('a role without the right is refused on the field; whoever may only resolve numbers learns the id and nothing else', async () => {
  const hospital = await world.ask(
    caller('hospital'),
    `{ citizen(id: "${people.an}") { id } citizens { nodes { id } } discrepancies { nodes { id } } }`,
  );
  expect(hospital).toMatchObject({ data: { citizen: null, citizens: null, discrepancies: null }, audit: [] });
  expect(new Set(hospital.errors)).toEqual(new Set(['FORBIDDEN ROLE_LACKS_RIGHT']));
  const auditor = caller('auditor');
  const resolved = await world.ask(
    auditor,
    `{ citizen(personalId: "${numbers.an}") { id phone birthplace permanentAddress { text } } }`,
  );
  expect(resolved.data).toEqual({ citizen: { id: people.an, phone: null, birthplace: null, permanentAddress: null } });
  expect(resolved.errors).toEqual(Array.from({ length: 3 }, () => 'FORBIDDEN ROLE_LACKS_RIGHT'));
  expect(resolved.audit).toMatchObject([{ action: 'citizen.number-resolved', subjects: [people.an] }]);
  const named = await world.ask(auditor, `{ citizen(personalId: "${numbers.an}") { id fullName orgUnit { id } } }`);
  expect(named).toMatchObject({ data: { citizen: null }, errors: ['FORBIDDEN ROLE_LACKS_RIGHT'] });
  expect((await world.ask(auditor, one, { id: people.an })).errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
  const reader = await world.ask(caller('reader'), `{ citizen(id: "${people.an}") { id discrepancies { id } } }`);
  expect(reader).toMatchObject({
    data: { citizen: { id: people.an, discrepancies: null } },
    errors: ['FORBIDDEN ROLE_LACKS_RIGHT'],
  });
});

test('a legal basis lends one person, and its lack leaves a trace at him [A21]', async () => {
  const basis = { id: 'b', citizenId: people.binh, scope: scopes.province, permissions: ['citizen:read'] as const };
  const insurer = caller('insurer', { basis });
  const all =
    '{ citizens { nodes { id } totalCount } binh: citizens(filter: {text: "038085000002"}) { nodes { id } } an: citizens(filter: {text: "van an"}) { nodes { id } } }';
  expect((await world.ask(insurer, all)).data).toEqual({
    citizens: { nodes: [{ id: people.binh }], totalCount: 1 },
    binh: { nodes: [{ id: people.binh }] },
    an: { nodes: [] },
  });
  expect((await world.ask(insurer, one, { id: people.an })).data).toEqual({ citizen: null });
  expect((await world.ask(insurer, one, { personalId: numbers.binh })).data).toMatchObject({ citizen: { id: people.binh } });
  for (const key of [{ id: people.an }, { personalId: numbers.an }]) {
    const without = await world.ask(caller('insurer'), one, key);
    expect(without).toMatchObject({
      errors: ['FORBIDDEN ROLE_LACKS_RIGHT'],
      audit: [{ action: 'basis.refused', subjects: [people.an] }],
    });
  }
});

test('the ten field statuses follow values, confirmations and open conflicts', async () => {
  const { data } = await world.ask(
    integrator,
    `{ citizen(id: "${people.an}") { fieldStatuses { field status conflict source checkedAt } } }`,
  );
  const statuses = (
    data?.citizen as {
      fieldStatuses: { field: string; status: string; conflict: boolean; source: string | null; checkedAt: string | null }[];
    }
  ).fieldStatuses;
  expect(statuses.map(({ field, status }) => `${field} ${status}`)).toEqual([
    'FULL_NAME GREEN',
    'OLD_ID_NUMBER YELLOW',
    'PERSONAL_ID GREEN',
    'DATE_OF_BIRTH GREEN',
    'PHONE YELLOW',
    'GENDER YELLOW',
    'BIRTHPLACE YELLOW',
    'EMAIL YELLOW',
    'NATIVE_PLACE RED',
    'PERMANENT_ADDRESS YELLOW',
  ]);
  expect(statuses.filter(({ conflict }) => conflict).map(({ field }) => field)).toEqual(['PHONE']);
  expect(statuses[0]).toMatchObject({ source: 'POPULATION', checkedAt: '2026-10-01T00:00:00.000Z' });
  expect(statuses[1]).toMatchObject({ source: null, checkedAt: null });
});

test.each([
  ['the whole scope', () => integrator, null],
  ['a unit of the scope', () => integrator, 'x11'],
  ['a scope of one unit', () => caller('clerk', { scope: scopes.x11 }), null],
  ['a unit outside of the scope', () => caller('clerk', { scope: scopes.x11 }), 'x21'],
] as const)('fields are counted as the list of each state has people: %s', async (_, who, within) => {
  const orgUnit = within === null ? null : `u${String(unit[within])}`;
  const { data } = await world.ask(
    who(),
    `query ($orgUnit: ID) { fieldCounts(orgUnit: $orgUnit) { field verified declared missing } }`,
    {
      orgUnit,
    },
  );
  const counts = data?.fieldCounts as readonly Readonly<Record<string, string | number>>[];
  expect(counts).toHaveLength(10);
  for (const { field, verified, declared, missing } of counts) {
    const listedOf = async (status: string): Promise<number> => {
      const filter = { fieldStatus: { field, status }, ...(orgUnit !== null && { orgUnit }) };
      const list = await world.ask(
        who(),
        `query ($filter: CitizenFilter) { citizens(filter: $filter, first: 1) { totalCount } }`,
        {
          filter,
        },
      );
      return (list.data?.citizens as { totalCount: number }).totalCount;
    };
    expect({ field, verified, declared, missing }).toEqual({
      field,
      verified: await listedOf('GREEN'),
      declared: await listedOf('YELLOW'),
      missing: await listedOf('RED'),
    });
  }
});

test('history tells who, why, when and what, oldest first, masked like the record, known fields only', async () => {
  const query = `query ($after: String) { citizen(id: "${people.an}") { history(first: 1, after: $after) {
    nodes { version who cause knownAt trueFrom action before { field value } after { field value } } pageInfo { hasNextPage endCursor } totalCount totalCountIsEstimate } } }`;
  interface History {
    nodes: unknown[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
    totalCount: number;
  }
  const page = async (after: string | null) =>
    ((await world.ask(steward, query, { after })).data?.citizen as { history: History }).history;
  const first = await page(null);
  expect(first).toMatchObject({
    totalCount: 2,
    nodes: [
      {
        version: 1,
        who: 'clerk',
        cause: 'IMPORT',
        before: null,
        after: [
          { field: 'personalId', value: '038•••••0001' },
          { field: 'fullName', value: 'Nguyễn Văn An' },
          { field: 'phone', value: null },
        ],
      },
    ],
  });
  const second = await page(first.pageInfo.endCursor);
  expect(second).toMatchObject({ nodes: [{ version: 2, trueFrom: '2026-01-01' }], pageInfo: { hasNextPage: false } });
  expect(JSON.stringify(second)).not.toContain('0912345678');
});

const work = `query ($filter: DiscrepancyFilter, $first: Int, $after: String) { discrepancies(filter: $filter, first: $first, after: $after) {
  nodes { id citizen { id } field kind foundBy ours theirs state orgUnit { id } } pageInfo { hasNextPage endCursor } totalCount } }`;

test('discrepancies are those of the scope, open ones when nothing is said; theirs is for operators alone, masked', async () => {
  const answer = await world.ask(operator, work);
  expect(answer.data).toMatchObject({
    discrepancies: {
      totalCount: 3,
      nodes: [
        { citizen: { id: people.an }, field: 'PHONE', foundBy: 'RECONCILE', orgUnit: { id: 'u4' } },
        { citizen: { id: people.chi }, ours: 'Lê Thị Chi', theirs: 'Lê Thị Tri' },
        { citizen: { id: twins.first }, kind: 'TWO_HOLDERS', ours: '038•••••0004', orgUnit: { id: 'u2' } },
      ],
    },
  });
  expect(answer.audit).toMatchObject([{ subjects: [people.an, people.chi, twins.first] }]);
  for (const value of ['0912345678', '0987654321', numbers.dung]) expect(JSON.stringify(answer.data)).not.toContain(value);
  const machine = await world.ask(integrator, work);
  expect((machine.data?.discrepancies as { nodes: { theirs: unknown }[] }).nodes.map(({ theirs }) => theirs)).toEqual([
    null,
    null,
    null,
  ]);
  const station = await world.ask(clerk11, work);
  expect(station.data).toMatchObject({ discrepancies: { totalCount: 1, nodes: [{ field: 'PHONE' }] } });
});

test.each([
  [{ state: 'SETTLED' }, [0x602]],
  [{ state: 'LEASED' }, [0x605]],
  [{ kind: 'DIFFERENT' }, [0x601, 0x603]],
  [{ kind: 'DIFFERENT', field: 'FULL_NAME' }, [0x603]],
  [{ foundBy: 'IMPORT' }, [0x604]],
  [{ citizen: people.chi }, [0x603]],
  [{ citizen: 'nobody' }, []],
  [{ orgUnit: 'u2' }, [0x601, 0x604]],
  [{ orgUnit: 'u3', kind: 'DIFFERENT' }, [0x603]],
  [{ orgUnit: 'u99' }, []],
  [{ orgUnit: '; drop table' }, []],
] as const)('discrepancies by %j', async (filter, expected) => {
  const { data } = await world.ask(steward, work, { filter });
  expect((data?.discrepancies as { nodes: { id: string }[] }).nodes.map((node) => node.id)).toEqual(
    expected.map((number) => id(number)),
  );
});

test('discrepancies page by id', async () => {
  const first = await world.ask(steward, work, { first: 2 });
  const { pageInfo } = first.data?.discrepancies as { pageInfo: { hasNextPage: boolean; endCursor: string } };
  expect(pageInfo.hasNextPage).toBe(true);
  const second = await world.ask(steward, work, { first: 2, after: pageInfo.endCursor });
  expect(second.data).toMatchObject({ discrepancies: { nodes: [{ id: id(0x604) }], pageInfo: { hasNextPage: false } } });
  expect((await world.ask(steward, work, { first: 2, after: 'zzz' })).errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
});

test('open work of a person: his own unit does not see what belongs to the centre', async () => {
  const query = `{ citizen(id: "${twins.first}") { discrepancies { kind citizen { id fullName } } } }`;
  expect((await world.ask(clerk11, query)).data).toEqual({ citizen: { discrepancies: [] } });
  expect((await world.ask(steward, query)).data).toEqual({
    citizen: { discrepancies: [{ kind: 'TWO_HOLDERS', citizen: { id: twins.first, fullName: 'Phạm Dũng' } }] },
  });
});

const list = `query ($filter: CitizenFilter, $orderBy: CitizenOrder, $first: Int, $after: String) {
  citizens(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount totalCountIsEstimate } }`;

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly edges: readonly { readonly cursor: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
  readonly totalCountIsEstimate: boolean;
}

/** All pages of a list, one after the other. */
async function listed(
  who: typeof steward,
  filter: object,
  orderBy: object | null = null,
  first = 100,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after: string | null = null; ;) {
    const answer = await world.ask(who, list, { filter, orderBy, first, after });
    expect(answer.errors).toEqual([]);
    const page = answer.data?.citizens as Page;
    found.push(...page.nodes.map((node) => node.id));
    expect(page.edges).toHaveLength(page.nodes.length);
    if (!page.pageInfo.hasNextPage) {
      expect([page.totalCount, page.totalCountIsEstimate]).toEqual([found.length, false]);
      // The sum for a number speaks of everyone who holds it, whichever page is asked.
      const told = 'text' in filter && /^\d+$/.test(String(filter.text)) ? found : page.nodes.map((node) => node.id);
      expect(answer.audit.flatMap(({ subjects }) => subjects).sort()).toEqual([...told].sort());
      return found;
    }
    after = page.pageInfo.endCursor;
  }
}

const living = [people.an, people.binh, people.chi, twins.first, twins.second, twins.third];

test('a plain list goes by id without loss or repetition, whatever the page size [B17] [B18] [B19]', async () => {
  for (const first of [1, 2, 5, 100]) expect(await listed(steward, {}, null, first)).toEqual(living);
  for (const first of [0, 101]) expect((await world.ask(steward, list, { first })).errors).toEqual(['BAD_INPUT PAGE_SIZE_RANGE']);
  for (const after of ['zzz', '', Buffer.from('["x",1]').toString('base64url')]) {
    expect((await world.ask(steward, list, { after })).errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
  }
  const { endCursor } = ((await world.ask(steward, list, { first: 1 })).data?.citizens as Page).pageInfo;
  const elsewhere = await world.ask(steward, list, { first: 1, after: endCursor, filter: { lifeStatus: 'ACTIVE' } });
  expect(elsewhere.errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
});

test('a page of citizens is one statement, whatever is asked of their rows', async () => {
  const query = `{ citizens(first: 50) { nodes { id fullName lifeStatus orgUnit { id } dateOfBirth { value precision } gender phone
    fieldStatuses { field status } permanentAddress { code } } pageInfo { endCursor hasNextPage } } }`;
  expect((await world.ask(integrator, query)).reads.filter((name) => name.startsWith('citizens.'))).toHaveLength(1);
  const single = await world.ask(
    integrator,
    `{ citizen(personalId: "${numbers.an}") { id fullName phone fieldStatuses { field status } } }`,
  );
  expect(single.reads).toHaveLength(1);
});

const byName = [twins.third, people.an, people.binh, people.chi, twins.first, twins.second];

test.each([
  [{ id: 'DESC' }, [...living].reverse()],
  [{ fullName: 'ASC' }, byName], // Ánh An Bình Chi Dũng Đạt is what no byte order gives; see the next test for the tones
  [{ fullName: 'DESC' }, [...byName].reverse()],
  [{ dateOfBirth: 'ASC' }, [twins.second, people.binh, people.an, twins.third, people.chi, twins.first]],
  [{ dateOfBirth: 'DESC' }, [twins.first, people.chi, twins.third, people.an, people.binh, twins.second]],
] as const)('ordered by %j, in pages of every size', async (orderBy, expected) => {
  for (const first of [1, 2, 100]) {
    const found = await listed(steward, {}, orderBy, first);
    if ('fullName' in orderBy) expect([...found].sort()).toEqual([...expected].sort());
    else expect(found).toEqual(expected);
  }
});

test('names sort as Vietnamese lists do: given name, middle, surname, by Vietnamese collation', async () => {
  const found = await listed(steward, {}, { fullName: 'ASC' }, 2);
  const names = new Map(small.map((person) => [person.id, person.fullName]));
  expect(found.map((one) => names.get(one))).toEqual([
    'Nguyễn Văn An',
    'Đặng Ánh',
    'Trần Thanh Bình',
    'Lê Thị Chi',
    'Phạm Dũng',
    'Võ Đức Đạt',
  ]);
});

test('an order is one of enums, nothing else [A41]', async () => {
  const query = '{ citizens(orderBy: {fullName: "asc; select pg_sleep(5)--"}) { nodes { id } } }';
  expect((await world.ask(steward, query)).data).toBeNull();
  for (const orderBy of [{}, { id: 'ASC', fullName: 'ASC' }]) {
    expect((await world.ask(steward, list, { orderBy })).errors).toEqual(['BAD_INPUT ORDER_ONE']);
  }
});

test.each([
  [{ text: 'an' }, [people.an, twins.third]], // Ánh begins with an
  [{ text: 'VĂN AN' }, [people.an]],
  [{ text: 'nguyen v' }, [people.an]],
  [{ text: 'nguyen an' }, [people.an]], // words in their order, with others between them
  [{ text: 'nguyen  van a' }, [people.an]],
  [{ text: 'nguye an' }, []],
  [{ text: 'an nguyen' }, []],
  [{ text: 'nguyen an', orgUnit: 'u2', bornFrom: '1990-01-01' }, [people.an]],
  [{ text: 'nguyen an', fieldStatus: { field: 'PERSONAL_ID', status: 'GREEN' } }, [people.an]],
  [{ text: 'nguyen an', lifeStatus: 'DECEASED' }, []],
  [{ text: 'Nguyễn'.normalize('NFD') }, [people.an]], // [B61]
  [{ text: 'guyen' }, []],
  [{ text: 'đat' }, [twins.second]],
  [{ text: 'dat' }, [twins.second]],
  [{ text: numbers.binh }, [people.binh]],
  [{ text: '038 085 000 002' }, [people.binh]],
  [{ text: numbers.former }, [people.an]],
  [{ text: '038085' }, []],
  [{ text: '210000001' }, [people.an]],
  [{ text: numbers.dung }, [twins.first, twins.second, twins.third]],
  [{ text: '%' }, []],
  [{ text: '_____' }, []],
  [{ text: "' OR 1=1--" }, []],
  [{ text: '(a+)+$' }, []],
  [{ text: 'an%' }, []],
  [{ text: '' }, living],
  [{ lifeStatus: 'DECEASED' }, [twins.second]],
  [{ lifeStatus: 'MERGED' }, [merged.older, merged.old]],
  [{ lifeStatus: 'ACTIVE', text: 'nguyen' }, [people.an]],
  [{ lifeStatus: 'MERGED', text: 'nguyen' }, [merged.older, merged.old]],
  [{ fieldStatus: { field: 'PERSONAL_ID', status: 'GREEN' } }, [people.an, twins.third]],
  [{ fieldStatus: { field: 'DATE_OF_BIRTH', status: 'RED' } }, [twins.first]],
  [{ fieldStatus: { field: 'FULL_NAME', status: 'RED' } }, []],
  [{ fieldStatus: { field: 'GENDER', status: 'YELLOW' }, text: 'chi' }, [people.chi]],
  [{ bornFrom: '1990-03-15', bornTo: '1990-03-15' }, [people.an, twins.third]],
  [{ bornFrom: '1948-01-01', bornTo: '1948-01-01' }, []], // [B57] a year is not its first day
  [{ bornFrom: '1948-01-01', bornTo: '1948-12-31' }, [twins.second]],
  [{ bornTo: '1985-12-31' }, [people.binh, twins.second]],
  [{ bornTo: '1985-12-30' }, [twins.second]],
  [{ bornFrom: '1992-01-01' }, [people.chi]],
  [{ updatedSince: '2099-01-01T00:00:00Z' }, []],
  [{ updatedSince: '2020-01-01T00:00:00+07:00' }, living],
  [{ orgUnit: 'u2' }, [people.an, people.binh, twins.first, twins.second]],
  [{ orgUnit: 'u2', text: 'an' }, [people.an]],
  [{ orgUnit: 'u1' }, living],
  [{ orgUnit: 'u7' }, []],
  [{ orgUnit: 'u99' }, []],
  [{ orgUnit: "u1'" }, []],
])('citizens by %j [A20]', async (filter, expected) => {
  for (const orderBy of [null, { id: 'DESC' }, { fullName: 'ASC' }, { dateOfBirth: 'DESC' }, { updatedAt: 'ASC' }] as const) {
    const found = await listed(steward, filter, orderBy, 2);
    if (orderBy === null) expect(found).toEqual(expected);
    else expect([...found].sort()).toEqual([...expected].sort());
  }
});

test('a text longer than any name matches nobody and costs nothing [A20]', async () => {
  const filter = { text: '(a+)+$'.repeat(10_000) };
  const answer = await world.ask(steward, list, { filter });
  expect(answer).toMatchObject({ data: { citizens: { nodes: [], totalCount: 0 } }, errors: [] });
  expect(answer.reads.filter((name) => name.startsWith('citizens.'))).toEqual([]);
});

test.each([
  [{ text: 'a' }, 'BAD_INPUT SEARCH_TOO_SHORT'],
  [{ text: '038•••••0001' }, 'BAD_INPUT MASKED_VALUE'],
  [{ bornFrom: '2023-02-29' }, 'BAD_INPUT DATE_NOT_IN_CALENDAR'],
  [{ bornTo: '1985' }, 'BAD_INPUT DATE_DAY_NEEDED'],
  [{ updatedSince: 'yesterday' }, 'BAD_INPUT INSTANT_FORMAT'],
])('the filter %j is refused with its reason', async (filter, error) => {
  expect((await world.ask(steward, list, { filter })).errors).toEqual([error]);
});

test('whatever is filtered and ordered, a list holds exactly the people in scope that fit, in every page size', async () => {
  const given = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
  const filters = fc.record({
    text: given(fc.constantFrom('an', 'nguyen', 'van an', 'nguyen an', 'da', numbers.dung)),
    lifeStatus: given(fc.constantFrom('ACTIVE', 'MOVED_AWAY', 'DECEASED', 'MERGED')),
    fieldStatus: given(
      fc.record({ field: fc.constantFrom('PERSONAL_ID', 'EMAIL', 'GENDER'), status: fc.constantFrom('GREEN', 'YELLOW', 'RED') }),
    ),
    bornFrom: given(fc.constantFrom('1948-01-01', '1990-01-01')),
    bornTo: given(fc.constantFrom('1985-12-31', '1992-11-02')),
    orgUnit: given(fc.constantFrom('u1', 'u2', 'u6')),
  });
  const orders = fc.constantFrom(
    null,
    { id: 'DESC' },
    { fullName: 'ASC' },
    { fullName: 'DESC' },
    { dateOfBirth: 'ASC' },
    { updatedAt: 'DESC' },
  );
  const places = fc.constantFrom<keyof typeof scopes>('province', 'centre1', 'x11', 'x21', 'facilityA');
  await fc.assert(
    fc.asyncProperty(filters, orders, places, fc.integer({ min: 1, max: 4 }), async (filter, orderBy, place, first) => {
      const found = await listed(caller('steward', { scope: scopes[place] }), filter, orderBy, first);
      expect([...found].sort()).toEqual(
        small
          .filter((person) => fits(person, filter, place))
          .map((person) => person.id)
          .sort(),
      );
    }),
    { numRuns: 60, seed: 7 },
  );
}, 120_000);

/** The same rules, said once more and plainly. */
function fits(
  person: TestCitizen,
  filter: {
    text?: string | undefined;
    lifeStatus?: string | undefined;
    fieldStatus?: { field: string; status: string } | undefined;
    bornFrom?: string | undefined;
    bornTo?: string | undefined;
    orgUnit?: string | undefined;
  },
  place: keyof typeof scopes,
): boolean {
  const covered = (units: readonly number[]) => units.includes(person.unitNo);
  const under = { u1: Object.values(unit), u2: [unit.c1, unit.x11, unit.x12], u6: [unit.x21] } as Readonly<
    Record<string, readonly number[]>
  >;
  const scoped = {
    province: under.u1,
    centre1: under.u2,
    x11: [unit.x11],
    x21: [unit.x21],
    facilityA: [unit.facilityA],
  } as const;
  const name = ` ${person.fullName
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/đ/gi, 'd')
    .toLowerCase()}`;
  const birth = person.dateOfBirth === undefined ? '1990-03-15' : person.dateOfBirth;
  const first = birth === null ? null : `${birth}-01-01`.slice(0, 10);
  const last = birth === null ? null : birth.length === 4 ? `${birth}-12-31` : birth;
  const state = (field: string): string => {
    const value = { PERSONAL_ID: person.personalId, EMAIL: person.more?.email, GENDER: 'x' }[field];
    if (value === undefined || value === null) return 'RED';
    return person.confirmed?.some((one) => one === field) === true ? 'GREEN' : 'YELLOW';
  };
  return (
    covered(scoped[place] ?? []) &&
    (filter.orgUnit === undefined || covered(under[filter.orgUnit] ?? [])) &&
    (filter.lifeStatus === undefined ? person.lifeStatus !== 'MERGED' : (person.lifeStatus ?? 'ACTIVE') === filter.lifeStatus) &&
    (filter.text === undefined ||
      (/\d/.test(filter.text)
        ? person.personalId === filter.text
        : new RegExp(` ${filter.text.replace(' ', '(?= ).* ')}`).test(name))) &&
    (filter.fieldStatus === undefined || state(filter.fieldStatus.field) === filter.fieldStatus.status) &&
    (filter.bornFrom === undefined || (first !== null && first >= filter.bornFrom)) &&
    (filter.bornTo === undefined || (last !== null && last <= filter.bornTo))
  );
}
