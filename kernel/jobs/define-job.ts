import type { SubgraphName } from '../audit/audit.ts';
import type { Permission } from '../auth/permissions.ts';
import type { Caller } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Settings } from '../config.ts';
import type { Transaction } from '../db/database.ts';
import type { RunKind } from '../db/hub.entity.ts';
import type { SubgraphDoor } from '../graph/subgraph-call.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { QueueName } from './queues.ts';

/*
 * What a subgraph says about its background work: long runs in pages, by schedule or on demand. What is short and repeated for ever (feeds, retention,
 * the sealer) is a loop of the worker and no run.
 * The database is the truth; a queue carries ids only and may be lost at any moment.
 */

/** JSON of ids, names of files of the hub's own, counts: never a value of a person. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a worker process has for every body. */
export interface WorkTools {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Secret of this installation for keyed hashes of identifiers. */
  readonly identifierKey: Buffer;
  /** Aborted when the process is to end or the lease is lost: stop soon, by throwing or by returning. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** One run while one of its bodies works. */
export interface RunTools extends WorkTools {
  readonly run: {
    readonly id: string;
    readonly unitNo: number;
    /** When it was opened, by the database's clock. */
    readonly openedAt: Date;
  };
  /** Under whose rights: who started the run, as he stands now, looked up before each page; or the hub itself. */
  readonly caller: Caller;
  /** Units of the run's permission, int4multirange text. */
  readonly units: string;
  /** The lists of the run's subgraph as its graph answers them, under its role; whoever passes on what they answer commits `audit` before. */
  graph(): Promise<SubgraphDoor>;
  /** Reads and staging in the schema of the subgraph, under its role and the caller's scope. Not for the effect of a page. */
  transaction<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface PageTools extends RunTools {
  readonly page: {
    /** From 1, in the order of planning. */
    readonly no: number;
    /** From 1. */
    readonly attempt: number;
    /** The same for every attempt: what an outside system gets as its idempotency key. */
    readonly key: string;
  };
  /**
   * The effect of the page and its "done", in one transaction. Called once, at the end. If the page was given to another worker
   * meanwhile, everything in it is undone and this rejects with `LeaseLost`, which the body lets pass.
   */
  inPage(body: (tx: Transaction) => Promise<PageOutcome>): Promise<PageOutcome>;
}

/** What became of the units of a page (citizens, rows): `done` with the refused ones. Sums go into the run. */
export interface PageOutcome {
  readonly done: number;
  readonly refused?: number;
  /** Added to the sums of the run, by name: `matched`, `added`. */
  readonly counts?: Readonly<Record<string, number>>;
}

export interface PlannedPage<Page> {
  readonly page: Page;
  /** Units of work in it: what progress counts. */
  readonly size: number;
}

export interface RunDefinition<Plan, Page> {
  /** `verb-noun`: `reconcile-citizens`. Stored with the run, so it is never given another meaning. */
  readonly name: string;
  readonly kind: RunKind;
  /** Whose schema and role it works with. */
  readonly subgraph: SubgraphName;
  readonly queue: QueueName;
  /** Needed to start it, and again before each page. */
  readonly permission: Permission;
  /** Throws what is no plan of this kind. */
  parsePlan(json: unknown): Plan;
  parsePage(json: unknown): Page;
  /**
   * The pages in portions, each committed before the next is asked for. After a crash it is called again with the last page that was
   * committed, and goes on behind it; pages are worked on while later ones are still being planned.
   */
  plan(tools: RunTools, plan: Plan, last: Page | null): AsyncIterable<readonly PlannedPage<Page>[]>;
  /**
   * One page, once or more: an attempt may be cut off anywhere, and only what `inPage` committed counts. Throws `Busy` for "later", a
   * `HubError` for "never" (the page counts as refused); whatever else it throws is tried again, and after five times it is an operator's.
   */
  work(tools: PageTools, plan: Plan, page: Page): Promise<PageOutcome>;
  /** When no page is open any more; at least once. What it returns is the report of the run. */
  finish?(tools: RunTools, plan: Plan): Promise<Json>;
  /** Opens a run by itself, as the hub. */
  readonly schedule?: {
    at(settings: Settings): Timing | null;
    plan(settings: Settings): Plan;
  };
}

/** When something happens: once a day at a time of Việt Nam (`01:30`), or again so many seconds after it began. */
export type Timing = { readonly daily: string } | { readonly everySeconds: number };

/** A definition of a run whose types are its own business. */
export interface RunJob {
  readonly type: 'run';
  readonly name: string;
  readonly kind: RunKind;
  readonly subgraph: SubgraphName;
  readonly queue: QueueName;
  readonly permission: Permission;
  /** Throws what is no plan of this kind. */
  checkPlan(plan: unknown): void;
  plan(tools: RunTools, plan: unknown, last: unknown): AsyncIterable<readonly PlannedPage<unknown>[]>;
  work(tools: PageTools, plan: unknown, page: unknown): Promise<PageOutcome>;
  finish(tools: RunTools, plan: unknown): Promise<Json>;
  readonly schedule: { at(settings: Settings): Timing | null; plan(settings: Settings): unknown } | null;
}

/** What `index.ts` of a subgraph exports as `jobs`. */
export type Job = RunJob;

export function defineRun<Plan, Page>(definition: RunDefinition<Plan, Page>): RunJob {
  const { name, kind, subgraph, queue, permission, schedule } = definition;
  return {
    type: 'run',
    name,
    kind,
    subgraph,
    queue,
    permission,
    checkPlan: (plan) => void definition.parsePlan(plan),
    plan: (tools, plan, last) =>
      definition.plan(tools, definition.parsePlan(plan), last === null ? null : definition.parsePage(last)),
    work: (tools, plan, page) => definition.work(tools, definition.parsePlan(plan), definition.parsePage(page)),
    finish: async (tools, plan) => (await definition.finish?.(tools, definition.parsePlan(plan))) ?? null,
    schedule: schedule ?? null,
  };
}

/** "Later": an outside system is busy, a volume is full. The page waits and no attempt is counted. */
export class Busy extends Error {
  /** Seconds. */
  readonly retryAfter: number;

  constructor(retryAfter: number, cause?: unknown) {
    super('busy', cause === undefined ? undefined : { cause });
    this.name = 'Busy';
    this.retryAfter = retryAfter;
  }
}

/** Another worker has the page now: nothing of this attempt counts. */
export class LeaseLost extends Error {
  constructor() {
    super('the page was given to another worker');
    this.name = 'LeaseLost';
  }
}
