import type { QueryPlan } from '@apollo/query-planner';
import {
  Kind,
  OperationTypeNode,
  visit,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { NotUnderstood } from '#kernel/graph/compiled-operation.ts';
import { memoByConditions } from '#kernel/graph/conditions.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { compileAnswer } from './compiled-answer.ts';
import { compilePlan } from './compiled-plan.ts';
import type { ExecutionError } from './refusal.ts';
import type { OperationRun, Variables } from './subgraph-access.ts';

/** What stands in a document, for the metric that says which kinds of document run compiled. */
export const features = [
  'alias',
  'namedFragment',
  'inlineFragment',
  'condition',
  'severalRoots',
  'mutation',
  'introspection',
] as const;
export type Feature = (typeof features)[number];

export interface DocumentParts {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
}

export type CompiledResult =
  | { readonly kind: 'executed'; readonly text: string; readonly errors: readonly ExecutionError[] }
  | { readonly kind: 'variables'; readonly messages: readonly string[] }
  /** For these conditions the plan holds something that is not understood: nothing was asked yet. */
  | { readonly kind: 'not-understood' };

export type CompiledDocument = (run: OperationRun, variables: Variables) => Promise<CompiledResult>;

interface Surroundings {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly doors: ReadonlyMap<string, SubgraphDoor>;
}

/** Plan and answer of one validated document; null when some part of it is not understood. */
export function compileDocument(
  { operation, fragments }: DocumentParts,
  plan: QueryPlan,
  surroundings: Surroundings,
): CompiledDocument | null {
  const { schema, doors } = surroundings;
  const definitions = operation.variableDefinitions ?? [];
  const document = { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] } as const;
  const variant = memoByConditions(document, (conditions) => ({
    plan: compilePlan(plan, { schema, doors, conditions }),
    write: compileAnswer(schema, operation, fragments, conditions),
  }));
  if (understood(() => variant({})) === null) return null;
  return async (run, variables) => {
    let conditions: Variables = {};
    if (definitions.length > 0) {
      const values = getVariableValues(schema, definitions, variables, { maxErrors: 10 });
      if (values.errors !== undefined) return { kind: 'variables', messages: values.errors.map(({ message }) => message) };
      conditions = values.coerced;
    }
    const compiled = understood(() => variant(conditions));
    if (compiled === null) return { kind: 'not-understood' };
    const { data, errors } = await compiled.plan(run, variables);
    return { kind: 'executed', text: compiled.write(data), errors };
  };
}

function understood<Compiled>(compile: () => Compiled): Compiled | null {
  try {
    return compile();
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

export function featuresOf(operation: OperationDefinitionNode, fragments: DocumentParts['fragments']): readonly Feature[] {
  const found = new Set<Feature>();
  if (operation.operation === OperationTypeNode.MUTATION) found.add('mutation');
  if (operation.selectionSet.selections.length > 1) found.add('severalRoots');
  for (const node of [operation, ...Object.values(fragments)]) {
    visit(node, {
      Field: (field) => {
        if (field.alias !== undefined) found.add('alias');
        if (field.name.value === '__schema' || field.name.value === '__type') found.add('introspection');
      },
      FragmentSpread: () => void found.add('namedFragment'),
      InlineFragment: () => void found.add('inlineFragment'),
      Directive: () => void found.add('condition'),
    });
  }
  return features.filter((feature) => found.has(feature));
}
