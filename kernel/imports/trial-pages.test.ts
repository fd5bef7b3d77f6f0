import { expect, test } from '@jest/globals';
import { array, assert, integer, property, record } from 'fast-check';
import { trialPages, type KeyedRow } from './trial-pages.ts';

test('a dry run tries every row once, rows of one record together and in the order of the file', () => {
  assert(
    property(
      array(record({ key: integer({ min: 0, max: 9 }) }), { maxLength: 80 }),
      integer({ min: 1, max: 12 }),
      (keys, size) => {
        const rows = keys.map(({ key }, nth): KeyedRow => ({
          key: String(key),
          row: { line: nth + 2, cells: [] },
        }));
        const pages = [...trialPages(rows, size)];
        const keyOf = new Map(rows.map(({ key, row }) => [row, key]));
        expect(pages.flat().length).toBe(rows.length);
        expect(new Set(pages.flat()).size).toBe(rows.length);
        for (const page of pages.slice(0, -1)) expect(page.length).toBeGreaterThanOrEqual(size);
        const seen = new Set<string | undefined>();
        for (const page of pages) {
          const own = new Set(page.map((row) => keyOf.get(row)));
          for (const key of own) expect(seen.has(key)).toBe(false);
          for (const key of own) seen.add(key);
          for (const key of own) {
            const lines = page.filter((row) => keyOf.get(row) === key).map(({ line }) => line);
            expect(lines).toEqual([...lines].sort((one, other) => one - other));
          }
        }
      },
    ),
  );
});
