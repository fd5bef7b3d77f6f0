/*
 * Feeds the replicas of citizens in insurance, results and slips from the outbox.
 *
 * At least once, in commit order. Events and their effect are one transaction: after a crash they are taken again, and older or
 * repeated news changes nothing. One copy at a time per consumer: a second finds the first at work and takes nothing.
 * Lag p95 ≤ 1 s, alarm at 5 s: `hub_replica_lag_seconds` grows also while the feed itself cannot work.
 * A row that began to wait in the moment its citizen came is found by the sweep, at the latest after `sweepEvery`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { applyCitizens, linkWaiting, type CitizenNews, type ReplicaTarget } from '#kernel/db/citizen-replica.ts';
import { everyUnit, openDatabase, type Database, type Transaction } from '#kernel/db/database.ts';
import type { CitizenReplica } from '#kernel/db/outbox.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import type { Log } from '#kernel/log.ts';
import type { Metrics } from '#kernel/metrics.ts';

export const replicaTargets: readonly ReplicaTarget[] = [
  {
    schema: 'insurance',
    records: [{ table: 'card', kind: 'CARD', action: 'card.changed' }],
    work: { source: 'INSURANCE', subject: 'card_id' },
    lookAgain: 'insurance.keep_card_work',
    ofFacilities: false,
  },
  {
    schema: 'results',
    records: [{ table: 'result', kind: 'RESULT', action: 'result.changed' }],
    work: { source: 'RESULTS', subject: 'result_id' },
    lookAgain: null,
    ofFacilities: false,
  },
  {
    schema: 'slips',
    records: [
      { table: 'referral_slip', kind: 'SLIP', action: 'slip.changed' },
      { table: 'reexamination_slip', kind: 'SLIP', action: 'slip.changed' },
    ],
    work: { source: 'SLIPS', subject: 'slip_id' },
    lookAgain: null,
    ofFacilities: true,
  },
];
type Consumer = ReplicaTarget['schema'];

const eventsAtOnce = 500;
/** Milliseconds: between two looks at an empty outbox; the longest after failures; between two sweeps. */
const idle = 200;
const longestPause = 5_000;
const sweepEvery = 30_000;

const session = { units: everyUnit, principal: 'hub' };

