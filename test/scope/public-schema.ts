import { Supergraph } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';
import { readSupergraph } from '../../gateway/compose.ts';

/** What clients see of the composed graph. */
export function openGatewaySchema(): GraphQLSchema {
  return Supergraph.build(readSupergraph()).apiSchema().toGraphQLJSSchema();
}
