import { Migration } from '@mikro-orm/migrations';
import { rowsOfUnit } from './frozen.ts';

/** What all subgraphs share: units, audit, outbox, runs. */
export class CreateHub extends Migration {
  override up(): void {
    this.addSql(fold);
    this.addSql(unit);
    this.addSql(audit);
    this.addSql(outbox);
    this.addSql(outboxFunctions);
    this.addSql(run);
  }
}

const fold = `
  create schema if not exists hub;
  -- The same as fold() of kernel/domain/person-name.ts for every name that is accepted: no tones, no case, blanks squeezed.
  -- Not unaccent(): what that does depends on the version of its dictionary, and an index must not.
  create function hub.fold(value text) returns text language sql immutable strict parallel safe as $fold$
    select btrim(regexp_replace(translate(
      replace(replace(replace(replace(
        lower(regexp_replace(normalize(value, nfd), '[\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f]', '', 'g') collate "unicode"),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
      'đðøłıƀ’', 'ddolib'''), '\\s+', ' ', 'g'))
  $fold$;`;

const unit = `
  create table hub.unit (
    number int primary key,
    code text collate "C" not null, name text not null, level text not null,
    parent_number int references hub.unit,
    valid_from date not null, valid_to date, predecessors int[] not null default '{}',
    version int not null default 1,
    constraint unit_level check (level in ('PROVINCE','CENTRE','STATION','FACILITY')),
    constraint unit_number_positive check (number > 0),
    constraint unit_not_its_own_parent check (parent_number <> number));
  create unique index unit_code_in_force on hub.unit (code) where valid_to is null;
  create index unit_parent on hub.unit (parent_number);
  -- A number is given once and never again, so it does not come from what rows are left.
  create sequence hub.unit_number as int owned by hub.unit.number;`;

const audit = `
  create table hub.audit_event (
    id uuid not null default uuidv7(), at timestamptz not null default clock_timestamp(),
    principal text not null, principal_kind text not null, principal_name text not null, role text not null, unit_no int not null,
    purpose text not null, basis text, action text not null, subgraph text not null,
    subjects uuid[] not null, fields text[] not null default '{}', subject_count int not null,
    operation text not null, trace_id text not null, detail jsonb,
    primary key (at, id),
    constraint audit_event_principal_kind check (principal_kind in ('ACCOUNT','CLIENT','CLI')))
    partition by range (at);
  create index audit_event_principal on hub.audit_event (principal, at);
  create index audit_event_subjects on hub.audit_event using gin (subjects);
  create index audit_event_at on hub.audit_event using brin (at);

  -- Makes the partitions of this month and the coming ones; how many were missing. Every start of a hub calls it: a month without
  -- partition would mean no audit, hence no data.
  create function hub.make_audit_partitions(months int default 24) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    first date := date_trunc('month', clock_timestamp() at time zone 'UTC')::date;
    made int := 0;
    month date;
    partition text;
  begin
    if months not between 1 and 120 then raise exception 'months is 1 to 120'; end if;
    perform pg_advisory_xact_lock(hashtextextended('hub.make_audit_partitions', 0));
    for i in 0 .. months loop
      month := (first + make_interval(months => i))::date;
      partition := 'audit_event_' || to_char(month, 'YYYY_MM');
      if to_regclass('hub.' || partition) is null then
        execute format('create table hub.%I partition of hub.audit_event for values from (%L) to (%L)', partition,
          month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
        made := made + 1;
      end if;
    end loop;
    return made;
  end $body$;
  select hub.make_audit_partitions();`;

const outbox = `
  create table hub.outbox (
    id bigint generated always as identity primary key, xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(), kind text not null, subject uuid not null, version int not null,
    unit_before int, unit_after int, payload jsonb not null default '{}');
  create index outbox_commit_order on hub.outbox (xid, id);
  create index outbox_at on hub.outbox (at);

  -- Who takes what, under which role, and up to where all is done. The mark only saves looking again at what lies behind it.
  create table hub.outbox_consumer (
    consumer text primary key, role text not null, kinds text[] not null,
    mark_xid xid8 not null default '0', mark_id bigint not null default 0);
  create table hub.outbox_done (
    consumer text not null references hub.outbox_consumer, event_id bigint not null, xid xid8 not null,
    at timestamptz not null default clock_timestamp(), primary key (consumer, event_id));`;

/*
 * Commit order below the snapshot horizon: whoever had a transaction id below xmin has committed or is gone, so no event can
 * still appear before one that was taken. "id greater than the last seen" would lose a lower id that commits later.
 *
 * Transaction ids belong to a cluster: whoever copies these rows into another one sets `xid` and `mark_xid` to 0, else they would
 * wait for a number that may never come.
 */
