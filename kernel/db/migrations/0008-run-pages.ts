import { Migration } from '@mikro-orm/migrations';
import { rowsOfUnit } from './frozen.ts';

/**
 * Runs in pages: what is to be done stands here, the queue only carries ids. A page is leased by one worker at a time, by the clock of the
 * database; whoever leases it gets a number (`epoch`), and only the holder of the newest number can end it. The effect of a page and its end are
 * one transaction.
 */
export class RunPages extends Migration {
  override up(): void {
    this.addSql(tables);
    this.addSql(ending);
    this.addSql(opening);
    this.addSql(leasing);
    this.addSql(orders);
    this.addSql(schedule);
  }
}

const definer = 'security definer set search_path = pg_catalog, pg_temp';

/* Page 0 makes the plan, page -1 closes the run; both are leased like any other. */
const tables = `
  alter table hub.run
    add column definition text, add column queue text, add column version int not null default 1,
    add column planned boolean not null default false, add column principal jsonb, add column slot timestamptz,
    add column told int not null default 0;
  create unique index run_slot on hub.run (definition, slot) where slot is not null;
  create index run_at_work on hub.run (id) where state = 'RUNNING' and definition is not null;

  create table hub.run_page (
    run_id uuid not null references hub.run, no int not null, unit_no int not null, keys jsonb not null default 'null', size int not null default 0,
    state text not null default 'WAITING', epoch int not null default 0, lease_until timestamptz,
    due_at timestamptz not null default clock_timestamp(), queued_at timestamptz, queued int not null default 0, tries int not null default 0,
    done int not null default 0, refused int not null default 0, counts jsonb not null default '{}', reason text, primary key (run_id, no),
    constraint run_page_state check (state in ('WAITING','LEASED','DONE','REFUSED','POISON')));
  create index run_page_waiting on hub.run_page (run_id, no) where state = 'WAITING' and queued_at is null;
  create index run_page_queued on hub.run_page (queued_at) where state = 'WAITING' and queued_at is not null;
  create index run_page_lease on hub.run_page (lease_until) where state = 'LEASED';
  create index run_page_failed on hub.run_page (run_id, no) where state in ('REFUSED','POISON');
  ${rowsOfUnit('hub.run_page')}`;

/* Internal: called by the functions below, granted to nobody. */
const ending = `
  -- Whether the session is the role of that subgraph: roles are called <prefix>_<subgraph>.
  create function hub.is_role_of(subgraph text) returns boolean language sql stable set search_path = pg_catalog, pg_temp as $body$
    select right(session_user, length(subgraph) + 1) = '_' || subgraph
  $body$;

  -- One item of the joint queue for all pages of a run that nobody could do.
  create function hub.tell_poison(run uuid, state text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $body$
  begin
    with told as (update hub.run r set told = r.told + 1 where r.id = run returning r.told, r.unit_no, r.kind)
    insert into hub.outbox (kind, subject, version, unit_before, unit_after, payload)
      select 'WORK', run, t.told, t.unit_no, t.unit_no, jsonb_build_object('source', 'JOBS', 'kind', 'POISON', 'field', null, 'citizenId', null,
        'citizenUnit', null, 'foundBy', case when t.kind in ('RECONCILE','IMPORT') then t.kind else 'CLERK' end, 'state', tell_poison.state,
        'raisedAt', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      from told t;
  end $body$;

  -- After the last page the closing one. The lock on the run puts pages that end at once one after the other.
  create function hub.page_ended(run uuid) returns void language plpgsql set search_path = pg_catalog, pg_temp as $body$
  declare
    home hub.run;
  begin
    select r.* into home from hub.run r where r.id = run for update;
    if home.planned and home.state in ('RUNNING','PAUSED')
      and not exists (select from hub.run_page p where p.run_id = run and p.no > 0 and p.state in ('WAITING','LEASED')) then
      insert into hub.run_page (run_id, no, unit_no) values (run, -1, home.unit_no) on conflict do nothing;
    end if;
  end $body$;

  create function hub.end_page(run uuid, no int, state text, reason text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $body$
  declare
    units int;
  begin
    update hub.run_page p set state = end_page.state, reason = end_page.reason, lease_until = null, queued_at = null, refused = p.size
      where p.run_id = run and p.no = end_page.no returning p.size into units;
    if end_page.no <= 0 then
      -- Without a plan or without its closing the run as a whole has failed.
      update hub.run r set state = 'FAILED', ended_at = clock_timestamp(), version = r.version + 1, report = jsonb_build_object('reason', end_page.reason)
        where r.id = run and r.state in ('RUNNING','PAUSED');
    else
      update hub.run r set refused = r.refused + units, heartbeat_at = clock_timestamp() where r.id = run;
      perform hub.page_ended(run);
    end if;
    if end_page.state = 'POISON' then perform hub.tell_poison(run, 'OPEN'); end if;
  end $body$;

  -- Back among the waiting; the fifth time that counts it is for people.
  create function hub.put_back(run uuid, no int, reason text, wait double precision, counts boolean) returns text
  language plpgsql set search_path = pg_catalog, pg_temp as $body$
  declare
    tried int;
  begin
    update hub.run_page p set state = 'WAITING', lease_until = null, queued_at = null, due_at = clock_timestamp() + make_interval(secs => wait),
        tries = p.tries + put_back.counts::int, reason = put_back.reason
      where p.run_id = run and p.no = put_back.no and p.state = 'LEASED' returning p.tries into tried;
    if tried >= 5 then
      perform hub.end_page(run, put_back.no, 'POISON', put_back.reason);
      return 'POISON';
    end if;
    return 'WAITING';
  end $body$;`;

