import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays, type PlainDay } from '#kernel/domain/plain-date.ts';
import { covers, inForceOn, overlap, type CardInterval, type CardStanding } from './card-interval.ts';

const firstDay = '2024-02-20' as PlainDay;
const days = 30;
const day = fc.nat(days).map((after) => addDays(firstDay, after));
const interval: fc.Arbitrary<CardInterval> = fc
  .record({ validFrom: fc.option(day, { freq: 5 }), validTo: fc.option(day, { freq: 3 }) })
  .filter(({ validFrom, validTo }) => validFrom === null || validTo === null || validFrom <= validTo);
const card: fc.Arbitrary<CardStanding> = fc
  .tuple(interval, fc.constantFrom('ACTIVE', 'UNVERIFIED', 'EXPIRED', 'RECALLED', 'WITHDRAWN'), fc.uuid())
  .map(([period, status, id]) => ({ ...period, status, id }));
const everyDay = Array.from({ length: days + 2 }, (_, after) => addDays(firstDay, after));

test('two cards overlap exactly when some day is covered by both', () => {
  fc.assert(
    fc.property(interval, interval, (one, other) => {
      const common = everyDay.some((on) => covers(one, on) && covers(other, on));
      expect(overlap(one, other)).toBe(common);
      expect(overlap(other, one)).toBe(common);
    }),
  );
});

test('both ends of an interval count, an open end never ends, an unknown beginning covers nothing', () => {
  fc.assert(
    fc.property(interval, (period) => {
      const covered = everyDay.filter((on) => covers(period, on));
      if (period.validFrom === null) expect(covered).toEqual([]);
      else {
        expect(covered[0]).toBe(period.validFrom);
        expect(covered.at(-1)).toBe(period.validTo ?? everyDay.at(-1));
      }
    }),
  );
});

test('the card in force covers the day, is confirmed where one is, and does not depend on the order of cards', () => {
  fc.assert(
    fc.property(fc.uniqueArray(card, { selector: ({ id }) => id, maxLength: 8 }), day, (cards, on) => {
      const chosen = inForceOn(cards, on);
      const countable = cards.filter((one) => covers(one, on) && (one.status === 'ACTIVE' || one.status === 'UNVERIFIED'));
      expect(chosen === null).toBe(countable.length === 0);
      expect(inForceOn([...cards].reverse(), on)).toBe(chosen);
      if (chosen === null) return;
      expect(countable).toContain(chosen);
      if (countable.some(({ status }) => status === 'ACTIVE')) expect(chosen.status).toBe('ACTIVE');
      const rivals = countable.filter(({ status }) => status === chosen.status);
      expect(rivals.every(({ validFrom }) => (validFrom ?? '') <= (chosen.validFrom ?? ''))).toBe(true);
    }),
  );
});

test('of cards that began on one day the one that ends last answers, then the lowest id', () => {
  const card = (id: string, validTo: string | null) => ({ id, validFrom: '2026-01-01', validTo, status: 'ACTIVE' });
  const on = '2026-06-01' as PlainDay;
  expect(inForceOn([card('b', '2026-12-31'), card('a', null)], on)?.id).toBe('a');
  expect(inForceOn([card('b', '2026-12-31'), card('c', '2027-12-31')], on)?.id).toBe('c');
  expect(inForceOn([card('b', null), card('a', null)], on)?.id).toBe('a');
});
