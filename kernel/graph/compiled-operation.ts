import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  defaultFieldResolver,
  defaultTypeResolver,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { getArgumentValues, getVariableValues } from 'graphql/execution/values.js';
import { collectFields } from './collect-fields.ts';
import { memoByConditions } from './conditions.ts';
import type { ResolvedEntity } from './entities.ts';
import { entitiesResolver } from './entities.ts';
import { Frame, ResolveInfo, fail, isPromise, put, type Place, type Run, type Shape } from './operation-run.ts';
import { compileTakeOver, namesOf, plainLeaf, type PlainLeaf } from './plain-leaf.ts';

/*
 * An operation of one subgraph, compiled once into closures and run many times.
 *
 * Same data, same errors, same nulls as graphql-js (compared in test/differential), with two liberties of the
 * specification: a field below a null that has already risen reports no error of its own, and a value that is already there is
 * completed without waiting for its neighbours. What is not understood here (subscriptions, several root mutations, `isTypeOf`)
 * answers null from `compileOperation` and runs on graphql-js.
 */

export interface OperationResult {
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly GraphQLError[];
  /** Coordinates (`Type.field`) that this run could read, sorted; without the federation's own fields. */
  readonly coordinates: readonly string[];
}

export interface CompiledOperation {
  /** Throws {@link NotUnderstood} when the operation without its conditions cannot be compiled. */
  check(): void;
  run(contextValue: unknown, variables: Values): Promise<OperationResult>;
}

type Values = Readonly<Record<string, unknown>>;
type Source = Record<string, unknown>;

/** Puts the completed value under `key` of the frame's holder. Never throws, save where it says so. */
type Complete = (run: Run, value: unknown, frame: Frame, key: string | number) => void;
type RunField = (run: Run, source: Source, frame: Frame) => void;

/** A selected field. */
interface Field {
  readonly key: string;
  /** How it can be taken over from the row without a call; null where it cannot. */
  readonly plain: PlainLeaf | string | null;
  readonly run: RunField;
}

export function compileOperation(schema: GraphQLSchema, document: DocumentNode): CompiledOperation | null {
  const fragments: Record<string, FragmentDefinitionNode> = {};
  let operation: OperationDefinitionNode | null = null;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
    else if (definition.kind === Kind.OPERATION_DEFINITION && operation === null) operation = definition;
    else return null;
  }
  if (operation === null || !understood(schema, operation)) return null;
  const found: OperationDefinitionNode = operation;
  const variant = memoByConditions(document, (conditions) => compileVariant(schema, found, fragments, conditions));
  const coerce = compileVariables(schema, found);
  return {
    check: () => void variant({}),
    run: (contextValue, variables) => {
      const values = coerce(variables);
      if ('errors' in values) return Promise.resolve({ data: null, errors: values.errors, coordinates: [] });
      return variant(values.coerced).run(contextValue, values.coerced);
    },
  };
}

function understood(schema: GraphQLSchema, operation: OperationDefinitionNode): boolean {
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) return false;
  if (operation.operation === OperationTypeNode.MUTATION) {
    const { selections } = operation.selectionSet;
    if (selections.length !== 1 || selections[0]?.kind !== Kind.FIELD) return false;
  }
  return !Object.values(schema.getTypeMap()).some((type) => isObjectType(type) && type.isTypeOf);
}

type Coerced = { readonly coerced: Record<string, unknown> } | { readonly errors: readonly GraphQLError[] };

/** `representations` come from the gateway's own plan: only their shape is checked, each entity checks its key. */
function compileVariables(schema: GraphQLSchema, operation: OperationDefinitionNode): (variables: Values) => Coerced {
  const definitions = operation.variableDefinitions ?? [];
  const others = definitions.filter((definition) => definition.variable.name.value !== 'representations');
  const hasRepresentations = others.length !== definitions.length;
  return (variables) => {
    const rest = others.length === 0 ? { coerced: {} } : getVariableValues(schema, others, variables, { maxErrors: 10 });
    if (rest.coerced === undefined) return { errors: rest.errors };
    if (!hasRepresentations) return { coerced: rest.coerced };
    const { representations } = variables;
    if (!Array.isArray(representations) || !representations.every((item) => typeof item === 'object' && item !== null)) {
      return { errors: [new GraphQLError('Variable "$representations" is not a list of entities.')] };
    }
    return { coerced: { ...rest.coerced, representations } };
  };
}

interface Variant {
  run(contextValue: unknown, variables: Record<string, unknown>): Promise<OperationResult>;
}

