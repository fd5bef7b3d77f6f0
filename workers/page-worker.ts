/*
 * One page of a run, from its lease to its end. Guarantees: a page is worked on under the rights its run has now; its effect and its end are one
 * commit; whoever lost the lease commits nothing; whatever happens the page is ended, returned, or its lease runs out by itself.
 */
import { randomBytes } from 'node:crypto';
import { permissionsOf, roles, type Role } from '#kernel/auth/permissions.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller, Principal } from '#kernel/auth/principal.ts';
import { purposes, type Purpose } from '#kernel/auth/purposes.ts';
import { everyUnit, type Database, type Transaction } from '#kernel/db/database.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import {
  Busy,
  LeaseLost,
  type PageOutcome,
  type PageTools,
  type RunJob,
  type RunTools,
  type WorkTools,
} from '#kernel/jobs/define-job.ts';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';

export const hubSession = { units: everyUnit, principal: 'hub' };

/** Numbers of the runtime; tests take shorter ones. */
export interface LeaseTimes {
  /** Seconds a lease lasts without renewal: a dead worker's page is free again after that. */
  readonly lease: number;
}
export const leaseTimes: LeaseTimes = { lease: 15 };

export interface PageWorkerDeps {
  readonly jobs: readonly RunJob[];
  /** Under the worker's role: leases. */
  readonly worker: Database;
  /** Under the role of that subgraph: effects. */
  readonly of: (subgraph: SubgraphName) => Promise<Database>;
  /** The graph of that subgraph. */
  readonly graph: (subgraph: SubgraphName) => Promise<SubgraphDoor>;
  readonly tools: Omit<WorkTools, 'signal'>;
  readonly times?: LeaseTimes;
}

/** `elsewhere`: nothing to do here now. `unknown`: no transaction of the hub ever made such a page. */
export type Attempt = 'done' | 'refused' | 'returned' | 'failed' | 'poison' | 'lost' | 'elsewhere' | 'unknown';

interface Lease {
  readonly verdict: 'LEASED' | 'UNKNOWN' | 'OVER' | 'PAUSED' | 'HELD' | 'LATER';
  readonly epoch: number;
  readonly keys: unknown;
  readonly size: number;
  readonly tries: number;
  readonly definition: string;
  readonly plan: unknown;
  readonly principal: {
    readonly kind: Principal['kind'];
    readonly id: string;
    readonly purpose: string;
    readonly locale: 'vi' | 'en';
  } | null;
  readonly unitNo: number;
  readonly openedAt: string;
  readonly last: unknown;
}

/** Seconds before the next try, by how many there were. */
const pauses = [1, 5, 20, 60] as const;
/** Milliseconds that a body has after its signal; then its page is returned whatever it does. */
const grace = 700;

export class PageWorker {
  readonly #deps: PageWorkerDeps;
  readonly #jobs: ReadonlyMap<string, RunJob>;
  readonly #times: LeaseTimes;

  constructor(deps: PageWorkerDeps) {
    this.#deps = deps;
    this.#jobs = new Map(deps.jobs.map((job) => [job.name, job]));
    this.#times = deps.times ?? leaseTimes;
  }

