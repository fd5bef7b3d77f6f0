import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyPluginCallback,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Socket } from 'node:net';
import type { Authenticator, PrincipalSource } from '#kernel/auth/principal.ts';
import type { RateLimiter } from '#kernel/auth/rate.ts';
import type { SecurityLog } from '#kernel/auth/security-log.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { localeOf } from '#kernel/errors/to-graphql.ts';
import { registerOperations, type Health, type MetricsPage } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { newTraceId, openEdge } from './edge.ts';
import { registerExplorer } from './explorer.ts';
import { refused, type Gateway } from './gateway.ts';
import type { GraphMetrics } from './graph-metrics.ts';
import { graphRoute } from './graph-route.ts';
import { refusal } from './refusal.ts';
import type { WebSession } from './session.ts';

/** Limits of one request on the wire. Bytes, numbers, milliseconds. */
export const wireLimits = {
  body: 1_048_576,
  headerBytes: 16_384,
  headers: 100,
  headersTime: 10_000,
  bodyTime: 30_000,
  keepAlive: 65_000,
} as const;

export interface ServerDeps {
  readonly gateway: Gateway;
  readonly authenticator: Authenticator;
  readonly principals: PrincipalSource;
  readonly limiter: RateLimiter;
  readonly production: boolean;
  readonly log: Log;
  readonly metrics: GraphMetrics;
  readonly health: Health;
  readonly registry: MetricsPage;
  /** Hosts (`name:port`, lower case) and origins under which the hub is reached; asked at each request. */
  readonly hosts: () => readonly string[];
  readonly origins: () => readonly string[];
  /** Where refusals of known principals are written down. */
  readonly security?: Pick<SecurityLog, 'note'>;
  /** Proxies whose `X-Forwarded-For` is believed, addresses and networks; nobody's unless given. */
  readonly trustedProxies?: readonly string[];
  /** Of the admin; without it only Authorization counts. */
  readonly session?: WebSession;
  /** What else stands at this address: the OpenID provider, later the admin. Each in a scope of its own. */
  readonly mounts: readonly FastifyPluginCallback[];
}

/** The hub's web edge, not yet listening. */
export function buildServer(deps: ServerDeps): FastifyInstance {
  const edge = openEdge(deps);
  const app = Fastify({
    bodyLimit: wireLimits.body,
    // The address of whoever asks is what guesses are counted by. An empty list trusts nobody.
    trustProxy: [...(deps.trustedProxies ?? [])],
    requestTimeout: wireLimits.bodyTime,
    keepAliveTimeout: wireLimits.keepAlive,
    // Requests under way are answered; keep-alive connections that wait are closed.
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    http: {
      maxHeaderSize: wireLimits.headerBytes,
      headersTimeout: wireLimits.headersTime,
      requestTimeout: wireLimits.bodyTime,
      connectionsCheckingInterval: 1_000,
    },
    clientErrorHandler: refuseOnTheWire,
  });
  // More are refused below; Node would drop them without a word.
  app.server.maxHeadersCount = 0;

  const refuse = (request: FastifyRequest, reply: FastifyReply, reason: Reason, status?: number): FastifyReply => {
    const audience = { locale: localeOf(request.headers['accept-language']), traceId: edge.traceIdOf(request) };
    const given = refused([refusal(reason, audience)]);
    return reply
      .code(status ?? given.status)
      .header('x-trace-id', audience.traceId)
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(given.body);
  };

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-trace-id', edge.traceIdOf(request)).header('x-content-type-options', 'nosniff');
    if (request.raw.rawHeaders.length > 2 * wireLimits.headers) refuse(request, reply, 'HEADERS_TOO_LARGE', 431);
    else if (!isProbe(request.url) && !edge.knowsHost(request)) refuse(request, reply, 'HOST_UNKNOWN', 421);
    else if (request.method !== 'GET' && request.method !== 'HEAD' && !edge.knowsOrigin(request))
      refuse(request, reply, 'ORIGIN_FOREIGN');
    else done();
  });

  app.setErrorHandler((error: FastifyError, request, reply) => {
    // Whoever is to come again is told so, and when: a full window, a database that is away for a moment.
    if (error instanceof HubError && error.retryAfter !== null) {
      return refuse(request, reply.header('retry-after', String(error.retryAfter)), error.reason);
    }
    switch (error.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return refuse(request, reply, 'BODY_TOO_LARGE');
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return refuse(request, reply, 'MEDIA_TYPE');
      case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
        return refuse(request, reply, 'JSON_INVALID');
      default:
        if (error.statusCode !== undefined && error.statusCode < 500)
          return refuse(request, reply, 'HEADERS_INVALID', error.statusCode);
        deps.log.error('request.failed', { traceId: edge.traceIdOf(request), route: request.routeOptions.url }, error);
        return refuse(request, reply, 'INTERNAL');
    }
  });
  app.setNotFoundHandler((request, reply) => refuse(request, reply, 'PATH_UNKNOWN', 404));

  registerOperations(app, deps);
  for (const mount of deps.mounts) void app.register(mount);
  if (deps.session !== undefined) void app.register(deps.session.routes);
  void app.register((graph, _options, done) => {
    graph.removeAllContentTypeParsers();
    // Whatever the type, the route answers for it: with the right class and the right media type.
    graph.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => {
      parsed(null, body);
    });
    graph.post('/graphql', graphRoute({ ...deps, edge }));
    const notAllowed = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
      refuse(request, reply.header('allow', 'POST'), 'METHOD_NOT_ALLOWED', 405);
    if (!deps.production) registerExplorer(graph, notAllowed);
    else graph.get('/graphql', notAllowed);
    graph.route({ method: ['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/graphql', handler: notAllowed });
    done();
  });
  return app;
}

/** Probes and Prometheus come by address, not by name. */
function isProbe(url: string): boolean {
  return url === '/metrics' || url.startsWith('/health/');
}

/** A request that never became one: too slow, too large, no HTTP. It is answered in our form and the connection ends. */
function refuseOnTheWire(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = ((): [string, Reason] => {
    switch (error.code) {
      case 'HPE_HEADER_OVERFLOW':
        return ['431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE'];
      case 'ERR_HTTP_REQUEST_TIMEOUT':
        return ['408 Request Timeout', 'REQUEST_INCOMPLETE'];
      default:
        return ['400 Bad Request', 'REQUEST_INCOMPLETE'];
    }
  })();
  const traceId = newTraceId();
  const { body } = refused([refusal(reason, { locale: 'vi', traceId })]);
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\nx-trace-id: ${traceId}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
