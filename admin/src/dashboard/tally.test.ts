import { expect, test } from '@jest/globals';
import { runDays } from './tally.ts';

const now = Date.parse('2026-11-24T05:00:00Z');

test('thirty days, those without a run too, by the day in Vietnam', () => {
  const days = runDays(
    [{ startedAt: '2026-11-22T18:00:00Z', done: 10, refused: 1, counts: [{ name: 'differing', value: 2 }] }],
    now,
  );
  expect(days).toHaveLength(30);
  expect(days.at(-1)?.day).toBe('2026-11-24');
  expect(days.filter(({ done }) => done > 0)).toEqual([{ day: '2026-11-23', done: 10, refused: 1, differing: 2 }]);
});
