import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arrayReader, instantText, rowReader, textArray } from './read-door-rows.ts';
import { RowCells } from './wire-reader.ts';

/** Texts of what means something in an array literal, and of what is not ASCII. */
const hostileText = fc.oneof(
  fc.constant('NULL'),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ' ', 'a', 'ễ', '\n', '😀') }),
);

test('any texts survive the way into an array literal and back', () => {
  fc.assert(
    fc.property(fc.array(fc.option(hostileText)), (items) => {
      // An unquoted NULL is null; a quoted one is the word.
      expect(arrayReader(null)(textArray(items))).toEqual(items);
    }),
  );
});

test('nested arrays, bounds, blanks and escapes are read', () => {
  expect(arrayReader(Number)('{{1,2},{3,NULL}}')).toEqual([
    [1, 2],
    [3, null],
  ]);
  expect(arrayReader(Number)('[0:1]={7,8}')).toEqual([7, 8]);
  expect(arrayReader(null)('{"a \\"b\\" \\\\c","NULL",NULL,""}')).toEqual(['a "b" \\c', 'NULL', null, '']);
});

test('instants are ISO 8601 in UTC, cut to milliseconds', () => {
  expect(instantText('2026-11-24 03:00:00+00')).toBe('2026-11-24T03:00:00.000Z');
  expect(instantText('2026-11-24 03:00:00.1239+00')).toBe('2026-11-24T03:00:00.123Z');
  expect(instantText('infinity')).toBe('infinity');
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      (date) => {
        expect(instantText(date.toISOString().replace('T', ' ').replace('Z', '+00'))).toBe(date.toISOString());
      },
    ),
  );
});

/** A row as the server sends it. */
function cellsOf(values: readonly (string | null)[]): RowCells {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const parts = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    const bytes = Buffer.from(value ?? '');
    length.writeInt32BE(value === null ? -1 : bytes.length);
    return [length, bytes];
  });
  const all = Buffer.concat([Buffer.from('é'), count, ...parts]);
  const cells = new RowCells();
  cells.lay(all, all.toString('latin1'), 2);
  return cells;
}

test('cells of any text are read as they were sent', () => {
  fc.assert(
    fc.property(fc.array(fc.option(hostileText)), (values) => {
      const cells = cellsOf(values);
      expect(values.map((_, nth) => cells.text(nth))).toEqual(values);
    }),
  );
});

test('a row is a plain object named by its columns, without the key', () => {
  const read = rowReader(
    [
      { name: 'key', dataTypeID: 25 },
      { name: 'fullName', dataTypeID: 25 },
      { name: 'version', dataTypeID: 23 },
      { name: 'alive', dataTypeID: 16 },
      { name: 'before', dataTypeID: 3802 },
      { name: 'it\'s "odd"', dataTypeID: 1700 },
      { name: '__proto__', dataTypeID: 25 },
    ],
    1,
  );
  const row = read(cellsOf(['k', 'Nguyễn Văn An', '7', 't', '{"a":[1]}', '1.50', 'x']));
  expect(Object.getPrototypeOf(Object.getPrototypeOf(row))).toBeNull(); // Jest's own Object.prototype is another one
  expect(Object.entries(row)).toEqual([
    ['fullName', 'Nguyễn Văn An'],
    ['version', 7],
    ['alive', true],
    ['before', { a: [1] }],
    ['it\'s "odd"', '1.50'],
    ['__proto__', 'x'],
  ]);
  expect(Object.values(read(cellsOf(['k', null, null, null, null, null, null])))).toEqual([null, null, null, null, null, null]);
});
