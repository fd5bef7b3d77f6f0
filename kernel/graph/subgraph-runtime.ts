import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  TypeInfo,
  visit,
  visitWithTypeInfo,
  GraphQLError,
  execute as interpretOperation,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { auditActions, type AuditAction } from '../audit/actions.ts';
import type { CountRecord, ReadAudit } from '../audit/audit.ts';
import type { Caller } from '../auth/principal.ts';
import { toGraphQLError } from '../errors/to-graphql.ts';
import type { Log } from '../log.ts';
import type { OpenSubgraph, SubgraphDeps, SubgraphModule } from '../subgraph.ts';
import { NotUnderstood, compileOperation, type CompiledOperation, type OperationResult } from './compiled-operation.ts';
import { readSubgraphSdl } from './sdl.ts';
import type { Declined, SubgraphAnswer, SubgraphDoor, SubgraphError, SubgraphRequest } from './subgraph-call.ts';

/** Operations kept per subgraph. The texts come from the gateway's plans, so their number is that of the documents in use. */
const operationLimit = 1_000;

export interface SubgraphRuntime extends SubgraphDoor {
  readonly schema: GraphQLSchema;
  close(): Promise<void>;
}

export interface RuntimeOptions {
  /** graphql-js instead of compiled operations: the truth that the compiled ones are compared with. */
  readonly interpreted?: boolean;
  /** Told of every mistake of our own (`INTERNAL`): the caller sees no more of it than the trace id. */
  readonly log?: Log;
}

interface Prepared {
  readonly document: DocumentNode;
  readonly compiled: CompiledOperation | null;
  readonly errors: readonly GraphQLError[];
}

/**
 * Runs the operations of one subgraph: each with a fresh context, its reads noted and committed as one audit row.
 *
 * The answer comes back with its audit row still to be written: `audit` of the answer.
 */
export function openRuntime(
  module: SubgraphModule,
  deps: SubgraphDeps,
  audit: ReadAudit,
  options: RuntimeOptions = {},
): SubgraphRuntime {
  const open: OpenSubgraph = module.open(deps);
  const schema = buildSubgraphSchema({ typeDefs: parse(readSubgraphSdl(module.schema)), resolvers: resolverMap(open) });
  const operations = new LRUCache<string, Prepared>({ max: operationLimit });

  function prepare(query: string): Prepared {
    const known = operations.get(query);
    if (known !== undefined) return known;
    const document = parse(query, { noLocation: true });
    const errors = validate(schema, document);
    const prepared = { document, errors, compiled: errors.length > 0 ? null : compile(schema, document) };
    operations.set(query, prepared);
    return prepared;
  }

  function refusalOf(error: unknown, caller: Caller): SubgraphError {
    const told = refusal(error, caller, module.name);
    if (told.extensions.code === 'INTERNAL') {
      const { traceId, operation } = caller;
      const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
      options.log?.error('subgraph.failed', { subgraph: module.name, traceId, operation }, cause);
    }
    return told;
  }

  async function execute(request: SubgraphRequest): Promise<SubgraphAnswer> {
    const { caller, variables } = request;
    let prepared: Prepared;
    try {
      prepared = prepare(request.query);
    } catch (error) {
      return { data: null, errors: [refusalOf(error, caller)], audit: nothing };
    }
    if (prepared.errors.length > 0) {
      return { data: null, errors: prepared.errors.map((error) => refusalOf(error, caller)), audit: nothing };
    }
    const notes = new Notes(caller);
    const context = open.context(notes);
    const { compiled, document } = prepared;
    const result =
      compiled === null || options.interpreted === true
        ? await interpret(schema, document, context, variables)
        : await compiled.run(context, variables);
    const writeDown = notes.empty
      ? nothing
      : () =>
          audit.commit({
            caller,
            subgraph: module.name,
            action: notes.action,
            subjects: shared(caller, notes.subjects),
            fields: result.coordinates,
            ...(notes.counts.length > 0 && { counts: notes.counts }),
          });
    const { declined } = notes;
    if (result.errors.length === 0 && declined === null) return { data: result.data, audit: writeDown };
    return {
      data: result.data,
      ...(result.errors.length > 0 && { errors: result.errors.map((error) => refusalOf(error, caller)) }),
      ...(declined !== null && { declined }),
      audit: writeDown,
    };
  }

  return { name: module.name, schema, execute, close: () => open.close() };
}