function compileVariant(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Record<string, FragmentDefinitionNode>,
  conditions: Values,
): Variant {
  const rootType = schema.getRootType(operation.operation);
  if (rootType === undefined || rootType === null) throw new Error(`The schema has no ${operation.operation}.`);
  const shape: Shape = { schema, operation, fragments, conditions, coordinates: new Set() };
  const fields = compileSelections(shape, rootType, [operation.selectionSet]);
  const coordinates = [...shape.coordinates].sort();
  return {
    run: (context, variables) =>
      new Promise((resolve) => {
        const data: Record<string, unknown> = {};
        const run: Run = {
          context,
          variables,
          errors: [],
          args: new Map(),
          pending: 1,
          rootDead: false,
          finish: () => {
            resolve({ data: run.rootDead ? null : data, errors: run.errors, coordinates });
          },
        };
        const root = new Frame(null, '', false, data, rootType.name);
        for (const field of fields) field.run(run, {}, root);
        settle(run);
      }),
  };
}

function settle(run: Run): void {
  run.pending -= 1;
  if (run.pending === 0) run.finish();
}

function compileSelections(shape: Shape, type: GraphQLObjectType, sets: readonly SelectionSetNode[]): readonly Field[] {
  const compiled: Field[] = [];
  for (const [key, nodes] of collectFields(shape, type, sets)) {
    const name = nodes[0].name.value;
    if (name === '__typename') {
      compiled.push({ key, plain: type.name, run: (_run, _source, frame) => put(frame, key, type.name) });
      continue;
    }
    const field = name.startsWith('__') ? undefined : type.getFields()[name];
    if (field === undefined) throw new NotUnderstood(`${type.name}.${name}`);
    const run = compileField(shape, { parentType: type, field, nodes }, key);
    compiled.push({ key, plain: plainLeaf(field), run });
  }
  return compiled;
}

/** Introspection inside an operation: left to graphql-js. */
export class NotUnderstood extends Error {}

function compileField(shape: Shape, place: Place, key: string): RunField {
  const { parentType, field, nodes } = place;
  const entities = field.name === '_entities';
  if (!entities && field.name !== '_service') shape.coordinates.add(`${parentType.name}.${field.name}`);
  const nonNull = isNonNullType(field.type);
  const complete = compileComplete(shape, field.type, place);
  const resolve = entities ? entitiesResolver(shape.schema) : field.resolve;
  const { name } = field;

  const settleValue = (run: Run, value: unknown, frame: Frame): void => {
    if (isPromise(value)) {
      (frame.holder as Record<string, unknown>)[key] = null; // keeps the order of keys
      run.pending += 1;
      value.then(
        (settled) => {
          if (!frame.dead) complete(run, settled, frame, key);
          settle(run);
        },
        (error: unknown) => {
          fail(run, frame, key, nonNull, error, place);
          settle(run);
        },
      );
      return;
    }
    complete(run, value, frame, key);
  };

  if (resolve === undefined) {
    return (run, source, frame) => {
      if (frame.dead) return;
      const value = source[name];
      if (typeof value !== 'function') {
        settleValue(run, value, frame);
        return;
      }
      try {
        const info = new ResolveInfo(shape, place, run, frame, key);
        settleValue(run, defaultFieldResolver(source, argumentsOf(place, run), run.context, info), frame);
      } catch (error) {
        fail(run, frame, key, nonNull, error, place);
      }
    };
  }
  // Without variables the arguments are the same each time; a resolver gets its own copy, so that it may change it.
  const fixed = field.args.length === 0 || !mentionsVariable(nodes[0]) ? getArgumentValues(field, nodes[0], {}) : null;
  return (run, source, frame) => {
    if (frame.dead) return;
    let value: unknown;
    try {
      const args = fixed === null ? argumentsOf(place, run) : { ...fixed };
      value = resolve(source, args, run.context, new ResolveInfo(shape, place, run, frame, key));
    } catch (error) {
      fail(run, frame, key, nonNull, error, place);
      return;
    }
    settleValue(run, value, frame);
  };
}

function argumentsOf(place: Place, run: Run): Record<string, unknown> {
  let known = run.args.get(place);
  if (known === undefined) {
    known = getArgumentValues(place.field, place.nodes[0], run.variables);
    run.args.set(place, known);
  }
  return { ...known };
}

function mentionsVariable(node: FieldNode): boolean {
  return JSON.stringify(node.arguments ?? [], (key, value: unknown) => (key === 'loc' ? undefined : value)).includes(
    '"Variable"',
  );
}

function compileComplete(shape: Shape, type: GraphQLOutputType, place: Place): Complete {
  if (isNonNullType(type)) {
    const inner = compileNullable(shape, type.ofType, place, true);
    return (run, value, frame, key) => {
      if (value === null || value === undefined) {
        fail(run, frame, key, true, new Error('A value that is never null was null.'), place);
        return;
      }
      inner(run, value, frame, key);
    };
  }
  const inner = compileNullable(shape, type, place, false);
  return (run, value, frame, key) => {
    if (value === null || value === undefined) put(frame, key, null);
    else inner(run, value, frame, key);
  };
}