  async attempt(run: string, no: number, ending: AbortSignal): Promise<Attempt> {
    const lease = await this.#lease(run, no);
    if (lease.verdict === 'UNKNOWN') return 'unknown';
    if (lease.verdict !== 'LEASED') return 'elsewhere';
    const { epoch } = lease;
    const lost = new AbortController();
    const renewal = setInterval(
      () => {
        this.#call<{ ok: boolean }>('select hub.renew_page($1, $2, $3, $4) as ok', [run, no, epoch, this.#times.lease]).then(
          (row) => {
            if (!row.ok) lost.abort(new LeaseLost());
          },
          // The next one may reach the database again; else the lease runs out, as it should.
          () => undefined,
        );
      },
      (this.#times.lease * 1_000) / 3,
    );
    const signal = AbortSignal.any([ending, lost.signal]);
    try {
      return await untilCut(this.#work(run, no, lease, signal), signal);
    } catch (error) {
      return await this.#failed(run, no, lease, error, signal);
    } finally {
      clearInterval(renewal);
    }
  }

  async #work(run: string, no: number, lease: Lease, signal: AbortSignal): Promise<Attempt> {
    const job = this.#jobs.get(lease.definition);
    // Of a newer version: a worker of that version takes it.
    if (job === undefined) throw new Busy(30);
    const caller = await this.#caller(lease, job);
    const scope = caller === null ? null : scopeOf(caller, job.permission);
    if (caller === null || scope?.citizenId !== null) throw new HubError('FORBIDDEN', 'ROLE_LACKS_RIGHT');
    const database = await this.#deps.of(job.subgraph);
    const session = { units: scope.units, principal: caller.principal.id };
    const transaction = <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => database.transaction(session, body);
    const tools: RunTools = {
      ...this.#deps.tools,
      signal,
      run: { id: run, unitNo: lease.unitNo, openedAt: new Date(lease.openedAt) },
      caller,
      units: scope.units,
      graph: () => this.#deps.graph(job.subgraph),
      transaction,
    };
    if (no === 0) await this.#plan(job, tools, lease, signal);
    else if (no < 0) {
      const report = await job.finish(tools, lease.plan);
      await this.#mustHold('select hub.end_run($1, $2, $3::jsonb) as ok', [run, lease.epoch, JSON.stringify(report)]);
    } else {
      const outcomes: PageOutcome[] = [];
      const page: PageTools = {
        ...tools,
        page: { no, attempt: lease.tries + 1, key: `${run}_${String(no)}` },
        inPage: (body) =>
          transaction(async (tx) => {
            const outcome = await body(tx);
            const [row] = await tx.query<{ readonly ok: boolean }>(
              'select hub.finish_page($1, $2, $3, $4, $5, $6::jsonb) as ok',
              [run, no, lease.epoch, outcome.done, outcome.refused ?? 0, JSON.stringify(outcome.counts ?? {})],
            );
            if (row?.ok !== true) throw new LeaseLost();
            return outcome;
          }).then((outcome) => {
            outcomes.push(outcome);
            return outcome;
          }),
      };
      await job.work(page, lease.plan, lease.keys);
      if (outcomes.length === 0) throw new Error(`${job.name} ended a page without inPage`);
    }
    return 'done';
  }

