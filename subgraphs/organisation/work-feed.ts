import type { OrganisationDatabase } from './database.ts';

/*
 * Feeds the joint queue from the outbox, in commit order: what a subgraph says about its work becomes one item by its natural key.
 *
 * At least once: events are marked done in the transaction of their effect, and an event that is not newer than the item changes
 * nothing, so a repeat is harmless. Two copies at once: the second finds the first at work and takes nothing.
 */

const eventsAtOnce = 1_000;

/** One statement: the events of one batch may speak of one item several times, the newest counts. */
const feed = `
  with taken as materialized (
    select t.id, t.subject, t.version, t.unit_after, t.payload from hub.take_event('organisation', ${String(eventsAtOnce)}) t),
  newest as (
    select distinct on (t.payload->>'source', t.subject, t.payload->>'kind', t.payload->>'field')
      t.payload->>'source' as source, t.subject, t.payload->>'kind' as kind, t.payload->>'field' as field, t.version, t.unit_after,
      (t.payload->>'citizenId')::uuid as citizen_id, t.payload->>'foundBy' as found_by, t.payload->>'state' as state,
      (t.payload->>'raisedAt')::timestamptz as raised_at
    from taken t where t.unit_after is not null
    order by t.payload->>'source', t.subject, t.payload->>'kind', t.payload->>'field', t.version desc, t.id desc),
  written as (
    insert into organisation.work_item as w (id, version, source, subject, kind, field, citizen_id, unit_no, found_by, state, raised_at)
    select uuidv7(), n.version, n.source, n.subject, n.kind, n.field, n.citizen_id, n.unit_after, n.found_by, n.state, n.raised_at
      from newest n
    on conflict (source, subject, kind, field) do update set version = excluded.version, citizen_id = excluded.citizen_id,
      unit_no = excluded.unit_no, found_by = excluded.found_by, state = excluded.state
      where excluded.version > w.version
    returning 1)
  select coalesce(array_agg(t.id), '{}')::text[] as ids, (select count(*) from written)::int as written from taken t`;

/** Takes what waits, up to a thousand events; how many it took: as many as fit means that more may wait. */
export async function feedWork(database: OrganisationDatabase): Promise<number> {
  return await database.write(async (sql) => {
    const [taken] = await sql.rows<{ readonly ids: readonly string[] }>(feed);
    if (taken === undefined || taken.ids.length === 0) return 0;
    await sql.rows(`select hub.finish_event('organisation', $1::bigint[])`, [taken.ids]);
    return taken.ids.length;
  });
}