function compileNullable(shape: Shape, type: GraphQLOutputType, place: Place, nonNull: boolean): Complete {
  if (isLeafType(type)) return completeLeaf(type, place, nonNull);
  if (isListType(type)) return completeList(shape, type.ofType as GraphQLOutputType, place, nonNull);
  const sets = place.nodes.flatMap((node) => (node.selectionSet === undefined ? [] : [node.selectionSet]));
  if (isObjectType(type)) return completeObject(type, compileSelections(shape, type, sets), nonNull);
  if (isAbstractType(type)) return completeAbstract(shape, type, sets, place, nonNull);
  throw new NotUnderstood(String(type));
}

function completeLeaf(type: GraphQLLeafType, place: Place, nonNull: boolean): Complete {
  const plainText = type.name === 'String' || type.name === 'ID';
  const plainBoolean = type.name === 'Boolean';
  const names = isEnumType(type) ? namesOf(type) : null;
  return (run, value, frame, key) => {
    if (typeof value === 'string' ? plainText || names?.has(value) === true : plainBoolean && typeof value === 'boolean') {
      put(frame, key, value);
      return;
    }
    try {
      const text: unknown = type.serialize(value);
      if (text === null || text === undefined) throw new Error(`${type.name} gave no value.`);
      put(frame, key, text);
    } catch (error) {
      fail(run, frame, key, nonNull, error, place);
    }
  };
}

function completeList(shape: Shape, itemType: GraphQLOutputType, place: Place, nonNull: boolean): Complete {
  const complete = compileComplete(shape, itemType, place);
  const itemNonNull = isNonNullType(itemType);
  return (run, value, frame, key) => {
    const items = listOf(value);
    if (items === null) {
      fail(run, frame, key, nonNull, new Error('A list was expected.'), place);
      return;
    }
    const holder = new Array<unknown>(items.length).fill(null);
    put(frame, key, holder);
    const own = new Frame(frame, key, nonNull, holder, undefined);
    for (let index = 0; index < items.length; index += 1) {
      const item: unknown = items[index];
      if (isPromise(item)) {
        run.pending += 1;
        item.then(
          (settled) => {
            if (!own.dead) complete(run, settled, own, index);
            settle(run);
          },
          (error: unknown) => {
            fail(run, own, index, itemNonNull, error, place);
            settle(run);
          },
        );
      } else if (!own.dead) complete(run, item, own, index);
    }
  };
}

function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value === 'object' && value !== null && Symbol.iterator in value) return [...(value as Iterable<unknown>)];
  return null;
}

function completeObject(type: GraphQLObjectType, fields: readonly Field[], nonNull: boolean): Complete {
  const { name } = type;
  const takeOver = compileTakeOver(fields.map(({ key, plain }) => [key, plain]));
  const others = fields.filter(({ plain }) => plain === null);
  return (run, value, frame, key) => {
    const taken = takeOver(value);
    const holder = taken ?? {};
    put(frame, key, holder);
    const left = taken === null ? fields : others;
    if (left.length === 0) return;
    const own = new Frame(frame, key, nonNull, holder, name);
    for (const field of left) {
      field.run(run, value as Source, own);
      if (own.dead) return;
    }
  };
}

function completeAbstract(
  shape: Shape,
  type: GraphQLAbstractType,
  sets: readonly SelectionSetNode[],
  place: Place,
  nonNull: boolean,
): Complete {
  const byType = new Map<string, Complete>();
  for (const possible of shape.schema.getPossibleTypes(type)) {
    byType.set(possible.name, completeObject(possible, compileSelections(shape, possible, sets), nonNull));
  }
  if (type.name === '_Entity') {
    return (run, value, frame, key) => {
      const entity = value as ResolvedEntity;
      byType.get(entity.typeName)?.(run, entity.value, frame, key);
    };
  }
  const resolveType = type.resolveType ?? defaultTypeResolver;
  const finish = (run: Run, name: unknown, value: unknown, frame: Frame, key: string | number): void => {
    const complete = typeof name === 'string' ? byType.get(name) : undefined;
    if (complete === undefined) fail(run, frame, key, nonNull, new Error(`${type.name} resolved to no type of its own.`), place);
    else complete(run, value, frame, key);
  };
  return (run, value, frame, key) => {
    try {
      const info = new ResolveInfo(shape, place, run, frame, key);
      const name = resolveType(value, run.context, info, type);
      if (!isPromise(name)) {
        finish(run, name, value, frame, key);
        return;
      }
      run.pending += 1;
      name.then(
        (settled) => {
          if (!frame.dead) finish(run, settled, value, frame, key);
          settle(run);
        },
        (error: unknown) => {
          fail(run, frame, key, nonNull, error, place);
          settle(run);
        },
      );
    } catch (error) {
      fail(run, frame, key, nonNull, error, place);
    }
  };
}
