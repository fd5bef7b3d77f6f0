import { expect, test } from '@jest/globals';
import { differenceOf } from './difference.ts';

test('a hint for the eye', () => {
  expect(differenceOf('1992-11-02', '1992-02-11')).toBe('dayMonth');
  expect(differenceOf('1992-11-02', '1992-11-03')).toBeNull();
  expect(differenceOf('Lê Thị Chi', 'Le Thi Chi')).toBe('tones');
  expect(differenceOf('Lê Thị Chi', 'Lê Thị Chí')).toBe('tones');
  expect(differenceOf('038•••••0001', '038•••••0002')).toBeNull();
  expect(differenceOf(null, 'x')).toBeNull();
});
