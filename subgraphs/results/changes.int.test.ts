import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { results } from './index.ts';

let world: RecordWorld;
let clerk: Caller;
let steward: Caller;
const key = Buffer.alloc(32, 7);
const numbers = { an: '038090000001', binh: '038085000002', chi: '038192000003', nobody: '038099000009' } as const;

beforeAll(async () => {
  world = await openRecordWorld(results, 'reader', { writes: true });
  clerk = await world.account('clerk', unit.x11, scopes.x11);
  steward = await world.account('steward', unit.p, scopes.province);
  for (const name of ['an', 'binh', 'chi'] as const) {
    await world.truth('update results.citizen set identifier_hashes = array[$2::bytea] where id = $1', [
      people[name],
      hashIdentifier(key, numbers[name]),
    ]);
  }
}, 60_000);
beforeEach(() => world.truth('delete from results.result'));
afterAll(() => world.close());

interface Payload {
  readonly ok: { readonly digitizedResult: Readonly<Record<string, unknown>> | null } | null;
  readonly error: { readonly code: string; readonly reason: string; readonly field: string | null } | null;
}

async function mutate(who: Caller, verb: string, input: object, idempotencyKey: string | null = randomUUID()): Promise<Payload> {
  const answer = await world.ask(
    { ...who, idempotencyKey },
    `mutation M($input: ${verb.charAt(0).toUpperCase()}${verb.slice(1)}DigitizedResultInput!) { done: ${verb}DigitizedResult(input: $input) {
       ok { digitizedResult { id version code name kind issuingAgency issuedOn validTo excerpt state fileState useCount citizen { id }
         orgUnit { id } history { nodes { version action cause before { field value } after { field value } } } } }
       error { code reason field } } }`,
    { input },
  );
  expect(answer.errors).toEqual([]);
  return (answer.data as { done: Payload }).done;
}

const made = async (input: object): Promise<Readonly<Record<string, unknown>>> => {
  const { ok, error } = await mutate(clerk, 'create', input);
  expect(error).toBeNull();
  return ok?.digitizedResult ?? {};
};

const counts = (): Promise<readonly object[]> =>
  world.truth(`select (select count(*)::int from results.result) as results, (select sum(version)::int from results.result) as versions,
    (select count(*)::int from results.change) as changes, (select count(*)::int from hub.outbox) as messages`);

const pharmacy = `${numbers.an}.KQ.G18.000010.1817`;
const paper = { citizenId: people.an, code: pharmacy, name: 'Chứng chỉ hành nghề dược' } as const;

test('a paper is registered, changed, revoked and withdrawn, each with history, audit and message', async () => {
  const { id: paperId, ...first } = await made({
    ...paper,
    kind: 'DIGITIZED_PAPER',
    issuingAgency: 'Sở Y tế',
    issuedOn: '2026-01-05',
    validTo: '2031-01-05',
  });
  expect(first).toMatchObject({ version: 1, state: 'IN_FORCE', fileState: 'NONE', useCount: 0, citizen: { id: people.an } });
  expect(first.history).toMatchObject({ nodes: [{ version: 1, action: 'result.created', cause: 'MUTATION', before: null }] });
  const changed = await mutate(clerk, 'update', { id: paperId, version: 1, excerpt: 'Bán lẻ', validTo: null });
  expect(changed.ok?.digitizedResult).toMatchObject({ version: 2, excerpt: 'Bán lẻ', validTo: null });
  const revoked = await mutate(clerk, 'update', { id: paperId, version: 2, state: 'REVOKED' });
  expect(revoked.ok?.digitizedResult).toMatchObject({ version: 3, state: 'REVOKED' });
  expect((await mutate(clerk, 'update', { id: paperId, version: 3, state: 'IN_FORCE' })).error).toMatchObject({
    code: 'CONFLICT',
    reason: 'RESULT_STATE_WAY',
    field: 'state',
  });
  const gone = await mutate(clerk, 'withdraw', { id: paperId, version: 3, reason: 'Nhập nhầm' });
  expect(gone.ok?.digitizedResult).toMatchObject({ version: 4, state: 'WITHDRAWN' });
  expect((await mutate(clerk, 'update', { id: paperId, version: 4, excerpt: 'x' })).error).toMatchObject({
    code: 'CONFLICT',
    reason: 'RECORD_WITHDRAWN',
  });
  expect(
    await world.truth('select version, action, before, after from results.change where record_id = $1 order by version', [
      paperId,
    ]),
  ).toEqual([
    {
      version: 1,
      action: 'result.created',
      before: null,
      after: {
        code: pharmacy,
        name: paper.name,
        kind: 'DIGITIZED_PAPER',
        issuingAgency: 'Sở Y tế',
        issuedOn: '2026-01-05',
        validTo: '2031-01-05',
        state: 'IN_FORCE',
        fileState: 'NONE',
        useCount: '0',
        orgUnit: 'u4',
        citizen: people.an,
      },
    },
    {
      version: 2,
      action: 'result.changed',
      before: { excerpt: null, validTo: '2031-01-05' },
      after: { excerpt: 'Bán lẻ', validTo: null },
    },
    { version: 3, action: 'result.changed', before: { state: 'IN_FORCE' }, after: { state: 'REVOKED' } },
    { version: 4, action: 'result.withdrawn', before: { state: 'REVOKED' }, after: { state: 'WITHDRAWN', reason: 'Nhập nhầm' } },
  ]);
  expect(await world.truth('select version, kind, unit_after from hub.outbox where subject = $1 order by id', [paperId])).toEqual(
    [1, 2, 3, 4].map((version) => ({ version, kind: 'RESULT', unit_after: unit.x11 })),
  );
  expect(
    await world.truth(
      `select action, subjects from hub.audit_event where subgraph = 'results' and action <> 'result.read' order by at`,
    ),
  ).toEqual(['created', 'changed', 'changed', 'withdrawn'].map((done) => ({ action: `result.${done}`, subjects: [people.an] })));
});

