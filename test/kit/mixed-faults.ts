import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawn, populationSlow, postgresKilled, queueEmptied, workerKilled } from './faults.ts';
import type { TestHub } from './hub.ts';
import type { Verdict } from './ledger.ts';
import { LedgerRun } from './ledger-run.ts';
import { behave, endOf, openWork, startOnGraph, stewardOf, type RunState } from './reconcile-drill.ts';
import type { TestRedis } from './redis.ts';

/*
 * Everything that goes wrong with work in the background, mixed: worker and PostgreSQL are killed, the queue forgets everything and the population
 * database falls asleep, in an order drawn from a seed, while writers write and comparisons follow one another.
 */

export interface MixOptions {
  readonly seed: number;
  /** Where the queue is; `null`: in PostgreSQL. */
  readonly redis: TestRedis | null;
  readonly writers: number;
  /** At least so long, and so many of each. */
  readonly milliseconds: number;
  readonly strikes: number;
  readonly acknowledged: number;
  readonly strikeEvery: number;
  /** Milliseconds that the population database sleeps each time. */
  readonly asleep: number;
  /** Milliseconds that a comparison may take. */
  readonly patience: number;
}

export interface MixOutcome {
  readonly verdict: Verdict;
  readonly struck: readonly string[];
  readonly outages: readonly number[];
  readonly loose: Readonly<Record<string, number>>;
  /** The comparisons, as they ended. */
  readonly runs: readonly RunState[];
  /** What they found, by the graph. */
  readonly open: readonly string[];
}

export async function mixFaults(hub: TestHub, options: MixOptions): Promise<MixOutcome> {
  const ledger = await LedgerRun.open(hub);
  const kinds = [workerKilled, postgresKilled, queueEmptied(options.redis), populationSlow(options.asleep)];
  const over = new AbortController();
  const writing = ledger.run({ ...options, faults: drawn(options.seed, kinds, options.strikes * kinds.length) }).finally(() => {
    over.abort();
  });
  const runs: RunState[] = [];
  do runs.push(await endOf(hub, await started(hub, options.patience), options.patience));
  while (!over.signal.aborted);
  const { struck, outages } = await writing;
  await behave(hub.dataDir, {});
  return {
    struck,
    outages,
    verdict: await ledger.verdict(),
    loose: await ledger.loose(60_000),
    runs,
    open: await openWork(hub),
  };
}

/** The id of a comparison; asked for again under the same key while the hub cannot answer. */
async function started(hub: TestHub, patience: number): Promise<string> {
  const key = randomUUID();
  for (const until = performance.now() + patience; ;) {
    try {
      const { ok, error } = await startOnGraph(hub, await stewardOf(hub), { afterDays: 0 }, key);
      if (ok !== null) return (ok as { readonly runId: string }).runId;
      if (performance.now() > until) throw new Error(`no comparison: ${JSON.stringify(error)}`);
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await sleep(300);
  }
}