const opening = `
  -- In the transaction of whoever starts it. False: this time of its schedule was taken already.
  create function hub.open_run(run uuid, definition text, queue text, kind text, subgraph text, unit_no int, started_by text, plan jsonb, principal jsonb,
    slot timestamptz) returns boolean
  language plpgsql ${definer} as $body$
  declare
    opened int;
  begin
    if pg_column_size(plan) > 65536 then raise exception 'a plan holds ids, not rows' using errcode = 'program_limit_exceeded'; end if;
    insert into hub.run (id, definition, queue, kind, state, unit_no, subgraph, started_by, plan, principal, slot, started_at, heartbeat_at)
      values (run, open_run.definition, open_run.queue, open_run.kind, 'RUNNING', open_run.unit_no, open_run.subgraph, open_run.started_by, open_run.plan,
        open_run.principal, open_run.slot, clock_timestamp(), clock_timestamp())
      on conflict do nothing;
    get diagnostics opened = row_count;
    if opened = 0 then return false; end if;
    insert into hub.run_page (run_id, no, unit_no) values (run, 0, open_run.unit_no);
    return true;
  end $body$;

  -- Pages found by the holder of the plan's lease; how many there are now, null when the lease is gone.
  create function hub.add_pages(run uuid, epoch int, keys jsonb[], sizes int[]) returns int
  language plpgsql ${definer} as $body$
  declare
    home hub.run;
    last int;
  begin
    select r.* into home from hub.run r where r.id = run;
    if not found or not hub.is_role_of(home.subgraph) then raise exception 'no run of this role' using errcode = 'insufficient_privilege'; end if;
    perform from hub.run_page p where p.run_id = run and p.no = 0 and p.state = 'LEASED' and p.epoch = add_pages.epoch for update;
    if not found then return null; end if;
    select coalesce(max(p.no), 0) into last from hub.run_page p where p.run_id = run;
    if last + cardinality(keys) > 100000 then raise exception 'a run has at most 100000 pages' using errcode = 'program_limit_exceeded'; end if;
    insert into hub.run_page (run_id, no, unit_no, keys, size)
      select run, last + k.no, home.unit_no, k.key, k.size from unnest(keys, sizes) with ordinality k(key, size, no);
    return last + cardinality(keys);
  end $body$;

  create function hub.finish_plan(run uuid, epoch int) returns boolean language plpgsql ${definer} as $body$
  begin
    update hub.run_page p set state = 'DONE', lease_until = null
      where p.run_id = run and p.no = 0 and p.state = 'LEASED' and p.epoch = finish_plan.epoch;
    if not found then return false; end if;
    update hub.run r set planned = true, heartbeat_at = clock_timestamp(),
        total = (select coalesce(sum(p.size), 0) from hub.run_page p where p.run_id = run)
      where r.id = run;
    perform hub.page_ended(run);
    return true;
  end $body$;`;

