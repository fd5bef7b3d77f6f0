import {
  BREAK,
  GraphQLError,
  Kind,
  OperationTypeNode,
  parse,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { pointsOf } from '#kernel/auth/rate.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import { compileCost, compilePoints } from './cost.ts';
import type { RefusalFacts } from './refusal.ts';
import type { Variables } from './subgraph-access.ts';

/*
 * What one document may be, decided before it is validated or planned: the planner has no time-out, and validation compares
 * fields pair by pair. Counts are those of the document with its fragments opened; each fragment is counted once and multiplied,
 * so that a document that would open to millions of fields costs as little as its text is long.
 */

/** Every limit of one document. No name is exempt, save a document that asks for the schema alone. */
export const documentLimits = {
  tokens: 2_000,
  depth: 12,
  aliases: 30,
  rootFields: 10,
  directives: 20,
  selections: 5_000,
  cost: 20_000,
  mutationFields: 1,
} as const;
export type DocumentLimit = keyof typeof documentLimits;

/** One response key so often in one selection is told as too many selections: validation compares each pair of them. */
const sameKeyLimit = 100;

export interface DocumentRefusal {
  readonly ok: false;
  readonly reason: Reason;
  readonly facts: RefusalFacts;
}

export interface DocumentFacts {
  readonly ok: true;
  /** What it is called in the log; its own name, or "anonymous". */
  readonly name: string;
  readonly kind: 'query' | 'mutation';
  /** Response keys when nothing but `__typename` of the root is asked: whoever has no token may. */
  readonly typeNames: readonly string[] | null;
  /** Nothing but `__schema`, `__type` and `__typename`. */
  readonly introspection: boolean;
  /** Fields with fragments opened. */
  readonly selections: number;
  /** Points of the rate limit. */
  points(variables: Variables): number;
  /** Which limit these variables break, if any. */
  broken(variables: Variables): DocumentRefusal | null;
}

export type Inspection = DocumentFacts | DocumentRefusal;

/** Inspections kept, and the characters of their texts together. */
const kept = { max: 2_000, maxSize: 8 * 1024 * 1024 };

export interface Limits {
  inspect(query: string, operationName: string | null): Inspection;
  size(): number;
}

export function openLimits(schema: GraphQLSchema, options: { readonly production: boolean }): Limits {
  const inspections = new LRUCache<string, Inspection>({ ...kept, sizeCalculation: (_, key) => key.length });
  return {
    inspect(query, operationName) {
      const key = documentKey(query, operationName);
      const known = inspections.get(key);
      if (known !== undefined) return known;
      const inspection = inspectDocument(schema, query, operationName, options.production);
      inspections.set(key, inspection);
      return inspection;
    },
    size: () => inspections.size,
  };
}

/** Under which a document is remembered: no two pairs of name and text share one, whatever characters they hold. */
export function documentKey(query: string, operationName: string | null): string {
  return JSON.stringify([operationName, query]);
}

export function inspectDocument(
  schema: GraphQLSchema,
  query: string,
  operationName: string | null,
  production: boolean,
): Inspection {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: documentLimits.tokens, noLocation: true });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (error.message.includes('tokens')) return tooMuch('tokens');
    return { ok: false, reason: 'GRAPHQL_SYNTAX', facts: error.locations === undefined ? {} : { locations: error.locations } };
  }
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    else if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else return { ok: false, reason: 'GRAPHQL_INVALID', facts: {} };
  }
  const operation = chosen(operations, operationName);
  if (operation === null) return { ok: false, reason: 'OPERATION_UNKNOWN', facts: {} };
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) return { ok: false, reason: 'OPERATION_KIND', facts: {} };
  if (usesReservedName(document)) return { ok: false, reason: 'NAME_RESERVED', facts: {} };
  const counts = new Counts(fragments);
  // Every operation of the document is validated, so each is counted; the one that runs decides about the schema's own fields.
  const all = operations.map((one) => counts.of(one.selectionSet, one.directives?.length ?? 0));
  const roots = rootNames(operation.selectionSet, fragments);
  const introspection = roots.length > 0 && roots.every(({ name }) => introspectionFields.has(name));
  const schemaAsked = roots.some(({ name }) => name === '__schema' || name === '__type');
  if (schemaAsked && production) return { ok: false, reason: 'INTROSPECTION_CLOSED', facts: { which: 'introspection' } };
  const schemaAlone = introspection && schemaAsked && operations.length === 1;
  if (counts.cyclic) return { ok: false, reason: 'GRAPHQL_INVALID', facts: { detail: 'Cannot spread fragment within itself.' } };
  if (!schemaAlone) {
    for (const count of all) {
      const broken = brokenLimit(count, operation);
      if (broken !== null) return tooMuch(broken);
    }
    if (counts.mostAlike > sameKeyLimit) return tooMuch('selections');
  }
  const cost = schemaAlone ? null : compileCost(schema, operation, fragments, documentLimits.cost);
  if (cost?.always === 'over') return tooMuch('cost');
  return {
    ok: true,
    name: operation.name?.value ?? 'anonymous',
    kind: operation.operation,
    typeNames: roots.every(({ name }) => name === '__typename') ? roots.map(({ key }) => key) : null,
    introspection: schemaAlone,
    selections: all[operations.indexOf(operation)]?.selections ?? 0,
    points: schemaAlone ? () => pointsOf.read : compilePoints(schema, operation, fragments),
    broken: (variables) =>
      cost !== null && cost.always === 'depends' && cost.of(variables) > documentLimits.cost ? tooMuch('cost') : null,
  };
}

