import type { Caller } from '#kernel/auth/principal.ts';
import type { Changes, Refusal } from '#kernel/db/change.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { openRun } from '#kernel/jobs/runs.ts';
import type { Result } from '#kernel/result.ts';
import { reconcileRun, type ReconcilePlan } from './jobs.ts';

export interface StartReconcile {
  readonly afterDays?: number | null;
}

/** Id of the run that was opened. */
export type Started = Result<{ readonly runId: string }, Refusal>;

/** Longest time between two comparisons of one citizen that may be asked for, in days. */
const longestAfter = 3_650;
/** Somebody waits for it: seconds without any answer after which the rest is given up. */
const patience = 1_800;

/** Long work over citizens that people start. */
export class RunStarts {
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  reconcile(caller: Caller, input: StartReconcile): Promise<Started> {
    return this.#changes.mutate({ caller, operation: 'startReconcile', permission: 'run:start', input }, async (change) => {
      const { afterDays = null } = input;
      if (afterDays !== null && (afterDays < 0 || afterDays > longestAfter))
        throw refusal('AFTER_DAYS_RANGE', { field: 'afterDays' });
      const plan: ReconcilePlan = { afterDays, patience };
      const runId = await openRun(change.transaction, reconcileRun, { caller }, plan);
      if (runId === null) throw new Error('a run without a slot was not opened');
      change.audit('run.started', [runId], []);
      return { runId };
    });
  }
}
