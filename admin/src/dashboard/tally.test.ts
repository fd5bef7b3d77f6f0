import { expect, test } from '@jest/globals';
import { runDays, tallyOf } from './tally.ts';

const now = Date.parse('2026-11-24T05:00:00Z');

test('waiting work by kind and age, the most first', () => {
  const items = [
    { kind: 'DIFFERENT', raisedAt: '2026-11-23T00:00:00Z' },
    { kind: 'DIFFERENT', raisedAt: '2026-11-01T00:00:00Z' },
    { kind: 'OVERLAP', raisedAt: '2025-11-01T00:00:00Z' },
  ];
  expect(tallyOf(items, now)).toEqual([
    { kind: 'DIFFERENT', ages: { young: 1, middle: 1, old: 0 }, total: 2 },
    { kind: 'OVERLAP', ages: { young: 0, middle: 0, old: 1 }, total: 1 },
  ]);
});

test('thirty days, those without a run too, by the day in Vietnam', () => {
  const days = runDays(
    [{ startedAt: '2026-11-22T18:00:00Z', done: 10, refused: 1, counts: [{ name: 'differing', value: 2 }] }],
    now,
  );
  expect(days).toHaveLength(30);
  expect(days.at(-1)?.day).toBe('2026-11-24');
  expect(days.filter(({ done }) => done > 0)).toEqual([{ day: '2026-11-23', done: 10, refused: 1, differing: 2 }]);
});