const done = Promise.resolve();
/** Of an answer in which nobody's data are. */
const nothing = (): Promise<void> => done;

/** Whose data the resolvers of one operation return, or what it was refused with. */
class Notes {
  readonly caller: Caller;
  readonly #subjects = new Set<string>();
  #action: AuditAction | null = null;
  readonly counts: CountRecord[] = [];
  declined: Declined | null = null;

  constructor(caller: Caller) {
    this.caller = caller;
  }
  /** A property, so that a resolver may take it out of the call. */
  readonly note = (action: AuditAction, subject: string): void => {
    this.#subjects.add(subject);
    this.#act(action);
  };
  counted(action: AuditAction, question: string, count: number): void {
    this.counts.push({ question, count });
    this.#act(action);
  }
  decline(declined: Declined): void {
    this.declined = declined;
  }
  get empty(): boolean {
    return this.#subjects.size === 0 && this.counts.length === 0;
  }
  get subjects(): readonly string[] {
    return [...this.#subjects];
  }
  /** One row has one action: of several the first in the list, which goes from the person outwards; the fields tell the rest. */
  get action(): AuditAction {
    return this.#action ?? 'citizen.read';
  }
  #act(action: AuditAction): void {
    if (this.#action === null || auditActions.indexOf(action) < auditActions.indexOf(this.#action)) this.#action = action;
  }
}

const subjectLists = new WeakMap<Caller, (readonly string[])[]>();

/** The list that another subgraph noted for the same request, where it is the same: the audit sends equal objects once. */
function shared(caller: Caller, subjects: readonly string[]): readonly string[] {
  const lists = subjectLists.get(caller) ?? [];
  const same = lists.find(
    (list) => list.length === subjects.length && list.every((subject, index) => subject === subjects[index]),
  );
  if (same !== undefined) return same;
  lists.push(subjects);
  subjectLists.set(caller, lists);
  return subjects;
}

/** What the gateway is told: the catalogue's text, where, and which subgraph speaks. */
function refusal(error: unknown, caller: Caller, subgraph: string): SubgraphError {
  const { message, extensions } = toGraphQLError(error, caller);
  const path = error instanceof GraphQLError ? error.path : undefined;
  return { message, ...(path !== undefined && { path }), extensions: { ...extensions, subgraph } };
}

function compile(schema: GraphQLSchema, document: DocumentNode): CompiledOperation | null {
  const compiled = compileOperation(schema, document);
  if (compiled === null) return null;
  try {
    compiled.check();
    return compiled;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

async function interpret(
  schema: GraphQLSchema,
  document: DocumentNode,
  contextValue: unknown,
  variableValues: Readonly<Record<string, unknown>>,
): Promise<OperationResult> {
  const result = await interpretOperation({ schema, document, contextValue, variableValues });
  return { data: result.data ?? null, errors: result.errors ?? [], coordinates: coordinatesOf(schema, document) };
}

/** Every coordinate of a document, whatever its conditions say. */
function coordinatesOf(schema: GraphQLSchema, document: DocumentNode): readonly string[] {
  const found = new Set<string>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field: ({ name: { value } }) => {
        const parent = types.getParentType();
        if (parent !== null && parent !== undefined && !value.startsWith('_')) found.add(`${parent.name}.${value}`);
      },
    }),
  );
  return [...found].sort();
}

type ResolverMap = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { typeDefs: unknown; resolvers?: unknown }>['resolvers']
>;

function resolverMap(open: OpenSubgraph): ResolverMap {
  return open.resolvers as ResolverMap;
}
