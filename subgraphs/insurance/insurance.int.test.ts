import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { insurance } from './index.ts';

let world: RecordWorld;

const card = {
  anNow: id(0x101),
  anOld: id(0x102),
  anWithdrawn: id(0x103),
  binhFirst: id(0x201),
  binhSecond: id(0x202),
  chi: id(0x301),
  waiting: id(0x401),
  sameNumberChi: id(0x302),
} as const;

const numberOf = { an: 'GD4380123456789', binh: 'DN4380123456788', chi: 'HT3380123456787', shared: 'TE1380123456786' } as const;

beforeAll(async () => {
  world = await openRecordWorld(insurance);
  const row = (
    cardId: string,
    citizen: string | null,
    unit_no: number,
    number: string,
    from: string | null,
    to: string | null,
    status = 'ACTIVE',
  ) => ({
    id: cardId,
    citizen_id: citizen,
    unit_no,
    number,
    bhxh_number: number.slice(-10),
    holder_name: 'NGUYỄN VĂN A',
    valid_from: from,
    valid_to: to,
    status,
    registered_facility: '52901',
    issuer: 'BHXH_VN',
  });
  await world.insert('insurance.card', [
    row(card.anNow, people.an, unit.x11, numberOf.an, '2025-01-01', null),
    row(card.anOld, people.an, unit.x11, numberOf.an, '2020-01-01', '2024-12-31', 'EXPIRED'),
    row(card.anWithdrawn, people.an, unit.x11, numberOf.shared, '2026-01-01', null, 'WITHDRAWN'),
    row(card.binhFirst, people.binh, unit.x12, numberOf.binh, '2026-01-01', '2026-12-31', 'UNVERIFIED'),
    row(card.binhSecond, people.binh, unit.x12, numberOf.shared, '2026-06-01', '2027-05-31'),
    row(card.chi, people.chi, unit.x21, numberOf.chi, '2026-01-01', null),
    row(card.sameNumberChi, people.chi, unit.x21, numberOf.shared, '2026-06-01', null),
    row(card.waiting, null, unit.x11, 'HS4380123456785', '2026-01-01', null, 'UNVERIFIED'),
  ]);
  const change = { record_id: card.anNow, citizen_id: people.an, unit_no: unit.x11, principal: 'cli', principal_name: 'import' };
  await world.insert('insurance.change', [
    {
      ...change,
      version: 1,
      cause: 'IMPORT',
      action: 'card.created',
      after: JSON.stringify({ number: numberOf.an, secret: 'x' }),
    },
    {
      ...change,
      version: 2,
      cause: 'MUTATION',
      action: 'card.changed',
      before: JSON.stringify({ validTo: '2025-12-31' }),
      after: JSON.stringify({ validTo: null }),
    },
  ]);
});
afterAll(() => world.close());

const integrator = caller('integrator');
const clerk11 = caller('clerk', { scope: scopes.x11, purpose: 'TREAT' });
const one = `query ($id: ID, $number: String) { insuranceCard(id: $id, number: $number) {
  id version number validFrom validTo status registeredFacility issuer holderName citizen { id } orgUnit { id } } }`;
const entities = `query ($representations: [_Any!]!, $at: DateTime) { _entities(representations: $representations) {
  ... on Citizen { id insuranceCards { id number validFrom } cardInForce(at: $at) { id number } } } }`;
const citizens = (...ids: readonly string[]) => ({ representations: ids.map((one) => ({ __typename: 'Citizen', id: one })) });

test('a card by id shows every field, its citizen and its unit, and names him in the audit', async () => {
  const answer = await world.ask(integrator, one, { id: card.anNow });
  expect(answer).toMatchObject({
    errors: [],
    data: {
      insuranceCard: {
        id: card.anNow,
        version: 1,
        number: numberOf.an,
        validFrom: '2025-01-01',
        validTo: null,
        status: 'ACTIVE',
        registeredFacility: '52901',
        issuer: 'BHXH_VN',
        holderName: 'NGUYỄN VĂN A',
        citizen: { id: people.an },
        orgUnit: { id: 'u4' },
      },
    },
  });
  expect(answer.audit).toMatchObject([{ action: 'card.read', subgraph: 'insurance', subjects: [people.an] }]);
});

