/*
 * The worker's runtime: what the subgraphs define, on the queue. A queue per protected limit; a job is only a hint to look at a page or a time of a
 * schedule, what it finds in the database decides.
 */
import { systemClock } from '#kernel/clock.ts';
import type { RoleUrls } from '#kernel/db/roles.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import type { Job, WorkTools } from '#kernel/jobs/define-job.ts';
import {
  openQueue,
  openQueueWorker,
  refuseForgetfulRedis,
  type QueueItem,
  type QueuePlace,
  type QueueWorker,
} from '#kernel/jobs/queue-backend.ts';
import { queueNames, queues as queueLimits, type QueueName } from '#kernel/jobs/queues.ts';
import { openRun } from '#kernel/jobs/runs.ts';
import type { ProcessParts } from '#kernel/main-process.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { hubSession, PageWorker, type LeaseTimes } from './page-worker.ts';
import { graphsOf } from './graphs.ts';
import { runRelay, scheduledIn, type RelayTimes } from './run-relay.ts';

type Role = keyof RoleUrls;

export interface RuntimeOptions extends ProcessParts {
  readonly roleUrl: (role: Role) => string;
  readonly identifierKey: Buffer;
  readonly modules: readonly SubgraphModule[];
  readonly jobs: readonly Job[];
  /** Absent: all. */
  readonly queues?: readonly QueueName[];
  readonly place: QueuePlace;
  /** Shorter ones for tests; `lock` in milliseconds. */
  readonly times?: { readonly relay?: RelayTimes; readonly lease?: LeaseTimes; readonly lock?: number };
}

export interface Runtime {
  /** Whether every queue answered when it was last asked; false before that. */
  reachable(): boolean;
  /** Nothing new is taken; what is under way has `patience` milliseconds to end, then it is returned. */
  stop(patience?: number): Promise<void>;
}

/** Redis of others may hold the keys of several hubs. */
export function queuePlace(redisUrl: string | null, prefix: string, workerUrl: string): QueuePlace {
  return redisUrl === null ? { kind: 'postgres', url: workerUrl } : { kind: 'redis', url: redisUrl, prefix: `${prefix}-queue` };
}

/** The databases of all roles that bodies work with, each opened when it is first needed. */
export function databasesOf(
  roleUrl: (role: Role) => string,
  modules: RuntimeOptions['modules'],
  connections: number,
): { of(role: Role): Promise<Database>; close(): Promise<void> } {
  const opened = new Map<Role, Promise<Database>>();
  return {
    of(role) {
      const known = opened.get(role);
      if (known !== undefined) return known;
      const entities = modules.find(({ name }) => name === role)?.entities ?? [];
      const opening = openDatabase({ url: roleUrl(role), entities, connections, applicationName: `hub work ${role}` });
      opened.set(role, opening);
      // A database that was away is tried again by the next page.
      opening.catch(() => opened.delete(role));
      return opening;
    },
    async close() {
      await Promise.all([...opened.values()].map(async (database) => (await database.catch(() => null))?.close()));
    },
  };
}

