import { expect, test } from '@jest/globals';
import { ageOf, amount, day, dayOf, instant, percent } from './format.ts';

test('dates and numbers as they are read here', () => {
  expect(day('2026-11-24')).toBe('24/11/2026');
  expect(day('1985')).toBe('1985');
  expect(day('1985-03')).toBe('03/1985');
  expect(day(null)).toBe('');
  expect(instant('2026-07-27T18:30:00.000Z')).toBe('28/07/2026 01:30');
  expect(dayOf(new Date('2026-07-27T18:30:00.000Z'))).toBe('2026-07-28');
  expect(amount(1_234_567)).toBe('1.234.567');
  expect(percent(129, 1_000)).toBe('12,9 %');
  expect(percent(1, 0)).toBe('–');
});

test('an age in the one unit that a person would use', () => {
  const now = Date.parse('2026-11-24T00:00:00Z');
  expect(ageOf('2026-11-23T12:00:00Z', now)).toEqual({ unit: 'today', value: 0 });
  expect(ageOf('2026-11-21T00:00:00Z', now)).toEqual({ unit: 'days', value: 3 });
  expect(ageOf('2026-10-24T00:00:00Z', now)).toEqual({ unit: 'weeks', value: 4 });
  expect(ageOf('2026-05-24T00:00:00Z', now)).toEqual({ unit: 'months', value: 6 });
  expect(ageOf('2020-11-24T00:00:00Z', now)).toEqual({ unit: 'years', value: 6 });
});
