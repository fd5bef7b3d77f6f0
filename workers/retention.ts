/*
 * Removes what has had its time, hourly. How long each thing stays is a setting; what may never go earlier, the database refuses
 * itself. In batches, so that nobody waits for a lock of ours; what a round removed stands in the log, in `hub_removed_total` and as a run
 * of kind SWEEP.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Keep } from '#kernel/config.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import type { Log } from '#kernel/log.ts';
import type { Metrics } from '#kernel/metrics.ts';

/** Rows in one transaction: well under the 2 s for which a writer may hold up the outbox. */
const batch = 1_000;
/** Batches of one thing in one round: a backlog of years is worked off over many rounds, not in one. */
const batchesAtOnce = 500;
const every = 3_600_000;
const session = { units: everyUnit, principal: 'hub' };

export type Removed = Readonly<Record<string, number>>;

/** What is removed after so many days; in the order of their dependence. */
function things(keep: Keep): readonly (readonly [thing: string, days: number])[] {
  return [
    ['outbox', keep.outboxDays],
    ['answers', keep.answersDays],
    ['staging', keep.stagingDays],
    ['pages', keep.stagingDays],
    ['runs', keep.runsDays],
    ['sessions', 0],
    ['security', keep.securityDays],
    ['verifications', keep.verificationsDays],
    ...(keep.historyYears === null ? [] : [['history', keep.historyYears * 366] as const]),
  ];
}

/** One round. Of two rounds at once, the second does nothing. */
export async function pruneOnce(database: Database, keep: Keep, signal: AbortSignal): Promise<Removed> {
  const started = new Date();
  const removed: Record<string, number> = {};
  for (const [thing, days] of things(keep)) {
    for (let n = 0; n < batchesAtOnce && !signal.aborted; n += 1) {
      const gone = await database.transaction(session, async (transaction) => {
        const [free] = await transaction.query<{ free: boolean }>(
          `select pg_try_advisory_xact_lock(hashtextextended('hub.prune', 0)) as free`,
        );
        if (free?.free !== true) return 0;
        const [row] = await transaction.query<{ gone: number }>('select hub.prune($1, $2, $3) as gone', [thing, days, batch]);
        return row?.gone ?? 0;
      });
      if (gone > 0) removed[thing] = (removed[thing] ?? 0) + gone;
      if (gone < batch) break;
    }
  }
  if (Object.keys(removed).length > 0) {
    await database.transaction(session, async (transaction) => {
      await transaction.query('select hub.note_sweep($1, $2::jsonb)', [started.toISOString(), JSON.stringify(removed)]);
    });
  }
  return removed;
}

export interface RetentionOptions {
  /** Login of the worker. */
  readonly url: string;
  readonly keep: Keep;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Rounds until the signal; resolves when the batch under way has ended. Errors are counted, logged and tried again, never thrown. */
export async function runRetention({ url, keep, signal, metrics, log }: RetentionOptions): Promise<void> {
  const counter = metrics.counter('hub_removed_total', 'Rows that retention removed, by what they were', ['thing']);
  const failures = metrics.counter('hub_retention_failures_total', 'Rounds of retention that failed and are tried again');
  let lastDone = Date.now();
  metrics.gauge(
    'hub_retention_age_seconds',
    'Time since the last whole round of retention',
    () => (Date.now() - lastDone) / 1_000,
  );
  let database: Database | null = null;
  while (!signal.aborted) {
    let next = every;
    try {
      database ??= await openDatabase({ url, entities: [], connections: 1, applicationName: 'hub retention' });
      const removed = await pruneOnce(database, keep, signal);
      lastDone = Date.now();
      for (const [thing, rows] of Object.entries(removed)) {
        counter.inc({ thing }, rows);
        log.info('retention.removed', { kind: thing, rows });
      }
    } catch (error) {
      failures.inc();
      log.error('retention.failed', {}, error);
      next = 60_000;
    }
    await pause(next, undefined, { signal }).catch(() => undefined);
  }
  await database?.close();
}
