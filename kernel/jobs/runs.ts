import { randomUUIDv7 } from 'node:crypto';
import type { Caller } from '../auth/principal.ts';
import { scopeOf } from '../auth/policy.ts';
import type { Transaction } from '../db/database.ts';
import { refusal } from '../errors/hub-error.ts';
import type { RunJob } from './define-job.ts';

/** Who starts a run: a caller, under whose rights it works; or the hub, at a time of its schedule. */
export type Starter = { readonly caller: Caller } | { readonly hub: { readonly unitNo: number; readonly slot: Date | null } };

/**
 * Opens a run in the transaction of whoever starts it: it exists exactly when that commits, and a worker finds it by itself. `null`: this time of
 * its schedule was taken already.
 */
export async function openRun(
  tx: Transaction,
  job: Pick<RunJob, 'name' | 'kind' | 'subgraph' | 'queue' | 'permission' | 'checkPlan'>,
  starter: Starter,
  plan: unknown,
): Promise<string | null> {
  job.checkPlan(plan);
  const id = randomUUIDv7();
  const by =
    'caller' in starter
      ? asStarted(starter.caller, job)
      : { unitNo: starter.hub.unitNo, name: 'schedule', principal: null, slot: starter.hub.slot };
  const [row] = await tx.query<{ readonly opened: boolean }>(
    'select hub.open_run($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10) as opened',
    [
      id,
      job.name,
      job.queue,
      job.kind,
      job.subgraph,
      by.unitNo,
      by.name,
      JSON.stringify(plan),
      by.principal === null ? null : JSON.stringify(by.principal),
      by.slot?.toISOString() ?? null,
    ],
  );
  return row?.opened === true ? id : null;
}

function asStarted(caller: Caller, job: Pick<RunJob, 'permission'>) {
  const scope = scopeOf(caller, job.permission);
  // What a legal basis lends for one person starts no work over many.
  if (scope?.citizenId !== null) throw refusal('ROLE_LACKS_RIGHT');
  const { principal, purpose, locale } = caller;
  return {
    unitNo: principal.unitNo,
    name: principal.kind === 'CLI' ? principal.name : principal.id,
    principal: { kind: principal.kind, id: principal.id, purpose, locale },
    slot: null,
  };
}
