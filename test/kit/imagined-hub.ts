import type { FastifyInstance } from 'fastify';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import type { Authenticator, Principal, PrincipalSource } from '#kernel/auth/principal.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { createHealth } from '#kernel/http.ts';
import { logTo, type Log } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import type { SubgraphDeps } from '#kernel/subgraph.ts';
import { compose, subgraphSources } from '../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import { openGraphMetrics } from '../../gateway/graph-metrics.ts';
import { buildServer, type ServerDeps } from '../../gateway/server.ts';
import { anyCaller } from '../differential/compare.ts';
import { imaginedSubgraph, schemaOf } from '../differential/imagined-subgraphs.ts';

export interface ImaginedHub {
  readonly app: FastifyInstance;
  readonly gateway: Gateway;
  /** Lines of the log so far. */
  readonly lines: string[];
  /** How often a subgraph was asked. */
  asked(): number;
  down: SubgraphName | null;
  /** What the audit of every subgraph does with its row. */
  audit: () => Promise<void>;
  /** Milliseconds that every subgraph takes. */
  delay: number;
  readonly principal: Principal;
  close(): Promise<void>;
}

/** The whole web edge over subgraphs without a database. The token `good.good.good` is the demo integrator's. */
export async function openImaginedHub(
  options: {
    readonly production?: boolean;
    readonly principal?: Partial<Principal>;
    /** Another edge than the imagined one. */
    readonly edge?: Partial<
      Pick<
        ServerDeps,
        'authenticator' | 'session' | 'mounts' | 'hosts' | 'origins' | 'trustedProxies' | 'security' | 'principals'
      >
    >;
  } = {},
): Promise<ImaginedHub> {
  const production = options.production ?? false;
  const principal = { ...anyCaller.principal, ...options.principal };
  const lines: string[] = [];
  const log: Log = logTo((line) => lines.push(line));
  let asked = 0;
  const hub: Pick<ImaginedHub, 'down' | 'audit' | 'delay'> = { down: null, audit: async () => undefined, delay: 0 };
  const sources = subgraphSources();
  const doors = sources.map(({ name }): SubgraphDoor => {
    const module = imaginedSubgraph(name as SubgraphName, schemaOf(name), { failing: 0, breaching: 0, late: false });
    const runtime = openRuntime(module, {} as SubgraphDeps, { commit: () => hub.audit() });
    return {
      name: runtime.name,
      async execute(request) {
        asked += 1;
        if (hub.delay > 0) await new Promise((resolve) => setTimeout(resolve, hub.delay));
        if (hub.down === name) throw new Error('connect ECONNREFUSED 127.0.0.1:1');
        return await runtime.execute(request);
      },
    };
  });
  const metrics = createMetrics('test');
  const graphMetrics = openGraphMetrics(metrics);
  const gateway = await openGateway({ supergraph: compose(sources), doors, production, log, observe: graphMetrics.ran });
  const authenticator: Authenticator = {
    authenticate: async (header) => (header === 'Bearer good.good.good' ? principal : null),
  };
  const principals: PrincipalSource = { find: async () => null, basis: async () => null };
  const app = buildServer({
    gateway,
    authenticator,
    principals,
    limiter: createRateLimiter(memoryRateStore()),
    production,
    log,
    metrics: graphMetrics,
    health: createHealth({ parts: {}, outside: {} }),
    registry: metrics.registry,
    hosts: () => ['localhost:80', 'localhost', ...hostOf(app)],
    origins: () => ['http://localhost'],
    mounts: [],
    ...options.edge,
  });
  return Object.assign(hub, {
    app,
    gateway,
    lines,
    principal,
    asked: () => asked,
    close: async () => {
      await app.close();
      await gateway.stop();
    },
  });
}

function hostOf(app: FastifyInstance): readonly string[] {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? [`127.0.0.1:${String(address.port)}`] : [];
}
