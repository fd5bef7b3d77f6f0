/*
 * From the database to the queue, and what the queue loses back into it. Pages and times of schedules that are due are told to the queue; every
 * 30 s what should be there is looked for, and what is missing is told again. Nothing waits for the queue but this: while it is away everything
 * else goes on and the pages wait in the database.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '#kernel/db/database.ts';
import type { RunJob, Timing } from '#kernel/jobs/define-job.ts';
import type { OneQueue, QueueCounts } from '#kernel/jobs/queue-backend.ts';
import type { QueueName } from '#kernel/jobs/queues.ts';
import type { Log } from '#kernel/log.ts';
import type { Metrics } from '#kernel/metrics.ts';
import type { Settings } from '#kernel/config.ts';
import { hubSession } from './page-worker.ts';

/** Jobs of one queue at most: the rest waits in the database. */
const fullQueue = 2_000;

export interface RelayTimes {
  /** Milliseconds between two looks for what is new; between two of the reconciler. */
  readonly look: number;
  readonly reconcile: number;
  /** Seconds after which a page that was told to the queue must be found there. */
  readonly settled: number;
}
export const relayTimes: RelayTimes = { look: 250, reconcile: 30_000, settled: 20 };

export interface RelayOptions {
  readonly database: Database;
  readonly queues: ReadonlyMap<QueueName, OneQueue>;
  readonly backend: 'postgres' | 'redis';
  readonly runs: readonly RunJob[];
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Told whenever a queue was asked: whether it answered. */
  readonly seen: (queue: QueueName, reachable: boolean) => void;
  readonly times?: RelayTimes;
}

/** What is repeated, and when. */
export interface Scheduled {
  readonly name: string;
  readonly queue: QueueName;
  readonly timing: Timing;
}

export function scheduledIn(settings: Settings, runs: readonly RunJob[]): readonly Scheduled[] {
  return runs.flatMap((job) => {
    const timing = job.schedule?.at(settings) ?? null;
    return timing === null ? [] : [{ name: job.name, queue: job.queue, timing }];
  });
}

export function timingOf(timing: Timing): readonly [daily: string | null, seconds: number | null] {
  return 'daily' in timing ? [timing.daily, null] : [null, timing.everySeconds];
}

export function pageId(run: string, no: number, queued: number): string {
  return `page_${run}_${String(no)}_${String(queued)}`;
}

interface Queued {
  readonly run: string;
  readonly no: number;
  readonly definition: string;
  readonly queued: number;
}

