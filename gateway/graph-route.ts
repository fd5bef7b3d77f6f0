import type { FastifyReply, FastifyRequest } from 'fastify';
import { singleAuthorization } from '#kernel/auth/authenticate.ts';
import type { Authenticator, Caller, LegalBasis, Principal, PrincipalSource } from '#kernel/auth/principal.ts';
import { purposes, type Purpose } from '#kernel/auth/purposes.ts';
import type { RateLimiter } from '#kernel/auth/rate.ts';
import type { SecurityLog } from '#kernel/auth/security-log.ts';
import type { ErrorCode, Reason } from '#kernel/errors/catalogue.ts';
import { localeOf, type ErrorAudience } from '#kernel/errors/to-graphql.ts';
import type { Log } from '#kernel/log.ts';
import type { Edge } from './edge.ts';
import { refused, type Gateway, type Operation, type OperationAnswer } from './gateway.ts';
import { answerType, isJson, readRequest, type AnswerType } from './graph-request.ts';
import type { GraphMetrics } from './graph-metrics.ts';
import { openIntrospection } from './introspection.ts';
import { openLimits, type DocumentFacts } from './limits.ts';
import { openPersistedDocuments } from './persisted.ts';
import { refusal, refusalOf, type RefusalFacts } from './refusal.ts';
import type { WebSession } from './session.ts';

/** A request that is not answered in this time is given up. Milliseconds. */
const patience = 15_000;

/** Errors that refuse something to somebody; what is not there, or does not work now, is no refusal. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'FORBIDDEN',
  'LIMIT',
  'RATE',
  'BAD_INPUT',
  'TOO_LARGE',
  'UNSUPPORTED',
  'SIGNATURE',
  'IDEMPOTENCY_MISMATCH',
]);

/** A mutation that was refused leaves an event whatever the class, a record out of scope too; only what does not work now is no refusal. */
const notNow: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UPSTREAM_BUSY', 'DEGRADED', 'INTERNAL']);

export interface GraphRouteDeps {
  readonly gateway: Gateway;
  readonly authenticator: Authenticator;
  readonly principals: PrincipalSource;
  readonly limiter: RateLimiter;
  readonly production: boolean;
  readonly log: Log;
  readonly metrics: GraphMetrics;
  readonly edge: Edge;
  /** Where refusals of known principals are written down. */
  readonly security?: Pick<SecurityLog, 'note'>;
  /** What the session's cookie stands for, where a request has no Authorization of its own. */
  readonly session?: Pick<WebSession, 'authorizationOf'>;
}

/** Who states a legal basis, and in which request. */
type Stating = Pick<Caller, 'principal' | 'purpose' | 'operation' | 'traceId'>;

/** What one request turned out to be, for its log line. */
interface Told {
  operation: string;
  principal: Principal | null;
  purpose: Purpose | null;
  points: number;
}

