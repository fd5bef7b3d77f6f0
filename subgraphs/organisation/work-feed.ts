import type { OrganisationDatabase } from './database.ts';

/*
 * Feeds the joint queue from the outbox, in commit order: what a subgraph says about its work becomes one item by its natural key,
 * and an item follows where its citizen belongs.
 *
 * At least once: events are marked done in the transaction of their effect, and an event that is not newer than the item changes
 * nothing, so a repeat is harmless. Two copies at once: the second finds the first at work and takes nothing.
 */

const eventsAtOnce = 1_000;

/** One statement: the events of one batch may speak of one item several times, the newest counts. */
const feed = `
  with taken as materialized (
    select t.ord, t.id, t.kind, t.subject, t.version, t.unit_after, t.payload
    from hub.take_event('organisation', ${String(eventsAtOnce)}) with ordinality t(id, kind, subject, version, unit_before, unit_after, payload, at, ord)),
  newest as (
    select distinct on (t.payload->>'source', t.subject, t.payload->>'kind', t.payload->>'field')
      t.payload->>'source' as source, t.subject, t.payload->>'kind' as kind, t.payload->>'field' as field, t.version, t.unit_after,
      (t.payload->>'citizenId')::uuid as citizen_id, t.payload->>'foundBy' as found_by, t.payload->>'state' as state,
      (t.payload->>'raisedAt')::timestamptz as raised_at
    from taken t where t.kind = 'WORK' and t.unit_after is not null
    order by t.payload->>'source', t.subject, t.payload->>'kind', t.payload->>'field', t.version desc, t.id desc),
  written as (
    insert into organisation.work_item as w (id, version, source, subject, kind, field, citizen_id, unit_no, found_by, state, raised_at)
    select uuidv7(), n.version, n.source, n.subject, n.kind, n.field, n.citizen_id, n.unit_after, n.found_by, n.state, n.raised_at
      from newest n
    on conflict (source, subject, kind, field) do update set version = excluded.version, citizen_id = excluded.citizen_id,
      unit_no = excluded.unit_no, found_by = excluded.found_by, state = excluded.state
      where excluded.version > w.version
    returning 1),
  told as (
    select t.ord, case t.kind when 'CITIZEN' then t.subject else (t.payload->>'citizenId')::uuid end as citizen,
      case t.kind when 'CITIZEN' then t.unit_after else (t.payload->>'citizenUnit')::int end as unit
    from taken t),
  places as (select distinct on (n.citizen) n.citizen, n.unit from told n where n.citizen is not null and n.unit is not null
    order by n.citizen, n.ord desc)
  select (select coalesce(array_agg(t.id), '{}')::text[] from taken t) as ids, (select count(*) from written)::int as written,
    (select coalesce(array_agg(p.citizen order by p.citizen), '{}')::text[] from places p) as citizens,
    (select coalesce(array_agg(p.unit order by p.citizen), '{}') from places p) as units`;

/** A statement of its own: items that the first has written are seen. The last that was said of a citizen counts. */
const follow = `
  update organisation.work_item w set citizen_unit_no = p.unit from unnest($1::uuid[], $2::int[]) p(citizen, unit)
  where w.citizen_id = p.citizen and w.citizen_unit_no is distinct from p.unit`;

interface Taken {
  readonly ids: readonly string[];
  readonly citizens: readonly string[];
  readonly units: readonly number[];
}

/** Takes what waits, up to a thousand events; how many it took: as many as fit means that more may wait. */
export async function feedWork(database: OrganisationDatabase): Promise<number> {
  return await database.write(async (sql) => {
    const [taken] = await sql.rows<Taken>(feed);
    if (taken === undefined || taken.ids.length === 0) return 0;
    if (taken.citizens.length > 0) await sql.rows(follow, [taken.citizens, taken.units]);
    await sql.rows(`select hub.finish_event('organisation', $1::bigint[])`, [taken.ids]);
    return taken.ids.length;
  });
}
