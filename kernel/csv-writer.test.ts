import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTable } from './csv-table.ts';
import { byteOrderMark, cellOf, csvLine, sameCell } from './csv-writer.ts';

const headings = { required: ['name'], names: { name: [], note: [] } } as const;

function back(lines: string): readonly (string | undefined)[] {
  const table = readTable(Buffer.from(`${byteOrderMark}${lines}`), headings);
  if (!table.ok) throw new Error(table.error.reason);
  return table.value.rows.map(({ cells }) => cells?.name);
}

test('what a spreadsheet would run as a formula goes out as quoted text and comes back as it was [A39]', () => {
  for (const name of ['=HYPERLINK("http://x","y")', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', `'=1`, `''+2`]) {
    const cell = cellOf(name);
    expect(cell).toMatch(/^"'/);
    expect(back(`name,note\r\n${csvLine([cell, 'x'])}`)).toEqual([name]);
  }
});

test('any text without blanks at its ends comes back from either kind of file [A37]', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((one) => one.trim() === one && !one.includes('\0'));
  fc.assert(
    fc.property(text, fc.constantFrom(',' as const, ';' as const), (name, separator) => {
      const file = `${csvLine(['name', 'note'], separator)}${csvLine([cellOf(name, separator), 'x'], separator)}`;
      expect(back(file)).toEqual([name]);
    }),
  );
});

test('a cell of a refused row is read again as it was read the first time', () => {
  for (const [cell, meant] of [
    ['=1', '=1'],
    [`'=1`, '=1'],
    ['+84 912', '+84 912'],
    ['An', 'An'],
    ['a;"b', 'a;"b'],
  ] as const) {
    expect(back(`name;note\r\n${csvLine([sameCell(cell, ';'), ''], ';')}`)).toEqual([meant]);
  }
});
