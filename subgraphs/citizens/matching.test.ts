import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PopulationPerson, PopulationPlace } from '#connectors/population/index.ts';
import type { PlainDate, PlainDay } from '#kernel/domain/plain-date.ts';
import { currentPlace, everyCommune } from '#kernel/places/index.ts';
import { compareRecord, confirmedFindings, sameName, unknownFindings, type Sheet } from './matching.ts';
import { communeInWords, samePlace } from './place-matching.ts';

const sheet: Sheet = {
  personalId: '038090000001',
  oldIdNumber: '171900001',
  fullName: 'Nguyễn Thị Thuý Hoà',
  dateOfBirth: '1990-03-15',
  gender: 'FEMALE',
  birthplace: 'Thanh Hoá',
  nativePlace: 'Xã An Lão, Tỉnh Gia Lai',
  permanentText: 'Tổ 5, Phường Quy Nhơn Bắc, Tỉnh Gia Lai',
  permanentCode: '21553',
  permanentList: '2025',
};
const inWords = (text: string): PopulationPlace => ({ detail: text, code: null, list: null, provinceCode: null });
const person: PopulationPerson = {
  personalId: '038090000001',
  oldIdNumber: '171900001',
  fullName: 'NGUYỄN THỊ THÚY HÒA',
  dateOfBirth: '1990-03-15' as PlainDay,
  gender: 'FEMALE',
  birthplace: inWords('T. Thanh Hóa'),
  nativePlace: inWords('X. AN LÃO, GIA LAI'),
  permanentAddress: { detail: 'TDP 5', code: '21553', list: '2025', provinceCode: '52' },
};
const differences = (theirs: Partial<PopulationPerson>, ours: Partial<Sheet> = {}) =>
  compareRecord({ ...sheet, ...ours }, { ...person, ...theirs }).filter(({ outcome }) => outcome !== 'MATCH');

const text = (words: string | null) => ({ text: words, code: null, list: null });
const tones = /[\u0300\u0301\u0303\u0309\u0323]/g;

/** Ways in which others write the same: each is one of the writings that must never count. */
const writings: readonly ((name: string) => string)[] = [
  (name) => name.toUpperCase(),
  (name) => name.toLowerCase(),
  (name) => name.normalize('NFD'),
  (name) => name.normalize('NFKC'),
  (name) => name.replaceAll(' ', '   '),
  (name) => ` ${name} `,
  (name) => name.replaceAll(' ', '\u00a0'),
  (name) => name.normalize('NFD').replace(tones, '').normalize('NFC'),
  (name) =>
    name
      .normalize('NFD')
      .replace(/([ouOU])([aeyAEY])([\u0300\u0301\u0303\u0309\u0323])/g, '$1$3$2')
      .normalize('NFC'),
  (name) => name.replaceAll('Đ', 'D').replaceAll('đ', 'd'),
];
const syllables = [
  'Nguyễn',
  'Trần',
  'Đặng',
  'Văn',
  'Thị',
  'Thuý',
  'Hoà',
  'Quý',
  'Huỳnh',
  'Bích',
  'Ngọc',
  'Đức',
  'Ánh',
  'Xuân',
  'Mỹ',
  'Loan',
];
const names = fc.array(fc.constantFrom(...syllables), { minLength: 2, maxLength: 5 }).map((words) => words.join(' '));

