import type { Change } from '../db/change.ts';
import { isUuid } from '../domain/ids.ts';
import { refusal } from '../errors/hub-error.ts';

/** Subgraphs that keep a replica of the citizens. */
type ReplicaSchema = 'insurance' | 'results' | 'slips';

export interface Holder {
  readonly citizenId: string;
  readonly unitNo: number;
}

/**
 * The citizen of a new record, as far as he is the caller's. His replica is held until the end: the unit he moves to and the unit on the
 * record cannot pass each other. A merged citizen gets nothing new.
 */
export async function holderById(change: Change, schema: ReplicaSchema, citizenId: string): Promise<Holder> {
  const id = citizenId.toLowerCase();
  const [citizen] = isUuid(id)
    ? await change.transaction.query<Holder>(
        `select id as "citizenId", unit_no as "unitNo" from ${schema}.citizen
         where id = $1 and coalesce(unit_no <@ $2::int4multirange, false) and life_status <> 'MERGED' for share`,
        [id, change.units],
      )
    : [];
  if (citizen === undefined) throw refusal('CITIZEN_NOT_YOURS', { field: 'citizenId' });
  return citizen;
}

/** Those of the caller's citizens who have or had a number, at most two: more than one is for people to decide. */
export function holdersOf(change: Change, schema: ReplicaSchema, numberHash: Buffer): Promise<readonly Holder[]> {
  return change.transaction.query<Holder>(
    `select c.id as "citizenId", c.unit_no as "unitNo"
     from ${schema}.citizen_hash h join ${schema}.citizen c on c.id = h.citizen_id
     where h.hash = $1 and coalesce(h.unit_no <@ $2::int4multirange, false) and coalesce(c.unit_no <@ $2::int4multirange, false)
       and c.life_status <> 'MERGED'
     order by c.id limit 2 for share of c`,
    [numberHash, change.units],
  );
}
