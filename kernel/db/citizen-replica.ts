import type { Transaction } from './database.ts';
import type { CitizenReplica, WorkNotice } from './outbox.ts';

/*
 * What insurance, results and slips know of a citizen, and what follows for their own rows when it changes: rows move with the
 * citizen's unit, rows of a citizen who was merged go to the one who goes on, and rows that wait for him find him. All of it in one
 * transaction under every unit; applying the same news twice, or older news after newer, changes nothing.
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
  /** Work of this subgraph as the joint queue knows it: its source there, and the column that holds what it is about. */
  readonly work: { readonly source: WorkNotice['source']; readonly subject: 'card_id' | 'result_id' | 'slip_id' };
  /** Function of the database that looks again at what the records of these citizens (uuid[]) ask people; `null`: nothing. */
  readonly lookAgain: 'insurance.keep_card_work' | null;
  /** Rows are also a facility's: history carries its number. */
  readonly ofFacilities: boolean;
}

export interface CitizenNews extends CitizenReplica {
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
  /** Where he was before; `null`: new, or not said. */
  readonly unitBefore: number | null;
}

export interface Applied {
  /** Replicas that are new or newer than what was stored. */
  readonly changed: number;
  /** News that was not newer; dropped. */
  readonly stale: number;
  readonly linked: number;
  /** Records of citizens who were merged, given to those who go on. */
  readonly merged: number;
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
  if (newest.size === 0) return { changed: 0, stale: 0, linked: 0, merged: 0 };
  const rows = [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1)); // one order of locks
  const changed = await transaction.query<Changed>(
    `insert into ${target.schema}.citizen as kept (id, unit_no, life_status, merged_into, identifier_hashes, version)
     select id, "unitNo", "lifeStatus", "mergedInto", array(select decode(hash, 'hex') from unnest(hashes) hash order by 1), version
     from jsonb_to_recordset($1::jsonb)
       as n (id uuid, "unitNo" int, "lifeStatus" text, "mergedInto" uuid, hashes text[], version int)
     on conflict (id) do update set unit_no = excluded.unit_no, life_status = excluded.life_status, merged_into = excluded.merged_into,
       identifier_hashes = excluded.identifier_hashes, version = excluded.version
       where kept.version < excluded.version or ($2 and kept.version = excluded.version)
     returning new.id, old.unit_no as "unitBefore"`,
    [JSON.stringify(rows), mode === 'rebuild'],
  );
  const ids = changed.map(({ id }) => id);
  let linked = 0;
  let merged = 0;
  if (ids.length > 0) {
    for (const table of [...target.records.map((records) => records.table), 'change']) {
      await transaction.query(
        `update ${target.schema}.${table} r set unit_no = c.unit_no from ${target.schema}.citizen c
         where c.id = any ($1::uuid[]) and r.citizen_id = any ($1::uuid[]) and r.citizen_id = c.id and r.unit_no is distinct from c.unit_no`,
        [ids],
      );
    }
    await moveWork(
      transaction,
      target,
      changed.map(({ id, unitBefore }) => ({ id, unitBefore: unitBefore ?? newest.get(id)?.unitBefore ?? null })),
    );
    for (const records of target.records) merged += await giveMerged(transaction, target, records, ids);
    if (target.records.length > 0) await giveMergedWork(transaction, target, ids);
    for (const records of target.records) linked += await linkWaiting(transaction, target, records, ids);
  }
  return { changed: ids.length, stale: news.length - ids.length, linked, merged };
}

interface Changed {
  readonly id: string;
  /** Of the replica that was there. */
  readonly unitBefore: number | null;
}