const leasing = `
  -- For the queue: pages that wait and are not in it. By their state, never behind a last id, so that none which commits late is missed.
  create function hub.claim_pages(definitions text[], batch int, just uuid default null) returns table (run uuid, no int, definition text, queued int)
  language sql ${definer} as $body$
    with picked as materialized (
      select p.run_id, p.no, r.definition from hub.run r cross join lateral (
        select w.run_id, w.no from hub.run_page w
        where w.run_id = r.id and w.state = 'WAITING' and w.queued_at is null and w.due_at <= clock_timestamp()
        order by w.no limit least(claim_pages.batch, 200) for update skip locked) p
      where r.state = 'RUNNING' and r.definition = any (claim_pages.definitions) and (claim_pages.just is null or r.id = claim_pages.just)
      order by p.no limit least(claim_pages.batch, 500))
    update hub.run_page p set queued_at = clock_timestamp(), queued = p.queued + 1 from picked k
      where p.run_id = k.run_id and p.no = k.no and p.state = 'WAITING' and p.queued_at is null
      returning p.run_id, p.no, k.definition, p.queued
  $body$;

  -- Pages that should have been in the queue for so many seconds: the reconciler looks whether they are.
  create function hub.queued_pages(definitions text[], seconds double precision) returns table (run uuid, no int, definition text, queued int)
  language sql ${definer} as $body$
    select p.run_id, p.no, r.definition, p.queued from hub.run_page p join hub.run r on r.id = p.run_id
    where p.state = 'WAITING' and p.queued_at < clock_timestamp() - make_interval(secs => seconds) and r.definition = any (definitions)
    order by p.queued_at limit 5000
  $body$;
  create function hub.unqueue_pages(runs uuid[], nos int[], queued int[]) returns int
  language sql ${definer} as $body$
    with lost as (
      update hub.run_page p set queued_at = null from unnest(runs, nos, unqueue_pages.queued) k(run, no, queued)
      where p.run_id = k.run and p.no = k.no and p.state = 'WAITING' and p.queued = k.queued returning 1)
    select count(*)::int from lost
  $body$;

  -- Leases that ended without a word: their worker is dead, or slower than the lease.
  create function hub.lapse_pages() returns int language plpgsql ${definer} as $body$
  declare
    page record;
    lapsed int := 0;
  begin
    for page in select p.run_id, p.no from hub.run_page p where p.state = 'LEASED' and p.lease_until < clock_timestamp()
      order by p.run_id, p.no limit 500 for update skip locked
    loop
      perform hub.put_back(page.run_id, page.no, 'LEASE_LOST', 0, true);
      lapsed := lapsed + 1;
    end loop;
    return lapsed;
  end $body$;

  create function hub.is_suspect(tries int, reason text) returns boolean language sql immutable set search_path = pg_catalog, pg_temp as $body$
    select coalesce(tries >= 2 and reason = 'LEASE_LOST', false)
  $body$;

  -- verdict: LEASED, or why not: UNKNOWN (no such page), OVER (done, or the run is), PAUSED, HELD (by another), LATER.
  create function hub.lease_page(run uuid, no int, seconds double precision)
  returns table (verdict text, epoch int, keys jsonb, size int, tries int, definition text, plan jsonb, principal jsonb, unit_no int, opened_at timestamptz, last jsonb)
  language plpgsql ${definer} as $body$
  declare
    page hub.run_page;
    home hub.run;
  begin
    if seconds not between 0.1 and 300 then raise exception 'a lease is 0.1 to 300 s'; end if;
    select r.* into home from hub.run r where r.id = run;
    select p.* into page from hub.run_page p where p.run_id = run and p.no = lease_page.no for update;
    if home.id is null or page.run_id is null then verdict := 'UNKNOWN';
    elsif page.state = 'LEASED' then verdict := 'HELD';
    elsif page.state <> 'WAITING' or home.state in ('DONE','FAILED','CANCELLED') then verdict := 'OVER';
    elsif home.state <> 'RUNNING' then verdict := 'PAUSED';
    elsif page.due_at > clock_timestamp() then verdict := 'LATER';
    -- Whose workers died twice is worked on alone: else pages that were only beside it would end with it.
    elsif exists (select from hub.run_page p where p.run_id = run and p.state = 'LEASED'
      and (hub.is_suspect(p.tries, p.reason) or hub.is_suspect(page.tries, page.reason))) then
      verdict := 'LATER';
      update hub.run_page p set due_at = clock_timestamp() + make_interval(secs => least(seconds, 1)) where p.run_id = run and p.no = lease_page.no;
    else
      verdict := 'LEASED';
      update hub.run_page p set state = 'LEASED', epoch = p.epoch + 1, lease_until = clock_timestamp() + make_interval(secs => seconds)
        where p.run_id = run and p.no = lease_page.no returning p.epoch into epoch;
      keys := page.keys; size := page.size; tries := page.tries; definition := home.definition; plan := home.plan; principal := home.principal;
      unit_no := home.unit_no; opened_at := home.created_at;
      if lease_page.no = 0 then
        select p.keys into last from hub.run_page p where p.run_id = run and p.no > 0 order by p.no desc limit 1;
      end if;
    end if;
    -- Whoever resumes the run or waits for its time finds the page outside the queue.
    if verdict in ('PAUSED','LATER') then update hub.run_page p set queued_at = null where p.run_id = run and p.no = lease_page.no; end if;
    return next;
  end $body$;

  create function hub.renew_page(run uuid, no int, epoch int, seconds double precision) returns boolean
  language sql ${definer} as $body$
    with mine as (
      update hub.run_page p set lease_until = clock_timestamp() + make_interval(secs => least(seconds, 300))
      where p.run_id = run and p.no = renew_page.no and p.state = 'LEASED' and p.epoch = renew_page.epoch returning 1)
    select exists (select from mine)
  $body$;

  -- The last statement of the transaction of the effect: what it locks on the run is held no longer than the commit. False: not mine any more.
  create function hub.finish_page(run uuid, no int, epoch int, done int, refused int, counts jsonb) returns boolean
  language plpgsql ${definer} as $body$
  begin
    update hub.run_page p set state = 'DONE', lease_until = null, done = finish_page.done, refused = finish_page.refused, counts = finish_page.counts,
        reason = null
      where p.run_id = run and p.no = finish_page.no and p.no > 0 and p.state = 'LEASED' and p.epoch = finish_page.epoch;
    if not found then return false; end if;
    update hub.run r set done = r.done + finish_page.done - finish_page.refused, refused = r.refused + finish_page.refused, heartbeat_at = clock_timestamp(),
        counts = r.counts || (select coalesce(jsonb_object_agg(c.key, coalesce((r.counts ->> c.key)::bigint, 0) + c.value::bigint), '{}')
          from jsonb_each_text(finish_page.counts) c)
      where r.id = run and hub.is_role_of(r.subgraph);
    if not found then raise exception 'no run of this role' using errcode = 'insufficient_privilege'; end if;
    perform hub.page_ended(run);
    return true;
  end $body$;

  create function hub.return_page(run uuid, no int, epoch int, reason text, wait double precision, counts boolean) returns text
  language plpgsql ${definer} as $body$
  begin
    perform from hub.run_page p where p.run_id = run and p.no = return_page.no and p.state = 'LEASED' and p.epoch = return_page.epoch for update;
    if not found then return 'LOST'; end if;
    return hub.put_back(run, return_page.no, return_page.reason, least(greatest(wait, 0), 86400), counts);
  end $body$;

  create function hub.refuse_page(run uuid, no int, epoch int, reason text) returns boolean
  language plpgsql ${definer} as $body$
  begin
    perform from hub.run_page p where p.run_id = run and p.no = refuse_page.no and p.state = 'LEASED' and p.epoch = refuse_page.epoch for update;
    if not found then return false; end if;
    perform hub.end_page(run, refuse_page.no, 'REFUSED', refuse_page.reason);
    return true;
  end $body$;

  create function hub.end_run(run uuid, epoch int, report jsonb) returns boolean language plpgsql ${definer} as $body$
  begin
    update hub.run_page p set state = 'DONE', lease_until = null
      where p.run_id = run and p.no = -1 and p.state = 'LEASED' and p.epoch = end_run.epoch;
    if not found then return false; end if;
    update hub.run r set state = 'DONE', report = end_run.report, ended_at = clock_timestamp(), version = r.version + 1
      where r.id = run and r.state in ('RUNNING','PAUSED');
    return true;
  end $body$;`;

