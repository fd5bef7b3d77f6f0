import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mayGo } from '#kernel/records/forward.ts';
import { resultStates } from './result.entity.ts';
import { resultWays } from './result-state.ts';

const anyState = fc.constantFrom(...resultStates);

test('a paper that stopped to count never counts again by hand', () => {
  fc.assert(
    fc.property(anyState, anyState, (from, to) => {
      if (from !== to && mayGo(resultWays, from, to)) {
        expect(to).not.toBe('IN_FORCE');
        expect(to).not.toBe('WITHDRAWN');
        expect(mayGo(resultWays, to, from)).toBe(false);
      }
    }),
  );
});

test('a replaced or expired paper may still be called back, a paper called back is at its end', () => {
  expect(resultStates.filter((state) => mayGo(resultWays, 'REPLACED', state))).toEqual(['REPLACED', 'REVOKED']);
  expect(resultStates.filter((state) => mayGo(resultWays, 'EXPIRED', state))).toEqual(['REVOKED', 'EXPIRED']);
  expect(resultStates.filter((state) => mayGo(resultWays, 'REVOKED', state))).toEqual(['REVOKED']);
});
