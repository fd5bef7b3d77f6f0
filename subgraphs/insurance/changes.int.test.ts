import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { withClient } from '../../test/kit/database.ts';
import { caller, id, openRecordWorld, people, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { insurance } from './index.ts';

let world: RecordWorld;
let clerk: Caller;

beforeAll(async () => {
  world = await openRecordWorld(insurance, 'reader', { writes: true });
  clerk = await account('clerk', unit.x11, scopes.x11);
}, 60_000);
afterAll(() => world.close());

async function account(role: Role, unitNo: number, scope: string): Promise<Caller> {
  const known = caller(role, { scope });
  await world.insert('organisation.account', [
    { id: known.principal.id, login: known.principal.id, name: role, unit_no: unitNo, role },
  ]);
  return { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo } };
}

interface Payload {
  readonly ok: { readonly insuranceCard: Readonly<Record<string, unknown>> | null } | null;
  readonly error: { readonly code: string; readonly reason: string; readonly field: string | null } | null;
}

async function mutate(who: Caller, verb: string, input: object, key: string | null = randomUUID()): Promise<Payload> {
  const answer = await world.ask(
    { ...who, idempotencyKey: key },
    `mutation M($input: ${verb.charAt(0).toUpperCase()}${verb.slice(1)}InsuranceCardInput!) { done: ${verb}InsuranceCard(input: $input) {
       ok { insuranceCard { id version number validFrom validTo status issuer registeredFacility holderName
         history { nodes { version action cause before { field value } after { field value } } } } }
       error { code reason field } } }`,
    { input },
  );
  expect(answer.errors).toEqual([]);
  return (answer.data as { done: Payload }).done;
}

async function truth(text: string, values: readonly unknown[] = []): Promise<readonly object[]> {
  return withClient(world.database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<object>(text, [...values])).rows;
  });
}

const counts = (): Promise<readonly object[]> =>
  truth(`select (select count(*)::int from insurance.card) as cards, (select sum(version)::int from insurance.card) as versions,
    (select count(*)::int from insurance.change) as changes, (select count(*)::int from hub.outbox) as messages`);

const number = 'DN4380123456789';

test('a card is created, changed and withdrawn, each with history, audit and message', async () => {
  const made = await mutate(clerk, 'create', {
    citizenId: people.an,
    number: 'dn 4 38 01-23456789',
    validFrom: '2026-01-01',
    validTo: '2026-12-31',
    holderName: 'Nguyễn Văn An',
  });
  expect(made.error).toBeNull();
  const card = made.ok?.insuranceCard ?? {};
  expect(card).toMatchObject({ version: 1, status: 'UNVERIFIED', issuer: 'BHXH_VN', validFrom: '2026-01-01' });
  await truth(`update insurance.card set status = 'ACTIVE' where id = $1`, [card.id]);
  const named = await mutate(clerk, 'update', { id: card.id, version: 1, holderName: null });
  expect(named.ok?.insuranceCard).toMatchObject({ version: 2, status: 'ACTIVE', holderName: null });
  const longer = await mutate(clerk, 'update', { id: card.id, version: 2, validTo: '2027-12-31' });
  expect(longer.ok?.insuranceCard).toMatchObject({ version: 3, status: 'UNVERIFIED', validTo: '2027-12-31' });
  const gone = await mutate(clerk, 'withdraw', { id: card.id, version: 3, reason: 'Nhập nhầm' });
  expect(gone.ok?.insuranceCard).toMatchObject({ version: 4, status: 'WITHDRAWN' });
  expect((await mutate(clerk, 'update', { id: card.id, version: 4, holderName: 'An' })).error).toMatchObject({
    code: 'CONFLICT',
    reason: 'RECORD_WITHDRAWN',
  });
  expect(
    await truth('select version, action, before, after, cause from insurance.change where record_id = $1 order by version', [
      card.id,
    ]),
  ).toEqual([
    {
      version: 1,
      action: 'card.created',
      before: null,
      after: {
        number,
        validFrom: '2026-01-01',
        validTo: '2026-12-31',
        issuer: 'BHXH_VN',
        holderName: 'Nguyễn Văn An',
        status: 'UNVERIFIED',
      },
      cause: 'MUTATION',
    },
    {
      version: 2,
      action: 'card.changed',
      before: { holderName: 'Nguyễn Văn An' },
      after: { holderName: null },
      cause: 'MUTATION',
    },
    {
      version: 3,
      action: 'card.changed',
      before: { validTo: '2026-12-31', status: 'ACTIVE' },
      after: { validTo: '2027-12-31', status: 'UNVERIFIED' },
      cause: 'MUTATION',
    },
    {
      version: 4,
      action: 'card.withdrawn',
      before: { status: 'UNVERIFIED' },
      after: { status: 'WITHDRAWN', reason: 'Nhập nhầm' },
      cause: 'MUTATION',
    },
  ]);
  expect(await truth('select version, kind, unit_after from hub.outbox where subject = $1 order by id', [card.id])).toEqual(
    [1, 2, 3, 4].map((version) => ({ version, kind: 'CARD', unit_after: unit.x11 })),
  );
  expect(
    await truth(`select action, subjects from hub.audit_event where action like 'card.%' and subgraph = 'insurance' order by at`),
  ).toEqual(
    ['card.created', 'card.changed', 'card.changed', 'card.withdrawn'].map((action) => ({ action, subjects: [people.an] })),
  );
});