/*
 * What people say to a run, under the scope of whoever says it. RERUN puts back what failed, DROP leaves it: both settle the item of the joint queue.
 */
const orders = `
  create function hub.order_run(run uuid, version int, "order" text) returns table (answer text, new_version int)
  language plpgsql ${definer} as $body$
  declare
    home hub.run;
    page hub.run_page;
    failed int := 0;
    poisoned boolean;
  begin
    select r.* into home from hub.run r where r.id = run for update;
    if not found then answer := 'UNKNOWN'; return next; return; end if;
    if order_run.version is not null and home.version <> order_run.version then answer := 'STALE'; return next; return; end if;
    answer := 'STATE';
    poisoned := exists (select from hub.run_page p where p.run_id = run and p.state = 'POISON');
    case "order"
      when 'PAUSE' then
        if home.state = 'RUNNING' and home.definition is not null then
          update hub.run r set state = 'PAUSED', version = r.version + 1 where r.id = run;
          answer := 'DONE';
        end if;
      when 'RESUME' then
        if home.state = 'PAUSED' then
          update hub.run r set state = 'RUNNING', version = r.version + 1 where r.id = run;
          answer := 'DONE';
        end if;
      when 'CANCEL' then
        if home.state in ('PLANNED','RUNNING','PAUSED') then
          update hub.run r set state = 'CANCELLED', ended_at = clock_timestamp(), version = r.version + 1 where r.id = run;
          if poisoned then perform hub.tell_poison(run, 'WITHDRAWN'); end if;
          answer := 'DONE';
        end if;
      when 'RERUN' then
        if home.state in ('RUNNING','PAUSED','DONE','FAILED') and home.definition is not null then
          -- Of a comparison also the pages of which some were not answered; rows of a file that were refused are refused again.
          for page in select p.* from hub.run_page p where p.run_id = run
              and (p.state in ('REFUSED','POISON') or (home.kind = 'RECONCILE' and p.state = 'DONE' and p.no > 0 and p.refused > 0)) for update loop
            failed := failed + 1;
            update hub.run_page p set state = 'WAITING', tries = 0, done = 0, refused = 0, counts = '{}', reason = null, queued_at = null,
              due_at = clock_timestamp() where p.run_id = run and p.no = page.no;
            continue when page.no <= 0;
            -- What it had counted is counted anew.
            home.done := home.done - (case page.state when 'DONE' then page.done - page.refused else 0 end);
            home.refused := home.refused - page.refused;
            home.counts := home.counts || (select coalesce(jsonb_object_agg(c.key, coalesce((home.counts ->> c.key)::bigint, 0) - c.value::bigint), '{}')
              from jsonb_each_text(page.counts) c);
          end loop;
          answer := 'NOTHING';
          if failed > 0 then
            delete from hub.run_page p where p.run_id = run and p.no = -1 and p.state = 'DONE';
            update hub.run r set state = case r.state when 'PAUSED' then 'PAUSED' else 'RUNNING' end, ended_at = null, report = null,
              done = home.done, refused = home.refused, counts = home.counts, version = r.version + 1 where r.id = run;
            if poisoned then perform hub.tell_poison(run, 'SETTLED'); end if;
            answer := 'DONE';
          end if;
        end if;
      when 'DROP' then
        answer := 'NOTHING';
        if poisoned then
          update hub.run_page p set state = 'REFUSED' where p.run_id = run and p.state = 'POISON';
          update hub.run r set version = r.version + 1 where r.id = run;
          perform hub.tell_poison(run, 'SETTLED');
          answer := 'DONE';
        end if;
    end case;
    select r.version into new_version from hub.run r where r.id = run;
    return next;
  end $body$;`;