/** Runs until the signal. Errors are counted, logged once per change of state, and tried again, never thrown. */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { database, queues, backend, runs, signal, metrics, log, times = relayTimes } = options;
  const counts = new Map<QueueName, QueueCounts & { readonly reachable: boolean }>();
  let numbers: readonly { readonly queue: string; readonly waiting: number; readonly oldest: number; readonly poison: number }[] =
    [];
  metrics.gauges(
    'hub_queue_jobs',
    'Jobs of a queue by state; pages: those that wait in the database',
    ['queue', 'state'],
    (set) => {
      for (const [queue, { waiting, active }] of counts) {
        set({ queue, state: 'waiting' }, waiting);
        set({ queue, state: 'active' }, active);
      }
      for (const { queue, waiting, poison } of numbers) {
        set({ queue, state: 'pages' }, waiting);
        set({ queue, state: 'poison' }, poison);
      }
    },
  );
  metrics.gauges('hub_queue_reachable', '1 while the queue answers', ['queue'], (set) => {
    for (const [queue, { reachable }] of counts) set({ queue }, reachable ? 1 : 0);
  });
  metrics.gauges('hub_queue_age_seconds', 'Age of the oldest page that waits', ['queue'], (set) => {
    for (const { queue, oldest } of numbers) set({ queue }, oldest);
  });
  const told = metrics.counter('hub_queue_told_total', 'Pages told to the queue', ['queue']);
  const lost = metrics.counter('hub_queue_lost_total', 'Pages that the queue had lost and that were told again', ['queue']);
  const lapsed = metrics.counter('hub_page_lapsed_total', 'Leases that ended without a word');
  const failures = metrics.counter('hub_queue_failures_total', 'Calls to the queue that failed and are made again', ['queue']);

  const scheduled = scheduledIn(options.settings, runs);
  const definitions = (queue: QueueName): string[] => runs.filter((job) => job.queue === queue).map(({ name }) => name);
  const query = <Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> =>
    database.transaction(hubSession, (tx) => tx.query<Row>(text, values));

  function away(queue: QueueName, error: unknown): void {
    failures.inc({ queue });
    const known = counts.get(queue);
    if (known?.reachable !== false) log.error('queue.away', { queue }, error);
    counts.set(queue, { waiting: known?.waiting ?? 0, active: known?.active ?? 0, reachable: false });
    options.seen(queue, false);
  }

  /** What is new, as far as the queue has room. */
  async function tell(name: QueueName, queue: OneQueue): Promise<number> {
    const room = fullQueue - (counts.get(name)?.waiting ?? 0);
    if (room <= 0 || counts.get(name)?.reachable === false) return 0;
    const pages = await query<Queued>('select run, no, definition, queued from hub.claim_pages($1::text[], $2)', [
      definitions(name),
      Math.min(room, 500),
    ]);
    if (pages.length === 0) return 0;
    try {
      await queue.add(
        pages.map(({ run, no, definition, queued }) => ({ name: definition, data: { run, no }, id: pageId(run, no, queued) })),
      );
      told.inc({ queue: name }, pages.length);
    } catch (error) {
      away(name, error);
      // Waiting again, unless a part of them arrived after all: a page that is leased or done is not touched.
      await forget(pages);
      return 0;
    }
    return pages.length;
  }

  const forget = (pages: readonly Queued[]): Promise<unknown> =>
    query('select hub.unqueue_pages($1::uuid[], $2::int[], $3::int[])', [
      pages.map(({ run }) => run),
      pages.map(({ no }) => no),
      pages.map(({ queued }) => queued),
    ]);

  async function tellSchedules(): Promise<void> {
    for (const { name, queue, timing } of scheduled) {
      const [due] = await query<{ readonly slot: string | null }>('select hub.slot_due($1, $2, $3)::text as slot', [
        name,
        ...timingOf(timing),
      ]);
      if (typeof due?.slot !== 'string' || counts.get(queue)?.reachable === false) continue;
      const slot = new Date(due.slot);
      await queues
        .get(queue)
        ?.add([{ name, data: { slot: slot.toISOString() }, id: `slot_${name}_${String(slot.getTime())}` }])
        .catch((error: unknown) => {
          away(queue, error);
        });
    }
  }

  /** Whether the queue still has what it was given. */
  async function reconcile(name: QueueName, queue: OneQueue): Promise<void> {
    if (!(await look(name, queue))) return;
    const pages = await query<Queued>('select run, no, definition, queued from hub.queued_pages($1::text[], $2)', [
      definitions(name),
      times.settled,
    ]);
    if (pages.length === 0) return;
    const ids = new Map(pages.map((page) => [pageId(page.run, page.no, page.queued), page]));
    const missing = await queue.missing([...ids.keys()]);
    if (missing.size === 0) return;
    await forget([...missing].flatMap((id) => ids.get(id) ?? []));
    lost.inc({ queue: name }, missing.size);
    log.error('queue.lost', { queue: name, count: missing.size });
  }

  async function note(): Promise<void> {
    numbers = await query('select queue, waiting, oldest, poison from hub.queue_numbers()', []);
    for (const [queue, { waiting, active, reachable }] of counts) {
      await query('select hub.note_queue($1, $2, $3, $4, $5)', [queue, backend, reachable, waiting, active]);
    }
  }

  async function look(name: QueueName, queue: OneQueue): Promise<boolean> {
    try {
      const seen = await queue.counts();
      if (counts.get(name)?.reachable === false) log.info('queue.back', { queue: name });
      counts.set(name, { ...seen, reachable: true });
      options.seen(name, true);
      return true;
    } catch (error) {
      away(name, error);
      return false;
    }
  }

  let kept = false;
  let reconciled = -Infinity;
  let looked = -Infinity;
  let failed = 0;
  while (!signal.aborted) {
    let wait = times.look;
    try {
      if (!kept) {
        for (const { name, timing } of scheduled) {
          await query('select hub.keep_schedule($1, $2, $3)', [name, ...timingOf(timing)]);
        }
        kept = true;
      }
      const now = performance.now();
      if (now - looked > Math.min(5_000, times.reconcile)) {
        looked = now;
        const [row] = await query<{ readonly n: number }>('select hub.lapse_pages() as n', []);
        if ((row?.n ?? 0) > 0) {
          lapsed.inc(row?.n ?? 0);
          log.warn('page.lapsed', { count: row?.n ?? 0 });
        }
        for (const [name, queue] of queues) await look(name, queue);
        await tellSchedules();
        await note();
      }
      if (now - reconciled > times.reconcile) {
        reconciled = now;
        for (const [name, queue] of queues) await reconcile(name, queue);
      }
      for (const [name, queue] of queues) if ((await tell(name, queue)) >= 500) wait = 0;
      failed = 0;
    } catch (error) {
      failed += 1;
      if (failed === 1) log.error('relay.failed', {}, error);
      wait = Math.min(times.look * 2 ** failed, 5_000);
    }
    await pause(wait, undefined, { signal }).catch(() => undefined);
  }
}