test('cards of a citizen and his card in force come from one read, the newest first, withdrawn ones left out', async () => {
  const answer = await world.ask(integrator, entities, citizens(people.an, people.binh, people.chi, id(99)));
  expect(answer.reads).toHaveLength(1);
  expect(answer.data).toEqual({
    _entities: [
      {
        id: people.an,
        insuranceCards: [
          { id: card.anNow, number: numberOf.an, validFrom: '2025-01-01' },
          { id: card.anOld, number: numberOf.an, validFrom: '2020-01-01' },
        ],
        cardInForce: { id: card.anNow, number: numberOf.an },
      },
      {
        id: people.binh,
        insuranceCards: [
          { id: card.binhSecond, number: numberOf.shared, validFrom: '2026-06-01' },
          { id: card.binhFirst, number: numberOf.binh, validFrom: '2026-01-01' },
        ],
        cardInForce: { id: card.binhSecond, number: numberOf.shared },
      },
      expect.objectContaining({ id: people.chi, cardInForce: { id: card.sameNumberChi, number: numberOf.shared } }),
      null,
    ],
  });
  expect(answer.audit[0]?.subjects).toEqual([people.an, people.binh, people.chi]);
});

test('the card in force is that of the calendar day in Vietnam', async () => {
  const at = async (instant: string) => {
    const answer = await world.ask(integrator, entities, { ...citizens(people.an), at: instant });
    return (answer.data?._entities as { cardInForce: unknown }[])[0]?.cardInForce;
  };
  expect(await at('2024-12-31T16:59:59Z')).toBeNull(); // still 31/12/2024 there: the expired card never counts
  expect(await at('2024-12-31T17:00:00Z')).toEqual({ id: card.anNow, number: numberOf.an });
});

test('a wrong instant is refused in its field alone', async () => {
  const answer = await world.ask(integrator, entities, { ...citizens(people.an), at: 'yesterday' });
  expect(answer.errors).toEqual(['BAD_INPUT INSTANT_FORMAT']);
  expect(answer.data).toMatchObject({ _entities: [{ id: people.an, cardInForce: null, insuranceCards: [{}, {}] }] });
});

test('a station never sees a person of another station: not by id, not by card number, not as an entity [A08]', async () => {
  const unknown = await world.ask(clerk11, one, { id: id(0xfff) });
  const foreign = await world.ask(clerk11, one, { id: card.chi });
  const byNumber = await world.ask(clerk11, one, { number: numberOf.chi });
  for (const answer of [unknown, foreign, byNumber]) {
    expect(answer).toMatchObject({ data: { insuranceCard: null }, errors: [], audit: [] });
  }
  expect((await world.ask(clerk11, one, { id: 'no id' })).data).toEqual({ insuranceCard: null });
  const entity = await world.ask(clerk11, entities, citizens(people.chi, people.an));
  expect(entity.data).toMatchObject({ _entities: [null, { id: people.an }] });
  expect(entity.audit[0]?.subjects).toEqual([people.an]);
  const list = await world.ask(clerk11, '{ insuranceCards { nodes { id } totalCount } }');
  expect(list.data).toEqual({
    insuranceCards: { nodes: [{ id: card.anNow }, { id: card.anOld }, { id: card.waiting }], totalCount: 3 },
  });
});

test('numbers are masked unless role and purpose show them', async () => {
  const masked = await world.ask(caller('steward'), one, { number: numberOf.an });
  expect(masked.data).toMatchObject({ insuranceCard: { number: 'GD4•••••6789' } });
  const insurer = await world.ask(caller('insurer'), one, { number: numberOf.an });
  expect(insurer.data).toMatchObject({ insuranceCard: { number: numberOf.an } });
  const sentBack = await world.ask(caller('steward'), one, { number: 'GD4•••••6789' });
  expect(sentBack.errors).toEqual(['BAD_INPUT MASKED_VALUE']);
});