describe('names', () => {
  test('however the same name is written, it is the same', () => {
    fc.assert(
      fc.property(names, fc.array(fc.constantFrom(...writings), { maxLength: 4 }), (name, ways) => {
        expect(
          sameName(
            name,
            ways.reduce((written, way) => way(written), name),
          ),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('a name with other letters is another, however it is written', () => {
    fc.assert(
      fc.property(names, names, fc.constantFrom(...writings), (one, other, way) => {
        const plain = (name: string) =>
          name
            .normalize('NFD')
            .replace(/\p{Mn}/gu, '')
            .replace(/đ/gi, 'd')
            .toLowerCase()
            .replaceAll(' ', '');
        expect(sameName(one, way(other))).toBe(plain(one) === plain(other));
      }),
      { numRuns: 500 },
    );
  });
});

describe('places', () => {
  const home = everyCommune('2025').filter(({ provinceCode }) => provinceCode === '52');
  const before = everyCommune('2024').filter(({ provinceCode }) => ['52', '64'].includes(provinceCode));

  test('a commune in words, with or without its kind, shortened or not, is the same commune', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...home),
        fc.constantFrom(...writings),
        fc.integer({ min: 1, max: 40 }),
        ({ name }, way, number) => {
          const full = `Tổ ${String(number)}, ${name}, Tỉnh Gia Lai`;
          const short = `TDP ${String(number)}, ${name.replace('Xã ', 'X. ').replace('Phường ', 'P.')}, Gia Lai`;
          expect(samePlace(text(full), text(way(short)))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('another commune is another place', () => {
    fc.assert(
      fc.property(fc.constantFrom(...home), fc.constantFrom(...home), (one, other) => {
        fc.pre(one.code !== other.code);
        expect(samePlace({ text: 'Tổ 1', code: one.code, list: '2025' }, { text: 'Tổ 1', code: other.code, list: '2025' })).toBe(
          false,
        );
        // A name of today that was another commune's before says both; then a difference is not certain.
        const was = (name: string, code: string) => before.some((old) => sameName(old.name, name) && old.target === code);
        fc.pre(!was(one.name, other.code) && !was(other.name, one.code));
        expect(samePlace(text(`${one.name}, Tỉnh Gia Lai`), text(`${other.name}, Tỉnh Gia Lai`))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('a commune of before the reform and what became of it are one place, by code and in words', () => {
    fc.assert(
      fc.property(fc.constantFrom(...before), ({ code, name, district, provinceCode, target }) => {
        const now = everyCommune('2025').find((commune) => commune.code === target);
        expect(currentPlace(code, '2024').currentCode).toBe(target);
        expect(samePlace({ text: 'Thôn 3', code, list: '2024' }, { text: 'Thôn 7', code: target, list: '2025' })).toBe(true);
        const province = provinceCode === '52' ? 'Bình Định' : 'Gia Lai';
        const old = text(`${name}, ${district ?? ''}, Tỉnh ${province}`);
        expect(samePlace(old, text(`${now?.name ?? ''}, Tỉnh Gia Lai`))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['12 Lê Lợi, Phường Quy Nhơn, Gia Lai', 'Số nhà 12, đ. Lê Lợi, P. Qui Nhơn, T. Gia Lai', true],
    ['12 Lê Lợi, Phường Quy Nhơn, Gia Lai', '14 Lê Lợi, Phường Quy Nhơn, Gia Lai', false],
    ['Thanh Hoá', 'Xã Nga Sơn, Tỉnh Thanh Hoá', true],
    ['Thanh Hoá', 'Nghệ An', false],
    ['Bình Định', 'Tỉnh Gia Lai', true],
    ['TP. Hồ Chí Minh', 'Thành phố Hồ Chí Minh', true],
  ])('%s · %s: %s', (one, other, same) => {
    expect(samePlace(text(one), text(other))).toBe(same);
    expect(samePlace(text(other), text(one))).toBe(same);
  });
});

test('their address in words, taken over, means the same place to us', () => {
  const theirs = { detail: 'Thôn 4', code: '21609', list: '2025', provinceCode: '52' } as const;
  const [finding] = differences({ permanentAddress: theirs });
  const taken = finding?.outcome === 'MISMATCH' ? (finding.theirs ?? '') : '';
  expect(taken).toBe('Thôn 4, Xã An Lão, Tỉnh Gia Lai');
  expect(communeInWords(taken)).toEqual({ code: '21609', list: '2025' });
  expect(differences({ permanentAddress: theirs }, { permanentText: taken, permanentCode: '21609' })).toEqual([]);
});

describe('a record beside ours', () => {
  test('where only the writing differs nothing differs', () => {
    expect(differences({})).toEqual([]);
    expect(compareRecord(sheet, person)).toHaveLength(8);
  });

  test('less known of a birth date contradicts nothing', () => {
    expect(differences({ dateOfBirth: '1990' as PlainDate })).toEqual([]);
    expect(differences({}, { dateOfBirth: '1990-03' })).toEqual([]);
    expect(differences({ dateOfBirth: '1991' as PlainDate })).toEqual([
      { field: 'DATE_OF_BIRTH', outcome: 'MISMATCH', kind: 'DIFFERENT', ours: '1990-03-15', theirs: '1991' },
    ]);
  });

  test('each field that differs is told once, with both values as our columns hold them', () => {
    expect(
      differences({
        fullName: 'NGUYỄN THỊ HỒNG',
        gender: 'MALE',
        oldIdNumber: null,
        nativePlace: null,
        permanentAddress: { detail: 'Tổ 5', code: '21607', list: '2025', provinceCode: '52' },
      }),
    ).toMatchObject([
      { field: 'FULL_NAME', kind: 'DIFFERENT', ours: 'Nguyễn Thị Thuý Hoà', theirs: 'Nguyễn Thị Hồng' },
      { field: 'OLD_ID_NUMBER', kind: 'ONLY_OURS', ours: '171900001', theirs: null },
      { field: 'GENDER', kind: 'DIFFERENT', ours: 'FEMALE', theirs: 'MALE' },
      { field: 'NATIVE_PLACE', kind: 'ONLY_OURS', theirs: null },
      { field: 'PERMANENT_ADDRESS', kind: 'DIFFERENT' },
    ]);
    expect(differences({}, { nativePlace: null, oldIdNumber: null })).toMatchObject([
      { field: 'OLD_ID_NUMBER', kind: 'ONLY_THEIRS', ours: null, theirs: '171900001' },
      { field: 'NATIVE_PLACE', kind: 'ONLY_THEIRS', ours: null, theirs: 'X. AN LÃO, GIA LAI' },
    ]);
  });

  test('a yes confirms what we have, an unknown number says nothing about the rest', () => {
    expect(confirmedFindings({ ...sheet, birthplace: null }).map(({ field }) => field)).not.toContain('BIRTHPLACE');
    expect(unknownFindings(sheet)).toEqual([
      { field: 'PERSONAL_ID', outcome: 'UNKNOWN_PERSON', kind: 'UNKNOWN_PERSON', ours: '038090000001', theirs: null },
    ]);
  });
});
