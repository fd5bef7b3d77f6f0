import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchedPieces } from './match.ts';

const hit = (name: string, typed: string): string =>
  matchedPieces(name, typed)
    .filter((piece) => piece.hit)
    .map(({ text }) => text)
    .join();

test('tones do not matter, the beginning of a word does', () => {
  expect(hit('Nguyễn Văn An', 'nguyen van a')).toBe('Nguyễn Văn A');
  expect(hit('Đỗ Thu Ánh', 'do')).toBe('Đỗ');
  expect(hit('Nguyễn Văn An', 'văn an')).toBe('Văn An');
  expect(hit('Nguyễn Văn An', 'uyen')).toBe('');
  expect(hit('Nguyễn Văn An', '')).toBe('');
});

test('words are found in their order, with others between them', () => {
  expect(matchedPieces('Nguyễn Văn Ánh', 'nguyen an')).toEqual([
    { text: 'Nguyễn', hit: true },
    { text: ' Văn ', hit: false },
    { text: 'Án', hit: true },
    { text: 'h', hit: false },
  ]);
  expect(hit('Nguyễn Văn An', 'nguye an')).toBe('');
  expect(hit('Nguyễn Văn An', 'an nguyen')).toBe('');
});

test('the pieces are the name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, typed) => {
      expect(
        matchedPieces(name, typed)
          .map(({ text }) => text)
          .join('')
          .normalize('NFC'),
      ).toBe(name.normalize('NFC'));
    }),
  );
});
