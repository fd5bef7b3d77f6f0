import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countLimit, decodeCursor } from '../page.ts';
import { RecordPage, countFrom, countResolvers } from './record-page.ts';

const rowsOf = (count: number) => Array.from({ length: count }, (_, place) => ({ id: `id${String(place)}` }));
const binding = (): string => 'bound';

test('a page holds at most `first`, says whether there is more, and its cursors are those of its records', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.integer({ min: 1, max: 10 }), fc.option(fc.constant('id')), (count, first, after) => {
      const page = new RecordPage(rowsOf(Math.min(count, first + 1)), { first, after, binding }, () =>
        Promise.resolve(countFrom(0)),
      );
      expect(page.nodes).toHaveLength(Math.min(count, first));
      expect(page.pageInfo.hasNextPage).toBe(count > first);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      expect(page.edges.map(({ cursor }) => decodeCursor('bound', cursor, 1)[0])).toEqual(page.nodes.map(({ id }) => id));
      expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor ?? null);
      expect(page.pageInfo.startCursor).toBe(page.edges[0]?.cursor ?? null);
    }),
  );
});

test('a search that stopped early goes on behind what it looked at, also when the page is empty', () => {
  const page = new RecordPage(rowsOf(0), { first: 5, after: null, binding, seenTo: 'far' }, () => Promise.resolve(countFrom(0)));
  expect(page.pageInfo).toMatchObject({ hasNextPage: true, startCursor: null });
  expect(decodeCursor('bound', page.pageInfo.endCursor ?? '', 1)).toEqual(['far']);
});

test('a count is asked for once, is exact up to the limit, and is a lower bound beyond', async () => {
  let asked = 0;
  const page = new RecordPage(rowsOf(0), { first: 5, after: null, binding }, () => {
    asked += 1;
    return Promise.resolve(countFrom(countLimit + 1));
  });
  expect(asked).toBe(0);
  expect([await countResolvers.totalCount(page), await countResolvers.totalCountIsEstimate(page)]).toEqual([countLimit, true]);
  expect(asked).toBe(1);
  expect(countFrom(countLimit)).toEqual({ total: countLimit, isEstimate: false });
  expect(countFrom(7, true)).toEqual({ total: 7, isEstimate: true });
});
