import { expect, test } from '@jest/globals';
import { columnsOf, importKinds } from '../admin/src/imports/columns.ts';
import { allSubgraphs } from '../subgraphs/all.ts';

/* The admin imports nothing of the hub, so it has a list of its own of what a column may mean: it must be the hub's. */

const kinds = allSubgraphs.flatMap(({ imports = [] }) => imports);

test.each(importKinds)('the admin offers the columns that a file of %s may have', (name) => {
  const kind = kinds.find((one) => one.kind === name);
  expect([...columnsOf[name]].sort()).toEqual(Object.keys(kind?.headings.names ?? {}).sort());
});
