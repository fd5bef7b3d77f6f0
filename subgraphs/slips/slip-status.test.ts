import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mayGo } from '#kernel/records/forward.ts';
import { slipStatuses, type SlipStatus } from './slip.entity.ts';
import { slipWays } from './slip-status.ts';

const anyStatus = fc.constantFrom(...slipStatuses);
const may = (from: SlipStatus, to: SlipStatus): boolean => mayGo(slipWays, from, to);

test('whatever an operator asks, a slip goes forward only: it never stands twice where it stood before', () => {
  fc.assert(
    fc.property(fc.array(anyStatus, { maxLength: 30 }), (asked) => {
      const stood: SlipStatus[] = ['ISSUED'];
      for (const next of asked) {
        const now = stood.at(-1) ?? 'ISSUED';
        if (next !== now && may(now, next)) stood.push(next);
      }
      expect(new Set(stood).size).toBe(stood.length);
      expect(stood).not.toContain('REPLACED');
      expect(stood).not.toContain('WITHDRAWN');
    }),
  );
});

test('steps may be left out, but only forward; the end is the end', () => {
  const line = ['ISSUED', 'SHOWN', 'ACCEPTED', 'USED'] as const;
  for (const [place, from] of line.entries()) {
    for (const [other, to] of line.entries()) expect(may(from, to)).toBe(other >= place);
  }
  for (const end of ['USED', 'EXPIRED', 'CANCELLED', 'REPLACED', 'WITHDRAWN'] as const) {
    for (const to of slipStatuses) expect(may(end, to)).toBe(to === end);
  }
});

test('an accepted slip does not expire: the episode that it opened goes on to its end', () => {
  expect(may('ISSUED', 'EXPIRED') && may('SHOWN', 'EXPIRED')).toBe(true);
  expect(may('ACCEPTED', 'EXPIRED')).toBe(false);
  expect(may('ACCEPTED', 'CANCELLED')).toBe(true);
});
