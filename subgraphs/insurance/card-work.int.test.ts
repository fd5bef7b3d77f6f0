import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Caller } from '#kernel/auth/principal.ts';
import { people, openRecordWorld, scopes, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { insurance } from './index.ts';

let world: RecordWorld;
let clerk: Caller;
let other: Caller;

beforeAll(async () => {
  world = await openRecordWorld(insurance, 'reader', { writes: true });
  clerk = await world.account('clerk', unit.x11, scopes.x11);
  other = await world.account('clerk', unit.x12, '{[5,6)}');
}, 60_000);
beforeEach(() => world.truth('with a as (delete from insurance.card), b as (delete from insurance.work) delete from hub.outbox'));
afterAll(() => world.close());

async function mutate(who: Caller, verb: 'create' | 'update' | 'withdraw', input: object): Promise<string> {
  const answer = await world.ask(
    { ...who, idempotencyKey: randomUUID() },
    `mutation ($input: ${verb.charAt(0).toUpperCase()}${verb.slice(1)}InsuranceCardInput!) {
       done: ${verb}InsuranceCard(input: $input) { ok { insuranceCard { id } } error { reason } } }`,
    { input },
  );
  const { done } = answer.data as { done: { ok: { insuranceCard: { id: string } } | null; error: unknown } };
  expect(done.error).toBeNull();
  return done.ok?.insuranceCard.id ?? '';
}

const work = () =>
  world.truth(
    'select card_id, citizen_id, unit_no, kind, field, found_by, state, version from insurance.work order by raised_at, id',
  );
const told = () =>
  world.truth(
    `select subject, version, unit_after, payload ->> 'kind' as kind, payload ->> 'state' as state, (payload ->> 'citizenUnit')::int as home
     from hub.outbox where kind = 'WORK' order by id`,
  );

const first = { citizenId: people.an, number: 'GD4525200000002', validFrom: '2026-05-01', validTo: '2027-04-30' } as const;
const second = { citizenId: people.an, number: 'DN4525200000002', validFrom: '2026-09-20', validTo: '2027-09-19' } as const;

test('two cards of one citizen that overlap are work, once, on the later of them; it goes when they do not', async () => {
  await mutate(clerk, 'create', first);
  expect(await work()).toEqual([]);
  const later = await mutate(clerk, 'create', second);
  const item = { card_id: later, citizen_id: people.an, unit_no: unit.x11, kind: 'OVERLAP', field: null, found_by: 'CARDS' };
  expect(await work()).toEqual([{ ...item, state: 'OPEN', version: 1 }]);
  await mutate(clerk, 'update', { id: later, version: 1, holderName: 'Nguyễn Văn An' });
  expect(await work()).toEqual([{ ...item, state: 'OPEN', version: 1 }]);
  await mutate(clerk, 'update', { id: later, version: 2, validFrom: '2027-05-01' });
  expect(await work()).toEqual([{ ...item, state: 'WITHDRAWN', version: 2 }]);
  await mutate(clerk, 'update', { id: later, version: 3, validFrom: '2027-04-30' });
  expect(await work()).toEqual([{ ...item, state: 'OPEN', version: 3 }]);
  await mutate(clerk, 'withdraw', { id: later, version: 4, reason: 'Nhập nhầm' });
  expect(await work()).toEqual([{ ...item, state: 'WITHDRAWN', version: 4 }]);
  expect(await told()).toEqual(
    ['OPEN', 'WITHDRAWN', 'OPEN', 'WITHDRAWN'].map((state, n) => ({
      subject: later,
      version: n + 1,
      unit_after: unit.x11,
      kind: 'OVERLAP',
      state,
      home: unit.x11,
    })),
  );
});

test('what people have decided is not asked again', async () => {
  await mutate(clerk, 'create', first);
  const later = await mutate(clerk, 'create', second);
  await world.truth(`update insurance.work set state = 'SETTLED'`);
  await mutate(clerk, 'update', { id: later, version: 1, validTo: '2027-10-01' });
  expect(await work()).toMatchObject([{ state: 'SETTLED', version: 1 }]);
});

test('a number of two citizens is work of the lowest unit above both, and neither clerk is told [B52]', async () => {
  const his = await mutate(clerk, 'create', first);
  const hers = await mutate(other, 'create', { ...first, citizenId: people.binh });
  const item = {
    card_id: hers,
    citizen_id: people.binh,
    unit_no: unit.c1,
    kind: 'DUPLICATE_CARD',
    field: null,
    found_by: 'CARDS',
  };
  expect(await work()).toEqual([{ ...item, state: 'OPEN', version: 1 }]);
  expect(await told()).toMatchObject([{ unit_after: unit.c1, home: unit.x12, kind: 'DUPLICATE_CARD' }]);
  await mutate(clerk, 'update', { id: his, version: 1, number: 'GD4525200000009' });
  expect(await work()).toEqual([{ ...item, state: 'WITHDRAWN', version: 2 }]);
});

/** The rule once more, by comparing every card with every other. */
const overlapping = (cards: readonly { from: number; to: number | null }[]): number =>
  cards.filter((later, n) =>
    cards.some(
      (earlier, m) =>
        m !== n && (earlier.from < later.from || (earlier.from === later.from && m < n)) && (earlier.to ?? 999) >= later.from,
    ),
  ).length;

test('as many items are open as cards overlap an earlier one, whatever their intervals', async () => {
  const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
  const interval = fc.record({ from: fc.nat({ max: 40 }), length: fc.option(fc.nat({ max: 10 })) });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(interval, { minLength: 1, maxLength: 4, selector: ({ from }) => from }), async (cards) => {
      await world.truth('with a as (delete from insurance.card) delete from insurance.work');
      for (const { from, length } of cards) {
        await mutate(clerk, 'create', {
          citizenId: people.an,
          number: first.number,
          validFrom: day(from),
          ...(length !== null && { validTo: day(from + length) }),
        });
      }
      const open = await world.truth(`select from insurance.work where kind = 'OVERLAP' and state = 'OPEN'`);
      expect(open).toHaveLength(
        overlapping(cards.map(({ from, length }) => ({ from, to: length === null ? null : from + length }))),
      );
    }),
    { numRuns: 15 },
  );
}, 30_000);
