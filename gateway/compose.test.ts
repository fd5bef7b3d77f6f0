import { expect, test } from '@jest/globals';
import { buildSchema, isAbstractType } from 'graphql';
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

test('no interface, union or required field of another subgraph: whoever brings one tests its permissions on every way in [A12]', () => {
  const text = readSupergraph();
  const types = Object.values(buildSchema(text, { assumeValid: true }).getTypeMap());
  expect(types.filter((type) => isAbstractType(type)).map(({ name }) => name)).toEqual([]);
  const uses = text.split('\n').filter((line) => line.includes('@join__field(') && !line.startsWith('directive'));
  expect(uses.filter((line) => line.includes('requires:'))).toEqual([]);
});
