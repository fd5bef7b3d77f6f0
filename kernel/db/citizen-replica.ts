import type { Transaction } from './database.ts';
import type { CitizenReplica } from './outbox.ts';

/*
 * What insurance, results and slips know of a citizen, and what follows for their own rows when it changes: rows move with the
 * citizen's unit, and rows that wait for him find him. All of it in one transaction under every unit; applying the same news
 * twice, or older news after newer, changes nothing.
 *
 * Who writes a row of a citizen takes his replica `for share` first: then the unit he moves to and the unit on the row cannot
 * pass each other.
 */

/** A table whose rows belong to a citizen, or wait for one. */
export interface CitizenRecords {
  readonly table: string;
  /** Kind of the event that tells of a change. */
  readonly kind: 'CARD' | 'RESULT' | 'SLIP';
  readonly action: 'card.changed' | 'result.changed' | 'slip.changed';
}

export interface ReplicaTarget {
  readonly schema: 'insurance' | 'results' | 'slips';
  readonly records: readonly CitizenRecords[];
  /** Rows are also a facility's: history carries its number. */
  readonly ofFacilities: boolean;
}

export interface CitizenNews extends CitizenReplica {
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
}

export interface Applied {
  /** Replicas that are new or newer than what was stored. */
  readonly changed: number;
  /** News that was not newer; dropped. */
  readonly stale: number;
  readonly linked: number;
}

/** `rebuild` also replaces a replica of the same version: what is stored may be wrong, the source is right. */
export async function applyCitizens(
  transaction: Transaction,
  target: ReplicaTarget,
  news: readonly CitizenNews[],
  mode: 'feed' | 'rebuild',
): Promise<Applied> {
  const newest = new Map<string, CitizenNews>();
  for (const item of news) {
    const other = newest.get(item.id);
    if (other === undefined || other.version < item.version) newest.set(item.id, item);
  }
  if (newest.size === 0) return { changed: 0, stale: 0, linked: 0 };
  const rows = [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1)); // one order of locks
  const changed = await transaction.query<{ id: string }>(
    `insert into ${target.schema}.citizen as kept (id, unit_no, life_status, merged_into, identifier_hashes, version)
     select id, "unitNo", "lifeStatus", "mergedInto", array(select decode(hash, 'hex') from unnest(hashes) hash order by 1), version
     from jsonb_to_recordset($1::jsonb)
       as n (id uuid, "unitNo" int, "lifeStatus" text, "mergedInto" uuid, hashes text[], version int)
     on conflict (id) do update set unit_no = excluded.unit_no, life_status = excluded.life_status, merged_into = excluded.merged_into,
       identifier_hashes = excluded.identifier_hashes, version = excluded.version
       where kept.version < excluded.version or ($2 and kept.version = excluded.version)
     returning id`,
    [JSON.stringify(rows), mode === 'rebuild'],
  );
  const ids = changed.map(({ id }) => id);
  let linked = 0;
  if (ids.length > 0) {
    for (const table of [...target.records.map((records) => records.table), 'work', 'change']) {
      await transaction.query(
        `update ${target.schema}.${table} r set unit_no = c.unit_no from ${target.schema}.citizen c
         where c.id = any ($1::uuid[]) and r.citizen_id = any ($1::uuid[]) and r.citizen_id = c.id and r.unit_no is distinct from c.unit_no`,
        [ids],
      );
    }
    for (const records of target.records) linked += await linkWaiting(transaction, target, records, ids);
  }
  return { changed: ids.length, stale: news.length - ids.length, linked };
}

/**
 * Gives the rows that wait for one of these citizens (`null`: for anyone) to him, unless two citizens hold the number: then the
 * row goes on waiting until people have decided. Each is a change like any other: history, audit and event in this transaction.
 */
export async function linkWaiting(
  transaction: Transaction,
  { schema, ofFacilities }: ReplicaTarget,
  { table, kind, action }: CitizenRecords,
  citizens: readonly string[] | null,
): Promise<number> {
  const place = ofFacilities ? 'unit_no, facility_no' : 'unit_no';
  const rows = await transaction.query<{ id: string }>(
    `with asked as materialized (
       ${
         citizens === null
           ? `select distinct waiting_hash as hash from ${schema}.${table} where citizen_id is null and waiting_hash is not null`
           : `select distinct hash from ${schema}.citizen_hash where citizen_id = any ($1::uuid[])`
       }),
     holder as materialized (
       select h.hash, min(c.id::text)::uuid as citizen_id, min(c.unit_no) as unit_no
       from asked join ${schema}.citizen_hash h using (hash) join ${schema}.citizen c on c.id = h.citizen_id
       where c.life_status <> 'MERGED'
       group by h.hash having count(*) = 1),
     linked as (
       update ${schema}.${table} r set citizen_id = holder.citizen_id, unit_no = holder.unit_no, waiting_hash = null,
         version = r.version + 1, updated_at = clock_timestamp()
       from holder where r.citizen_id is null and r.waiting_hash = holder.hash
       returning r.id, r.citizen_id, r.version, old.unit_no as unit_before, ${place.replace(/\w+/g, 'r.$&')}),
     earlier as (
       update ${schema}.change h set citizen_id = linked.citizen_id, unit_no = linked.unit_no
       from linked where h.record_id = linked.id),
     history as (
       insert into ${schema}.change (record_id, citizen_id, version, ${place}, principal, principal_name, cause, action, before, after)
       select id, citizen_id, version, ${place}, 'hub', 'hub', 'CHANGE_SET', 'linked', null, jsonb_build_object('citizen', citizen_id)
       from linked),
     audited as (
       insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects, subject_count,
         operation, trace_id, detail)
       select 'hub', 'CLI', 'hub', 'cli', unit_no, 'HOPERAT', '${action}', '${schema}', array_agg(distinct citizen_id),
         count(distinct citizen_id), 'link-waiting', replace(uuidv7()::text, '-', ''), jsonb_build_object('records', jsonb_agg(id))
       from linked group by unit_no),
     told as (
       insert into hub.outbox (kind, subject, version, unit_before, unit_after)
       select '${kind}', id, version, unit_before, unit_no from linked)
     select id from linked`,
    citizens === null ? [] : [citizens],
  );
  return rows.length;
}
