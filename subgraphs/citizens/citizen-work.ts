import { randomUUIDv7 } from 'node:crypto';
import type { Change } from '#kernel/db/change.ts';
import type { OutboxEvent } from '#kernel/db/outbox.ts';
import type { WorkState } from '#kernel/db/shared.entity.ts';
import type { Citizen } from './citizen.entity.ts';
import { identityInconsistent } from './import-file.ts';

/* Work about a citizen, as the joint queue hears of it, and the one kind that his own values make and unmake. */

export interface CitizenWork {
  readonly id: string;
  readonly version: number;
  readonly kind: string;
  readonly field: string | null;
  readonly foundBy: string;
  readonly state: WorkState;
  /** ISO 8601, UTC. */
  readonly raisedAt: string;
}

export function workNotice(
  { id, version, kind, field, foundBy, state, raisedAt }: CitizenWork,
  citizen: Citizen,
  unitBefore: number | null,
  unitAfter: number,
): OutboxEvent {
  return {
    kind: 'WORK',
    subject: id,
    version,
    unitBefore,
    unitAfter,
    payload: { source: 'CITIZENS', kind, field, citizenId: citizen.id, citizenUnit: citizen.unitNo, foundBy, state, raisedAt },
  };
}

/** The values that the digits of a personal number speak of. */
const spokenOf = ['personalId', 'gender', 'dateOfBirth'];

const columns = `id, version, kind, field, found_by as "foundBy", state,
  to_char(raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt", unit_no as "unitNo"`;

/**
 * Where digits of the number contradict sex or birth year, somebody must look: one item that is open as long as they do. Looked at when one
 * of these values changes, so what people have once decided to keep is not asked again for an unrelated change. The citizen is locked.
 */
export async function keepInconsistency(change: Change, citizen: Citizen, changed: readonly string[]): Promise<void> {
  if (!changed.some((name) => spokenOf.includes(name))) return;
  const contradicts = citizen.flags.includes(identityInconsistent);
  const work = contradicts
    ? // One that is open already, perhaps with a unit above where the caller does not see it, stays the only one.
      await change.transaction.query<CitizenWork & { readonly unitNo: number }>(
        `insert into citizens.discrepancy (id, citizen_id, unit_no, field, kind, found_by, ours)
         values ($1, $2, $3, 'PERSONAL_ID', 'INCONSISTENT', 'CLERK', $4)
         on conflict (citizen_id, field, kind) where state in ('OPEN','LEASED') do nothing returning ${columns}`,
        [randomUUIDv7(), citizen.id, citizen.unitNo, citizen.personalId ?? null],
      )
    : await change.transaction.query<CitizenWork & { readonly unitNo: number }>(
        `update citizens.discrepancy set state = 'WITHDRAWN', settled_at = clock_timestamp(), settled_by = $2, version = version + 1
         where citizen_id = $1 and field = 'PERSONAL_ID' and kind = 'INCONSISTENT' and state in ('OPEN','LEASED') returning ${columns}`,
        [citizen.id, change.by.principal],
      );
  change.publish(...work.map((item) => workNotice(item, citizen, contradicts ? null : item.unitNo, item.unitNo)));
}
