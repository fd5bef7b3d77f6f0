import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contradictionsOf, parseOldIdNumber, parsePersonalId, readPersonalId, type PersonalId } from './personal-id.ts';

const refusedFor = (text: string): string | null => {
  const parsed = parsePersonalId(text);
  return parsed.ok ? null : parsed.reason;
};
const idOf = (text: string): PersonalId => {
  const parsed = parsePersonalId(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

describe('personal identification number', () => {
  test('eleven digits, thirteen digits and a letter are refused for their format [B34, B35, B36]', () => {
    expect(refusedFor('03809000000')).toBe('PERSONAL_ID_FORMAT');
    expect(refusedFor('0380900000012')).toBe('PERSONAL_ID_FORMAT');
    expect(refusedFor('03809000000A')).toBe('PERSONAL_ID_FORMAT');
  });

  test('full-width digits and a leading blank are refused, never repaired [B37, B38]', () => {
    expect(refusedFor('０３８０９０００００１２')).toBe('PERSONAL_ID_FORMAT');
    expect(refusedFor(' 038090000001')).toBe('PERSONAL_ID_FORMAT');
    expect(refusedFor('038090000001\n')).toBe('PERSONAL_ID_FORMAT');
  });

  test('the number of nobody is refused as reserved [B40]', () => {
    expect(refusedFor('000000000000')).toBe('PERSONAL_ID_RESERVED');
  });

  test('an unknown province code is accepted and can be told [B41]', () => {
    expect(readPersonalId(idOf('999190000001')).province).toBeNull();
    expect(readPersonalId(idOf('038090000001')).province).toBe('Thanh Hoá');
  });

  test('digits that contradict sex and year are accepted and told [B42]', () => {
    const id = idOf('038290000001');
    expect(readPersonalId(id)).toMatchObject({ gender: 'MALE', birthYear: 2090 });
    expect(contradictionsOf(id, { gender: 'FEMALE', birthYear: 1990 })).toEqual(['GENDER', 'BIRTH_YEAR']);
    expect(contradictionsOf(idOf('038090000001'), { gender: 'MALE', birthYear: 1990 })).toEqual([]);
    expect(contradictionsOf(id, { gender: 'UNDETERMINED', birthYear: null })).toEqual([]);
  });

  test('exactly the texts of twelve ASCII digits that do not begin with 000 are numbers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 14 }), fc.stringMatching(/^[0-9]{11,13}$/)), (text) => {
        const good = text.length === 12 && text.split(/[0-9]/).join('') === '' && !text.startsWith('000');
        expect(parsePersonalId(text).ok).toBe(good);
      }),
    );
  });

  test('century and sex digit carry five centuries', () => {
    expect([0, 1, 2, 3, 8, 9].map((c) => readPersonalId(idOf(`001${String(c)}05000001`)).birthYear)).toEqual([
      1905, 1905, 2005, 2005, 2305, 2305,
    ]);
  });
});

test('an old identity card number has nine digits', () => {
  expect(parseOldIdNumber('171234567').ok).toBe(true);
  expect(parseOldIdNumber('17123456')).toEqual({ ok: false, reason: 'OLD_ID_NUMBER_FORMAT' });
  expect(parseOldIdNumber('038090000001')).toEqual({ ok: false, reason: 'OLD_ID_NUMBER_FORMAT' });
});