test('a role without the permission is refused on each field, the rest is answered', async () => {
  const reader = caller('reader');
  expect(await world.ask(reader, one, { id: card.anNow })).toMatchObject({
    data: { insuranceCard: null },
    errors: ['FORBIDDEN ROLE_LACKS_RIGHT'],
  });
  const answer = await world.ask(reader, entities, citizens(people.an, id(99)));
  expect(answer.data).toEqual({ _entities: [{ id: people.an, insuranceCards: null, cardInForce: null }, null] });
  expect(answer.errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT', 'FORBIDDEN ROLE_LACKS_RIGHT']);
  expect(answer.audit).toEqual([]);
});

test('a number is read with blanks, hyphens and small letters, and refused with its reason [B43] [B44] [B45] [B46] [B48] [B49] [B50] [B51]', async () => {
  const find = async (number: string) => {
    const { data, errors } = await world.ask(integrator, one, { number });
    return errors[0] ?? (data?.insuranceCard as { id: string } | null)?.id ?? null;
  };
  expect(await find('gd4 38-0123456789')).toBe(card.anNow);
  expect(await find('0123456789')).toBe(card.anNow);
  expect(await find('GD6380123456789')).toBe('BAD_INPUT CARD_BENEFIT');
  expect(await find('GD4000123456789')).toBe('BAD_INPUT CARD_ISSUER');
  expect(await find('GD438012345678')).toBe('BAD_INPUT CARD_LENGTH');
  expect(await find('123456789')).toBe('BAD_INPUT BHXH_NUMBER_FORMAT');
  expect(await find('GD438O123456789')).toBe('BAD_INPUT CARD_LETTER_O');
  expect(await find('GD4380123456780')).toBeNull();
});

test('two holders of a number: within one scope the one in force, two in force are a conflict', async () => {
  expect(await world.ask(integrator, one, { number: numberOf.shared })).toMatchObject({
    data: { insuranceCard: null },
    errors: ['CONFLICT CARD_TWO_HOLDERS'],
  });
  const centre = await world.ask(caller('centre', { scope: scopes.centre1 }), one, { number: numberOf.shared });
  expect(centre.data).toMatchObject({ insuranceCard: { id: card.binhSecond } });
});

test('exactly one key is given', async () => {
  expect((await world.ask(integrator, one, {})).errors).toEqual(['BAD_INPUT LOOKUP_ONE_KEY']);
  expect((await world.ask(integrator, one, { id: card.chi, number: numberOf.chi })).errors).toEqual(['BAD_INPUT LOOKUP_ONE_KEY']);
});

const list = `query ($filter: InsuranceCardFilter, $first: Int, $after: String) {
  insuranceCards(filter: $filter, first: $first, after: $after) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount totalCountIsEstimate } }`;

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
}

async function listed(who: typeof integrator, filter: object, first = 100): Promise<readonly string[]> {
  const found: string[] = [];
  let after: string | null = null;
  for (;;) {
    const answer = await world.ask(who, list, { filter, first, after });
    expect(answer.errors).toEqual([]);
    const page = answer.data?.insuranceCards as Page;
    found.push(...page.nodes.map((node) => node.id));
    if (!page.pageInfo.hasNextPage) {
      expect(page.totalCount).toBe(found.length);
      return found;
    }
    after = page.pageInfo.endCursor;
  }
}

