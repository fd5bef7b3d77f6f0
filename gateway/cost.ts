import {
  Kind,
  OperationTypeNode,
  getNamedType,
  getNullableType,
  isListType,
  isObjectType,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { pointsOf } from '#kernel/auth/rate.ts';
import { defaultPage, largestPage } from '#kernel/page.ts';
import type { Variables } from './subgraph-access.ts';

/*
 * What an operation may cost at most, and what it counts against its caller's minute.
 *
 * Cost: 1 for each field, what stands below a list times its length: `first` of a connection, 20 where it is absent, 5 for the
 * records of one person. Points: a root that changes something, that searches, that lists, or that reads one record.
 */

/** Length of a list that has no `first`. */
const shortList = 5;

export interface Cost {
  /** Whether every value of the variables stays within the limit, or none does. */
  readonly always: 'within' | 'over' | 'depends';
  of(variables: Variables): number;
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;
type Length = (variable: string) => number;

export function compileCost(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  limit: number,
): Cost {
  const root = schema.getRootType(operation.operation) ?? undefined;
  const defaults = new Map<string, number>();
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue?.kind === Kind.INT) defaults.set(variable.name.value, Number(defaultValue.value));
  }
  const total = (length: Length): number => costOf(schema, root, operation.selectionSet, fragments, length, new Map());
  if (total(() => largestPage) <= limit) return { always: 'within', of: () => 0 };
  if (total(() => 1) > limit) return { always: 'over', of: () => limit + 1 };
  return {
    always: 'depends',
    of: (variables) => total((name) => pageLength(Object.hasOwn(variables, name) ? variables[name] : defaults.get(name))),
  };
}

function costOf(
  schema: GraphQLSchema,
  type: GraphQLNamedType | undefined,
  set: SelectionSetNode,
  fragments: Fragments,
  length: Length,
  known: Map<string, number>,
): number {
  let cost = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      cost += 1;
      if (selection.selectionSet === undefined) continue;
      const field = isObjectType(type) ? type.getFields()[selection.name.value] : undefined;
      const inner = costOf(schema, field && getNamedType(field.type), selection.selectionSet, fragments, length, known);
      cost += inner * lengthOf(type, field, selection, length);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      const inner = selection.typeCondition === undefined ? type : schema.getType(selection.typeCondition.name.value);
      cost += costOf(schema, inner, selection.selectionSet, fragments, length, known);
    } else {
      const name = selection.name.value;
      const fragment = fragments.get(name);
      if (fragment === undefined) continue;
      const inner =
        known.get(name) ??
        costOf(schema, schema.getType(fragment.typeCondition.name.value), fragment.selectionSet, fragments, length, known);
      known.set(name, inner);
      cost += inner;
    }
  }
  return cost;
}

/** How often what stands below a field can come. */
function lengthOf(
  parent: GraphQLNamedType | undefined,
  field: GraphQLField<unknown, unknown> | undefined,
  node: FieldNode,
  length: Length,
): number {
  if (field === undefined) return 1;
  if (field.args.some(({ name }) => name === 'first')) {
    const given = node.arguments?.find(({ name }) => name.value === 'first')?.value;
    if (given?.kind === Kind.VARIABLE) return length(given.name.value);
    return pageLength(given?.kind === Kind.INT ? Number(given.value) : undefined);
  }
  // `edges` and `nodes` are the page that the connection above was counted for.
  if (!isListType(getNullableType(field.type)) || isConnection(parent)) return 1;
  return shortList;
}

function isConnection(type: GraphQLNamedType | undefined): boolean {
  return type?.name.endsWith('Connection') === true;
}

/** A page that will be refused for its size is counted as one that would not. */
function pageLength(first: unknown): number {
  return typeof first === 'number' ? Math.min(Math.max(first, 1), largestPage) : defaultPage;
}

export function compilePoints(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
): (variables: Variables) => number {
  const root = schema.getRootType(operation.operation) ?? undefined;
  let fixed = 0;
  /** Searches that depend on whether a variable is given. */
  const searches: string[] = [];
  const walk = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) walk(fragment.selectionSet);
      } else {
        const field = root?.getFields()[selection.name.value];
        const filter = selection.arguments?.find(({ name }) => name.value === 'filter')?.value;
        if (operation.operation === OperationTypeNode.MUTATION) fixed += pointsOf.write;
        else if (field === undefined) fixed += pointsOf.read;
        else if (filter?.kind === Kind.VARIABLE) searches.push(filter.name.value);
        else if (filter?.kind === Kind.OBJECT && filter.fields.length > 0) fixed += pointsOf.search;
        else
          fixed +=
            isListType(getNullableType(field.type)) || isConnection(getNamedType(field.type)) ? pointsOf.list : pointsOf.read;
      }
    }
  };
  walk(operation.selectionSet);
  return (variables) =>
    searches.reduce((sum, name) => sum + (isFilter(variables[name]) ? pointsOf.search : pointsOf.list), fixed);
}

function isFilter(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some((part) => part !== null && part !== undefined);
}
