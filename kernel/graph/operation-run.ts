import {
  GraphQLError,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { FieldNodes, Selecting } from './collect-fields.ts';

/* One run of a compiled operation: where it stands, what went wrong, how a null rises. */

type Holder = Record<string, unknown> | unknown[];

/** Where an object or list of the answer hangs: serves paths of errors and nulls that rise. */
export class Frame {
  readonly up: Frame | null;
  readonly key: string | number;
  readonly nonNull: boolean;
  readonly holder: Holder;
  readonly typeName: string | undefined;
  dead = false;

  constructor(up: Frame | null, key: string | number, nonNull: boolean, holder: Holder, typeName: string | undefined) {
    this.up = up;
    this.key = key;
    this.nonNull = nonNull;
    this.holder = holder;
    this.typeName = typeName;
  }
}

export interface Run {
  readonly context: unknown;
  readonly variables: Record<string, unknown>;
  readonly errors: GraphQLError[];
  /** Arguments that hold variables, once per run and place. */
  readonly args: Map<Place, Readonly<Record<string, unknown>>>;
  pending: number;
  rootDead: boolean;
  finish: () => void;
}

/** One operation in one combination of its conditions. */
export interface Shape extends Selecting {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  /** Coordinates met while compiling. */
  readonly coordinates: Set<string>;
}

/** A field where it is selected: what errors and resolvers are told about it. */
export interface Place {
  readonly parentType: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: FieldNodes;
}

export function put(frame: Frame, key: string | number, value: unknown): void {
  (frame.holder as Record<string | number, unknown>)[key] = value;
}

/** What resolvers may ask about the operation; the path is made only when asked for. */
export class ResolveInfo implements GraphQLResolveInfo {
  readonly #shape: Shape;
  readonly #place: Place;
  readonly #run: Run;
  readonly #frame: Frame;
  readonly #key: string | number;

  constructor(shape: Shape, place: Place, run: Run, frame: Frame, key: string | number) {
    this.#shape = shape;
    this.#place = place;
    this.#run = run;
    this.#frame = frame;
    this.#key = key;
  }
  get fieldName(): string {
    return this.#place.field.name;
  }
  get fieldNodes(): readonly FieldNode[] {
    return this.#place.nodes;
  }
  get returnType(): GraphQLOutputType {
    return this.#place.field.type;
  }
  get parentType(): GraphQLObjectType {
    return this.#place.parentType;
  }
  get path(): Path {
    return pathOf(this.#frame, this.#key);
  }
  get schema(): GraphQLSchema {
    return this.#shape.schema;
  }
  get fragments(): Record<string, FragmentDefinitionNode> {
    return this.#shape.fragments;
  }
  get rootValue(): undefined {
    return undefined;
  }
  get operation(): OperationDefinitionNode {
    return this.#shape.operation;
  }
  get variableValues(): Record<string, unknown> {
    return this.#run.variables;
  }
}

type Path = GraphQLResolveInfo['path'];

function pathOf(frame: Frame, key: string | number): Path {
  return { prev: frame.up === null ? undefined : pathOf(frame.up, frame.key), key, typename: frame.typeName };
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** A field has no value: note why, once per null, and let the null rise to the next place that may be null. */
export function fail(run: Run, frame: Frame, key: string | number, nonNull: boolean, error: unknown, place: Place): void {
  for (let above: Frame | null = frame; above !== null; above = above.up) if (above.dead) return;
  const path: (string | number)[] = [key];
  for (let above = frame; above.up !== null; above = above.up) path.unshift(above.key);
  const original = error instanceof Error ? error : new Error('A resolver threw what is no error.', { cause: error });
  run.errors.push(new GraphQLError(original.message, { nodes: place.nodes, path, originalError: original }));
  if (!nonNull) {
    put(frame, key, null);
    return;
  }
  for (let rising = frame; ;) {
    rising.dead = true;
    const { up } = rising;
    if (up === null) {
      run.rootDead = true;
      return;
    }
    if (!rising.nonNull) {
      put(up, rising.key, null);
      return;
    }
    rising = up;
  }
}
