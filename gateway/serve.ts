import { readFileSync } from 'node:fs';
import type { FastifyPluginCallback } from 'fastify';
import { createAuthenticator, publishedKeys, type TrustedIssuer } from '#kernel/auth/authenticate.ts';
import type { DraftSource } from '#kernel/auth/drafts.ts';
import type { PrincipalSource } from '#kernel/auth/principal.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import type { SecurityLog } from '#kernel/auth/security-log.ts';
import { outsidePaths, type SessionSource } from '#kernel/auth/sessions.ts';
import { systemClock } from '#kernel/clock.ts';
import { publicUrlOf, type Settings } from '#kernel/config.ts';
import { openFileStore } from '#kernel/files/file-store.ts';
import type { FileRegister } from '#kernel/files/file-register.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { createHealth, type HealthChecks, type MetricsPage } from '#kernel/http.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { noTracing, tracedDoor, tracingOf, type Tracing } from '#kernel/tracing.ts';
import { adminFiles } from './admin-files.ts';
import { countingLogIns, DoorLimits } from './door-limits.ts';
import { openGateway, type Gateway } from './gateway.ts';
import { openGraphMetrics } from './graph-metrics.ts';
import { openOutsideLogIn } from './outside-log-in.ts';
import { outsideState } from './outside.ts';
import { buildFilesServer } from './files-server.ts';
import { buildServer } from './server.ts';
import { openWebSession } from './session.ts';

/** What stands behind the edge, in this process or across the signed hop; the edge cannot tell which. */
export interface BehindTheEdge {
  readonly doors: readonly SubgraphDoor[];
  readonly principals: PrincipalSource;
  /** Who is logged in to the admin. */
  readonly sessions: SessionSource;
  /** What they were typing. */
  readonly drafts: DraftSource;
  /** Security events, written where organisation is. */
  readonly security: SecurityLog;
  /** Our own entry in the list of trusted issuers. */
  readonly issuer: TrustedIssuer;
  /** The OpenID provider. */
  readonly oauth: FastifyPluginCallback;
  readonly parts: HealthChecks['parts'];
  readonly background: NonNullable<HealthChecks['background']>;
  /** Files that come in and go out. */
  readonly files: FileRegister;
  /** Metrics of every process that can be asked. */
  readonly metrics: MetricsPage;
  close(): Promise<void>;
}

/** The graph as it is committed. */
const supergraph = new URL('./supergraph.graphql', import.meta.url);

/** The admin as it was built before the start. */
const builtAdmin = new URL('../admin/dist/', import.meta.url);

/** Longest life of a token of an outside issuer, seconds. */
const outsideLifetime = 3_600;

