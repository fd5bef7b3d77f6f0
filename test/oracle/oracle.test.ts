import { expect, test } from '@jest/globals';
import { faultNames, makeFile } from './bad-rows.ts';
import { cell, judge, readDate, type ImportKind, type Level } from './oracle.ts';

const units = new Map<string, Level>([
  ['p', 'PROVINCE'],
  ['c1', 'CENTRE'],
  ['x11', 'STATION'],
  ['x12', 'STATION'],
]);
const today = '2026-11-24';
const kinds: ImportKind[] = ['citizens', 'cards', 'results', 'units', 'accounts'];

for (const kind of kinds)
  test(`what the writer of a file of ${kind} meant to be wrong is what the oracle refuses, each way once and more`, () => {
    const file = makeFile({ kind, rows: 1000, share: 0.1, seed: 11, today, units, foreignUnit: 'elsewhere' });
    const refused = judge(kind, file.rows, { today, units }).filter((verdict) => verdict.problems.length > 0);
    expect(refused.map((verdict) => verdict.line)).toEqual([...file.faults.keys()]);
    expect(new Set(file.faults.values())).toEqual(new Set(faultNames(kind)));
    expect(makeFile({ kind, rows: 1000, share: 0.1, seed: 11, today, units, foreignUnit: 'elsewhere' }).csv).toBe(file.csv);
  });

test('the line of a row is the one on which it begins, whatever its cells hold', () => {
  const file = makeFile({
    kind: 'citizens',
    rows: 400,
    share: 0.1,
    seed: 3,
    today,
    units,
    foreignUnit: 'elsewhere',
    lineEnd: '\r\n',
    bom: true,
  });
  const lines = file.csv.split('\n');
  for (const row of file.rows.filter((row) => cell(row, 'source_key') !== ''))
    expect(lines.slice(row.line - 1, row.line + 2).join('\n')).toContain(cell(row, 'source_key'));
});

test('dates are read in the forms of the contract and no other', () => {
  expect(readDate('1990-03-15')).toEqual({ value: '1990-03-15', precision: 'DAY' });
  expect(readDate('15/03/1990')).toEqual({ value: '1990-03-15', precision: 'DAY' });
  expect(readDate('03/1985')).toEqual({ value: '1985-03-01', precision: 'MONTH' });
  expect(readDate('1985')).toEqual({ value: '1985-01-01', precision: 'YEAR' });
  expect(readDate('29/02/1900')).toBe('impossibleDate');
  expect(readDate('29/02/2000')).toMatchObject({ precision: 'DAY' });
  expect(readDate('1985-03')).toEqual(readDate('3/1985'));
  expect(readDate('15.03.1990')).toBe('format');
});
