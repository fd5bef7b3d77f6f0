/*
 * A run worked on by the process of a command, until it is over: with no hub running it is the only one at work, beside a running hub the leases
 * share the pages out. Cut off it leaves the run where it stands; whoever resumes it, a hub or the same command, goes on from there.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { everyUnit, openDatabase } from '#kernel/db/database.ts';
import type { RunJob, WorkTools } from '#kernel/jobs/define-job.ts';
import { openRun, type Starter } from '#kernel/jobs/runs.ts';
import { hubSession, PageWorker, type LeaseTimes } from './page-worker.ts';
import { graphsOf } from './graphs.ts';
import { databasesOf, type RuntimeOptions } from './runtime.ts';

export interface HereOptions {
  readonly job: RunJob;
  readonly roleUrl: RuntimeOptions['roleUrl'];
  readonly modules: RuntimeOptions['modules'];
  readonly tools: Omit<WorkTools, 'signal'>;
  /** Aborted: pages under way end or are returned; the run stays as it is. */
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number | null) => void;
  readonly atOnce?: number;
  readonly times?: LeaseTimes;
}

export interface RunEnd {
  readonly id: string;
  /** RUNNING: it was cut off. */
  readonly state: 'RUNNING' | 'PAUSED' | 'DONE' | 'FAILED' | 'CANCELLED';
  readonly total: number | null;
  readonly done: number;
  readonly refused: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly report: unknown;
}

/** `start`: a new run, or the id of one that is to be gone on with. */
export async function runHere(
  options: HereOptions,
  start: { readonly starter: Starter; readonly plan: unknown } | string,
): Promise<RunEnd> {
  const { job, roleUrl, modules, tools, signal, atOnce = 2 } = options;
  const databases = databasesOf(roleUrl, modules, atOnce + 2);
  const graphs = graphsOf(roleUrl, modules, tools);
  const worker = await openDatabase({
    url: roleUrl('worker'),
    entities: [],
    connections: atOnce + 2,
    applicationName: 'hub run',
  });
  const read = await openDatabase({ url: roleUrl('organisation'), entities: [], connections: 1, applicationName: 'hub run' });
  try {
    const id = typeof start === 'string' ? start : await opened(start);
    const pages = new PageWorker({
      jobs: [job],
      worker,
      of: (subgraph) => databases.of(subgraph),
      graph: (subgraph) => graphs.of(subgraph),
      tools,
      ...(options.times !== undefined && { times: options.times }),
    });

    const state = async (): Promise<RunEnd> => {
      const [row] = await read.transaction(hubSession, (tx) =>
        tx.query<RunEnd>('select id::text, state, total, done, refused, counts, report from hub.run where id = $1', [id]),
      );
      if (row === undefined) throw new Error('there is no such run');
      return row;
    };

    const lane = async (): Promise<void> => {
      while (!signal.aborted) {
        const [page] = await worker.transaction(hubSession, async (tx) => {
          await tx.query('select hub.lapse_pages()');
          return await tx.query<{ readonly no: number }>('select no from hub.claim_pages($1::text[], 1, $2)', [[job.name], id]);
        });
        if (page !== undefined) {
          await pages.attempt(id, page.no, signal);
          continue;
        }
        const now = await state();
        options.progress(now.done + now.refused, now.total);
        if (now.state !== 'RUNNING') return;
        await pause(200, undefined, { signal }).catch(() => undefined);
      }
    };
    const watch = setInterval(() => {
      state().then(
        (now) => options.progress(now.done + now.refused, now.total),
        () => undefined,
      );
    }, 500);
    try {
      await Promise.all(Array.from({ length: atOnce }, lane));
    } finally {
      clearInterval(watch);
    }
    const end = await state();
    options.progress(end.done + end.refused, end.total);
    return end;
  } finally {
    await Promise.all([databases.close(), graphs.close(), worker.close(), read.close()]);
  }

  async function opened({ starter, plan }: { readonly starter: Starter; readonly plan: unknown }): Promise<string> {
    const database = await databases.of(job.subgraph);
    const session =
      'caller' in starter
        ? { units: starter.caller.principal.scope, principal: starter.caller.principal.id }
        : { units: everyUnit, principal: 'hub' };
    const id = await database.transaction(session, (tx) => openRun(tx, job, starter, plan));
    if (id === null) throw new Error('this run was opened already');
    return id;
  }
}
