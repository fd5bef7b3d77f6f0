import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import { hopHeader, hopVerifyingKeys, HopVerifier, type HopUse } from '#kernel/auth/hop.ts';
import { systemClock } from '#kernel/clock.ts';
import { filesUrlOf, ownSettingsInForce, publicUrlOf, readRoleUrls } from '#kernel/config.ts';
import { changesOf } from '#kernel/db/change.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openFileStore } from '#kernel/files/file-store.ts';
import { answerEnvelope, operationsPath } from '#kernel/graph/hop-operations.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { createHealth, readiness } from '#kernel/http.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { tracedDoor, tracingOf } from '#kernel/tracing.ts';
import { allSubgraphs } from './all.ts';
import { keepFeeding } from './keep-feeding.ts';
import { openIdentity, waysIn } from './organisation/index.ts';

/*
 * One subgraph as a process of its own, for topology `apart`. It listens on an internal address and answers nothing that the
 * gateway has not sealed: operations, health and metrics alike, each under its own use. It reads and audits under the role of its
 * subgraph, which may touch no other's tables.
 */

/** What the gateway may send at once: 64 operations with their variables. Bytes. */
const bodyLimit = 16 * 1024 * 1024;
/** Longer than the gateway keeps an idle connection, so that it is never this side that closes one in use. */
const keepAlive = 75_000;
/** A subgraph works at most this long on what it was sent. Milliseconds. */
const answerWithin = 15_000;

/** `null`: there is no subgraph of that name. */
export function subgraphNamed(name: string): SubgraphName | null {
  return allSubgraphs.find((module) => module.name === name)?.name ?? null;
}

export async function serveSubgraph(name: SubgraphName, parts: ProcessParts): Promise<Running> {
  const { settings, metrics, log } = parts;
  const module = allSubgraphs.find((one) => one.name === name);
  if (module === undefined) throw new Error(`There is no subgraph "${name}".`);
  const { identifierKey, hopPublicKeys } = settings;
  if (identifierKey === null || hopPublicKeys.length === 0) {
    throw new Error('A subgraph of its own needs HUB_IDENTIFIER_KEY and HUB_HOP_PUBLIC_KEYS.');
  }
  const roleUrl = readRoleUrls(settings);
  const { registry } = metrics;
  const door = openReadDoor({ connection: roleUrl(name), registry, name });
  const auditor = name === 'organisation' ? openReadDoor({ connection: roleUrl('auditor'), registry, name: 'auditor' }) : null;
  const audit = openReadAudit({ connection: roleUrl(name), registry });
  const changes = await changesOf(module, roleUrl(name));
  const runtime = openRuntime(
    module,
    {
      door,
      clock: systemClock,
      identifierKey,
      settings: ownSettingsInForce,
      filesOrigin: filesUrlOf(settings),
      ...(auditor !== null && { auditor }),
      ...(changes !== null && { changes }),
    },
    audit,
    { log },
  );
  const identity =
    name === 'organisation'
      ? openIdentity({
          url: roleUrl('organisation'),
          identifierKey,
          issuer: () => publicUrlOf(settings, settings.port),
          clock: systemClock,
          ways: waysIn(settings),
          store: openFileStore(settings.filesDir),
          registry,
          report: (fault) => log.error(fault, { subgraph: name }),
        })
      : null;
  const feed = identity === null ? null : keepFeeding(identity, log);
  const tracing = tracingOf(parts, name);
  const served = tracedDoor(runtime, tracing, 'serve');
  const keys = hopVerifyingKeys(hopPublicKeys);
  const verifier = new HopVerifier(name, () => keys, systemClock);
  const health = createHealth({
    parts: { postgres: () => door.ping(), audit: () => audit.ping() },
    background: identity === null ? {} : { queue: () => identity.reachQueue() },
    outside: {},
  });

  const app = Fastify({ bodyLimit, keepAliveTimeout: keepAlive, logger: false, exposeHeadRoutes: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const sealed = (request: FastifyRequest, use: HopUse): string | null => {
    const seal = request.headers[hopHeader];
    const body = typeof request.body === 'string' ? request.body : '';
    const sent = { method: request.method, path: request.url, body };
    return typeof seal === 'string' && verifier.open(seal, use, sent) !== null ? body : null;
  };
  const refused = { errors: [{ message: 'UNAUTHENTICATED', extensions: { code: 'UNAUTHENTICATED', subgraph: name } }] };
  app.setNotFoundHandler((_request, reply) => reply.code(401).send(refused));
  app.setErrorHandler((error, _request, reply) => {
    log.error('request.failed', { subgraph: name }, error);
    return reply.code(500).send({ errors: [{ message: 'INTERNAL', extensions: { code: 'INTERNAL', subgraph: name } }] });
  });
  app.post(operationsPath, async (request, reply) => {
    const body = sealed(request, 'operations');
    if (body === null) return reply.code(401).send(refused);
    const answer = await answerEnvelope(served, body, AbortSignal.timeout(answerWithin));
    if (answer === null) return reply.code(400).send(refused);
    return reply.type('application/json').send(answer);
  });
  if (identity !== null) await app.register(identity.hopRoutes(verifier));
  operations(app, sealed, refused, { health, metrics: () => registry.getMetricsAsJSON() });

  await app.listen({ host: settings.innerHost, port: settings.innerPort });
  const at = app.server.address();
  const port = typeof at === 'object' && at !== null ? at.port : settings.innerPort;
  return {
    address: `http://${settings.innerHost}:${port}`,
    async stop() {
      health.stopping();
      await app.close();
      await feed?.stop();
      await runtime.close();
      await Promise.all([audit.close(), door.close(), auditor?.close(), identity?.close(), changes?.close()]);
      await tracing.close();
    },
  };
}

function operations(
  app: FastifyInstance,
  sealed: (request: FastifyRequest, use: HopUse) => string | null,
  refused: object,
  given: { readonly health: ReturnType<typeof createHealth>; readonly metrics: () => Promise<unknown> },
): void {
  app.get('/health/ready', async (request, reply) => {
    if (sealed(request, 'health') === null) return reply.code(401).send(refused);
    const report = await given.health.ready();
    return reply.code(readiness(report)).send(report);
  });
  app.get('/metrics', async (request, reply) => {
    if (sealed(request, 'health') === null) return reply.code(401).send(refused);
    return reply.send(await given.metrics());
  });
}