export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { settings, log, metrics, jobs, place, roleUrl } = options;
  if (place.kind === 'redis') await refuseForgetfulRedis(place.url);
  const names = options.queues ?? queueNames;
  const databases = databasesOf(roleUrl, options.modules, 4);
  const worker = await openDatabase({ url: roleUrl('worker'), entities: [], connections: 4, applicationName: 'hub worker' });
  const graphs = graphsOf(roleUrl, options.modules, { identifierKey: options.identifierKey, log });
  const ending = new AbortController();
  const tools: Omit<WorkTools, 'signal'> = { settings, clock: systemClock, identifierKey: options.identifierKey, log, metrics };
  const pages = new PageWorker({
    jobs,
    worker,
    of: (subgraph) => databases.of(subgraph),
    graph: (subgraph) => graphs.of(subgraph),
    tools,
    ...(options.times?.lease !== undefined && { times: options.times.lease }),
  });
  const attempts = metrics.counter('hub_page_attempts_total', 'Attempts of pages by what became of them', ['queue', 'outcome']);
  const seconds = metrics.histogram('hub_page_seconds', 'Attempts of pages', ['queue']);
  const scheduled = new Map(scheduledIn(settings, jobs).map((one) => [one.name, one]));

  async function page(queue: QueueName, run: string, no: number): Promise<void> {
    const stop = seconds.startTimer({ queue });
    const outcome = await pages.attempt(run, no, ending.signal);
    stop();
    attempts.inc({ queue, outcome });
    if (outcome === 'unknown') await refuseJob(queue, 'no such page');
  }

  /** Somebody wrote into the queue what no transaction of the hub asked for. */
  async function refuseJob(queue: QueueName, reason: string): Promise<void> {
    log.error('job.refused', { queue });
    await worker.transaction(hubSession, (tx) => tx.query('select hub.note_refused_job($1, $2)', [queue, reason]));
  }

  async function slot(name: string, at: Date): Promise<void> {
    const job = jobs.find((one) => one.name === name);
    const schedule = job?.schedule ?? null;
    if (job === undefined || schedule === null) return;
    const plan = schedule.plan(settings);
    const id = await worker.transaction(hubSession, async (tx) => {
      const [taken] = await tx.query<{ readonly ok: boolean }>('select hub.take_slot($1, $2) as ok', [name, at.toISOString()]);
      const [top] = await tx.query<{ readonly number: number }>(
        'select number from hub.unit where parent_number is null order by number limit 1',
      );
      if (taken?.ok !== true || top === undefined) return null;
      return await openRun(tx, job, { hub: { unitNo: top.number, slot: at } }, plan);
    });
    if (id !== null) log.info('run.opened', { run: id, job: name });
  }

  async function work(queue: QueueName, { name, data }: QueueItem): Promise<void> {
    const { run, no, slot: at } = data;
    if (typeof run === 'string' && typeof no === 'number' && isUuid(run) && Number.isSafeInteger(no)) await page(queue, run, no);
    else if (typeof at === 'string' && !Number.isNaN(Date.parse(at)) && scheduled.has(name)) await slot(name, new Date(at));
    else await refuseJob(queue, 'not a job of the hub');
  }

  const failed = quiet((queue, error) => {
    log.error('queue.failed', { queue }, error);
  });
  const opened = new Map(names.map((name) => [name, openQueue(place, name, (error) => failed(name, error))]));
  const workers: QueueWorker[] = names.map((name) =>
    openQueueWorker(
      place,
      name,
      queueLimits[name].atOnce,
      (item) => work(name, item),
      (error) => failed(name, error),
      options.times?.lock,
    ),
  );
  const reachable = new Map<QueueName, boolean>(names.map((name) => [name, false]));
  const relayEnds = new AbortController();
  const relay = runRelay({
    database: worker,
    queues: opened,
    backend: place.kind,
    runs: jobs,
    settings,
    signal: relayEnds.signal,
    metrics,
    log,
    seen: (queue, answers) => void reachable.set(queue, answers),
    ...(options.times?.relay !== undefined && { times: options.times.relay }),
  });
  return {
    reachable: () => [...reachable.values()].every((answers) => answers),
    async stop(patience = 2_000) {
      relayEnds.abort();
      const closing = Promise.all(workers.map((one) => one.close()));
      const cut = setTimeout(() => {
        ending.abort();
      }, patience);
      await Promise.all([closing, relay]);
      clearTimeout(cut);
      ending.abort();
      await Promise.all([...opened.values()].map((queue) => queue.close()));
      await Promise.all([databases.close(), graphs.close(), worker.close()]);
    },
  };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
}

/** A queue that is away says so many times a second: it is written down once in ten. */
function quiet(say: (queue: QueueName, error: unknown) => void): (queue: QueueName, error: unknown) => void {
  const said = new Map<QueueName, number>();
  return (queue, error) => {
    if (performance.now() - (said.get(queue) ?? -Infinity) < 10_000) return;
    said.set(queue, performance.now());
    say(queue, error);
  };
}