/* When what is repeated was begun last, and what the queues looked like when their relay last looked. */
const schedule = `
  create table hub.schedule (name text primary key, slot timestamptz not null, at timestamptz not null default clock_timestamp());
  create table hub.queue_seen (
    queue text primary key, at timestamptz not null default clock_timestamp(), backend text not null, reachable boolean not null,
    waiting int not null, active int not null);

  -- The moment that is due of something repeated daily (in Việt Nam) or every so many seconds.
  create function hub.slot_of(daily text, seconds int) returns timestamptz language sql stable set search_path = pg_catalog, pg_temp as $body$
    select case when daily is null then to_timestamp(floor(extract(epoch from clock_timestamp()) / seconds) * seconds)
      when today <= clock_timestamp() then today else today - interval '1 day' end
    from (select (date_trunc('day', clock_timestamp() at time zone 'Asia/Ho_Chi_Minh') + coalesce(daily, '00:00')::time)
      at time zone 'Asia/Ho_Chi_Minh' as today) d
  $body$;

  -- Told at every start: something daily that is new begins with its next time.
  create function hub.keep_schedule(name text, daily text, seconds int) returns void language sql ${definer} as $body$
    insert into hub.schedule (name, slot) select keep_schedule.name, case when daily is null then 'epoch'::timestamptz else hub.slot_of(daily, seconds) end
    on conflict do nothing
  $body$;
  create function hub.slot_due(name text, daily text, seconds int) returns timestamptz language sql ${definer} as $body$
    select hub.slot_of(daily, seconds) from hub.schedule s where s.name = slot_due.name and s.slot < hub.slot_of(daily, seconds)
  $body$;
  -- True for the one who takes it.
  create function hub.take_slot(name text, slot timestamptz) returns boolean language sql ${definer} as $body$
    with taken as (
      update hub.schedule s set slot = take_slot.slot, at = clock_timestamp() where s.name = take_slot.name and s.slot < take_slot.slot returning 1)
    select exists (select from taken)
  $body$;

  create function hub.note_queue(queue text, backend text, reachable boolean, waiting int, active int) returns void language sql ${definer} as $body$
    insert into hub.queue_seen (queue, backend, reachable, waiting, active)
      values (note_queue.queue, note_queue.backend, note_queue.reachable, note_queue.waiting, note_queue.active)
      on conflict (queue) do update set at = clock_timestamp(), backend = excluded.backend, reachable = excluded.reachable, waiting = excluded.waiting,
        active = excluded.active
  $body$;

  -- Pages at work or waiting and their age, and what people must look at, of every unit: numbers only.
  create function hub.queue_numbers() returns table (queue text, waiting int, leased int, oldest double precision, poison int)
  language sql stable ${definer} as $body$
    select r.queue, count(*) filter (where p.state = 'WAITING' and r.state = 'RUNNING')::int, count(*) filter (where p.state = 'LEASED')::int,
      coalesce(extract(epoch from clock_timestamp() - min(p.due_at) filter (where p.state = 'WAITING' and r.state = 'RUNNING')), 0)::double precision,
      count(*) filter (where p.state = 'POISON')::int
    from hub.run r join hub.run_page p on p.run_id = r.id and p.state in ('WAITING','LEASED','POISON')
    where r.queue is not null group by r.queue
  $body$;`;
