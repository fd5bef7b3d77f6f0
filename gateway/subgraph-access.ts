import { Kind, parse, type DocumentNode, type SelectionSetNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Caller } from '#kernel/auth/principal.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { textOf } from '#kernel/errors/to-graphql.ts';
import type { Declined, SubgraphAnswer, SubgraphDoor, SubgraphError } from '#kernel/graph/subgraph-call.ts';

/** One operation of one caller on its way through the subgraphs. */
export interface OperationRun {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** What every subgraph has still to write down; the answer leaves only when all of it is durable. */
  readonly audits: (() => Promise<void>)[];
  /** What its mutation was refused with. */
  declined?: Declined;
}

export type Variables = Readonly<Record<string, unknown>>;

/** Errors that one failed call may add to an answer: a page of 100 whose fields failed is told, a list of thousands is not. */
const failuresTold = 200;

/**
 * Asks one subgraph. Never rejects: a subgraph that is down, slow or broken becomes one error for each field that it leaves null,
 * naming itself, and the rest of the answer stands.
 */
export async function ask(door: SubgraphDoor, run: OperationRun, query: string, variables: Variables): Promise<SubgraphAnswer> {
  let answer: SubgraphAnswer;
  try {
    answer = await door.execute({ query, variables, caller: run.caller, signal: run.signal });
  } catch (error) {
    return { data: null, errors: failures(door.name, run, query, variables, error), audit: nothing };
  }
  run.audits.push(answer.audit);
  if (answer.declined !== undefined) run.declined = answer.declined;
  if (answer.data !== null || answer.errors === undefined || answer.errors.some(({ path }) => path !== undefined)) return answer;
  // Refused as a whole: said again where the fields are missing.
  const [first] = answer.errors;
  return first === undefined ? answer : { ...answer, errors: spread(query, variables, first) };
}

const done = Promise.resolve();
const nothing = (): Promise<void> => done;

function failures(
  subgraph: string,
  run: OperationRun,
  query: string,
  variables: Variables,
  error: unknown,
): readonly SubgraphError[] {
  const known = error instanceof HubError ? error : new HubError('UPSTREAM_BUSY', 'SUBGRAPH_AWAY', { cause: error });
  return spread(query, variables, {
    message: textOf(known.reason, run.caller.locale),
    extensions: {
      code: known.code,
      reason: known.reason,
      subgraph,
      ...(known.retryAfter !== null && { retryAfter: known.retryAfter }),
    },
  });
}

function spread(query: string, variables: Variables, error: SubgraphError): readonly SubgraphError[] {
  return missingPaths(query, variables).map((path) => ({ ...error, path }));
}

/** Response keys of an operation: of its roots, or of each type of its `_entities`. */
interface Asked {
  readonly roots: readonly string[];
  readonly entities: ReadonlyMap<string, readonly string[]> | null;
}

const askedBy = new LRUCache<string, Asked>({ max: 500 });

function missingPaths(query: string, variables: Variables): readonly (string | number)[][] {
  let asked = askedBy.get(query);
  if (asked === undefined) {
    asked = readAsked(parse(query, { noLocation: true }));
    askedBy.set(query, asked);
  }
  const { representations } = variables;
  if (asked.entities === null || !Array.isArray(representations)) return asked.roots.map((key) => [key]);
  const paths: (string | number)[][] = [];
  for (const [index, reference] of representations.entries()) {
    const typeName = (reference as { __typename?: unknown }).__typename;
    for (const key of asked.entities.get(String(typeName)) ?? []) {
      if (paths.length === failuresTold) return paths;
      paths.push(['_entities', index, key]);
    }
  }
  return paths;
}

function readAsked(document: DocumentNode): Asked {
  const fragments = new Map(
    document.definitions.flatMap((d) => (d.kind === Kind.FRAGMENT_DEFINITION ? [[d.name.value, d] as const] : [])),
  );
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const keysOf = (set: SelectionSetNode): string[] =>
    set.selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD)
        return selection.name.value === '__typename' ? [] : [selection.alias?.value ?? selection.name.value];
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      return fragment === undefined ? [] : keysOf(fragment.selectionSet);
    });
  if (operation === undefined) return { roots: [], entities: null };
  const [only] = operation.selectionSet.selections;
  if (only?.kind !== Kind.FIELD || only.name.value !== '_entities' || only.selectionSet === undefined) {
    return { roots: [...new Set(keysOf(operation.selectionSet))], entities: null };
  }
  const entities = new Map<string, string[]>();
  for (const selection of only.selectionSet.selections) {
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? fragments.get(selection.name.value)
        : selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : undefined;
    const typeName = fragment?.typeCondition?.name.value;
    if (fragment !== undefined && typeName !== undefined) {
      entities.set(typeName, [...new Set([...(entities.get(typeName) ?? []), ...keysOf(fragment.selectionSet)])]);
    }
  }
  return { roots: [], entities };
}
