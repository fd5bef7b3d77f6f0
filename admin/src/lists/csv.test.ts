import { expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvOf } from './csv.ts';

test('a reader of CSV gets back what was written', () => {
  const cell = fc.string({ unit: 'grapheme' }).filter((text) => !/^[=+\-@\t\r]/.test(text));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, fc.constant('x')), { minLength: 1 }), (rows) => {
      expect(parse(csvOf(rows), { bom: true, relaxColumnCount: false, recordDelimiter: '\r\n' })).toEqual(rows);
    }),
  );
});

test('no cell is a formula', () => {
  for (const start of ['=', '+', '-', '@', '\t']) expect(csvOf([[`${start}1+1`]])).toBe(`\uFEFF'${start}1+1\r\n`);
});