test.each([
  ['of another station’s citizen', { citizenId: people.chi, code: undefined }, 'BAD_INPUT', 'citizenId'],
  ['of nobody', { citizenId: id(0x999), code: undefined }, 'BAD_INPUT', 'citizenId'],
  ['whose code names another', { code: `${numbers.chi}.KQ.G18.000010` }, 'BAD_INPUT', 'code'],
  ['whose code is no code', { code: '038090000001-KQ' }, 'BAD_INPUT', 'code'],
  ['whose code is masked', { code: '038•••••0001.KQ.G18.000010' }, 'BAD_INPUT', 'code'],
  ['that ends before it was issued', { issuedOn: '2026-02-01', validTo: '2026-01-31' }, 'BAD_INPUT', 'validTo'],
  ['without a name', { name: '   ' }, 'BAD_INPUT', 'name'],
  ['that says its owner twice', { personalId: numbers.an }, 'BAD_INPUT', 'personalId'],
  [
    'that waits at a foreign unit',
    { citizenId: null, code: null, personalId: numbers.nobody, orgUnitId: 'u6' },
    'BAD_INPUT',
    'orgUnitId',
  ],
  ['of whom nothing is said', { citizenId: null, code: null }, 'BAD_INPUT', 'citizenId'],
])('a paper %s is refused as data and leaves nothing [A13]', async (_, input, code, field) => {
  const before = await counts();
  const { ok, error } = await mutate(clerk, 'create', { ...paper, ...input });
  expect({ ok, code: error?.code, field: error?.field }).toEqual({ ok: null, code, field });
  expect(await counts()).toEqual(before);
});

test('a code stands once among papers in force; a replaced paper makes room for its successor', async () => {
  const { id: first } = await made(paper);
  expect((await mutate(clerk, 'create', paper)).error).toMatchObject({ code: 'CONFLICT', reason: 'RESULT_KNOWN', field: 'code' });
  expect((await mutate(clerk, 'update', { id: first, version: 1, state: 'REPLACED' })).error).toBeNull();
  const { id: second } = await made(paper);
  expect(second).not.toBe(first);
  const other = await made({ ...paper, code: `${numbers.an}.KQ.G18.000010.1818` });
  expect((await mutate(clerk, 'update', { id: other.id, version: 1, code: pharmacy })).error).toMatchObject({
    reason: 'RESULT_KNOWN',
  });
});

test('two clerks who register one paper in the same moment: one paper', async () => {
  const done = await Promise.all(Array.from({ length: 6 }, () => mutate(clerk, 'create', paper)));
  expect(done.filter(({ ok }) => ok !== null)).toHaveLength(1);
  expect(done.flatMap(({ error }) => (error === null ? [] : [error.reason]))).toEqual(Array(5).fill('RESULT_KNOWN'));
});