/** The joint queue's notice of work rows `w`, whose citizen belongs to unit `w.citizen_unit`. */
const told = ({ source, subject }: ReplicaTarget['work']): string => `
  insert into hub.outbox (kind, subject, version, unit_before, unit_after, payload)
  select 'WORK', w.${subject}, w.version, w.unit_before, w.unit_no, jsonb_build_object('source', '${source}', 'kind', w.kind, 'field', w.field,
    'citizenId', w.citizen_id, 'citizenUnit', w.citizen_unit, 'foundBy', w.found_by, 'state', w.state,
    'raisedAt', to_char(w.raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;

/** His open questions go where he goes; work that lies with a unit above stays there. The queue hears of what moved. */
async function moveWork(transaction: Transaction, { schema, work }: ReplicaTarget, moved: readonly Changed[]): Promise<void> {
  await transaction.query(
    `with w as (
       update ${schema}.work w set unit_no = c.unit_no, version = w.version + 1
       from jsonb_to_recordset($1::jsonb) as p (id uuid, "unitBefore" int) join ${schema}.citizen c using (id)
       where w.citizen_id = p.id and w.unit_no = p."unitBefore" and w.unit_no <> c.unit_no
       returning w.*, old.unit_no as unit_before, c.unit_no as citizen_unit)
     ${told(work)} from w`,
    [JSON.stringify(moved)],
  );
}

/**
 * Who goes on for each merged citizen that this news touches: he himself was merged, or one on the way from him. Where the last of the way
 * is not known here yet, his own news will do it.
 */
const heirs = (schema: string): string => `
  origin as (
    select unnest($1::uuid[]) as id
    union select m.id from ${schema}.citizen m join origin o on m.merged_into = o.id where m.life_status = 'MERGED'),
  way as (
    select m.id as merged, m.merged_into as at, 1 as steps
    from origin o join ${schema}.citizen m on m.id = o.id where m.life_status = 'MERGED' and m.merged_into is not null
    union all select w.merged, m.merged_into, w.steps + 1
    from way w join ${schema}.citizen m on m.id = w.at where m.life_status = 'MERGED' and m.merged_into is not null and w.steps < 64),
  heir as (
    select w.merged, c.id, c.unit_no from way w join ${schema}.citizen c on c.id = w.at where c.life_status <> 'MERGED')`;

/**
 * Records of a merged citizen become those of the one who goes on. Each is a change like any other, whose `before` names the one he was:
 * a merge that was wrong can be taken apart again.
 */
async function giveMerged(
  transaction: Transaction,
  { schema, ofFacilities, lookAgain }: ReplicaTarget,
  { table, kind, action }: CitizenRecords,
  ids: readonly string[],
): Promise<number> {
  const place = ofFacilities ? 'unit_no, facility_no' : 'unit_no';
  const rows = await transaction.query<Come>(
    `with recursive ${heirs(schema)},
     given as (
       update ${schema}.${table} r set citizen_id = heir.id, unit_no = heir.unit_no, version = r.version + 1, updated_at = clock_timestamp()
       from heir where r.citizen_id = heir.merged
       returning r.id, heir.merged, r.citizen_id, r.version, old.unit_no as unit_before, ${place.replace(/\w+/g, 'r.$&')}),
     earlier as (
       update ${schema}.change h set citizen_id = given.citizen_id, unit_no = given.unit_no from given where h.record_id = given.id),
     history as (
       insert into ${schema}.change (record_id, citizen_id, version, ${place}, principal, principal_name, cause, action, before, after)
       select id, citizen_id, version, ${place}, 'hub', 'hub', 'CHANGE_SET', 'merged',
         jsonb_build_object('citizen', merged, 'orgUnit', 'u' || unit_before), jsonb_build_object('citizen', citizen_id, 'orgUnit', 'u' || unit_no)
       from given),
     audited as (
       insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects, subject_count,
         operation, trace_id, detail)
       select 'hub', 'CLI', 'hub', 'cli', unit_no, 'HOPERAT', '${action}', '${schema}', array[citizen_id, merged], 2,
         'give-merged', replace(uuidv7()::text, '-', ''), jsonb_build_object('records', jsonb_agg(id))
       from given group by citizen_id, merged, unit_no),
     told as (
       insert into hub.outbox (kind, subject, version, unit_before, unit_after)
       select '${kind}', id, version, unit_before, unit_no from given)
     select id, citizen_id as "citizenId" from given`,
    [ids],
  );
  await look(transaction, lookAgain, rows);
  return rows.length;
}

/** The same for open questions about him; one that lies with a unit above stays there. */
async function giveMergedWork(transaction: Transaction, { schema, work }: ReplicaTarget, ids: readonly string[]): Promise<void> {
  await transaction.query(
    `with recursive ${heirs(schema)},
     w as (
       update ${schema}.work w set citizen_id = heir.id, version = w.version + 1,
         unit_no = case when w.unit_no = was.unit_no then heir.unit_no else w.unit_no end
       from heir join ${schema}.citizen was on was.id = heir.merged where w.citizen_id = heir.merged
       returning w.*, old.unit_no as unit_before, heir.unit_no as citizen_unit)
     ${told(work)} from w`,
    [ids],
  );
}

/**
 * Gives the rows that wait for one of these citizens (`null`: for anyone) to him, unless two citizens hold the number: then the
 * row goes on waiting until people have decided. Each is a change like any other: history, audit and event in this transaction.
 */
export async function linkWaiting(
  transaction: Transaction,
  { schema, ofFacilities, lookAgain }: ReplicaTarget,
  { table, kind, action }: CitizenRecords,
  citizens: readonly string[] | null,
): Promise<number> {
  const place = ofFacilities ? 'unit_no, facility_no' : 'unit_no';
  const rows = await transaction.query<Come>(
    `with asked as materialized (
       ${
         citizens === null
           ? `select distinct waiting_hash as hash from ${schema}.${table} where citizen_id is null and waiting_hash is not null`
           : `select distinct hash from ${schema}.citizen_hash where citizen_id = any ($1::uuid[])`
       }),
     holder as materialized (
       -- Held until the end: the unit he moves to and the unit on the record cannot pass each other.
       select k.hash, min(k.id::text)::uuid as citizen_id, min(k.unit_no) as unit_no
       from (select h.hash, c.id, c.unit_no
         from asked join ${schema}.citizen_hash h using (hash) join ${schema}.citizen c on c.id = h.citizen_id
         where c.life_status <> 'MERGED' for share of c) k
       group by k.hash having count(*) = 1),
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
     select id, citizen_id as "citizenId" from linked`,
    citizens === null ? [] : [citizens],
  );
  await look(transaction, lookAgain, rows);
  return rows.length;
}

/** A record that came to a citizen. */
interface Come {
  readonly id: string;
  readonly citizenId: string;
}

async function look(transaction: Transaction, lookAgain: ReplicaTarget['lookAgain'], come: readonly Come[]): Promise<void> {
  if (lookAgain === null || come.length === 0) return;
  await transaction.query(`select ${lookAgain}($1::uuid[])`, [[...new Set(come.map(({ citizenId }) => citizenId))]]);
}
