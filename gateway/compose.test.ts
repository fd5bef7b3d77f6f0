import { expect, test } from '@jest/globals';
import { compose, readSupergraph, subgraphSources } from './compose.ts';

test('the committed graph is the one the subgraphs make: node gateway/compose.ts', () => {
  expect(readSupergraph()).toBe(compose(subgraphSources()));
});

test('schemas that do not fit are told with every reason', () => {
  const one = 'type Query { a: Thing } type Thing { id: ID! size: Int }';
  const other = 'type Query { b: Thing } type Thing { id: ID! size: String }';
  expect(() =>
    compose([
      { name: 'one', schema: one },
      { name: 'other', schema: other },
    ]),
  ).toThrow(/do not compose[^]*Thing\.size/);
});