/** `POST /graphql`: who asks, what for, how much, then the graph. */
export function graphRoute(deps: GraphRouteDeps): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { gateway, log, metrics, edge } = deps;
  const limits = openLimits(gateway.schema, { production: deps.production });
  const persisted = openPersistedDocuments();
  const introspect = openIntrospection(gateway.schema);
  metrics.caches(() => ({ limits: limits.size(), persisted: persisted.size(), compiled: gateway.compiledDocuments() }));

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    audience: ErrorAudience,
    told: Told,
  ): Promise<OperationAnswer> {
    const refuse = (reason: Reason, facts: RefusalFacts = {}): OperationAnswer => {
      if (reason === 'NO_TOKEN') reply.header('www-authenticate', 'Bearer realm="lien-thong"');
      return refused([refusal(reason, audience, facts)]);
    };
    const authorization =
      request.headers.authorization === undefined
        ? await deps.session?.authorizationOf(request)
        : singleAuthorization(request.raw.rawHeaders);
    const principal = await deps.authenticator.authenticate(authorization);
    told.principal = principal;
    const read = readRequest(request.body as Buffer, principal === null ? null : persisted);
    if (!read.ok) return refuse(read.reason, read.facts);
    const { operation } = read;
    const inspection = limits.inspect(operation.query, operation.operationName);
    if (principal === null) {
      // Whether a document is well formed is no secret; what it would give is.
      if (!inspection.ok && inspection.reason === 'GRAPHQL_SYNTAX') return refuse(inspection.reason, inspection.facts);
      if (inspection.ok && inspection.typeNames !== null && inspection.kind === 'query')
        return typeNamesOnly(inspection.typeNames);
      return refuse('NO_TOKEN');
    }
    const rate = await deps.limiter.take(principal, inspection.ok ? inspection.points(operation.variables) : 1);
    reply.headers(rate.headers);
    if (!rate.allowed) return refuse('RATE_EXCEEDED', { retryAfter: rate.retryAfter });
    if (!inspection.ok) return refuse(inspection.reason, inspection.facts);
    told.operation = inspection.name;
    told.points = inspection.points(operation.variables);
    const broken = inspection.broken(operation.variables);
    if (broken !== null) return refuse(broken.reason, broken.facts);
    if (inspection.introspection) return introspect(operation, audience);
    const caller = await callerOf(request, principal, inspection, audience);
    if ('reason' in caller) return refuse(caller.reason);
    told.purpose = caller.purpose;
    const given = await withPatience(gateway, { ...operation, selections: inspection.selections }, caller);
    if (caller.basis === null || given.path === 'refused') return given;
    // A basis withdrawn while the answer was being read lends nothing any more: what it gave does not leave.
    return (await standing(caller, caller.basis.id)) === null ? refused([refusal('BASIS_NOT_STANDING', audience)], true) : given;
  }

  async function standing({ principal, purpose, operation, traceId }: Stating, basisId: string): Promise<LegalBasis | null> {
    return await deps.principals.basis(principal.id, basisId, { purpose, operation, traceId });
  }

  async function callerOf(
    request: FastifyRequest,
    principal: Principal,
    document: DocumentFacts,
    audience: ErrorAudience,
  ): Promise<Caller | { readonly reason: Reason }> {
    const stated = request.headers['x-hub-purpose'];
    const purpose = stated === undefined ? principal.purpose : purposes.find((one) => one === stated);
    if (purpose === undefined) return { reason: 'PURPOSE_UNKNOWN' };
    const basisId = request.headers['x-hub-basis'];
    let basis: LegalBasis | null = null;
    if (basisId !== undefined) {
      if (typeof basisId !== 'string' || !/^[\w.:-]{1,128}$/.test(basisId)) return { reason: 'BASIS_NOT_STANDING' };
      basis = await standing({ principal, purpose, operation: document.name, traceId: audience.traceId }, basisId);
      if (basis === null) return { reason: 'BASIS_NOT_STANDING' };
    }
    const key = request.headers['idempotency-key'];
    return {
      principal,
      purpose,
      basis,
      locale: audience.locale,
      traceId: audience.traceId,
      operation: document.name,
      idempotencyKey: typeof key === 'string' ? key : null,
    };
  }

  /** One event per request, however many of its fields were refused. */
  function noteRefusal(principal: Principal, given: OperationAnswer, traceId: string): void {
    const at = given.codes.findIndex((code) => refusals.has(code));
    const code = given.codes[at];
    const { declined } = given;
    const detail =
      code !== undefined
        ? { code, reason: given.reasons[at] ?? '' }
        : declined !== undefined && !notNow.has(declined.code)
          ? { code: declined.code, reason: declined.reason }
          : null;
    if (detail === null) return;
    deps.security?.note({ kind: 'request.refused', principal: principal.id, traceId, detail });
  }

  return async (request, reply) => {
    const started = performance.now();
    const audience = { locale: localeOf(request.headers['accept-language']), traceId: edge.traceIdOf(request) };
    const told: Told = { operation: 'anonymous', principal: null, purpose: null, points: 0 };
    const type = answerType(request.headers.accept);
    let given: OperationAnswer;
    try {
      given =
        type === null || !isJson(request.headers['content-type'])
          ? { ...refused([refusal('MEDIA_TYPE', audience)]), status: type === null ? 406 : 415 }
          : await answer(request, reply, audience, told);
    } catch (error) {
      const refusedWith = refusalOf(error, audience);
      if (refusedWith.extensions.code === 'INTERNAL') log.error('operation.failed', { traceId: audience.traceId }, error);
      given = refused([refusedWith]);
    }
    const milliseconds = performance.now() - started;
    if (told.principal !== null) noteRefusal(told.principal, given, audience.traceId);
    metrics.answered(given, milliseconds);
    log.info('operation', {
      traceId: audience.traceId,
      operation: told.operation,
      principal: told.principal?.id,
      role: told.principal?.role,
      purpose: told.purpose,
      points: told.points,
      status: given.status,
      code: given.codes[0] ?? given.declined?.code,
      compiled: given.path === 'compiled',
      milliseconds: Math.round(milliseconds * 10) / 10,
    });
    return send(reply, given, type ?? 'application/json');
  };
}

function send(reply: FastifyReply, given: OperationAnswer, type: AnswerType): FastifyReply {
  reply.code(given.status).header('content-type', `${type}; charset=utf-8`).header('cache-control', 'no-store');
  if (given.retryAfter !== null) reply.header('retry-after', String(given.retryAfter));
  // Encoded once: of a text its length would be counted first.
  return reply.send(Buffer.from(given.body));
}

function typeNamesOnly(keys: readonly string[]): OperationAnswer {
  const data = Object.fromEntries(keys.map((key) => [key, 'Query']));
  return { status: 200, body: JSON.stringify({ data }), path: 'stock', codes: [], reasons: [], retryAfter: null };
}

/** The graph's answer, or DEGRADED once the time is over; what is under way is told to stop. */
async function withPatience(gateway: Gateway, operation: Operation, caller: Caller): Promise<OperationAnswer> {
  const abort = new AbortController();
  return await new Promise<OperationAnswer>((resolve, reject) => {
    const timer = setTimeout(() => {
      resolve(refused([refusal('REQUEST_TOO_SLOW', caller, { retryAfter: 5 })]));
      abort.abort();
    }, patience);
    gateway
      .answer(operation, caller, abort.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
