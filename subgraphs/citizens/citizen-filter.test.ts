import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeCursor } from '#kernel/page.ts';
import { nameKeys, parsePersonName } from '#kernel/domain/person-name.ts';
import { keysOf, parseOrder, parsePlace, parseTextSearch, type Place } from './citizen-filter.ts';

test.each([
  ['', null],
  ['   ', null],
  ['Nguyễn Văn', { kind: 'name', words: ['nguyen', 'van'] }],
  ['ĐỖ', { kind: 'name', words: ['do'] }],
  ["H'Hen", { kind: 'name', words: ["h'hen"] }],
  ['038090000001', { kind: 'number', value: '038090000001' }],
  ['038 090-000.001', { kind: 'number', value: '038090000001' }],
  ['b1234567', { kind: 'number', value: 'B1234567' }],
  ['%', { kind: 'nothing' }],
  ['an_', { kind: 'nothing' }],
  ['Иван', { kind: 'nothing' }],
  ['x'.repeat(1021), { kind: 'nothing' }],
])('the search %j', (text, search) => {
  expect(parseTextSearch(text)).toEqual(search);
});

test('one letter is too short, a masked number is refused', () => {
  expect(() => parseTextSearch('á')).toThrow('SEARCH_TOO_SHORT');
  expect(() => parseTextSearch('038•••••0001')).toThrow('MASKED_VALUE');
});

test('every name is found by itself and by each of its words, composed or decomposed [B61]', () => {
  const word = fc.constantFrom('Nguyễn', 'Trần', 'Thị', 'Đức', 'Ánh', 'Ngọc', "H'Hen", 'Lê', 'Võ', 'Y');
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 5 }),
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      (words, from, length, decomposed) => {
        const name = parsePersonName(words.join(' '));
        if (!name.ok) throw new Error(name.reason);
        const part = words.slice(from % words.length).join(' ');
        const typed = part.slice(0, 2 + (length % part.length));
        fc.pre(typed.trim().length >= 2);
        const search = parseTextSearch(decomposed ? typed.normalize('NFD') : typed);
        if (search?.kind !== 'name') throw new Error('no name');
        expect(nameKeys(name.value).some((key) => key.startsWith(search.words.join(' ')))).toBe(true);
      },
    ),
  );
});

test('an order is exactly one field', () => {
  expect(parseOrder(null)).toEqual({ by: 'id', descending: false });
  expect(parseOrder({ fullName: 'DESC', id: null })).toEqual({ by: 'fullName', descending: true });
  expect(() => parseOrder({})).toThrow('ORDER_ONE');
  expect(() => parseOrder({ id: 'ASC', updatedAt: 'ASC' })).toThrow('ORDER_ONE');
});

const id = '01900000-0000-7000-8000-000000000001';

test('a place comes back from its cursor; one of another order, list or form is refused', () => {
  const places = [
    ['id', { id, sort: null }],
    ['fullName', { id, sort: 'An Văn Nguyễn' }],
    ['dateOfBirth', { id, sort: '1990-03-15' }],
    ['dateOfBirth', { id, sort: 'infinity' }],
    ['updatedAt', { id, sort: '2026-11-24T03:00:00.123456Z' }],
  ] as const satisfies readonly (readonly [string, Place])[];
  for (const [by, place] of places) {
    const cursor = encodeCursor('b', keysOf(place));
    expect(parsePlace('b', cursor, { by, descending: false })).toEqual(place);
    expect(() => parsePlace('other', cursor, { by, descending: false })).toThrow('CURSOR_INVALID');
  }
  expect(parsePlace('b', null, parseOrder(null))).toBeNull();
  const forged = [[id, 5], ['1; drop', '1990-03-15'], [id, '1990-02-30'], [id, "x'"], [id], [null, '1990-03-15'], [id, null]];
  for (const keys of forged) {
    expect(() => parsePlace('b', encodeCursor('b', keys), { by: 'dateOfBirth', descending: false })).toThrow('CURSOR_INVALID');
  }
});
