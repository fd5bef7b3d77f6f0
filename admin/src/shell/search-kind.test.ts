import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { whatIsWanted } from './search-kind.ts';

test.each([
  ['', { kind: 'nothing' }],
  ['n', { kind: 'short' }],
  ['đ', { kind: 'short' }],
  ['038090000001', { kind: 'person', number: '038090000001', scanned: false }],
  ['038 090 000 001', { kind: 'person', number: '038090000001', scanned: false }],
  ['123456789', { kind: 'person', number: '123456789', scanned: false }],
  ['0123456789', { kind: 'card', number: '0123456789' }],
  ['dn 4 01 0123456789', { kind: 'card', number: 'DN4010123456789' }],
  ['DN401', { kind: 'odd', digits: 5 }],
  ['03809000', { kind: 'odd', digits: 8 }],
  ['KQ.G15.000031', { kind: 'result', code: 'KQ.G15.000031' }],
  ['038090000001.kq.g15.000031.7', { kind: 'result', code: '038090000001.KQ.G15.000031.7' }],
  ['038•••••0001', { kind: 'masked' }],
  ['nguyen van a', { kind: 'name', text: 'nguyen van a' }],
  ['  Nguyễn   Văn ', { kind: 'name', text: 'Nguyễn Văn' }],
  ['038090000001|123456789|Nguyễn Văn An|15031990|Nam|Xã A|01012022', { kind: 'person', number: '038090000001', scanned: true }],
  ['|123456789|Nguyễn Văn An', { kind: 'person', number: '123456789', scanned: true }],
])('%s', (typed, wanted) => {
  expect(whatIsWanted(typed)).toEqual(wanted);
});

test('blanks, dots and hyphens inside a number do not matter', () => {
  const digit = fc.integer({ min: 0, max: 9 }).map(String);
  fc.assert(
    fc.property(
      fc.array(digit, { minLength: 12, maxLength: 12 }),
      fc.array(fc.constantFrom('', ' ', '-', '.')),
      (digits, gaps) => {
        const typed = digits.map((one, index) => one + (index < 11 ? (gaps[index] ?? '') : '')).join('');
        expect(whatIsWanted(typed)).toEqual({ kind: 'person', number: digits.join(''), scanned: false });
      },
    ),
  );
});

test('whatever is typed means something, and a number asked for holds only what was typed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
      const wanted = whatIsWanted(typed);
      if (wanted.kind === 'person') expect(typed.replace(/\D/g, '')).toContain(wanted.number);
    }),
  );
});
