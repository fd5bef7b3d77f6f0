import { Supergraph } from '@apollo/federation-internals';
import { expect, test } from '@jest/globals';
import { Kind, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { documents } from './documents.ts';
import { mutations } from './mutations.ts';
import { runDocuments, runMutations, workDocuments, workMutations } from './work-documents.ts';

const supergraph = readFileSync(new URL('../../../gateway/supergraph.graphql', import.meta.url), 'utf8');
const schema = Supergraph.build(supergraph, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();

test.each(Object.entries({ ...documents, ...mutations, ...runDocuments, ...runMutations, ...workDocuments, ...workMutations }))(
  '%s asks what the graph answers',
  (name, text) => {
    const document = parse(text);
    expect(validate(schema, document).map(({ message }) => message)).toEqual([]);
    // The name stands in the access log.
    expect(
      document.definitions.map((definition) => (definition.kind === Kind.OPERATION_DEFINITION ? definition.name?.value : null)),
    ).toEqual([name]);
  },
);
