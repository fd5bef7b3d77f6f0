import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fold, nameKeys, nameParts, parsePersonName, sortName, type PersonName } from './person-name.ts';

const nameOf = (text: string): PersonName => {
  const parsed = parsePersonName(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};
const outcome = (text: string): string => {
  const parsed = parsePersonName(text);
  return parsed.ok ? parsed.value : parsed.reason;
};
const vietnamese = fc
  .array(
    fc.stringMatching(
      /^[A-ZĐÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ][a-zđàáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩị]{0,6}$/,
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((words) => words.join(' '));

describe('person name', () => {
  test('blanks alone, 256 characters and a null character are refused [B58, B59, B60]', () => {
    expect(outcome('   ')).toBe('NAME_EMPTY');
    expect(outcome('a'.repeat(256))).toBe('NAME_LENGTH');
    expect(outcome('a'.repeat(255))).toBe('a'.repeat(255));
    expect(outcome('Nguyễn\u0000An')).toBe('NAME_CHARSET');
  });

  test('a decomposed name is the same name [B61]', () => {
    fc.assert(
      fc.property(vietnamese, (text) => {
        expect(outcome(text.normalize('NFD'))).toBe(text.normalize('NFC'));
        expect(fold(text.normalize('NFD'))).toBe(fold(text));
      }),
    );
  });

  test('mark-up, digits, formulas and letters that only look Latin are refused [B62]', () => {
    for (const text of [
      '<img src=x onerror=alert(1)>',
      'Nguyễn Văn 2',
      '=HYPERLINK',
      '-An',
      '@SUM',
      'Аn',
      'An\u202eB',
      'An•',
      'An\r\nBình',
      `A\u0301\u0302\u0303\u0306n`,
    ]) {
      expect(outcome(text)).toBe('NAME_CHARSET');
    }
  });

  test('names of other peoples of Việt Nam and of foreigners are accepted', () => {
    for (const text of [
      "H'Hen Niê",
      'Y Ơl Niê',
      "K'Brêu",
      'Jean-Luc Müller',
      'Søren Łukasz',
      'Đặng Đình Đức',
      'Y Ƀhiăp Ñă',
      'Đinh Krơ̆k',
    ])
      expect(outcome(text)).toBe(text);
    expect(outcome('H’Hen   Niê ')).toBe("H'Hen Niê");
  });

  test('the folded name has neither tones nor case nor double blanks', () => {
    expect(fold('  ĐẶNG   Thị\u00a0Thuỳ ')).toBe('dang thi thuy');
    fc.assert(fc.property(vietnamese, (text) => expect(fold(text)).toMatch(/^[a-z]+(?: [a-z]+)*$/)));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(fold(fold(text))).toBe(fold(text))));
  });

  test('surname first, given name last; names sort by given name', () => {
    expect(nameParts(nameOf('Nguyễn Thị Minh Khai'))).toEqual({ surname: 'Nguyễn', middle: 'Thị Minh', given: 'Khai' });
    expect(nameParts(nameOf('Lê Lợi'))).toEqual({ surname: 'Lê', middle: '', given: 'Lợi' });
    expect(nameParts(nameOf('Xuân'))).toEqual({ surname: '', middle: '', given: 'Xuân' });
    expect(sortName(nameOf('Nguyễn Văn An'))).toBe('An Văn Nguyễn');
    expect(sortName(nameOf('Lê Lợi'))).toBe('Lợi Lê');
    expect(sortName(nameOf('Xuân'))).toBe('Xuân');
  });

  test('every start of every word is the start of a key', () => {
    expect(nameKeys(nameOf('Nguyễn Văn An'))).toEqual(['nguyen van an', 'van an', 'an']);
    fc.assert(
      fc.property(vietnamese, (text) => {
        const keys = nameKeys(nameOf(text));
        for (const word of fold(text).split(' ')) expect(keys.some((key) => key.startsWith(word))).toBe(true);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });
});
