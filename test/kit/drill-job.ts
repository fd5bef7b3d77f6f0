import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { HubError } from '#kernel/errors/hub-error.ts';
import { defineRun, type Timing } from '#kernel/jobs/define-job.ts';

/** Where a worker of the drill dies, on the page that the plan names. */
export const deaths = ['before-call', 'after-call', 'in-transaction', 'after-commit', 'always'] as const;
export type Death = (typeof deaths)[number];

const planSchema = z.strictObject({
  pages: z.int(),
  /** How long a page takes. */
  milliseconds: z.int(),
  /** Pages that fail whatever is tried. */
  failing: z.array(z.int()),
  /** Pages that are refused. */
  refused: z.array(z.int()),
  /** Counts the calls of each page. */
  peer: z.string().nullable(),
  /** Page on which a worker that is told to die does it. */
  deadly: z.int().nullable(),
});
export type DrillPlan = z.output<typeof planSchema>;
const pageSchema = z.strictObject({ no: z.int() });

/** Work whose effect is one row of `citizens.drill` per attempt that committed: what was done twice is seen there. */
/** `timing`: when it opens one by itself. */
export function drillRun(death: Death | null, timing: Timing | null = null) {
  const die = (at: Death): void => {
    if (death === at) process.kill(process.pid, 'SIGKILL');
  };
  return defineRun<DrillPlan, { readonly no: number }>({
    name: 'drill-pages',
    kind: 'SWEEP',
    subgraph: 'citizens',
    queue: 'internal',
    permission: 'run:start',
    parsePlan: (json) => planSchema.parse(json),
    parsePage: (json) => pageSchema.parse(json),
    async *plan(_tools, { pages }, last) {
      for (let from = last?.no ?? 0; from < pages; from += 100) {
        const some = Math.min(100, pages - from);
        yield await Promise.resolve(Array.from({ length: some }, (_, place) => ({ page: { no: from + place + 1 }, size: 2 })));
      }
    },
    async work(tools, plan, { no }) {
      const deadly = no === plan.deadly;
      if (deadly) {
        die('always');
        die('before-call');
      }
      if (plan.peer !== null) await fetch(plan.peer, { method: 'POST', headers: { 'idempotency-key': tools.page.key } });
      if (deadly) die('after-call');
      if (plan.milliseconds > 0) await sleep(plan.milliseconds, undefined, { signal: tools.signal });
      if (plan.failing.includes(no)) throw new Error('this page always fails');
      if (plan.refused.includes(no)) throw new HubError('FORBIDDEN', 'ROLE_LACKS_RIGHT');
      const outcome = await tools.inPage(async (tx) => {
        await tx.query('insert into citizens.drill (run_id, no, principal) values ($1, $2, $3)', [
          tools.run.id,
          no,
          tools.caller.principal.id,
        ]);
        if (deadly) die('in-transaction');
        return { done: 2, counts: { worked: 2 } };
      });
      if (deadly) die('after-commit');
      return outcome;
    },
    finish: (_tools, { pages }) => Promise.resolve({ pages }),
    schedule: {
      at: () => timing,
      plan: () => ({ pages: 2, milliseconds: 0, failing: [], refused: [], peer: null, deadly: null }),
    },
  });
}
