import { z } from 'zod';
import { populationFromSettings, refuseWithoutAsker, type PopulationConnection } from '#connectors/population/from-settings.ts';
import type { CallEvent } from '#connectors/population/index.ts';
import type { Settings } from '#kernel/config.ts';
import { Busy, defineRun, type Job, type PageTools, type RunTools } from '#kernel/jobs/define-job.ts';
import { sharedAllowance, type AllowanceOf } from './call-allowance.ts';
import { askPage, writePage, type Reconciling } from './reconcile.ts';
import { dueAfter, outcomeOf, type DueRange } from './reconcile-reads.ts';

/*
 * reconcile-citizens: asks the population database about everybody who is due, nightly and on demand.
 *
 * At least once. A page is done when its answers are committed; after a crash it is asked again, but for those whose answer is in. While the
 * population database is busy its pages wait and no attempt is counted; answers that came are kept. When there was no answer at all for
 * as long as the plan allows, the rest is counted as busy and the run ends. Identity is never overwritten: a difference becomes work.
 */

const planSchema = z.strictObject({
  /** A citizen is due after so many days; `null`: as the settings say when a page is done. */
  afterDays: z.int().min(0).nullable(),
  /** Seconds without any answer after which the rest is given up. */
  patience: z.int().min(1),
});
export type ReconcilePlan = z.output<typeof planSchema>;
const pageSchema = z.strictObject({ from: z.uuid(), to: z.uuid(), size: z.int().min(1) });

/** Citizens in a page: some hundred milliseconds of writing. */
const pageSize = 200;
const pagesPlannedAtOnce = 20;
/** A wait is never shorter or longer, in seconds, whatever the other side says. */
const shortestWait = 1;
const longestWait = 300;

/** What a night may wait for an answer: it ends before people come. */
const nightPatience = 4 * 3_600;

interface Connected extends PopulationConnection {
  readonly allowance: AllowanceOf;
  /** When the last answer came, on the clock of `performance`. */
  answeredAt: number;
  /** When this process first worked on a run; on the same clock, which nobody sets. */
  readonly seenAt: Map<string, number>;
}
/** Runs that a process remembers. */
const mostRuns = 100;

/** Since when a run waits for any answer at all. */
function silentSince({ answeredAt, seenAt }: Connected, run: string): number {
  const seen = seenAt.get(run) ?? performance.now();
  if (!seenAt.has(run) && seenAt.size >= mostRuns) seenAt.clear();
  seenAt.set(run, seen);
  return Math.max(answeredAt, seen);
}

/** One connection of a process, whatever runs it works on. */
const connections = new WeakMap<Settings, Connected | null>();

function connected({ settings, log, metrics }: Pick<RunTools, 'settings' | 'log' | 'metrics'>): Connected | null {
  const known = connections.get(settings);
  if (known !== undefined) return known;
  const calls = metrics.counter('hub_population_calls_total', 'Calls to the population database by what became of them.', [
    'outcome',
  ]);
  const durations = metrics.histogram('hub_population_call_seconds', 'Answers of the population database.', ['operation']);
  const observe = (event: CallEvent): void => {
    switch (event.kind) {
      case 'answered':
        made.answeredAt = performance.now();
        calls.inc({ outcome: 'answered' });
        durations.observe({ operation: event.operation }, event.milliseconds / 1_000);
        return;
      case 'busy': {
        const { kind, violation } = event.error;
        calls.inc({ outcome: violation ?? kind });
        // One line per broken answer: which rule it broke, and nothing of what it said.
        if (violation !== null) log.warn('population.contract-violated', { kind: violation, operation: event.operation });
        return;
      }
      case 'refused':
        calls.inc({ outcome: `refused ${event.error.kind}` });
        log.error('population.refused', { kind: event.error.kind, operation: event.operation });
        return;
      case 'breaker':
        log.warn('population.breaker', { state: event.state });
    }
  };
  const allowance = sharedAllowance(settings.population.callsPerSecond);
  const connection = populationFromSettings(settings, { allowance, observe });
  const made = { ...connection, allowance, answeredAt: 0, seenAt: new Map() } as Connected;
  connections.set(settings, connection === null ? null : made);
  return connection === null ? null : made;
}

