import { Migration } from '@mikro-orm/migrations';

/**
 * Work that cards make and unmake themselves: two cards of one citizen that overlap, one BHXH number of two citizens. Whoever writes cards
 * calls `keep_card_work` in the same transaction; a question is open exactly as long as the cards ask it, and is asked once.
 */
export class CardWork extends Migration {
  override up(): void {
    this.addSql('create unique index work_card_kind on insurance.work (card_id, kind)');
    this.addSql(lowestAbove);
    this.addSql(tell);
    this.addSql(overlaps);
    this.addSql(duplicates);
    this.addSql(both);
  }
}

/* The unit that sees all of them. */
const lowestAbove = `
  create function hub.lowest_unit_above(units int[]) returns int
  language sql stable set search_path = pg_catalog, pg_temp as $body$
    with recursive up(unit, at, steps) as (
      select u, u, 0 from unnest(units) u
      union all select up.unit, p.parent_number, up.steps + 1 from up join hub.unit p on p.number = up.at
        where p.parent_number is not null and up.steps < 64)
    select up.at from up group by up.at having count(distinct up.unit) = (select count(distinct u) from unnest(units) u)
    order by max(up.steps), up.at limit 1
  $body$;`;

/* What the joint queue hears of one row of work. */
const tell = `
  create function insurance.tell_work(work insurance.work, unit_before int, citizen_unit int) returns void
  language sql set search_path = pg_catalog, pg_temp as $body$
    insert into hub.outbox (kind, subject, version, unit_before, unit_after, payload)
    values ('WORK', work.card_id, work.version, unit_before, work.unit_no, jsonb_build_object('source', 'INSURANCE', 'kind', work.kind,
      'field', work.field, 'citizenId', work.citizen_id, 'citizenUnit', citizen_unit, 'foundBy', work.found_by, 'state', work.state,
      'raisedAt', to_char(work.raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  $body$;`;

/*
 * The item lies on the card that begins later. Cards whose end is not the one printed on them (replaced, called back, stopped) and withdrawn
 * ones overlap nothing. Under the caller's scope: a citizen's cards and his own work lie in one unit.
 */
const overlaps = `
  create function insurance.keep_overlaps(citizens uuid[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $body$
  declare
    turn uuid;
    kept record;
  begin
    for turn in select distinct c from unnest(citizens) c where c is not null order by c loop
      perform pg_advisory_xact_lock(hashtextextended('insurance.overlaps ' || turn, 22));
    end loop;
    for kept in
      with live as (
        select c.* from insurance.card c
        where c.citizen_id = any (citizens) and c.valid_from is not null and c.status not in ('REPLACED','RECALLED','STOPPED','WITHDRAWN')),
      overlapping as (
        select later.id, later.citizen_id, later.unit_no from live later
        where exists (select from live earlier where earlier.citizen_id = later.citizen_id
          and (earlier.valid_from, earlier.id) < (later.valid_from, later.id) and coalesce(earlier.valid_to, 'infinity') >= later.valid_from)),
      opened as (
        insert into insurance.work as w (id, card_id, citizen_id, unit_no, kind, found_by)
        select uuidv7(), o.id, o.citizen_id, o.unit_no, 'OVERLAP', 'CARDS' from overlapping o
        on conflict (card_id, kind) do update set state = 'OPEN', version = w.version + 1, raised_at = clock_timestamp(), settled_at = null,
          settled_by = null, decision = null, citizen_id = excluded.citizen_id, unit_no = excluded.unit_no
          where w.state = 'WITHDRAWN'
        returning w as work, null::int as unit_before, w.unit_no as citizen_unit),
      closed as (
        update insurance.work w set state = 'WITHDRAWN', version = w.version + 1, settled_at = clock_timestamp()
        where w.citizen_id = any (citizens) and w.kind = 'OVERLAP' and w.state in ('OPEN','LEASED')
          and not exists (select from overlapping o where o.id = w.card_id)
        returning w as work, w.unit_no as unit_before, (select r.unit_no from insurance.citizen r where r.id = w.citizen_id) as citizen_unit)
      select * from opened union all select * from closed
    loop
      perform insurance.tell_work(kept.work, kept.unit_before, kept.citizen_unit);
    end loop;
  end $body$;`;

/*
 * Two people of the hub who hold one number may belong to units that know nothing of each other. Whoever writes one of the cards must not
 * learn of the other, so the database looks itself, over every unit, and says nothing. The item lies on the newest card, with the lowest unit
 * above all holders.
 */
const duplicates = `
  create function insurance.keep_duplicates(numbers text[]) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    before text := current_setting('hub.scope', true);
    bhxh text;
    held record;
    kept insurance.work;
    above int;
  begin
    perform set_config('hub.scope', '{(,)}', true);
    for bhxh in select distinct n from unnest(numbers) n where n is not null order by n loop
      perform pg_advisory_xact_lock(hashtextextended('insurance.bhxh ' || bhxh, 22));
      select count(distinct c.citizen_id)::int as holders, array_agg(distinct c.unit_no) as units, (array_agg(c.id order by c.id desc))[1] as card,
        (array_agg(c.citizen_id order by c.id desc))[1] as citizen, (array_agg(c.unit_no order by c.id desc))[1] as unit
        into held from insurance.card c join insurance.citizen r on r.id = c.citizen_id
        where c.bhxh_number = bhxh and c.status <> 'WITHDRAWN' and r.life_status <> 'MERGED';
      if held.holders <= 1 then
        for kept in
          update insurance.work w set state = 'WITHDRAWN', version = w.version + 1, settled_at = clock_timestamp()
          from insurance.card c where c.id = w.card_id and c.bhxh_number = bhxh and w.kind = 'DUPLICATE_CARD' and w.state in ('OPEN','LEASED')
          returning w.*
        loop
          perform insurance.tell_work(kept, kept.unit_no, (select r.unit_no from insurance.citizen r where r.id = kept.citizen_id));
        end loop;
      elsif not exists (
        select from insurance.card c join insurance.work w on w.card_id = c.id
        where c.bhxh_number = bhxh and w.kind = 'DUPLICATE_CARD' and w.state in ('OPEN','LEASED')
      ) then
        above := hub.lowest_unit_above(held.units);
        continue when above is null; -- two provinces: nobody sees them both
        kept := null;
        insert into insurance.work as w (id, card_id, citizen_id, unit_no, kind, found_by)
          values (uuidv7(), held.card, held.citizen, above, 'DUPLICATE_CARD', 'CARDS')
          on conflict (card_id, kind) do update set state = 'OPEN', version = w.version + 1, raised_at = clock_timestamp(), settled_at = null,
            settled_by = null, decision = null, citizen_id = excluded.citizen_id, unit_no = excluded.unit_no
            where w.state = 'WITHDRAWN'
          returning w.* into kept;
        if kept.id is not null then perform insurance.tell_work(kept, null, held.unit); end if;
      end if;
    end loop;
    -- Back to the caller's own; an error undoes it with its transaction.
    perform set_config('hub.scope', coalesce(before, ''), true);
  end $body$;`;

/* After a change of cards of these citizens; \`numbers\`: BHXH numbers that cards had before it. */
const both = `
  create function insurance.keep_card_work(citizens uuid[], numbers text[] default '{}') returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $body$
  begin
    perform insurance.keep_overlaps(citizens);
    perform insurance.keep_duplicates(numbers || array(select c.bhxh_number from insurance.card c where c.citizen_id = any (citizens)));
  end $body$;`;
