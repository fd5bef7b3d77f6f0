import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { results } from './index.ts';

let world: RecordWorld;

const anCode = '038090000001.KQ.G18.000010.1817';
const binhCode = '038085000002.KQ.G15.000031';
const chiCode = '038192000003.KQ.G15.000032.12';
const result = {
  an: [id(0x101), id(0x102), id(0x103)],
  anWithdrawn: id(0x104),
  binh: id(0x201),
  chi: id(0x301),
  twin: id(0x302),
} as const;

beforeAll(async () => {
  world = await openRecordWorld(results);
  const row = (resultId: string, citizen_id: string | null, unit_no: number, code: string | null, more: object = {}) => ({
    id: resultId,
    citizen_id,
    unit_no,
    code,
    name: 'Chứng chỉ hành nghề dược',
    kind: 'DIGITIZED_PAPER',
    issuing_agency: 'Sở Y tế',
    issued_on: '2025-05-01',
    ...more,
  });
  await world.insert('results.result', [
    row(result.an[0], people.an, unit.x11, anCode, { state: 'REPLACED', issued_on: '2020-05-01' }),
    row(result.an[1], people.an, unit.x11, anCode, { file_state: 'KEPT', use_count: 2, excerpt: 'trích yếu' }),
    row(result.an[2], people.an, unit.x11, null, { kind: null, issued_on: null }),
    row(result.anWithdrawn, people.an, unit.x11, anCode, { state: 'WITHDRAWN' }),
    row(result.binh, people.binh, unit.x12, binhCode, { kind: 'CERTIFIED_COPY', issued_on: '2026-01-31' }),
    row(result.chi, people.chi, unit.x21, chiCode, { kind: 'ELECTRONIC_ORIGINAL' }),
    row(result.twin, people.chi, unit.x21, binhCode),
  ]);
  await world.insert('results.change', [
    {
      record_id: result.binh,
      citizen_id: people.binh,
      unit_no: unit.x12,
      version: 1,
      principal: 'cli',
      principal_name: 'import',
      cause: 'IMPORT',
      action: 'result.created',
      after: JSON.stringify({ code: binhCode, useCount: 0 }),
    },
  ]);
});
afterAll(() => world.close());

const integrator = caller('integrator');
const clerk11 = caller('clerk', { scope: scopes.x11, purpose: 'TREAT' });
const centre1 = caller('centre', { scope: scopes.centre1 });
const one = `query ($id: ID, $code: String) { digitizedResult(id: $id, code: $code) {
  id version code name kind issuingAgency issuedOn validTo excerpt state fileState useCount citizen { id } orgUnit { id } } }`;
const entities = `query ($representations: [_Any!]!, $first: Int, $after: String) { _entities(representations: $representations) {
  ... on Citizen { id digitizedResults(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } } }`;
const citizens = (...ids: readonly string[]) => ({ representations: ids.map((one) => ({ __typename: 'Citizen', id: one })) });

test('a result shows every field; of two with one code the one in force answers', async () => {
  const answer = await world.ask(integrator, one, { code: anCode });
  expect(answer.data).toEqual({
    digitizedResult: {
      id: result.an[1],
      version: 1,
      code: anCode,
      name: 'Chứng chỉ hành nghề dược',
      kind: 'DIGITIZED_PAPER',
      issuingAgency: 'Sở Y tế',
      issuedOn: '2025-05-01',
      validTo: null,
      excerpt: 'trích yếu',
      state: 'IN_FORCE',
      fileState: 'KEPT',
      useCount: 2,
      citizen: { id: people.an },
      orgUnit: { id: 'u4' },
    },
  });
  expect(answer.audit).toMatchObject([{ action: 'result.read', subjects: [people.an] }]);
});

test('one code with two people is a conflict only for who sees both', async () => {
  expect((await world.ask(integrator, one, { code: binhCode })).errors).toEqual(['CONFLICT RESULT_TWO_HOLDERS']);
  expect((await world.ask(centre1, one, { code: binhCode })).data).toMatchObject({ digitizedResult: { id: result.binh } });
});

test('a code is masked as its owner is, and a masked one is refused', async () => {
  expect((await world.ask(centre1, one, { id: result.binh })).data).toMatchObject({
    digitizedResult: { code: '038•••••0002.KQ.G15.000031' },
  });
  expect((await world.ask(centre1, one, { code: '038•••••0002.KQ.G15.000031' })).errors).toEqual(['BAD_INPUT MASKED_VALUE']);
  expect((await world.ask(centre1, one, { code: '038085000002' })).errors).toEqual(['BAD_INPUT RESULT_CODE_FORMAT']);
});

test('results of citizens come from one read, page by page, and who is out of scope does not exist', async () => {
  const first = await world.ask(clerk11, entities, { ...citizens(people.an, people.chi, id(99)), first: 2 });
  expect(first.reads).toHaveLength(1);
  expect(first.data).toMatchObject({
    _entities: [
      {
        id: people.an,
        digitizedResults: { nodes: [{ id: result.an[0] }, { id: result.an[1] }], pageInfo: { hasNextPage: true } },
      },
      null,
      null,
    ],
  });
  expect(first.audit).toMatchObject([{ subjects: [people.an] }]);
  const [an] = first.data?._entities as { digitizedResults: { pageInfo: { endCursor: string } } }[];
  const { endCursor } = an?.digitizedResults.pageInfo ?? { endCursor: '' };
  const second = await world.ask(clerk11, entities, { ...citizens(people.an), first: 2, after: endCursor });
  expect(second.reads).toHaveLength(1);
  expect(second.data).toMatchObject({
    _entities: [{ digitizedResults: { nodes: [{ id: result.an[2] }], pageInfo: { hasNextPage: false } } }],
  });
  const ofAnother = await world.ask(integrator, entities, { ...citizens(people.binh), first: 2, after: endCursor });
  expect(ofAnother.errors).toEqual(['BAD_INPUT CURSOR_INVALID']);
  expect(ofAnother.data).toMatchObject({ _entities: [{ id: people.binh, digitizedResults: null }] });
});