test('twins of one request in the same moment are one paper and one answer [F28]', async () => {
  const once = randomUUID();
  const done = await Promise.all(Array.from({ length: 8 }, () => mutate(clerk, 'create', paper, once)));
  expect(new Set(done.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(done[0]?.error).toBeNull();
  expect(await world.truth('select version from results.result')).toEqual([{ version: 1 }]);
});

test('a paper finds its citizen by his number, or waits for him at the sender’s unit', async () => {
  expect(await made({ personalId: numbers.an, name: 'Giấy xác nhận' })).toMatchObject({ citizen: { id: people.an } });
  expect(await made({ code: pharmacy, name: 'Chứng chỉ' })).toMatchObject({ citizen: { id: people.an } });
  const waiting = await made({ code: `${numbers.nobody}.KQ.G15.000031`, name: 'Giấy khai sinh' });
  expect(waiting).toMatchObject({ citizen: null, orgUnit: { id: 'u4' } });
  expect(await world.truth('select waiting_hash from results.result where id = $1', [waiting.id])).toEqual([
    { waiting_hash: hashIdentifier(key, numbers.nobody) },
  ]);
  // The number of someone out of scope is the number of nobody: the answer is the same.
  expect(await made({ code: `${numbers.chi}.KQ.G15.000031`, name: 'Giấy khai sinh' })).toMatchObject({
    citizen: null,
    orgUnit: { id: 'u4' },
    version: 1,
  });
  expect(
    (await mutate(clerk, 'update', { id: waiting.id, version: 1, code: `${numbers.an}.KQ.G15.000031` })).error,
  ).toMatchObject({
    reason: 'RESULT_OWNER_OTHER',
  });
  expect(
    (await mutate(clerk, 'update', { id: waiting.id, version: 1, code: `${numbers.nobody}.KQ.G15.000032` })).error,
  ).toBeNull();
});

test('a number that two people have is for people to decide', async () => {
  await world.insert('results.citizen', [
    { id: id(0x77), unit_no: unit.x21, life_status: 'ACTIVE', version: 1, identifier_hashes: [hashIdentifier(key, numbers.an)] },
  ]);
  const input = { personalId: numbers.an, name: 'Giấy xác nhận' };
  expect((await mutate(steward, 'create', input)).error).toMatchObject({ code: 'CONFLICT', reason: 'RESULT_OWNER_TWO' });
  expect((await mutate(steward, 'create', { citizenId: id(0x77), name: 'Giấy xác nhận' })).error).toBeNull();
  await world.truth('delete from results.citizen where id = $1', [id(0x77)]);
});

test('the same request twice is one paper; a stale version, a bad key and another body are told apart [B27] [B29] [B30] [B31] [B32]', async () => {
  const once = randomUUID();
  const first = await mutate(clerk, 'create', paper, once);
  expect(first.error).toBeNull();
  expect(await mutate(clerk, 'create', paper, once)).toEqual(first);
  expect((await mutate(clerk, 'create', { ...paper, name: 'Khác' }, once)).error).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  const { id: paperId } = first.ok?.digitizedResult ?? {};
  expect((await mutate(clerk, 'update', { id: paperId, version: 7, excerpt: 'x' })).error).toMatchObject({
    code: 'CONFLICT_VERSION',
  });
  for (const bad of [null, 'k'.repeat(129), 'line\nfeed1']) {
    expect((await mutate(clerk, 'update', { id: paperId, version: 1, excerpt: 'x' }, bad)).error).toMatchObject({
      code: 'BAD_INPUT',
      field: 'idempotencyKey',
    });
  }
});

test('a paper out of scope is none, and a role without the right changes nothing [A14] [A17]', async () => {
  await world.insert('results.result', [{ id: id(0xc1), citizen_id: people.chi, unit_no: unit.x21, name: 'Giấy của Chi' }]);
  const before = await counts();
  const foreign = await mutate(clerk, 'update', { id: id(0xc1), version: 1, name: 'Của tôi' });
  expect(foreign).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
  expect(await mutate(clerk, 'withdraw', { id: id(0xc2), version: 1, reason: 'thử' })).toEqual(foreign);
  for (const role of ['hospital', 'insurer', 'reader', 'integrator', 'auditor'] as const) {
    for (const [verb, input] of [
      ['create', paper],
      ['update', { id: id(0xc1), version: 1, name: 'x' }],
      ['withdraw', { id: id(0xc1), version: 1, reason: 'x' }],
    ] as const) {
      expect((await mutate(caller(role), verb, input)).error).toMatchObject({ code: 'FORBIDDEN' });
    }
  }
  expect(await counts()).toEqual(before);
});

test('who sees codes masked sees them masked in the history too', async () => {
  const { id: paperId } = await made(paper);
  const answer = await world.ask(
    { ...steward, purpose: 'HRESCH' },
    `query ($id: ID) { digitizedResult(id: $id) { code history { nodes { after { field value } } } } }`,
    { id: paperId },
  );
  expect(JSON.stringify(answer.data)).not.toContain(numbers.an);
  expect(JSON.stringify(answer.data)).toContain('038•••••0001.KQ.G18.000010.•••••');
});
