import type { GraphQLError } from 'graphql';
import {
  MaxIntrospectionDepthRule,
  executeSync,
  parse,
  specifiedRules,
  validate,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { ErrorAudience } from '#kernel/errors/to-graphql.ts';
import { refused, type Operation, type OperationAnswer } from './gateway.ts';
import { namesIn, refusal } from './refusal.ts';

/** Answers kept: tools ask the same two or three documents. */
const kept = { max: 20, maxSize: 8 * 1024 * 1024 };

/**
 * Answers documents that ask for the schema alone, from the schema clients see; no subgraph is asked. Nesting is bounded by
 * graphql-js' own rule, length by the limits on bytes and tokens.
 */
export function openIntrospection(schema: GraphQLSchema): (operation: Operation, audience: ErrorAudience) => OperationAnswer {
  const rules = [...specifiedRules, MaxIntrospectionDepthRule];
  const answers = new LRUCache<string, string>({ ...kept, sizeCalculation: (body, key) => body.length + key.length });

  function run({ query, operationName, variables }: Operation): ExecutionResult {
    const document = parse(query, { noLocation: true });
    const errors = validate(schema, document, rules, { maxErrors: 10 });
    if (errors.length > 0) return { errors };
    return executeSync({ schema, document, variableValues: variables, ...(operationName !== null && { operationName }) });
  }

  return (operation, audience) => {
    const key = JSON.stringify([operation.query, operation.operationName, operation.variables]);
    let body = answers.get(key);
    if (body === undefined) {
      const { data, errors = [] } = run(operation);
      if (data === undefined || data === null || errors.length > 0) {
        return refused(errors.map((error) => refusal('GRAPHQL_INVALID', audience, detailOf(error))));
      }
      body = JSON.stringify({ data });
      answers.set(key, body);
    }
    return { status: 200, body, path: 'stock', codes: [], reasons: [], retryAfter: null };
  };
}

function detailOf(error: GraphQLError): { detail?: string } {
  const detail = namesIn(error.message);
  return detail === undefined ? {} : { detail };
}
