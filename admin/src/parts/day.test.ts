import { expect, test } from '@jest/globals';
import { isoDayOf } from './day.ts';

test.each([
  ['24/11/2026', '2026-11-24'],
  ['1.2.1990', '1990-02-01'],
  ['24112026', '2026-11-24'],
  ['2026-11-24', '2026-11-24'],
  ['31/02/2026', null],
  ['29/02/2024', '2024-02-29'],
  ['24/11/26', null],
  ['', null],
])('%s', (typed, iso) => {
  expect(isoDayOf(typed)).toBe(iso);
});
