import type { FetchNode, PlanNode, QueryPlan, QueryPlanFieldNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { isAbstractType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';
import { NotUnderstood } from '#kernel/graph/compiled-operation.ts';
import type { SubgraphDoor, SubgraphError } from '#kernel/graph/subgraph-call.ts';
import { ask, type OperationRun, type Variables } from './subgraph-access.ts';
import type { ExecutionError } from './refusal.ts';

/*
 * The stock planner's plan, compiled once into closures. Does what `executeQueryPlan` of @apollo/gateway does, with two savings:
 * an entity that many places refer to is asked once, and what a subgraph gives is merged without a walk where nothing is there
 * yet. Rewrites, contexts, deferred parts and subscriptions are not understood: such a plan stays on the stock executor.
 */

type Data = Record<string, unknown>;

interface Execution {
  readonly run: OperationRun;
  /** As the caller sent them: subgraphs coerce for themselves. */
  readonly variables: Variables;
  readonly data: Data;
  readonly errors: ExecutionError[];
}

/** Works on what stands at its path; `at` is the list of objects there, without nulls. */
type Step = (execution: Execution) => Promise<void>;

export interface PlanResult {
  readonly data: Data;
  readonly errors: readonly ExecutionError[];
}

export type CompiledPlan = (run: OperationRun, variables: Variables) => Promise<PlanResult>;

interface Surroundings {
  /** What clients see: a type that they do not see is not understood here. */
  readonly schema: GraphQLSchema;
  readonly doors: ReadonlyMap<string, SubgraphDoor>;
  /** Values of the variables that decide a condition; others are unknown when a plan is compiled. */
  readonly conditions: Variables;
}

export function compilePlan(plan: QueryPlan, surroundings: Surroundings): CompiledPlan {
  const { node } = plan;
  if (node?.kind === 'Subscription') throw new NotUnderstood(node.kind);
  const step = node === undefined ? nothing : compileNode(node, [], surroundings);
  return async (run, variables) => {
    const execution: Execution = { run, variables, data: {}, errors: [] };
    await step(execution);
    return execution;
  };
}

const done = Promise.resolve();
const nothing: Step = () => done;

function compileNode(node: PlanNode, path: readonly string[], surroundings: Surroundings): Step {
  switch (node.kind) {
    case 'Sequence':
      return sequence(node.nodes.map((child) => compileNode(child, path, surroundings)));
    case 'Parallel':
      return parallel(node.nodes.map((child) => compileNode(child, path, surroundings)));
    case 'Flatten':
      return compileNode(node.node, [...path, ...node.path.map(String)], surroundings);
    case 'Fetch':
      return compileFetch(node, path, surroundings);
    case 'Condition': {
      const value = surroundings.conditions[node.condition];
      if (typeof value !== 'boolean') throw new NotUnderstood(`condition $${node.condition}`);
      const branch = value ? node.ifClause : node.elseClause;
      return branch === undefined ? nothing : compileNode(branch, path, surroundings);
    }
    case 'Defer':
      throw new NotUnderstood(node.kind);
  }
}

function sequence(steps: readonly Step[]): Step {
  return async (execution) => {
    for (const step of steps) await step(execution);
  };
}

function parallel(steps: readonly Step[]): Step {
  return async (execution) => {
    await Promise.all(steps.map((step) => step(execution)));
  };
}

function compileFetch(node: FetchNode, path: readonly string[], surroundings: Surroundings): Step {
  if (
    [node.inputRewrites, node.outputRewrites, node.contextRewrites].some(
      (rewrites) => rewrites !== undefined && rewrites.length > 0,
    )
  ) {
    throw new NotUnderstood('rewrites');
  }
  const door = surroundings.doors.get(node.serviceName);
  if (door === undefined) throw new NotUnderstood(`subgraph ${node.serviceName}`);
  const usages = node.variableUsages ?? [];
  const variablesOf = (all: Variables): Data => {
    const used: Data = {};
    for (const name of usages) if (Object.hasOwn(all, name) && all[name] !== undefined) used[name] = all[name];
    return used;
  };
  const { operation: query, requires } = node;
  return requires === undefined
    ? fetchRoots(door, query, path, variablesOf)
    : fetchEntities(door, query, path, variablesOf, compileRequires(requires, surroundings.schema));
}

function fetchRoots(door: SubgraphDoor, query: string, path: readonly string[], variablesOf: (all: Variables) => Data): Step {
  return (execution) => {
    const places = placesAt(execution.data, path);
    if (places.length === 0) return done;
    return ask(door, execution.run, query, variablesOf(execution.variables)).then((answer) => {
      for (const error of answer.errors ?? []) execution.errors.push({ ...error, path: error.path && [...path, ...error.path] });
      if (answer.data !== null) for (const place of places) merge(place, answer.data);
    });
  };
}

function fetchEntities(
  door: SubgraphDoor,
  query: string,
  path: readonly string[],
  variablesOf: (all: Variables) => Data,
  represent: Represent,
): Step {
  return (execution) => {
    const places = placesAt(execution.data, path);
    const representations: Data[] = [];
    /** By representation: the objects that stand for this entity, and their positions as the stock executor would count them. */
    const standing: { readonly place: Data; readonly position: number }[][] = [];
    const known = new Map<string, number>();
    let position = 0;
    for (const place of places) {
      const representation = represent(place);
      if (representation === null) continue;
      const key = keyOf(representation);
      const at = key === null ? undefined : known.get(key);
      if (at === undefined) {
        if (key !== null) known.set(key, representations.length);
        representations.push(representation);
        standing.push([{ place, position }]);
      } else standing[at]?.push({ place, position });
      position += 1;
    }
    if (representations.length === 0) return done;
    return ask(door, execution.run, query, { ...variablesOf(execution.variables), representations }).then(({ data, errors }) => {
      if (errors !== undefined) tellErrors(execution, path, errors, standing);
      const received = data?._entities;
      if (!Array.isArray(received)) return;
      for (let index = 0; index < standing.length; index += 1) {
        const entity: unknown = received[index];
        if (typeof entity === 'object' && entity !== null)
          for (const { place } of standing[index] ?? []) merge(place, entity as Data);
      }
    });
  };
}

/** An entity known by one text: `typename id`. Others (compound keys, required fields) are asked place by place. */
function keyOf(representation: Data): string | null {
  let count = 0;
  for (const _ in representation) count += 1;
  const { id, __typename } = representation;
  return count === 2 && typeof id === 'string' && typeof __typename === 'string' ? `${__typename} ${id}` : null;
}

function tellErrors(
  execution: Execution,
  path: readonly string[],
  errors: readonly SubgraphError[],
  standing: readonly (readonly { readonly position: number }[])[],
): void {
  let hydrated: (string | number)[][] | null = null;
  for (const error of errors) {
    const index = error.path?.[1];
    if (error.path === undefined || typeof index !== 'number') {
      execution.errors.push({ ...error, path: error.path && [...path, ...error.path] });
      continue;
    }
    hydrated ??= hydratedPaths(execution.data, path);
    for (const { position } of standing[index] ?? []) {
      execution.errors.push({ ...error, path: [...(hydrated[position] ?? []), ...error.path.slice(2)] });
    }
  }
}

/** The objects at a path, lists opened, nulls left out. */
function placesAt(data: Data, path: readonly string[]): readonly Data[] {
  const places: Data[] = [];
  collectPlaces(data, path, 0, places);
  return places;
}

function collectPlaces(value: unknown, path: readonly string[], depth: number, places: Data[]): void {
  if (value === null || value === undefined) return;
  const step = path[depth];
  if (step === undefined) {
    if (Array.isArray(value)) for (const item of value) collectPlaces(item, path, depth, places);
    else places.push(value as Data);
  } else if (step === '@') {
    if (Array.isArray(value)) for (const item of value) collectPlaces(item, path, depth + 1, places);
  } else if (Object.hasOwn(value, step)) collectPlaces((value as Data)[step], path, depth + 1, places);
}

/** Where each object at a path stands in the answer: with positions in place of `@`. */
function hydratedPaths(data: Data, path: readonly string[]): (string | number)[][] {
  const paths: (string | number)[][] = [];
  const walk = (value: unknown, depth: number, at: (string | number)[]): void => {
    if (value === null || value === undefined) return;
    const step = path[depth];
    if (step === undefined) paths.push(at);
    else if (step === '@') {
      if (Array.isArray(value)) value.forEach((item, index) => walk(item, depth + 1, [...at, index]));
    } else if (Object.hasOwn(value, step)) walk((value as Data)[step], depth + 1, [...at, step]);
  };
  walk(data, 0, []);
  return paths;
}

/** Key fields of an entity as a subgraph wants them; null when the place is of another type or lacks one. */
type Represent = (place: Data) => Data | null;

function compileRequires(requires: readonly QueryPlanSelectionNode[], schema: GraphQLSchema): Represent {
  const read = compileFields(requires, schema);
  return (place) => {
    const representation = read(place);
    return representation?.__typename === undefined ? null : representation;
  };
}

function namesOf(typeCondition: string, schema: GraphQLSchema): ReadonlySet<string> {
  const type = schema.getType(typeCondition);
  const names = new Set([typeCondition]);
  if (isAbstractType(type)) for (const possible of schema.getPossibleTypes(type)) names.add(possible.name);
  if (!isObjectType(type) && !isInterfaceType(type)) throw new NotUnderstood(`requires on ${typeCondition}`);
  return names;
}

type ReadFields = (source: Data) => Data | null;

function compileFields(selections: readonly QueryPlanSelectionNode[], schema: GraphQLSchema): ReadFields {
  const parts = selections.map((selection): ((source: Data, found: Data) => boolean) => {
    if (selection.kind === 'Field') {
      const name = responseName(selection);
      const inner = selection.selections === undefined ? null : compileFields(selection.selections, schema);
      return (source, found) => {
        const value = Object.hasOwn(source, name) ? source[name] : undefined;
        if (value === undefined) return false;
        found[name] = inner === null ? value : readInner(value, inner);
        return true;
      };
    }
    const { typeCondition } = selection;
    if (typeCondition === undefined) throw new NotUnderstood('requires with a fragment of no type');
    const typeNames = namesOf(typeCondition, schema);
    const inner = compileFields(selection.selections, schema);
    return (source, found) => {
      if (typeNames.has(source.__typename as string)) {
        const more = inner(source);
        if (more !== null) merge(found, more);
      }
      return true;
    };
  });
  return (source) => {
    const found: Data = {};
    for (const part of parts) if (!part(source, found)) return null;
    return found;
  };
}

function readInner(value: unknown, inner: ReadFields): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : inner(item as Data)));
  return value === null ? null : inner(value as Data);
}

function responseName(field: QueryPlanFieldNode): string {
  return field.alias ?? field.name;
}

/** Puts what came into what is there: objects and lists of equal length are joined, everything else is replaced. */
function merge(target: Data, source: Data): Data {
  for (const key in source) {
    const value = source[key];
    if (value === undefined || key === '__proto__') continue;
    const there = Object.hasOwn(target, key) ? target[key] : undefined;
    if (there === undefined || there === null || typeof value !== 'object' || value === null) target[key] = value;
    else if (Array.isArray(value)) {
      if (Array.isArray(there) && there.length === value.length) mergeLists(there, value);
      else target[key] = value;
    } else if (typeof there === 'object') merge(there as Data, value as Data);
    else target[key] = value;
  }
  return target;
}

function mergeLists(target: unknown[], source: readonly unknown[]): void {
  for (const [index, value] of source.entries()) {
    const there = target[index];
    if (isObject(there) && isObject(value)) merge(there, value);
    else target[index] = value;
  }
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
