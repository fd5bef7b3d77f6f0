import type { Permission } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Changes, Refusal } from '#kernel/db/change.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import type { Result } from '#kernel/result.ts';

/*
 * What people say to a run: pause, go on, end, run again what failed, or leave it. The order and its audit are one transaction; workers look at the state of
 * the run before each page, so it holds from the next page on.
 */

export interface RunInput {
  readonly id: string;
  readonly version: number;
}

/** Id of the run that was spoken to. */
export type OrderedRun = Result<{ readonly run: string }, Refusal>;

/** Names of the mutations, and what the database calls the order. */
const orders = {
  pauseRun: 'PAUSE',
  resumeRun: 'RESUME',
  cancelRun: 'CANCEL',
  rerunFailed: 'RERUN',
  dropFailed: 'DROP',
} as const;
export type RunOrder = keyof typeof orders;

type Answer = 'DONE' | 'UNKNOWN' | 'STALE' | 'STATE' | 'NOTHING';

export class RunOrders {
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  give(caller: Caller, order: RunOrder, input: RunInput): Promise<OrderedRun> {
    // Whoever may start runs may speak to all of his units; whoever only sends files, to the imports among them; an export is his who began it.
    const may = (right: Permission): boolean => scopeOf(caller, right) !== null;
    const permission = (['run:start', 'import:send'] as const).find(may) ?? 'export:start';
    return this.#changes.mutate({ caller, operation: order, permission, input }, async (change) => {
      const { transaction, units } = change;
      const id = input.id.toLowerCase();
      const [run] = isUuid(id)
        ? await transaction.query<{ readonly kind: string; readonly startedBy: string }>(
            'select kind, started_by as "startedBy" from hub.run where id = $1 and coalesce(unit_no <@ $2::int4multirange, false)',
            [id, units],
          )
        : [];
      if (run === undefined) throw refusal('RECORD_UNKNOWN', { field: 'id' });
      const his = run.kind === 'EXPORT' && run.startedBy === caller.principal.id && may('export:start');
      if (!may('run:start') && !his && !(run.kind === 'IMPORT' && may('import:send'))) throw refusal('ROLE_LACKS_RIGHT');
      const [said] = await transaction.query<{ readonly answer: Answer }>('select answer from hub.order_run($1, $2, $3)', [
        id,
        input.version,
        orders[order],
      ]);
      switch (said?.answer) {
        case 'DONE':
          change.audit('run.ordered', [id], [`Mutation.${order}`]);
          return { run: id };
        case 'STALE':
          throw refusal('VERSION_STALE', { field: 'version' });
        case 'STATE':
          throw refusal('RUN_STATE', { field: 'id' });
        case 'NOTHING':
          throw refusal('RUN_NOTHING_FAILED', { field: 'id' });
        case 'UNKNOWN':
        case undefined:
          throw refusal('RECORD_UNKNOWN', { field: 'id' });
      }
    });
  }
}
