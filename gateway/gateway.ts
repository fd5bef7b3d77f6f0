import { ApolloServer, type GraphQLResponse } from '@apollo/server';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Caller } from '#kernel/auth/principal.ts';
import { refuseVendorTelemetry } from '#kernel/config.ts';
import { errorCodes, type ErrorCode, type Reason } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import type { Declined, SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import type { Log } from '#kernel/log.ts';
import { compileDocument, featuresOf, type CompiledDocument, type Feature } from './compiled-document.ts';
import { documentKey } from './limits.ts';
import { namesIn, publicError, refusal, refusalOf, type ExecutionError, type PublicError, type RefusalFacts } from './refusal.ts';
import { largeDocument, openPlanner } from './planner.ts';
import { ask, type OperationRun, type Variables } from './subgraph-access.ts';

/*
 * One graph over the subgraphs.
 *
 * A document is seen first by the stock path: @apollo/server parses and validates it, @apollo/gateway plans and runs it. Its plan
 * is compiled on the way, and from then on the same document runs as closures. Both paths ask the subgraphs through the same
 * doors with the same caller, so permissions, scopes and the audit are the same code; the answers are compared in
 * test/differential.
 */

/** Documents whose compiled plan is kept, by text and operation name. */
const documentLimit = 1_000;
/** Longest document kept, characters; a longer one runs on the stock path each time. */
const longestKept = 20_000;

export interface Operation {
  readonly query: string;
  readonly operationName: string | null;
  /** As sent. */
  readonly variables: Variables;
  /** Fields with fragments opened, where somebody counted them: large documents are planned in a thread of their own. */
  readonly selections?: number;
}

export interface OperationAnswer {
  readonly status: number;
  /** JSON text of the whole answer. */
  readonly body: string;
  readonly path: 'compiled' | 'stock' | 'refused';
  readonly codes: readonly ErrorCode[];
  /** What stands beside each code. */
  readonly reasons: readonly string[];
  /** What a mutation was refused with, as data. */
  readonly declined?: Declined;
  /** Seconds for Retry-After. */
  readonly retryAfter: number | null;
}

export interface GatewayDeps {
  /** SDL of the composed graph. */
  readonly supergraph: string;
  readonly doors: readonly SubgraphDoor[];
  readonly production: boolean;
  readonly log: Log;
  /** Told of each operation: which way it took, and what stood in the document. */
  readonly observe?: (path: OperationAnswer['path'], features: readonly Feature[]) => void;
}

export interface Gateway {
  /** What clients see: without the federation's own types and directives. */
  readonly schema: GraphQLSchema;
  answer(operation: Operation, caller: Caller, signal: AbortSignal): Promise<OperationAnswer>;
  /** The stock path alone: the truth that the compiled one is compared with. */
  answerStock(operation: Operation, caller: Caller, signal: AbortSignal): Promise<OperationAnswer>;
  /** Compiled documents kept now. */
  compiledDocuments(): number;
  stop(): Promise<void>;
}

interface StockContext {
  readonly run: OperationRun;
}

interface Known {
  readonly compiled: CompiledDocument | null;
  readonly features: readonly Feature[];
}

export async function openGateway(deps: GatewayDeps): Promise<Gateway> {
  refuseVendorTelemetry();
  const doors = new Map<string, SubgraphDoor>(deps.doors.map((door) => [door.name, door]));
  const documents = new LRUCache<string, Known>({ max: documentLimit });
  const logger = quiet(deps.log);
  const planner = openPlanner(deps.supergraph);
  const gateway = new ApolloGateway({
    supergraphSdl: deps.supergraph,
    buildService: ({ name }) => dataSource(doors, name),
    __exposeQueryPlanExperimental: false,
    serviceHealthCheck: false,
    queryPlannerConfig: { cache: planner.store },
    logger,
    experimental_didResolveQueryPlan: ({ queryPlan, requestContext, operationContext }) => {
      const { query, operationName } = requestContext.request;
      if (query === undefined || query.length > longestKept) return;
      const key = documentKey(query, operationName ?? null);
      if (documents.has(key)) return;
      const { operation, fragments } = operationContext;
      const document = { operation, fragments, features: featuresOf(operation, fragments) };
      const compiled = compileDocument(document, queryPlan, { schema: operationContext.schema, doors });
      if (compiled === null) deps.log.debug('document.stock', { operation: operation.name?.value ?? 'anonymous' });
      documents.set(key, { compiled, features: document.features });
    },
  });
  const server = new ApolloServer<StockContext>({
    gateway,
    logger,
    introspection: !deps.production,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    nodeEnv: deps.production ? 'production' : 'development',
    // The landing page and usage reporting are HTTP's and the vendor's; this server is never reached over HTTP.
    plugins: [],
  });
  await server.start();
  const schema = apiSchemaOf(gateway);

  async function answerStock(operation: Operation, caller: Caller, signal: AbortSignal): Promise<OperationAnswer> {
    const run: OperationRun = { caller, signal, audits: [] };
    const { query, operationName, variables } = operation;
    const response = await server.executeOperation(
      { query, variables: { ...variables }, ...(operationName !== null && { operationName }) },
      { contextValue: { run } },
    );
    return await finish(run, 'stock', () => readStock(response, caller));
  }

  async function answer(operation: Operation, caller: Caller, signal: AbortSignal): Promise<OperationAnswer> {
    const key = documentKey(operation.query, operation.operationName);
    const known = documents.get(key);
    if (known === undefined && (operation.selections ?? 0) >= largeDocument) {
      await planner.prepare(operation.query, operation.operationName);
    }
    const answered = known?.compiled ? await answerCompiled(known.compiled, operation, caller, signal) : null;
    const given = answered ?? (await answerStock(operation, caller, signal));
    deps.observe?.(given.path, (known ?? documents.peek(key))?.features ?? []);
    return given;
  }

  async function answerCompiled(
    compiled: CompiledDocument,
    operation: Operation,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<OperationAnswer | null> {
    const run: OperationRun = { caller, signal, audits: [] };
    const result = await compiled(run, operation.variables);
    switch (result.kind) {
      case 'not-understood':
        return null;
      case 'variables':
        return refused([variablesRefusal(result.messages[0] ?? '', caller)]);
      case 'executed':
        return await finish(run, 'compiled', () => ({
          data: result.text,
          errors: result.errors.map((error) => publicError(error, caller)),
        }));
    }
  }

  /** The last gate: nothing leaves before every subgraph has written down what it gave. */
  async function finish(
    run: OperationRun,
    path: 'compiled' | 'stock',
    read: () => { readonly data: string | null; readonly errors: readonly PublicError[] },
  ): Promise<OperationAnswer> {
    const audit = await unwritten(run);
    if (audit !== null) {
      deps.log.error('audit.unwritten', { traceId: run.caller.traceId }, audit.cause);
      const known = audit.cause instanceof HubError;
      const why = known ? refusalOf(audit.cause, run.caller) : refusal('AUDIT_UNAVAILABLE', run.caller, { retryAfter: 2 });
      return refused([why], true);
    }
    const { data, errors } = read();
    if (data === null) return refused(errors);
    const text = errors.length === 0 ? `{"data":${data}}` : `{"errors":${JSON.stringify(errors)},"data":${data}}`;
    const { declined } = run;
    return { status: 200, body: text, path, ...told(errors), ...(declined !== undefined && { declined }), retryAfter: null };
  }

  return {
    schema,
    answer,
    answerStock,
    compiledDocuments: () => documents.size,
    async stop() {
      await server.stop();
      await planner.close();
    },
  };
}

async function unwritten(run: OperationRun): Promise<{ readonly cause: unknown } | null> {
  try {
    // All at once: they go as one group.
    await Promise.all(run.audits.map((audit) => audit()));
    return null;
  } catch (cause) {
    return { cause };
  }
}

/** A request that is refused as a whole. With `data` when it was executed and its answer was held back. */
export function refused(errors: readonly PublicError[], executed = false): OperationAnswer {
  const { codes, reasons } = told(errors);
  const retryAfter = errors[0]?.extensions.retryAfter;
  return {
    status: errorCodes[codes[0] ?? 'INTERNAL'].status,
    body: executed ? `{"errors":${JSON.stringify(errors)},"data":null}` : `{"errors":${JSON.stringify(errors)}}`,
    path: 'refused',
    codes,
    reasons,
    retryAfter: typeof retryAfter === 'number' ? retryAfter : null,
  };
}

function told(errors: readonly PublicError[]): Pick<OperationAnswer, 'codes' | 'reasons'> {
  return {
    codes: errors.map(({ extensions }) => extensions.code),
    reasons: errors.map(({ extensions }) => (typeof extensions.reason === 'string' ? extensions.reason : '')),
  };
}

/** A data source of the stock path: the same door that compiled plans use. */
function dataSource(doors: ReadonlyMap<string, SubgraphDoor>, name: string): GraphQLDataSource {
  const door = doors.get(name);
  if (door === undefined) throw new Error(`The graph has a subgraph "${name}" that nobody serves.`);
  return {
    async process(options) {
      // Asked at the start without a caller; whether a subgraph works is what /health/ready tells.
      if (!('incomingRequestContext' in options)) return { data: { __typename: 'Query' } };
      const { run } = options.context as StockContext;
      const { query = '', variables = {} } = options.request;
      const { data, errors } = await ask(door, run, query, variables);
      return {
        data,
        ...(errors !== undefined && {
          errors: errors.map(({ message, path, extensions }) => ({ message, extensions, ...(path !== undefined && { path }) })),
        }),
      };
    },
  };
}

function readStock(
  response: GraphQLResponse,
  caller: Caller,
): { readonly data: string | null; readonly errors: readonly PublicError[] } {
  if (response.body.kind !== 'single') return { data: null, errors: [refusal('INTERNAL', caller)] };
  const { data, errors = [] } = response.body.singleResult;
  if (data === undefined) return { data: null, errors: errors.slice(0, 10).map((error) => requestError(error, caller)) };
  return { data: JSON.stringify(data), errors: errors.map((error) => publicError(error, caller)) };
}

const requestReasons: Readonly<Record<string, Reason>> = {
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_SYNTAX',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_INVALID',
  OPERATION_RESOLUTION_FAILURE: 'OPERATION_UNKNOWN',
  BAD_REQUEST: 'REQUEST_SHAPE',
};

/** An error of the request itself, as @apollo/server tells it, in our words. */
function requestError(error: ExecutionError & { readonly locations?: RefusalFacts['locations'] }, caller: Caller): PublicError {
  const code = String(error.extensions?.code);
  if (code === 'BAD_USER_INPUT') return variablesRefusal(error.message, caller);
  const reason = requestReasons[code];
  if (reason === undefined) return publicError(error, caller);
  const detail = namesIn(error.message);
  return refusal(reason, caller, {
    ...(error.locations !== undefined && { locations: error.locations }),
    ...(detail !== undefined && { detail }),
  });
}

function variablesRefusal(message: string, caller: Caller): PublicError {
  const field = /^Variable "\$(\w+)"/.exec(message)?.[1];
  return refusal('VARIABLES_INVALID', caller, field === undefined ? {} : { field });
}

/** What Apollo's packages have to say goes into our log, without their texts, which may quote what a caller sent. */
function quiet(log: Log): { debug(): void; info(): void; warn(): void; error(): void } {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: () => log.warn('apollo.warning'),
    error: () => log.error('apollo.error'),
  };
}

function apiSchemaOf(gateway: ApolloGateway): GraphQLSchema {
  const { schema } = gateway;
  if (schema === undefined) throw new Error('The graph has no schema.');
  return schema;
}
