import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { timeLineOf } from './time-line.ts';

const now = Date.parse('2026-11-24T00:00:00Z');
const isoDay = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

test('every bar and today lie on the line', () => {
  const card = fc.record({ id: fc.uuid(), validFrom: fc.option(isoDay), validTo: fc.option(isoDay) });
  fc.assert(
    fc.property(fc.array(card, { maxLength: 20 }), (cards) => {
      const line = timeLineOf(cards, now);
      expect(line.today).toBeGreaterThanOrEqual(0);
      expect(line.today).toBeLessThanOrEqual(100);
      for (const { from, width } of line.bars.values()) {
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from).toBeLessThanOrEqual(100);
        expect(width).toBeGreaterThan(0);
      }
      expect(line.years.length).toBeLessThanOrEqual(6);
    }),
  );
});

test('without a first day a card has no bar; without a last one its bar runs to the edge', () => {
  const line = timeLineOf(
    [
      { id: 'a', validFrom: null, validTo: null },
      { id: 'b', validFrom: '2026-01-01', validTo: null },
    ],
    now,
  );
  expect(line.bars.has('a')).toBe(false);
  const open = line.bars.get('b')!;
  expect(open.open).toBe(true);
  expect(open.from + open.width).toBeCloseTo(100);
});