test.each([
  ['of another station’s citizen', { citizenId: people.chi }, 'BAD_INPUT', 'citizenId'],
  ['of nobody', { citizenId: id(0x999) }, 'BAD_INPUT', 'citizenId'],
  ['with the letter O', { number: 'DN438O123456789' }, 'BAD_INPUT', 'number'],
  ['with a masked number', { number: 'DN4•••••6789' }, 'BAD_INPUT', 'number'],
  ['of another issuer than its number says', { issuer: 'BHXH_BQP' }, 'BAD_INPUT', 'number'],
  ['that ends before it begins', { validFrom: '2026-02-01', validTo: '2026-01-31' }, 'BAD_INPUT', 'validTo'],
  ['of an unknown place', { registeredFacility: '00000' }, 'BAD_INPUT', 'registeredFacility'],
])('a card %s is refused as data and leaves nothing [A13]', async (_, input, code, field) => {
  const before = await counts();
  const { ok, error } = await mutate(clerk, 'create', { citizenId: people.an, number, ...input });
  expect({ ok, code: error?.code, field: error?.field }).toEqual({ ok: null, code, field });
  expect(await counts()).toEqual(before);
});

test('the same card twice is a conflict, the same request twice is one card [B27] [B32]', async () => {
  const key = randomUUID();
  const input = { citizenId: people.an, number: '0123456780', validFrom: '2026-03-01' };
  const first = await mutate(clerk, 'create', input, key);
  expect(first.error).toBeNull();
  expect(await mutate(clerk, 'create', input, key)).toEqual(first);
  expect((await mutate(clerk, 'create', { ...input, number: '0123456781' }, key)).error).toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  });
  expect((await mutate(clerk, 'create', input)).error).toMatchObject({ code: 'CONFLICT', reason: 'CARD_KNOWN' });
  const { id: card } = first.ok?.insuranceCard ?? {};
  expect((await mutate(clerk, 'update', { id: card, version: 7, holderName: 'An' })).error).toMatchObject({
    code: 'CONFLICT_VERSION',
  });
});

test('a card out of scope is none, and a role without the right changes nothing [A14] [A17]', async () => {
  await world.insert('insurance.card', [
    { id: id(0xc1), citizen_id: people.chi, unit_no: unit.x21, number, bhxh_number: number.slice(5) },
  ]);
  const before = await counts();
  const foreign = await mutate(clerk, 'update', { id: id(0xc1), version: 1, holderName: 'Chi' });
  expect(foreign).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
  expect(await mutate(clerk, 'withdraw', { id: id(0xc2), version: 1, reason: 'thử' })).toEqual(foreign);
  for (const role of ['hospital', 'insurer', 'reader', 'integrator'] as const) {
    expect((await mutate(caller(role), 'update', { id: id(0xc1), version: 1, holderName: 'Chi' })).error).toMatchObject({
      code: 'FORBIDDEN',
    });
  }
  expect(await counts()).toEqual(before);
});