/** Lets go of what a process opened; a command ends only then. */
export async function releasePopulation(settings: Settings): Promise<void> {
  const connection = connections.get(settings);
  connections.delete(settings);
  await connection?.database.close();
}

export const reconcileRun = defineRun<ReconcilePlan, DueRange>({
  name: 'reconcile-citizens',
  kind: 'RECONCILE',
  subgraph: 'citizens',
  queue: 'population',
  permission: 'run:start',
  parsePlan: (json) => planSchema.parse(json),
  parsePage: (json) => pageSchema.parse(json),
  async *plan(tools, plan, last) {
    const days = daysOf(plan, tools.settings);
    for (let after = last?.to ?? null; ;) {
      const ranges = await tools.transaction((tx) =>
        dueAfter(tx, { units: tools.units, after, days, pageSize, pages: pagesPlannedAtOnce }),
      );
      if (ranges.length > 0) yield ranges.map((page) => ({ page, size: page.size }));
      if (ranges.length < pagesPlannedAtOnce) return;
      after = ranges.at(-1)?.to ?? after;
    }
  },
  work,
  schedule: {
    at(settings) {
      // Read when a worker starts: one that could ask nobody by its rights does not start.
      refuseWithoutAsker(settings);
      const { population, populationUrl } = settings;
      return population.reconcileAt === null || populationUrl === null ? null : { daily: population.reconcileAt };
    },
    plan: () => ({ afterDays: null, patience: nightPatience }),
  },
});

function daysOf({ afterDays }: ReconcilePlan, { population }: Settings): number {
  return afterDays ?? population.reconcileAfterDays;
}

async function work(tools: PageTools, plan: ReconcilePlan, range: DueRange) {
  const connection = connected(tools);
  // Nobody to ask: the page says so instead of pretending.
  if (connection === null)
    return tools.inPage(() => Promise.resolve({ done: range.size, refused: range.size, counts: { refused: range.size } }));
  connection.allowance.through = (body) => tools.transaction(body);
  const of: Reconciling = {
    population: connection.database,
    asker: connection.asker(tools.caller.principal.id),
    caller: tools.caller,
    units: tools.units,
    run: tools.run.id,
    atOnce: Math.max(1, Math.floor(tools.settings.population.callsAtOnce / 2)),
    afterDays: daysOf(plan, tools.settings),
    signal: tools.signal,
    transaction: (body) => tools.transaction(body),
  };
  const since = silentSince(connection, of.run);
  const silence = () => (performance.now() - Math.max(since, connection.answeredAt)) / 1_000;
  const patient = () => silence() < plan.patience;
  // The longer nobody answers the rarer a page is tried: thousands of them wait.
  const later = (milliseconds: number) =>
    new Busy(Math.ceil(Math.min(Math.max(milliseconds / 1_000, silence() / 4, shortestWait), longestWait, plan.patience / 4)));
  const waits = connection.database.waits();
  // Nobody's data are read for questions that nobody would hear.
  if (waits > 0 && patient()) throw later(waits);
  const page = await askPage(of, range);
  if (page.busy.length > 0 && patient()) {
    // What was answered is kept whoever finishes the page: the same answer a second time changes nothing.
    if (page.answered.length > 0) await of.transaction((tx) => writePage(tx, of, page));
    throw later(page.retryAfter ?? 2_000);
  }
  return tools.inPage(async (tx) => {
    const { stale, changed } = await writePage(tx, of, page);
    const outcome = await outcomeOf(tx, of.run, range);
    const [busy, refused] = [page.busy.length, page.refused.length];
    return { done: range.size, refused: busy + refused, counts: { ...outcome, stale, changed, busy, refused } };
  });
}

export const citizensJobs: readonly Job[] = [reconcileRun];