const introspectionFields = new Set(['__schema', '__type', '__typename']);

function tooMuch(which: DocumentLimit): DocumentRefusal {
  return { ok: false, reason: 'DOCUMENT_LIMIT', facts: { which } };
}

function chosen(operations: readonly OperationDefinitionNode[], name: string | null): OperationDefinitionNode | null {
  if (name === null || name === '') return operations.length === 1 ? (operations[0] ?? null) : null;
  return operations.find((operation) => operation.name?.value === name) ?? null;
}

function brokenLimit(count: Count, operation: OperationDefinitionNode): DocumentLimit | null {
  if (count.depth > documentLimits.depth) return 'depth';
  if (count.aliases > documentLimits.aliases) return 'aliases';
  if (operation.operation === OperationTypeNode.MUTATION && count.tops > documentLimits.mutationFields) return 'mutationFields';
  if (count.tops > documentLimits.rootFields) return 'rootFields';
  if (count.directives > documentLimits.directives) return 'directives';
  if (count.selections > documentLimits.selections) return 'selections';
  return null;
}

interface Count {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly selections: number;
  /** Fields of the selection itself, fragments opened. */
  readonly tops: number;
  readonly keys: ReadonlyMap<string, number>;
}

const nothing: Count = { depth: 0, aliases: 0, directives: 0, selections: 0, tops: 0, keys: new Map() };

class Counts {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #known = new Map<string, Count | 'open'>();
  cyclic = false;
  /** The most fields of one response key in one selection, fragments opened. */
  mostAlike = 0;

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments;
  }

  of(set: SelectionSetNode, ownDirectives: number): Count {
    let { depth, aliases, selections, tops } = nothing;
    let directives = ownDirectives;
    const keys = new Map<string, number>();
    for (const selection of set.selections) {
      directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) {
        const inner = selection.selectionSet === undefined ? nothing : this.of(selection.selectionSet, 0);
        depth = Math.max(depth, 1 + inner.depth);
        aliases += inner.aliases + (selection.alias === undefined ? 0 : 1);
        directives += inner.directives;
        selections += 1 + inner.selections;
        tops += 1;
        add(keys, selection.alias?.value ?? selection.name.value, 1);
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT ? this.of(selection.selectionSet, 0) : this.#ofFragment(selection.name.value);
        depth = Math.max(depth, inner.depth);
        aliases += inner.aliases;
        directives += inner.directives;
        selections += inner.selections;
        tops += inner.tops;
        for (const [key, count] of inner.keys) add(keys, key, count);
      }
    }
    for (const count of keys.values()) this.mostAlike = Math.max(this.mostAlike, count);
    return { depth, aliases, directives, selections, tops, keys };
  }

  #ofFragment(name: string): Count {
    const known = this.#known.get(name);
    if (known === 'open') {
      this.cyclic = true;
      return nothing;
    }
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined) return nothing; // validation says so
    this.#known.set(name, 'open');
    const count = this.of(fragment.selectionSet, fragment.directives?.length ?? 0);
    this.#known.set(name, count);
    return count;
  }
}

function add(keys: Map<string, number>, key: string, count: number): void {
  keys.set(key, (keys.get(key) ?? 0) + count);
}

interface Root {
  readonly name: string;
  readonly key: string;
}

/** Root fields with fragments opened once each: which there are, not how often. */
function rootNames(set: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): readonly Root[] {
  const roots: Root[] = [];
  const seen = new Set<string>();
  const walk = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        roots.push({ name: selection.name.value, key: selection.alias?.value ?? selection.name.value });
      } else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) walk(fragment.selectionSet);
      }
    }
  };
  walk(set);
  return roots;
}

/** Names that every object inherits: as alias, variable or input key they could reach a prototype. */
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

function usesReservedName(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Name: ({ value }) => {
      if (!reserved.has(value)) return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}

/** Whether a value of a request holds a key that could reach a prototype. */
export function hasReservedKey(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next as unknown[]) if (typeof item === 'object') open.push(item);
      continue;
    }
    for (const [key, inner] of Object.entries(next)) {
      if (reserved.has(key)) return true;
      if (typeof inner === 'object') open.push(inner);
    }
  }
  return false;
}