const outboxFunctions = `
  create function hub.take_event(consumer text, "limit" int)
  returns table (id bigint, kind text, subject uuid, version int, unit_before int, unit_after int, payload jsonb, at timestamptz)
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    place hub.outbox_consumer;
  begin
    select c.* into place from hub.outbox_consumer c where c.consumer = take_event.consumer and c.role = session_user;
    if not found then
      raise exception 'no outbox consumer of this role' using errcode = 'insufficient_privilege';
    end if;
    -- Most looks find nothing: they take no lock and no transaction id.
    if not exists (
      select from hub.outbox o
      where (o.xid, o.id) > (place.mark_xid, place.mark_id) and o.xid < pg_snapshot_xmin(pg_current_snapshot())
    ) then
      return;
    end if;
    -- One taker at a time: a second copy of the consumer gets nothing until the first has committed.
    select c.* into place from hub.outbox_consumer c where c.consumer = take_event.consumer for update skip locked;
    if not found then
      return;
    end if;
    return query
      select o.id, o.kind, o.subject, o.version, o.unit_before, o.unit_after, o.payload, o.at
      from hub.outbox o
      where (o.xid, o.id) > (place.mark_xid, place.mark_id)
        and o.xid < pg_snapshot_xmin(pg_current_snapshot())
        and o.kind = any (place.kinds)
        and not exists (select from hub.outbox_done d where d.consumer = place.consumer and d.event_id = o.id)
      order by o.xid, o.id
      limit least(greatest(take_event."limit", 1), 10000);
  end $body$;

  create function hub.finish_event(consumer text, ids bigint[]) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    place hub.outbox_consumer;
    open_xid xid8;
    open_id bigint;
    finished int;
  begin
    select c.* into place from hub.outbox_consumer c where c.consumer = finish_event.consumer and c.role = session_user;
    if not found then
      raise exception 'no outbox consumer of this role' using errcode = 'insufficient_privilege';
    end if;
    if not exists (
      select from hub.outbox o
      where (o.xid, o.id) > (place.mark_xid, place.mark_id) and o.xid < pg_snapshot_xmin(pg_current_snapshot())
    ) then
      return 0;
    end if;
    select c.* into place from hub.outbox_consumer c where c.consumer = finish_event.consumer for update;
    insert into hub.outbox_done (consumer, event_id, xid)
      select place.consumer, o.id, o.xid from hub.outbox o
      where o.id = any (ids) and o.kind = any (place.kinds) and (o.xid, o.id) > (place.mark_xid, place.mark_id)
      on conflict do nothing;
    get diagnostics finished = row_count;

    -- Move the mark up to the first event that is still open, or to the horizon.
    select o.xid, o.id into open_xid, open_id from hub.outbox o
      where (o.xid, o.id) > (place.mark_xid, place.mark_id) and o.xid < pg_snapshot_xmin(pg_current_snapshot())
        and o.kind = any (place.kinds)
        and not exists (select from hub.outbox_done d where d.consumer = place.consumer and d.event_id = o.id)
      order by o.xid, o.id limit 1;
    update hub.outbox_consumer c set mark_xid = last.xid, mark_id = last.id
      from (select o.xid, o.id from hub.outbox o
            where (o.xid, o.id) > (place.mark_xid, place.mark_id) and o.xid < pg_snapshot_xmin(pg_current_snapshot())
              and (open_id is null or (o.xid, o.id) < (open_xid, open_id))
            order by o.xid desc, o.id desc limit 1) last
      where c.consumer = place.consumer;
    delete from hub.outbox_done d using hub.outbox_consumer c
      where c.consumer = place.consumer and d.consumer = c.consumer and (d.xid, d.event_id) <= (c.mark_xid, c.mark_id);
    return finished;
  end $body$;

  -- Age in seconds of the oldest event this consumer has not done; 0 when it has done all. Open transactions count too.
  create function hub.outbox_lag(consumer text) returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
    select coalesce(extract(epoch from clock_timestamp() - (
      select o.at from hub.outbox o
      where (o.xid, o.id) > (c.mark_xid, c.mark_id) and o.kind = any (c.kinds)
        and not exists (select from hub.outbox_done d where d.consumer = c.consumer and d.event_id = o.id)
      order by o.xid, o.id limit 1)), 0)::double precision
    from hub.outbox_consumer c where c.consumer = outbox_lag.consumer
  $body$;`;

/*
 * The functions run as the owner, whom the row policy binds too: a subgraph starts, moves and ends runs only within the scope
 * of its session.
 */
const run = `
  create table hub.run (
    id uuid primary key, kind text not null, state text not null, unit_no int not null, subgraph text not null,
    started_by text not null, plan jsonb not null default '{}',
    total int, done int not null default 0, refused int not null default 0, counts jsonb not null default '{}', report jsonb,
    created_at timestamptz not null default clock_timestamp(), started_at timestamptz, ended_at timestamptz, heartbeat_at timestamptz,
    constraint run_kind check (kind in ('RECONCILE','IMPORT','EXPORT','GENERATE','SWEEP')),
    constraint run_state check (state in ('PLANNED','RUNNING','PAUSED','DONE','FAILED','CANCELLED')));
  create index run_kind_id on hub.run (kind, id);
  create index run_unit on hub.run (unit_no, kind, id);
  ${rowsOfUnit('hub.run')}

  create function hub.run_open(id uuid, kind text, subgraph text, unit_no int, started_by text, plan jsonb, total int) returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    insert into hub.run (id, kind, state, unit_no, subgraph, started_by, plan, total, started_at, heartbeat_at)
    values (run_open.id, run_open.kind, 'RUNNING', run_open.unit_no, run_open.subgraph, run_open.started_by, run_open.plan, run_open.total,
      clock_timestamp(), clock_timestamp())
  $body$;
  -- Adds to the counters; false when the run is not running any more (cancelled, paused, out of scope): the caller stops.
  create function hub.run_progress(id uuid, done int, refused int, counts jsonb) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    with moved as (
      update hub.run r set done = r.done + run_progress.done, refused = r.refused + run_progress.refused,
        counts = run_progress.counts, heartbeat_at = clock_timestamp()
      where r.id = run_progress.id and r.state = 'RUNNING' returning 1)
    select exists (select from moved)
  $body$;
  create function hub.run_close(id uuid, state text, report jsonb) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    with ended as (
      update hub.run r set state = run_close.state, report = run_close.report, ended_at = clock_timestamp()
      where r.id = run_close.id and r.state in ('PLANNED','RUNNING','PAUSED') and run_close.state in ('DONE','FAILED','CANCELLED') returning 1)
    select exists (select from ended)
  $body$;`;