test('a list pages by id without loss or repetition, whatever the page size [B17] [B18] [B19]', async () => {
  const all = [card.anNow, card.anOld, card.binhFirst, card.binhSecond, card.chi, card.sameNumberChi, card.waiting];
  for (const first of [1, 2, 3, 7, 100]) expect(await listed(integrator, {}, first)).toEqual(all);
  for (const first of [0, 101]) {
    expect((await world.ask(integrator, list, { first })).errors).toEqual(['BAD_INPUT PAGE_SIZE_RANGE']);
  }
  expect((await world.ask(integrator, list, { after: 'zzz' })).errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
  const other = await world.ask(integrator, list, { first: 1, filter: { status: 'ACTIVE' } });
  const { endCursor } = (other.data?.insuranceCards as Page).pageInfo;
  expect((await world.ask(integrator, list, { first: 1, after: endCursor })).errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
});

test.each([
  [{ status: 'EXPIRED' }, [card.anOld]],
  [{ status: 'WITHDRAWN' }, [card.anWithdrawn]],
  [{ number: 'gd4-380123456789' }, [card.anNow, card.anOld]],
  [{ number: '0123456788' }, [card.binhFirst]],
  [{ text: 'gd4' }, [card.anNow, card.anOld]],
  [{ text: '012345678' }, [card.anNow, card.anOld, card.binhFirst, card.binhSecond, card.chi, card.sameNumberChi, card.waiting]],
  [{ text: '012345678', status: 'UNVERIFIED' }, [card.binhFirst, card.waiting]],
  [{ text: 'g' }, []],
  [{ citizen: people.binh }, [card.binhFirst, card.binhSecond]],
  [{ citizen: people.binh, status: 'ACTIVE' }, [card.binhSecond]],
  [{ citizen: 'nobody' }, []],
  [{ orgUnit: 'u2' }, [card.anNow, card.anOld, card.binhFirst, card.binhSecond, card.waiting]],
  [{ orgUnit: 'u6', validOn: '2026-03-01' }, [card.chi]],
  [{ orgUnit: 'u99' }, []],
  [{ orgUnit: 'x' }, []],
  [{ validOn: '2020-06-01' }, [card.anOld]],
  [{ issuer: 'BHXH_BQP' }, []],
  [{ issuer: 'BHXH_VN', status: 'EXPIRED' }, [card.anOld]],
])('cards by %j', async (filter, expected) => {
  for (const first of [1, 100]) expect(await listed(integrator, filter, first)).toEqual(expected);
  const inX11 = new Set<string>([card.anNow, card.anOld, card.anWithdrawn, card.waiting]);
  expect(await listed(clerk11, filter, 2)).toEqual(expected.filter((one) => inX11.has(one)));
});

test('a filter with a wrong value is refused and names the field', async () => {
  expect((await world.ask(integrator, list, { filter: { validOn: '2026-02-30' } })).errors).toEqual([
    'BAD_INPUT DATE_NOT_IN_CALENDAR',
  ]);
  expect((await world.ask(integrator, list, { filter: { validOn: '2026' } })).errors).toEqual(['BAD_INPUT DATE_DAY_NEEDED']);
  expect((await world.ask(integrator, list, { filter: { number: '1' } })).errors).toEqual(['BAD_INPUT BHXH_NUMBER_FORMAT']);
});

test.each(['%', '_____', `' OR 1=1--`, '(a+)+$', 'GD4%', 'GD4\u0000'])(
  'the text %j means itself and finds nothing [A20]',
  async (text) => {
    expect(await listed(integrator, { text })).toEqual([]);
  },
);

test('who sees numbers masked finds by a whole number only', async () => {
  const steward = caller('steward');
  expect(await listed(steward, { text: 'GD43801' })).toEqual([]);
  expect(await listed(steward, { text: numberOf.an })).toEqual([card.anNow, card.anOld]);
  expect(await listed(steward, { text: '0123456789' })).toEqual([card.anNow, card.anOld]);
});

test('history shows known fields alone, masked like the card, oldest first', async () => {
  const query = `query ($id: ID, $after: String) { insuranceCard(id: $id) { history(first: 1, after: $after) {
    nodes { version who cause action knownAt before { field value } after { field value } } pageInfo { hasNextPage endCursor } totalCount } } }`;
  const first = await world.ask(caller('steward'), query, { id: card.anNow });
  expect(first.data).toMatchObject({
    insuranceCard: {
      history: {
        nodes: [
          { version: 1, who: 'import', cause: 'IMPORT', before: null, after: [{ field: 'number', value: 'GD4•••••6789' }] },
        ],
        pageInfo: { hasNextPage: true },
        totalCount: 2,
      },
    },
  });
  const { endCursor } = (first.data?.insuranceCard as { history: Page }).history.pageInfo;
  const second = await world.ask(integrator, query, { id: card.anNow, after: endCursor });
  expect(second.data).toMatchObject({
    insuranceCard: {
      history: {
        nodes: [{ version: 2, before: [{ field: 'validTo', value: '2025-12-31' }], after: [{ field: 'validTo', value: null }] }],
        pageInfo: { hasNextPage: false },
      },
    },
  });
});

test('a legal basis for one person narrows every read to him [A21]', async () => {
  const basis = { id: 'b', citizenId: people.an, scope: scopes.province, permissions: ['card:read' as const] };
  const narrowed = caller('reader', { basis });
  expect(await listed(narrowed, {})).toEqual([card.anNow, card.anOld]);
  expect(await listed(narrowed, { status: 'ACTIVE' })).toEqual([card.anNow]);
  expect((await world.ask(narrowed, one, { id: card.chi })).data).toEqual({ insuranceCard: null });
  expect((await world.ask(narrowed, one, { number: numberOf.chi })).data).toEqual({ insuranceCard: null });
  const answer = await world.ask(narrowed, entities, citizens(people.an, people.chi));
  expect(answer.data).toMatchObject({ _entities: [{ id: people.an }, null] });
});

test('a right to cards is no right to their citizens; a basis for one person shows him alone', async () => {
  const insurer = await world.ask(caller('insurer'), one, { id: card.anNow });
  expect(insurer.errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
  expect(insurer.data).toMatchObject({ insuranceCard: { id: card.anNow, citizen: null } });
  const basis = { id: 'b', citizenId: people.an, scope: scopes.province, permissions: ['citizen:read' as const] };
  const withBasis = caller('insurer', { basis });
  expect((await world.ask(withBasis, one, { id: card.anNow })).data).toMatchObject({
    insuranceCard: { citizen: { id: people.an } },
  });
  expect((await world.ask(withBasis, one, { id: card.chi })).data).toMatchObject({ insuranceCard: { citizen: null } });
});

test('a card whose citizen has moved on answers without him until it has followed', async () => {
  await world.insert('insurance.card', [
    {
      id: id(0x999),
      citizen_id: people.chi,
      unit_no: unit.x11,
      number: numberOf.chi,
      bhxh_number: numberOf.chi.slice(-10),
      status: 'ACTIVE',
    },
  ]);
  const answer = await world.ask(clerk11, one, { id: id(0x999) });
  expect(answer.data).toMatchObject({ insuranceCard: { citizen: null } });
  expect(answer.audit[0]?.subjects).toEqual([people.chi]);
});

test('a sum for one number or one citizen notes everyone it speaks of, whichever page is asked', async () => {
  const query = `query ($filter: InsuranceCardFilter, $first: Int, $after: String) {
    insuranceCards(filter: $filter, first: $first, after: $after) { totalCount pageInfo { endCursor } } }`;
  const who = caller('integrator');
  for (const [filter, told] of [
    [{ number: numberOf.shared }, [people.binh, people.chi]],
    [{ citizen: people.an }, [people.an]],
  ] as const) {
    let after: string | null = null;
    for (let page = 0; page < 3; page += 1) {
      const answer = await world.ask(who, query, { filter, first: 1, after });
      expect(answer).toMatchObject({ errors: [], data: { insuranceCards: { totalCount: 2 } } });
      expect([...(answer.audit[0]?.subjects ?? [])].sort()).toEqual([...told].sort());
      after = (answer.data?.insuranceCards as { pageInfo: { endCursor: string | null } }).pageInfo.endCursor ?? after;
    }
  }
});
