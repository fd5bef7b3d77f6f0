import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTable } from '#kernel/csv-table.ts';
import { fold } from '#kernel/domain/person-name.ts';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import { decideFile, flagsOf, importColumns, importHeadings, parseRow, type ImportColumn } from './import-file.ts';

const today = '2026-11-24' as PlainDay;
const good: Readonly<Partial<Record<ImportColumn, string>>> = {
  personal_id: '038090000001',
  full_name: 'Nguyễn Văn An',
  date_of_birth: '15/03/1990',
  gender: 'Nam',
  unit_code: 'x11',
};
const parse = (cells: Partial<Record<ImportColumn, string>> | null) =>
  parseRow({ line: 7, cells }, { communeList: '2025' }, today);

test('a row with what is required is a citizen; what is empty is not stated', () => {
  expect(parse(good)).toEqual({
    ok: true,
    value: {
      line: 7,
      personalId: '038090000001',
      oldIdNumber: null,
      fullName: 'Nguyễn Văn An',
      dateOfBirth: '1990-03-15',
      gender: 'MALE',
      ethnicity: null,
      phone: null,
      email: null,
      birthplace: null,
      nativePlace: null,
      permanent: { text: null, code: null, list: null, current: null },
      current: { text: null, code: null, list: null, current: null },
      unitCode: 'x11',
      sourceKey: null,
    },
  });
});

test.each<[ImportColumn, string, string]>([
  ['personal_id', '38090000001', 'PERSONAL_ID_FORMAT'],
  ['personal_id', '000000000000', 'PERSONAL_ID_RESERVED'],
  ['personal_id', '038•••••0001', 'MASKED_VALUE'],
  ['old_id_number', '12345678', 'OLD_ID_NUMBER_FORMAT'],
  ['full_name', '<img src=x onerror=alert(1)>', 'NAME_CHARSET'], // [B62]
  ['full_name', 'A'.repeat(256), 'NAME_LENGTH'], // [B59]
  ['date_of_birth', '2023-02-29', 'DATE_NOT_IN_CALENDAR'], // [B54]
  ['date_of_birth', '2026-11-25', 'BIRTH_DATE_FUTURE'], // [B55]
  ['date_of_birth', '1850-01-01', 'BIRTH_DATE_TOO_OLD'], // [B56]
  ['date_of_birth', 'mồng ba', 'DATE_FORMAT'],
  ['gender', '4', 'GENDER_WORD'],
  ['ethnicity', '99', 'ETHNICITY_CODE'],
  ['phone', '12345', 'PHONE_FORMAT'],
  ['email', 'ai đó', 'EMAIL_FORMAT'],
  ['birthplace', 'x'.repeat(501), 'TEXT_LENGTH'],
  ['permanent_commune', '2393', 'COMMUNE_CODE_FORMAT'],
  ['commune_list', '2023', 'COMMUNE_LIST'],
])('%s %j is refused with %s [B54] [B55] [B56] [B59] [B62]', (field, value, reason) => {
  expect(parse({ ...good, [field]: value })).toEqual({ ok: false, error: { line: 7, problems: [{ field, reason }] } });
});

test('every mistake of a row is told at once, in the order of the columns', () => {
  expect(parse({ personal_id: '1', gender: 'x' })).toEqual({
    ok: false,
    error: {
      line: 7,
      problems: [
        { field: 'personal_id', reason: 'PERSONAL_ID_FORMAT' },
        { field: 'full_name', reason: 'ROW_REQUIRED' },
        { field: 'date_of_birth', reason: 'ROW_REQUIRED' },
        { field: 'gender', reason: 'GENDER_WORD' },
        { field: 'unit_code', reason: 'ROW_REQUIRED' },
      ],
    },
  });
  expect(parse(null)).toEqual({ ok: false, error: { line: 7, problems: [{ field: null, reason: 'ROW_CELLS' }] } });
});

test('a partial date keeps what is known [B57]', () => {
  for (const [text, value] of [
    ['1985', '1985'],
    ['03/1985', '1985-03'],
    ['1985-03', '1985-03'],
    ['2/9/1985', '1985-09-02'],
  ] as const) {
    expect(parse({ ...good, date_of_birth: text })).toMatchObject({ ok: true, value: { dateOfBirth: value } });
  }
});

test('text is kept sign by sign [B63]', () => {
  const note = `'); DROP TABLE citizen;-- <b>"Đông"</b>`;
  expect(parse({ ...good, birthplace: note })).toMatchObject({ ok: true, value: { birthplace: note } });
});

test('digits that contradict sex or birth year, and places nobody gave out, are flagged, never refused [B41] [B42]', () => {
  const flags = (cells: Partial<Record<ImportColumn, string>>) => {
    const row = parse({ ...good, ...cells });
    return row.ok ? flagsOf(row.value) : row.error;
  };
  expect(flags({})).toEqual([]);
  expect(flags({ personal_id: '038290000001', gender: 'nữ' })).toEqual(['IDENTITY_INCONSISTENT']);
  expect(flags({ personal_id: '999090000001' })).toEqual(['PLACE_CODE_UNKNOWN']);
});

test('the list of commune codes is the one that knows more of them, the present one when in doubt', () => {
  const decided = (...codes: readonly string[]) => {
    const file = [
      'full_name,date_of_birth,gender,unit_code,permanent_commune',
      ...codes.map((code) => `A,1990,1,x11,${code}`),
    ].join('\n');
    const table = readTable(Buffer.from(file), importHeadings);
    if (!table.ok) throw new Error(table.error.reason);
    return decideFile(table.value.rows).communeList;
  };
  expect(decided('00006', '00007')).toBe('2024'); // Vĩnh Phúc and Cống Vị are no communes any more
  expect(decided('00008')).toBe('2025'); // Ngọc Hà is one now
  expect(decided('99999')).toBe('2025');
});

test('headings of the ministry lead to our columns, each to one', () => {
  const header = [
    'Họ, chữ đệm và tên',
    'Ngày, tháng, năm sinh',
    'Giới tính',
    'Mã đơn vị',
    'Số CMT/CCCD (12 số)',
    'Số CMT (9 số)',
    'Quê quán',
  ];
  const file = [header.map((heading) => `"${heading}"`).join(';'), 'A;1990;1;x11;038090000001;210000001;Huế'].join('\n');
  expect(readTable(Buffer.from(file), importHeadings)).toMatchObject({
    ok: true,
    value: {
      columns: ['full_name', 'date_of_birth', 'gender', 'unit_code', 'personal_id', 'old_id_number', 'native_place'],
      unknownColumns: [],
    },
  });
  const columnsOf = Map.groupBy(
    Object.entries(importHeadings.names).flatMap(([column, names]) => [column, ...names].map((name) => ({ column, name }))),
    ({ name }) =>
      fold(name)
        .replace(/[^a-z0-9]+/g, ' ')
        .trim(),
  );
  for (const [, meanings] of columnsOf) expect(new Set(meanings.map(({ column }) => column)).size).toBe(1);
});

test('no row is anything but a citizen or a refusal that names columns and no value', () => {
  const cells = fc.dictionary(
    fc.constantFrom(...importColumns),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...Object.values(good))),
  );
  fc.assert(
    fc.property(cells, (row) => {
      const stated = Object.fromEntries(Object.entries(row).filter(([, text]) => text !== ''));
      const parsed = parse(stated);
      if (parsed.ok) return;
      for (const { field } of parsed.error.problems) expect(importColumns).toContain(field);
    }),
  );
});
