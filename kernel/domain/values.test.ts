import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maskedFields } from '#kernel/auth/purposes.ts';
import { parseEmail, parsePhone } from './contact.ts';
import { ethnicGroups, parseEthnicity } from './ethnic-groups.ts';
import { parseFacilityCode } from './facility-code.ts';
import { parseGender } from './gender.ts';
import { parseCitizenId, parseUnitId, unitId } from './ids.ts';
import { parseInsuranceCardNumber } from './insurance-card-number.ts';
import { holdsMask, mask, maskPatterns, type MaskedFieldName } from './masking.ts';
import { parseOldIdNumber, parsePersonalId } from './personal-id.ts';
import { oldProvinces, provinces } from './province-codes.ts';
import { parseResultCode, readResultCode, type ResultCode } from './result-code.ts';

test('a Vietnamese phone number is kept in national form', () => {
  for (const text of ['0912345678', '+84912345678', '84 912 345 678', '0084912345678', '091.234.5678']) {
    expect(parsePhone(text)).toEqual({ ok: true, value: '0912345678' });
  }
  expect(parsePhone('(0256) 381-2345')).toEqual({ ok: true, value: '02563812345' });
  for (const text of ['', '112', '01234567890', '09123456789', '+1 202 555 0100', '091234567a'])
    expect(parsePhone(text).ok).toBe(false);
});

test('an e-mail address is kept in lower case', () => {
  expect(parseEmail('An.Nguyen@Example.VN')).toEqual({ ok: true, value: 'an.nguyen@example.vn' });
  for (const text of ['', 'an', 'an@', '@x.vn', 'an@x', 'a b@x.vn', 'a@b@x.vn', 'an@-x.vn', 'nguyễn@x.vn', 'an\r\n@x.vn']) {
    expect(parseEmail(text).ok).toBe(false);
  }
});

test('a facility code begins with an old province code', () => {
  expect(parseFacilityCode('52901')).toEqual({ ok: true, value: '52901' });
  expect(parseFacilityCode('01c01')).toEqual({ ok: true, value: '01C01' });
  for (const text of ['', '5290', '529011', '00901', '03901', 'A2901']) expect(parseFacilityCode(text).ok).toBe(false);
});

test('sex comes as digit or word, with or without tones', () => {
  expect(['1', 'Nam', 'MALE'].map((text) => parseGender(text))).toEqual(Array(3).fill({ ok: true, value: 'MALE' }));
  expect(['2', 'Nữ', 'nu', 'female'].map((text) => parseGender(text))).toEqual(Array(4).fill({ ok: true, value: 'FEMALE' }));
  expect(['3', 'Chưa xác định'].map((text) => parseGender(text))).toEqual(Array(2).fill({ ok: true, value: 'UNDETERMINED' }));
  for (const text of ['', '0', '4', 'x', '__proto__', 'constructor']) expect(parseGender(text).ok).toBe(false);
});

test('a citizen id is a UUIDv7', () => {
  expect(parseCitizenId('01930000-0000-7000-8000-00000000000A')).toEqual({
    ok: true,
    value: '01930000-0000-7000-8000-00000000000a',
  });
  for (const text of ['', '1', '01930000-0000-4000-8000-000000000001', '01930000-0000-7000-c000-000000000001'])
    expect(parseCitizenId(text).ok).toBe(false);
});

test('a unit id is u and the number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999 }), (n) => expect(parseUnitId(unitId(n))).toEqual({ ok: true, value: n })),
  );
  for (const text of ['', 'u', 'u0', 'u01', '12', 'U12', 'u-1', 'u1e3', 'u9999999999']) expect(parseUnitId(text).ok).toBe(false);
});

test('a result code names owner, agency and type', () => {
  const parsed = parseResultCode('038090000001.KQ.G18.000010.1817');
  expect(parsed.ok).toBe(true);
  expect(readResultCode('038090000001.KQ.G18.000010.1817' as ResultCode)).toEqual({
    owner: '038090000001',
    type: 'KQ.G18.000010',
    agency: 'G18',
  });
  for (const text of ['', '038090000001.KQ.G18.10', '038090000001 KQ G18 000010', 'KQ.G18.000010', '../x.KQ.G18.000010']) {
    expect(parseResultCode(text).ok).toBe(false);
  }
});

test('a paper numbered as offices number theirs has a code, its tones composed or not, and nothing of the number is shown masked', () => {
  for (const number of ['15/QĐ-SYT', '02/GPHĐ', 'CN.1817', 'Ậ-1']) {
    const code = `038090000001.KQ.G18.000010.${number}`;
    expect(parseResultCode(code.normalize('NFD'))).toEqual({ ok: true, value: code });
    expect(mask('resultCode', code)).toBe('038•••••0001.KQ.G18.000010.•••••');
  }
  for (const number of ['số 15', '/15', 'Ж1', '.15'])
    expect(parseResultCode(`038090000001.KQ.G18.000010.${number}`).ok).toBe(false);
});

test('63 old provinces lead to 34 new ones; 56 ethnic codes', () => {
  expect(Object.keys(oldProvinces)).toHaveLength(63);
  expect(Object.keys(provinces)).toHaveLength(34);
  expect(new Set(Object.values(oldProvinces).map(({ newCode }) => newCode))).toEqual(new Set(Object.keys(provinces)));
  expect(Object.keys(ethnicGroups)).toHaveLength(56);
  expect(parseEthnicity('1')).toEqual({ ok: true, value: '01' });
  expect(parseEthnicity('57').ok).toBe(false);
});

describe('masking', () => {
  test('shows what the contract shows', () => {
    expect(mask('personalId', '038090000001')).toBe('038•••••0001');
    expect(mask('cardNumber', 'DN4380123456789')).toBe('DN4•••••6789');
    expect(mask('oldIdNumber', '171234567')).toBe('•••••567');
    expect(mask('phone', '0912345678')).toBe('0912•••678');
    expect(mask('email', 'an.nguyen@example.vn')).toBe('a•••••@example.vn');
    expect(mask('resultCode', '038090000001.KQ.G18.000010.1817')).toBe('038•••••0001.KQ.G18.000010.•••••');
    expect(mask('resultCode', '038090000001.KQ.G18.000010')).toBe('038•••••0001.KQ.G18.000010');
  });

  test('has a pattern for exactly the fields that purposes may uncover', () => {
    expect(Object.keys(maskPatterns).sort()).toEqual([...maskedFields].sort());
  });

  test('never shows a value whole, and what it shows is refused when it comes back', () => {
    const field = fc.constantFrom(...(Object.keys(maskPatterns) as MaskedFieldName[]));
    const parsers = [parsePersonalId, parseOldIdNumber, parseInsuranceCardNumber, parsePhone, parseEmail, parseResultCode];
    fc.assert(
      fc.property(field, fc.string({ unit: 'grapheme' }), (name, text) => {
        const shown = mask(name, text);
        expect(shown).not.toBe(text);
        expect(holdsMask(shown)).toBe(true);
        for (const parse of parsers) expect(parse(shown)).toEqual({ ok: false, reason: 'MASKED_VALUE' });
      }),
    );
  });
});