test('a wrong page size is refused in its field, aliases and fragments keep to one read', async () => {
  const wrong = await world.ask(integrator, entities, { ...citizens(people.an), first: 101 });
  expect(wrong.errors).toEqual(['BAD_INPUT PAGE_SIZE_RANGE']);
  expect(wrong.data).toMatchObject({ _entities: [{ id: people.an, digitizedResults: null }] });
  const query = `query ($representations: [_Any!]!, $yes: Boolean = true) { _entities(representations: $representations) {
    __typename ...Some ... on Citizen { b: digitizedResults(first: 4) { nodes { code } totalCount totalCountIsEstimate } } } }
    fragment Some on Citizen { a: digitizedResults(first: 3) @include(if: $yes) { edges { cursor node { id } } } }`;
  const answer = await world.ask(integrator, query, citizens(people.an, people.binh));
  expect(answer.reads).toHaveLength(2); // the lists, and their count because it was asked for
  expect(answer.data).toMatchObject({
    _entities: [
      { a: { edges: [{}, {}, {}] }, b: { totalCount: 3, totalCountIsEstimate: false } },
      { a: { edges: [{ node: { id: result.binh } }] }, b: { nodes: [{ code: binhCode }], totalCount: 1 } },
    ],
  });
});

test('nothing but the reference is answered from the replica', async () => {
  const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename ... on Citizen { id } } }`;
  expect((await world.ask(clerk11, query, citizens(people.an, people.chi))).data).toEqual({
    _entities: [{ __typename: 'Citizen', id: people.an }, null],
  });
});

test('a station never sees a result of another station: not by id, not by code, not in a list [A08]', async () => {
  for (const key of [{ id: id(0xfff) }, { id: result.chi }, { code: chiCode }, { id: 'x' }]) {
    expect(await world.ask(clerk11, one, key)).toMatchObject({ data: { digitizedResult: null }, errors: [], audit: [] });
  }
});

const list = `query ($filter: DigitizedResultFilter, $first: Int, $after: String) {
  digitizedResults(filter: $filter, first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } totalCount totalCountIsEstimate } }`;

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
    const page = answer.data?.digitizedResults as Page;
    found.push(...page.nodes.map((node) => node.id));
    if (!page.pageInfo.hasNextPage) {
      expect(page.totalCount).toBe(found.length);
      return found;
    }
    after = page.pageInfo.endCursor;
  }
}

test.each([
  [{}, [...result.an, result.binh, result.chi, result.twin]],
  [{ code: anCode }, [result.an[0], result.an[1]]],
  [{ text: '038090000001' }, [result.an[0], result.an[1]]],
  [{ text: '0380%' }, []],
  [{ state: 'REPLACED' }, [result.an[0]]],
  [{ state: 'WITHDRAWN' }, [result.anWithdrawn]],
  [{ kind: 'CERTIFIED_COPY' }, [result.binh]],
  [{ fileState: 'KEPT', kind: 'DIGITIZED_PAPER' }, [result.an[1]]],
  [{ issuedFrom: '2025-05-02' }, [result.binh]],
  [{ issuedTo: '2025-04-30' }, [result.an[0]]],
  [{ issuedFrom: '2025-05-01', issuedTo: '2025-05-01', kind: 'DIGITIZED_PAPER' }, [result.an[1], result.twin]],
  [{ citizen: people.an, issuedFrom: '2025-01-01' }, [result.an[1]]],
  [{ orgUnit: 'u2' }, [...result.an, result.binh]],
])('results by %j', async (filter, expected) => {
  for (const first of [1, 100]) expect(await listed(integrator, filter, first)).toEqual(expected);
  const own = new Set<string>([...result.an, result.anWithdrawn]);
  expect(await listed(clerk11, filter, 2)).toEqual(expected.filter((one) => own.has(one)));
});

test('an insurer reads results on a legal basis alone, and its attempt stands in the access list [A21]', async () => {
  const without = await world.ask(caller('insurer'), entities, citizens(people.an));
  expect(without.errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
  expect(without.data).toMatchObject({ _entities: [{ id: people.an, digitizedResults: null }] });
  expect(without.audit).toMatchObject([{ action: 'basis.refused', subjects: [people.an] }]);
  const basis = { id: 'b', citizenId: people.an, scope: scopes.province, permissions: ['result:read' as const] };
  const insurer = caller('insurer', { basis });
  expect((await world.ask(insurer, entities, citizens(people.an, people.binh))).data).toMatchObject({
    _entities: [{ digitizedResults: { nodes: [{}, {}, {}] } }, null],
  });
  expect(await listed(insurer, { kind: 'DIGITIZED_PAPER' })).toEqual([result.an[0], result.an[1]]);
});

test('history is masked like the result', async () => {
  const query = `query ($id: ID) { digitizedResult(id: $id) { history { nodes { after { field value } } totalCount } } }`;
  expect((await world.ask(centre1, query, { id: result.binh })).data).toEqual({
    digitizedResult: {
      history: {
        nodes: [
          {
            after: [
              { field: 'code', value: '038•••••0002.KQ.G15.000031' },
              { field: 'useCount', value: '0' },
            ],
          },
        ],
        totalCount: 1,
      },
    },
  });
});