  async #plan(job: RunJob, tools: RunTools, lease: Lease, signal: AbortSignal): Promise<void> {
    for await (const portion of job.plan(tools, lease.plan, lease.last)) {
      if (portion.length > 0) {
        const added = await tools.transaction((tx) =>
          tx.query<{ readonly pages: number | null }>('select hub.add_pages($1, $2, $3::jsonb[], $4::int[]) as pages', [
            tools.run.id,
            lease.epoch,
            portion.map(({ page }) => JSON.stringify(page)),
            portion.map(({ size }) => size),
          ]),
        );
        if ((added[0]?.pages ?? null) === null) throw new LeaseLost();
      }
      signal.throwIfAborted();
    }
    await this.#mustHold('select hub.finish_plan($1, $2) as ok', [tools.run.id, lease.epoch]);
  }

  async #failed(run: string, no: number, lease: Lease, error: unknown, signal: AbortSignal): Promise<Attempt> {
    const { log } = this.#deps.tools;
    if (error instanceof LeaseLost) return 'lost';
    if (signal.aborted) return await this.#back(run, no, lease, 'CUT_SHORT', 0, false);
    if (error instanceof Busy) return await this.#back(run, no, lease, 'BUSY', error.retryAfter, false);
    // Not the page's fault: the database is away or overloaded.
    if (error instanceof HubError && error.code === 'DEGRADED') return await this.#back(run, no, lease, 'DEGRADED', 5, false);
    if (error instanceof HubError && error.code !== 'INTERNAL') {
      log.warn('page.refused', { job: lease.definition, run, reason: error.reason });
      const row = await this.#call<{ ok: boolean }>('select hub.refuse_page($1, $2, $3, $4) as ok', [
        run,
        no,
        lease.epoch,
        error.reason,
      ]);
      return row.ok ? 'refused' : 'lost';
    }
    log.error('page.failed', { job: lease.definition, run, attempt: lease.tries + 1 }, error);
    return await this.#back(run, no, lease, 'FAILED', pauses[lease.tries] ?? 60, true);
  }

  async #back(run: string, no: number, lease: Lease, reason: string, wait: number, counts: boolean): Promise<Attempt> {
    const { state } = await this.#call<{ state: string }>('select hub.return_page($1, $2, $3, $4, $5, $6) as state', [
      run,
      no,
      lease.epoch,
      reason,
      wait,
      counts,
    ]);
    if (state === 'POISON') {
      this.#deps.tools.log.error('page.poison', { job: lease.definition, run });
      return 'poison';
    }
    return state === 'LOST' ? 'lost' : counts ? 'failed' : 'returned';
  }

  async #lease(run: string, no: number): Promise<Lease> {
    return await this.#call<Lease>(
      `select verdict, epoch, keys, size, tries, definition, plan, principal, unit_no as "unitNo", opened_at as "openedAt", last
       from hub.lease_page($1, $2, $3)`,
      [run, no, this.#times.lease],
    );
  }

  /** As he stands now: disabled, moved or with another role, his run goes on with what he may now, or not at all. */
  async #caller({ principal, unitNo, definition }: Lease, job: RunJob): Promise<Caller | null> {
    const locale = principal?.locale ?? 'vi';
    const found =
      principal === null || principal.kind === 'CLI'
        ? ownPrincipal(principal?.id ?? 'hub', unitNo)
        : await this.#principal(principal);
    if (found === null) return null;
    return {
      principal: found,
      purpose: found.purpose,
      basis: null,
      locale,
      traceId: randomBytes(16).toString('hex'),
      operation: definition || job.name,
      idempotencyKey: null,
    };
  }

  async #principal({ kind, id, purpose }: NonNullable<Lease['principal']>): Promise<Principal | null> {
    const rows = await this.#deps.worker.transaction(hubSession, (tx) =>
      tx.query<{
        readonly name: string;
        readonly role: string;
        readonly unitNo: number;
        readonly units: string;
        readonly unitCount: number;
      }>('select name, role, unit_no as "unitNo", units, unit_count as "unitCount" from hub.principal_now($1, $2)', [kind, id]),
    );
    const [row] = rows;
    const role = roles.find((known) => known === row?.role);
    if (row === undefined || role === undefined) return null;
    return {
      id,
      name: row.name,
      kind,
      role,
      unitNo: row.unitNo,
      scope: row.units,
      scopeUnits: row.unitCount,
      permissions: permissionsOf[role],
      purpose: purposes.find((known) => known === purpose) ?? ('HOPERAT' satisfies Purpose),
      pointsPerMinute: 0,
    };
  }

  async #mustHold(text: string, values: readonly unknown[]): Promise<void> {
    const row = await this.#call<{ ok: boolean }>(text, values);
    if (!row.ok) throw new LeaseLost();
  }

  async #call<Row extends object>(text: string, values: readonly unknown[]): Promise<Row> {
    const [row] = await this.#deps.worker.transaction(hubSession, (tx) => tx.query<Row>(text, values));
    if (row === undefined) throw new Error('PostgreSQL did not answer.');
    return row;
  }
}

/** The hub's own work, and that of whoever runs commands on its machine: every unit, audited under that name. */
function ownPrincipal(id: string, unitNo: number): Principal {
  const role: Role = 'cli';
  return {
    id,
    name: id,
    kind: 'CLI',
    role,
    unitNo,
    scope: everyUnit,
    scopeUnits: Number.MAX_SAFE_INTEGER,
    permissions: permissionsOf[role],
    purpose: 'HOPERAT',
    pointsPerMinute: 0,
  };
}

/** The work, or the reason why it was cut, some moments after the signal: what it still does then commits nothing. */
async function untilCut<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const cut = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason instanceof Error ? signal.reason : new Error('cut')), grace);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, cut]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    work.catch(() => undefined);
  }
}
