import { AggregatorRegistry, type MetricObject, type PrometheusContentType } from 'prom-client';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { hopHeader, hopSigningKey, HopSigner } from '#kernel/auth/hop.ts';
import { organisationOverHop, type HopSend } from '#kernel/auth/organisation-hop.ts';
import { systemClock } from '#kernel/clock.ts';
import { publicUrlOf } from '#kernel/config.ts';
import { openHopClient, type HopClient } from '#kernel/graph/hop-client.ts';
import { doorOverHop } from '#kernel/graph/hop-operations.ts';
import type { MetricsPage } from '#kernel/http.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { serveGraph } from './serve.ts';
import { watchedDoor } from './watched-door.ts';

/** Subgraphs the graph is made of, each somewhere at the other end of the hop. */
const names: readonly SubgraphName[] = ['citizens', 'insurance', 'results', 'slips', 'organisation'];

/** The gateway as a process of its own: it holds no database, only addresses and the key that seals. */
export async function startGateway(parts: ProcessParts): Promise<Running> {
  const { settings, metrics } = parts;
  if (settings.hopKey === null) throw new Error('The gateway needs HUB_HOP_KEY.');
  const missing = names.filter((name) => settings.subgraphs[name] === undefined);
  if (missing.length > 0) throw new Error(`HUB_SUBGRAPHS has no address for ${missing.join(', ')}.`);
  const key = hopSigningKey(settings.hopKey);
  const signer = new HopSigner(() => key, systemClock);
  const clients = new Map<SubgraphName, HopClient>(names.map((name) => [name, openHopClient(settings.subgraphs[name] ?? '')]));
  // Of their own: a subgraph whose connections are all at work must not seem silent.
  const watchers = new Map<SubgraphName, HopClient>(names.map((name) => [name, openHopClient(settings.subgraphs[name] ?? '')]));
  const sendTo = (name: SubgraphName, by: ReadonlyMap<SubgraphName, HopClient> = clients): HopSend => {
    const client = by.get(name);
    if (client === undefined) throw new Error(`no client for ${name}`);
    return client.send;
  };
  const organisation = organisationOverHop(signer, sendTo('organisation'), publicUrlOf(settings, settings.port));
  const asked = (name: SubgraphName, path: string) => {
    const seal = signer.seal(name, 'health', { method: 'GET', path, body: '' });
    return sendTo(name, watchers)({ method: 'GET', path, headers: { [hopHeader]: seal }, body: null });
  };
  const ready = async (name: SubgraphName): Promise<Readonly<Record<string, unknown>>> => {
    const { status, body } = await asked(name, '/health/ready');
    const said: unknown = status === 200 || status === 503 ? JSON.parse(body.toString()) : null;
    if (typeof said !== 'object' || said === null || !('parts' in said)) throw new Error(`${name} does not tell its health`);
    return { ...(said.parts as object), status };
  };
  return serveGraph(parts, {
    // Any answer will do, a refusal too: it says that the process is there.
    doors: names.map((name) => watchedDoor(doorOverHop(name, signer, sendTo(name)), () => asked(name, '/health/live'))),
    principals: organisation.principals,
    sessions: organisation.sessions,
    drafts: organisation.drafts,
    security: organisation.security,
    files: organisation.files,
    issuer: {
      issuer: publicUrlOf(settings, settings.port),
      algorithms: ['ES256'],
      keys: organisation.keys,
      lifetime: 600,
      type: 'at+jwt',
      subject: 'id',
    },
    oauth: organisation.routes((request) => request.ip),
    parts: {
      // The gateway has no connection of its own: PostgreSQL is up when a subgraph reaches it.
      postgres: () => Promise.any(names.map(async (name) => assertUp((await ready(name)).postgres))),
      ...Object.fromEntries(
        names.map((name) => [name, async () => assertUp((await ready(name)).status === 200 ? 'up' : 'down')]),
      ),
    },
    background: { queue: async () => assertUp((await ready('organisation')).queue) },
    metrics: metricsOfAll(parts, async () => {
      const answers = await Promise.allSettled(names.map(async (name) => readMetrics((await asked(name, '/metrics')).body)));
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    }),
    async close() {
      await organisation.security.close();
      await Promise.all([...clients.values(), ...watchers.values()].map((client) => client.close()));
    },
  });

  function metricsOfAll({ metrics: own }: ProcessParts, others: () => Promise<readonly MetricObject[][]>): MetricsPage {
    return {
      contentType: metrics.registry.contentType,
      async metrics() {
        const all = [await own.registry.getMetricsAsJSON(), ...(await others())];
        return AggregatorRegistry.aggregate<PrometheusContentType>(all).metrics();
      },
    };
  }
}

function assertUp(state: unknown): void {
  if (state !== 'up') throw new Error('down');
}

function readMetrics(body: Buffer): MetricObject[] {
  const said: unknown = JSON.parse(body.toString());
  return Array.isArray(said) ? (said as MetricObject[]) : [];
}
