import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Asker, PopulationDatabase } from '#connectors/population/index.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Database, Transaction } from '#kernel/db/database.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askPage, writePage, type Reconciling } from './reconcile.ts';
import { countDue, dueAfter, type DueRange } from './reconcile-reads.ts';

/*
 * One comparison of everybody who is due, from the first page to the report.
 *
 * Stops half-way (signal, crash): pages that were written stay written; the next run asks those who are left. Runs beside another one: each
 * citizen's rows are locked while his answer is written, and the older answer of two changes nothing.
 */

export interface ReconcileDeps {
  readonly database: Database;
  readonly population: PopulationDatabase;
  readonly asker: Asker;
  /** Questions under way at once. */
  readonly atOnce: number;
  /** A citizen is due after so many days. */
  readonly afterDays: number;
  /** Milliseconds without any answer after which the rest of the run is given up. */
  readonly patience: number;
}

interface ReconcileQuestion {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

export interface ReconcileTally {
  readonly asked: number;
  readonly matched: number;
  readonly differing: number;
  readonly unknown: number;
  readonly busy: number;
  readonly refused: number;
  readonly stale: number;
  readonly changed: number;
  readonly opened: number;
  readonly withdrawn: number;
}

export interface ReconcileReport extends ReconcileTally {
  readonly run: string;
  readonly total: number;
  /** False: stopped before the end. */
  readonly complete: boolean;
}

/** Citizens per transaction: some hundred milliseconds each. */
const pageSize = 200;
/** Pages under way: while one is written the next is asked. */
const lanes = 2;
/** A wait is never shorter, in milliseconds, whatever the other side says. */
const shortestWait = 250;

export async function reconcileCitizens(deps: ReconcileDeps, question: ReconcileQuestion): Promise<ReconcileReport> {
  const { caller, signal } = question;
  const scope = scopeOf(caller, 'run:start');
  if (scope?.citizenId !== null) throw refusal('ROLE_LACKS_RIGHT');
  const { units } = scope;
  const run = randomUUIDv7();
  const transaction = <T>(body: (tx: Transaction) => Promise<T>): Promise<T> =>
    deps.database.transaction({ units, principal: caller.principal.id }, body);
  const total = await transaction(async (tx) => {
    const due = await countDue(tx, units, deps.afterDays);
    await tx.query('select hub.run_open($1, $2, $3, $4, $5, $6, $7)', [
      run,
      'RECONCILE',
      'citizens',
      caller.principal.unitNo,
      caller.principal.name,
      JSON.stringify({ afterDays: deps.afterDays }),
      due,
    ]);
    return due;
  });

  const tally: { -readonly [Name in keyof ReconcileTally]: number } = {
    asked: 0,
    matched: 0,
    differing: 0,
    unknown: 0,
    busy: 0,
    refused: 0,
    stale: 0,
    changed: 0,
    opened: 0,
    withdrawn: 0,
  };
  const of: Reconciling = { ...deps, caller, units, run, signal, transaction };
  let answeredAt = performance.now();
  const ended = { cancelled: false, refused: false };
  let last: string | null = null;
  let reading: Promise<unknown> = Promise.resolve();

  /** One lane reads after the other: each page begins where the one before ended. */
  function nextPage(): Promise<DueRange | undefined> {
    const page = reading.then(async () => {
      const [range] = await transaction((tx) => dueAfter(tx, { units, after: last, days: deps.afterDays, pageSize, pages: 1 }));
      last = range?.to ?? last;
      return range;
    });
    reading = page.catch(() => undefined);
    return page;
  }

  async function work(range: DueRange): Promise<void> {
    for (;;) {
      const page = await askPage(of, range);
      const patient = performance.now() - answeredAt < deps.patience;
      const again = patient ? page.busy.length : 0;
      const done = page.asked - again;
      const running = await transaction(async (tx) => {
        const effect = await writePage(tx, of, page);
        // Summed here and not after the commit: the run says what its pages say.
        for (const [name, value] of Object.entries(effect) as [keyof typeof effect, number][]) tally[name] += value;
        tally.asked += done;
        tally.busy += page.busy.length - again;
        tally.refused += page.refused.length;
        const [progress] = await tx.query<{ readonly running: boolean }>('select hub.run_progress($1, $2, $3, $4) as running', [
          run,
          done,
          page.refused.length + page.busy.length - again,
          JSON.stringify(tally),
        ]);
        return progress?.running === true;
      });
      if (page.answered.length > 0) answeredAt = performance.now();
      if (page.refusedAll !== null) ended.refused = true;
      if (!running) ended.cancelled = true;
      question.progress(tally.asked, total);
      if (again === 0 || over()) return;
      const wait = Math.max(Math.min(page.retryAfter ?? 1_000, deps.patience), shortestWait);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  const over = (): boolean => signal.aborted || ended.cancelled || ended.refused;
  async function lane(): Promise<void> {
    while (!over()) {
      const range = await nextPage();
      if (range === undefined) return;
      await work(range);
    }
  }
  const report = (): ReconcileReport => ({ run, total, ...tally, complete: !over() });
  const close = (state: 'DONE' | 'FAILED' | 'CANCELLED'): Promise<unknown> =>
    transaction((tx) => tx.query('select hub.run_close($1, $2, $3)', [run, state, JSON.stringify(report())]));
  try {
    const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const end of ends) if (end.status === 'rejected' && !signal.aborted) throw end.reason;
    await close(signal.aborted || ended.cancelled ? 'CANCELLED' : ended.refused ? 'FAILED' : 'DONE');
    return report();
  } catch (error) {
    await close('FAILED').catch(() => undefined);
    throw error;
  }
}