/** The edge: who is asking, limits, the graph, health and metrics, listening. */
export async function serveGraph({ settings, log, metrics }: ProcessParts, behind: BehindTheEdge): Promise<Running> {
  const graphMetrics = openGraphMetrics(metrics);
  const tracing = tracingOf({ settings, log, metrics }, 'gateway');
  const opened = await openGateway({
    supergraph: readFileSync(supergraph, 'utf8'),
    doors: behind.doors.map((door) => tracedDoor(door, tracing, 'ask')),
    production: settings.production,
    log,
    observe: (path, features) => graphMetrics.ran(path, features),
  });
  const gateway = traced(opened, tracing);
  const tokens = metrics.counter('hub_tokens_total', 'Bearer tokens by what became of them.', ['event']);
  const health = createHealth({
    parts: behind.parts,
    background: behind.background,
    outside: { population: outsideState(settings.populationUrl), bhxh: outsideState(settings.bhxhUrl) },
  });
  const { hosts, origins } = namesOf(settings);
  const files = await serveFiles({ settings, log, metrics }, behind.files, origins);
  const admin = adminFiles(builtAdmin, [files.origin]);
  const authenticator = createAuthenticator({
    issuers: [behind.issuer, ...outsideIssuers(settings)],
    principals: behind.principals,
    clock: systemClock,
    observe(event) {
      tokens.inc({ event });
      if (event === 'early') wrongClock();
    },
  });
  let clockToldAt = Number.NEGATIVE_INFINITY;
  function wrongClock(): void {
    if (performance.now() - clockToldAt < 60_000) return;
    clockToldAt = performance.now();
    log.error('token.early');
  }
  const windows = memoryRateStore();
  const limiter = createRateLimiter(windows);
  const turnedAway = metrics.counter(
    'hub_door_refusals_total',
    'Requests without a log-in that were turned away, by what they wanted.',
    ['what'],
  );
  const doorLimits = new DoorLimits(systemClock, (what) => turnedAway.inc({ what }));
  const oauth = countingLogIns(behind.oauth, doorLimits);
  metrics.gauge('hub_tokens_remembered', 'Verified tokens kept.', () => authenticator.remembered());
  metrics.gauge('hub_rate_windows', 'Windows of quotas kept.', () => windows.size());
  const publicAddress = new URL(publicUrlOf(settings, settings.port)).origin;
  const app = buildServer({
    gateway,
    authenticator,
    session: openWebSession({
      sessions: behind.sessions,
      drafts: behind.drafts,
      limiter,
      limits: doorLimits,
      authenticator,
      issuer: behind.issuer,
      publicAddress,
      outside:
        settings.outsideLogIn === null
          ? null
          : openOutsideLogIn(settings.outsideLogIn, `${publicAddress}${outsidePaths.callback}`, systemClock),
      byPassword: settings.ownIssuer === 'all',
      origins: () => origins,
      clock: systemClock,
    }),
    principals: behind.principals,
    security: behind.security,
    limiter,
    production: settings.production,
    log,
    metrics: graphMetrics,
    health,
    registry: behind.metrics,
    hosts: () => hosts,
    origins: () => origins,
    trustedProxies: settings.trustedProxies,
    mounts: admin === null ? [oauth] : [oauth, admin],
  });
  await app.listen({ host: settings.host, port: settings.port });
  return {
    address: publicUrlOf({ ...settings, publicUrl: null }, settings.port),
    async stop() {
      health.stopping();
      // Ends when the last request under way is answered; only then is what they need let go.
      await app.close();
      await files.stop();
      await gateway.stop();
      await behind.close();
      await tracing.close();
    },
  };
}

/** The files origin: the same host under a port of its own. */
async function serveFiles(
  { settings, log }: ProcessParts,
  register: FileRegister,
  origins: readonly string[],
): Promise<{ readonly origin: string; stop(): Promise<void> }> {
  const store = openFileStore(settings.filesDir);
  const app = buildFilesServer({
    store,
    register,
    origins: () => origins,
    log,
  });
  await app.listen({ host: settings.host, port: settings.filesPort });
  const at = app.server.address();
  const port = typeof at === 'object' && at !== null ? at.port : settings.filesPort;
  const own = new URL(publicUrlOf(settings, settings.port));
  own.port = String(port);
  // Files whose import never came to be read.
  const sweeping = setInterval(() => void store.sweep(systemClock.now()).catch(() => undefined), 3_600_000);
  sweeping.unref();
  return {
    origin: own.origin,
    async stop() {
      clearInterval(sweeping);
      await app.close();
    },
  };
}

function traced(gateway: Gateway, tracing: Tracing): Gateway {
  if (tracing === noTracing) return gateway;
  return {
    ...gateway,
    async answer(operation, caller, signal) {
      const span = tracing.begin(caller.traceId, 'operation', null);
      const answer = await gateway.answer(operation, caller, signal);
      span?.end({ operation: caller.operation, code: answer.codes[0], status: answer.status }, answer.codes.length > 0);
      return answer;
    },
  };
}

function outsideIssuers({ trustedIssuers }: Settings): readonly TrustedIssuer[] {
  return trustedIssuers.map(({ issuer, jwksUri, claim, names }) => ({
    issuer,
    algorithms: ['EdDSA', 'ES256', 'RS256'],
    keys: publishedKeys(new URL(jwksUri)),
    lifetime: outsideLifetime,
    type: null,
    subject: names === 'client' ? 'client' : 'login',
    claim,
  }));
}

/** Under which names a request may come, and from which pages. */
function namesOf(settings: Settings): { readonly hosts: readonly string[]; readonly origins: readonly string[] } {
  const { port } = settings;
  const own = new URL(publicUrlOf(settings, port));
  const addresses = [own.origin];
  if (!settings.production) addresses.push(`http://127.0.0.1:${port}`, `http://localhost:${port}`, `http://[::1]:${port}`);
  const origins = [...new Set(addresses)];
  return { origins, hosts: origins.map((origin) => new URL(origin).host.toLowerCase()) };
}
