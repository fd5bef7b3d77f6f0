import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mostRows, readCsv, readCsvInSteps, readTable, type Headings } from './csv-table.ts';

const headings: Headings<'full_name' | 'unit_code' | 'note'> = {
  required: ['full_name', 'unit_code'],
  names: { full_name: ['Họ và tên'], unit_code: ['Mã đơn vị'], note: [] },
};
const read = (text: string) => readTable(Buffer.from(text), headings);
const rowsOf = (text: string) => {
  const table = read(text);
  if (!table.ok) throw new Error(table.error.reason);
  return table.value.rows;
};
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;

test('comma and semicolon are told apart, with or without byte order mark, under our headings or the forms [B78]', () => {
  const expected = [{ line: 2, cells: { full_name: 'Nguyễn Văn An', unit_code: 'x11' } }];
  expect(rowsOf('full_name,unit_code\nNguyễn Văn An,x11\n')).toEqual(expected);
  expect(rowsOf('\ufeffHọ và tên (*);MÃ ĐƠN VỊ\r\nNguyễn Văn An;x11')).toEqual(expected);
  expect(rowsOf('"HO_VA_TEN";"ma don vi"\r\n"Nguyễn Văn An";"x11"')).toEqual(expected);
});

test('a column that is missing or there twice refuses the file by its name [B77]', () => {
  expect(read('full_name,note\nA,b')).toEqual({
    ok: false,
    error: { reason: 'FILE_COLUMN_MISSING', field: 'unit_code', line: null },
  });
  expect(read('full_name,Họ và tên,unit_code\nA,B,c')).toMatchObject({
    error: { reason: 'FILE_COLUMN_TWICE', field: 'full_name' },
  });
});

test('columns without meaning are named and left out', () => {
  const table = read('unit_code,Ghi chú riêng,full_name\nx11,bí mật,A');
  expect(table).toMatchObject({
    ok: true,
    value: { unknownColumns: ['Ghi chú riêng'], rows: [{ cells: { full_name: 'A', unit_code: 'x11' } }] },
  });
});

test('a row with more or fewer cells is told apart, with its line; empty rows do not count [B79]', () => {
  expect(rowsOf('full_name,unit_code\nA,x11,1,2,3\n\n,\nB\n"C\nD",x12\nE,x21')).toEqual([
    { line: 2, cells: null },
    { line: 5, cells: null },
    { line: 6, cells: { full_name: 'C\nD', unit_code: 'x12' } },
    { line: 8, cells: { full_name: 'E', unit_code: 'x21' } },
  ]);
});

test('what is no UTF-8, no CSV or no row is refused as a whole [B80] [B83]', () => {
  const windows1258 = Buffer.concat([
    Buffer.from('full_name,unit_code\nNguy'),
    Buffer.from([0xea, 0xde, 0x6e]),
    Buffer.from(' An,x11'),
  ]);
  expect(readTable(windows1258, headings)).toMatchObject({ error: { reason: 'FILE_ENCODING' } });
  expect(readTable(Buffer.from('\ufefffull_name', 'utf16le'), headings)).toMatchObject({ error: { reason: 'FILE_ENCODING' } });
  expect(read('')).toMatchObject({ error: { reason: 'FILE_EMPTY' } });
  expect(read(' \n')).toMatchObject({ error: { reason: 'FILE_EMPTY' } });
  expect(read('full_name,unit_code\n')).toMatchObject({ error: { reason: 'FILE_EMPTY' } });
  expect(read('full_name,unit_code\nA,x11\n"B,x12\n')).toMatchObject({ error: { reason: 'FILE_CSV' } });
});

test('more than 100,000 rows are refused, exactly as many are read [B81]', () => {
  const file = (rows: number) => `full_name,unit_code\n${'A,x\n'.repeat(rows)}`;
  expect(read(file(mostRows + 1))).toMatchObject({ error: { reason: 'FILE_ROWS' } });
  expect(rowsOf(file(mostRows))).toHaveLength(mostRows);
});

test('whatever a cell holds comes back, in either separator', () => {
  // Text that is stated, without blanks around it and without the sign that exports put before formulas.
  const cell = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.trim() === text && !text.includes('\0') && !/^'[=+\-@\t\r]/.test(text));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(',', ';'),
      (cells, separator) => {
        const file = [['full_name', 'unit_code'], ...cells].map((row) => row.map(quoted).join(separator)).join('\r\n');
        expect(rowsOf(file).map((row) => [row.cells?.full_name, row.cells?.unit_code])).toEqual(cells);
      },
    ),
  );
});

test.each([
  ["'=HYPERLINK(1)", '=HYPERLINK(1)'],
  ["'+1", '+1'],
  ["'-1", '-1'],
  ["'@SUM(1)", '@SUM(1)'],
  ["'Hen", "'Hen"],
])('an exported cell %j gives the original again [A39]', (cell, original) => {
  expect(rowsOf(`full_name,unit_code,note\nA,x,${quoted(cell)}`)[0]?.cells?.note).toBe(original);
});

test('a large file is read in steps: the same rows, and others have their turn between any two', async () => {
  const row = `"Nguyễn ""Văn"" An\nở phường",x11,${'ghi chú; '.repeat(18)}\r\n`;
  const count = 20_000;
  const bytes = Buffer.from(`full_name,unit_code,note\r\n${row.repeat(count)}`);
  const turns = { had: 0, over: false };
  const wait = (): void => {
    turns.had += 1;
    if (!turns.over) setImmediate(wait);
  };
  setImmediate(wait);
  const read = await readCsvInSteps(bytes, headings);
  turns.over = true;
  if (!read.ok) throw new Error(read.error.reason);
  expect(read.value.records).toHaveLength(count);
  expect(read.value.records[1]).toEqual({ line: 4, cells: ['Nguyễn "Văn" An\nở phường', 'x11', 'ghi chú; '.repeat(18)] });
  // One for each step of decoding and one for each of parsing: how long a step takes is the machine's matter, how much is in it is ours.
  expect(turns.had).toBeGreaterThan((2 * bytes.length) / 40_000);
});

test('in steps or at once, a file is refused for the same reasons', async () => {
  const long = 'x'.repeat(200_000);
  for (const text of [`full_name,unit_code\nA,"${long}`, `${long}\0`, ' '.repeat(200_000), `full_name,unit_code\n`]) {
    expect(await readCsvInSteps(Buffer.from(text), headings)).toEqual(readCsv(Buffer.from(text), headings));
  }
  const broken = Buffer.concat([Buffer.from(long), Buffer.from([0xff])]);
  expect(await readCsvInSteps(broken, headings)).toEqual(readCsv(broken, headings));
});