export interface ReplicaFeedOptions {
  /** Login of each subgraph's role. */
  readonly urls: Readonly<Record<Consumer, string>>;
  /** Aborted: the transaction under way ends, then the feed. */
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Runs until the signal; resolves when everything under way has ended. Errors are counted, logged and tried again, never thrown. */
export async function runReplicaFeed({ urls, signal, metrics, log }: ReplicaFeedOptions): Promise<void> {
  const lags = new Map<Consumer, { seconds: number; at: number }>();
  metrics.gauges('hub_replica_lag_seconds', 'Age of the oldest change of a citizen that a replica lacks', ['consumer'], (set) => {
    for (const [consumer, { seconds, at }] of lags) {
      const silence = (performance.now() - at) / 1_000;
      set({ consumer }, seconds + (silence > 2 ? silence : 0));
    }
  });
  const events = metrics.counter('hub_replica_events_total', 'Changes of citizens by what became of them', [
    'consumer',
    'outcome',
  ]);
  const failures = metrics.counter('hub_replica_failures_total', 'Batches that failed and are tried again', ['consumer']);

  await Promise.all(
    replicaTargets.map(async (target) => {
      const consumer = target.schema;
      lags.set(consumer, { seconds: 0, at: performance.now() });
      let database: Database | null = null;
      let failed = 0;
      let swept = -Infinity;
      let measured = -Infinity;
      while (!signal.aborted) {
        try {
          database ??= await openDatabase({ url: urls[consumer], entities: [], connections: 1, applicationName: 'hub replicas' });
          if (performance.now() - swept > sweepEvery) {
            await sweepWaiting(database, target);
            swept = performance.now();
          }
          const { taken, changed, stale, linked, merged } = await feedOnce(database, target);
          if (taken > 0 || performance.now() - measured > 1_000) {
            lags.set(consumer, { seconds: await lagOf(database, target), at: performance.now() });
            measured = performance.now();
          }
          events.inc({ consumer, outcome: 'changed' }, changed);
          events.inc({ consumer, outcome: 'stale' }, stale);
          events.inc({ consumer, outcome: 'linked' }, linked);
          events.inc({ consumer, outcome: 'merged' }, merged);
          failed = 0;
          if (taken < eventsAtOnce) await sleep(idle, signal);
        } catch (error) {
          failed += 1;
          failures.inc({ consumer });
          log.error('replica.failed', { part: consumer, attempt: failed }, error);
          await sleep(Math.min(idle * 2 ** failed, longestPause), signal);
        }
      }
      await database?.close();
    }),
  );
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await pause(milliseconds, undefined, { signal }).catch(() => undefined);
}

interface Taken extends CitizenReplica {
  /** Of the event; bigint as text. */
  readonly event: string;
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
  readonly unitBefore: number | null;
}

export interface Fed {
  readonly taken: number;
  readonly changed: number;
  readonly stale: number;
  readonly linked: number;
  readonly merged: number;
}

/** One batch: takes what is due, applies it and marks it done, in one transaction. */
export function feedOnce(database: Database, target: ReplicaTarget): Promise<Fed> {
  return database.transaction(session, async (transaction) => {
    const taken = await transaction.query<Taken>(
      `select id as event, subject as id, version, unit_after as "unitNo", unit_before as "unitBefore", payload -> 'hashes' as hashes,
         payload ->> 'lifeStatus' as "lifeStatus", (payload ->> 'mergedInto')::uuid as "mergedInto"
       from hub.take_event($1, $2)`,
      [target.schema, eventsAtOnce],
    );
    if (taken.length === 0) return { taken: 0, changed: 0, stale: 0, linked: 0, merged: 0 };
    const applied = await applyCitizens(transaction, target, taken, 'feed');
    await transaction.query('select hub.finish_event($1, $2::bigint[])', [target.schema, taken.map(({ event }) => event)]);
    return { taken: taken.length, ...applied };
  });
}

/** Seconds since the oldest change that is not in the replica yet; moves the consumer's mark over what is not for it. */
function lagOf(database: Database, target: ReplicaTarget): Promise<number> {
  return database.transaction(session, async (transaction) => {
    const [lag] = await transaction.query<{ seconds: number }>(
      `select case when hub.finish_event($1, '{}') >= 0 then hub.outbox_lag($1) end as seconds`,
      [target.schema],
    );
    return lag?.seconds ?? 0;
  });
}

/** Links what waits although its citizen is there. */
export function sweepWaiting(database: Database, target: ReplicaTarget): Promise<number> {
  return database.transaction(session, async (transaction) => {
    let linked = 0;
    for (const records of target.records) linked += await linkWaiting(transaction, target, records, null);
    return linked;
  });
}

export interface RebuildOptions {
  readonly ownerUrl: string;
  readonly identifierKey: Buffer;
  readonly progress?: (done: number, total: number) => void;
  /** Aborted: the page under way ends, then the work. */
  readonly signal?: AbortSignal;
}

export interface Rebuilt {
  /** Citizens whose three replicas were written anew, or kept because they are newer. */
  readonly citizens: number;
  /** Replicas of citizens who do not exist. */
  readonly removed: number;
  /** Rows that waited and found their citizen. */
  readonly linked: number;
  readonly stopped: boolean;
}

const pageSize = 1_000;

/**
 * Makes the replicas anew from the citizens, beside a running hub: page by page, newer news from the feed is kept. Stopped half-way
 * and begun again it does everything again, which changes nothing. Runs as the owner, whom the row policies bind too.
 */
export async function rebuildReplicas({ ownerUrl, identifierKey, progress, signal }: RebuildOptions): Promise<Rebuilt> {
  const database = await openDatabase({ url: ownerUrl, entities: [], connections: 1, applicationName: 'hub rebuild-replicas' });
  const inAll = <T>(body: (transaction: Transaction) => Promise<T>): Promise<T> => database.transaction(session, body);
  try {
    const [count] = await inAll((t) => t.query<{ total: number }>('select count(*)::int as total from citizens.citizen'));
    let citizens = 0;
    let linked = 0;
    let after: string | null = null;
    do {
      if (signal?.aborted === true) return { citizens, removed: 0, linked, stopped: true };
      const page: readonly CitizenNews[] = await inAll(async (transaction) => {
        const found = await citizensAfter(transaction, after, identifierKey);
        for (const target of replicaTargets) linked += (await applyCitizens(transaction, target, found, 'rebuild')).linked;
        return found;
      });
      citizens += page.length;
      after = page.at(-1)?.id ?? null;
      progress?.(citizens, Math.max(citizens, count?.total ?? 0));
    } while (after !== null);
    let removed = 0;
    for (const { schema } of replicaTargets) {
      const gone = await inAll((transaction) =>
        transaction.query<{ id: string }>(
          `delete from ${schema}.citizen r where not exists (select from citizens.citizen c where c.id = r.id) returning r.id`,
        ),
      );
      removed += gone.length;
    }
    return { citizens, removed, linked, stopped: false };
  } finally {
    await database.close();
  }
}

interface StoredCitizen {
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
  readonly lifeStatus: CitizenReplica['lifeStatus'];
  readonly mergedInto: string | null;
  readonly numbers: readonly string[];
}

/** Locks the page against changes, so that no version between read and write is lost. */
async function citizensAfter(
  transaction: Transaction,
  after: string | null,
  identifierKey: Buffer,
): Promise<readonly CitizenNews[]> {
  const rows = await transaction.query<StoredCitizen>(
    `select c.id, c.version, c.unit_no as "unitNo", c.life_status as "lifeStatus", c.merged_into as "mergedInto",
       array(select i.value from citizens.identifier i where i.citizen_id = c.id and i.standing <> 'CANCELLED') as numbers
     from citizens.citizen c where $1::uuid is null or c.id > $1 order by c.id limit $2 for share of c`,
    [after, pageSize],
  );
  return rows.map(({ id, version, unitNo, lifeStatus, mergedInto, numbers }) => ({
    id,
    version,
    unitNo,
    unitBefore: null,
    lifeStatus,
    mergedInto,
    hashes: [...new Set(numbers.map((number) => hashIdentifier(identifierKey, number).toString('hex')))],
  }));
}
