import type { FastifyInstance } from 'fastify';

/** A part of the hub that must work for it to serve. */
export type PartState = 'up' | 'down';
/** A system of somebody else: its absence or failure is told and never makes the hub unready. */
export type OutsideState = 'up' | 'down' | 'absent';

export interface HealthChecks {
  /** `postgres`, each subgraph. Resolves when the part works; rejecting or taking longer than a second is `down`. */
  readonly parts: Readonly<Record<string, () => Promise<unknown>>>;
  /** `queue`: named among the parts in the same way, but while it is down everybody is answered as ever, so nobody may be sent away. */
  readonly background?: Readonly<Record<string, () => Promise<unknown>>>;
  /** `population`, `bhxh`. Answers from what is known; asks nobody. */
  readonly outside: Readonly<Record<string, () => OutsideState>>;
}

export interface HealthReport {
  /** `degraded`: it serves, and work in the background stands still. */
  readonly status: 'up' | 'degraded' | 'down' | 'stopping';
  readonly parts: Readonly<Record<string, PartState>>;
  readonly outside: Readonly<Record<string, OutsideState>>;
}

export interface Health {
  /** At most one second old, so that whoever asks often costs nothing. */
  ready(): Promise<HealthReport>;
  /** Answers at once with what is known; `down` never comes from here, since a restart would not mend another part. */
  live(): HealthReport;
  /** From here on `ready` says `stopping`: a load balancer sends nobody any more. */
  stopping(): void;
}

/** What /metrics shows: a registry, or the registries of several processes. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

const patience = 1_000;
const fresh = 1_000;

function works(check: () => Promise<unknown>): Promise<PartState> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('down'), patience);
    const settle = (state: PartState) => {
      clearTimeout(timer);
      resolve(state);
    };
    Promise.resolve()
      .then(check)
      .then(
        () => settle('up'),
        () => settle('down'),
      );
  });
}

export function createHealth(checks: HealthChecks, now: () => number = () => performance.now()): Health {
  let stopping = false;
  let known: Record<string, PartState> = {};
  let asked: Promise<void> | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;

  const ask = async () => {
    const all = { ...checks.parts, ...checks.background };
    const names = Object.keys(all);
    const states = await Promise.all(Object.values(all).map(works));
    known = Object.fromEntries(names.map((name, index) => [name, states[index] ?? 'down']));
  };
  const standing = () => {
    const down = Object.keys(known).filter((name) => known[name] === 'down');
    if (down.length === 0) return 'up';
    return down.every((name) => Object.hasOwn(checks.background ?? {}, name)) ? 'degraded' : 'down';
  };
  const outside = () => Object.fromEntries(Object.entries(checks.outside).map(([name, state]) => [name, state()]));

  return {
    async ready() {
      if (asked === null || now() - askedAt >= fresh) {
        askedAt = now();
        asked = ask();
      }
      await asked;
      return { status: stopping ? 'stopping' : standing(), parts: known, outside: outside() };
    },
    live: () => ({ status: stopping ? 'stopping' : 'up', parts: known, outside: outside() }),
    stopping() {
      stopping = true;
    },
  };
}

/** Whether anybody may be sent here, as an HTTP status. */
export function readiness({ status }: HealthReport): 200 | 503 {
  return status === 'up' || status === 'degraded' ? 200 : 503;
}

/** /health/live, /health/ready and /metrics. They name parts and numbers, never a person, an address or an error text. */
export function registerOperations(
  app: FastifyInstance,
  given: { readonly health: Health; readonly registry: MetricsPage },
): void {
  app.get('/health/live', (_request, reply) => reply.header('cache-control', 'no-store').send(given.health.live()));
  app.get('/health/ready', async (_request, reply) => {
    const report = await given.health.ready();
    return reply.code(readiness(report)).header('cache-control', 'no-store').send(report);
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await given.registry.metrics();
    return reply.header('content-type', given.registry.contentType).header('cache-control', 'no-store').send(text);
  });
}
