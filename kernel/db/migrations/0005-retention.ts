import { Migration } from '@mikro-orm/migrations';

/**
 * What grows is removed here, by the owner and in small batches. The worker may only say how long things are kept: never shorter than
 * the database itself allows, and never what somebody still waits for.
 */
export class Retention extends Migration {
  override up(): void {
    this.addSql(prune);
    this.addSql(noteSweep);
  }
}

const schemas = `array['citizens','insurance','results','slips','organisation']`;

/*
 * thing      removed when older than `days`, and                                     at least
 * outbox     every consumer has done it                                              7
 * answers    (kept for repeats of a mutation)                                        7
 * staging    the run of the file has ended that long ago                             1
 * pages      (of a run) the run has ended that long ago                              1
 * runs       ended, with their pages                                                 30
 * sessions   expired: log-ins and what the OpenID provider keeps                     0
 * security   (events)                                                                90
 * answers of the population database ('verifications'): a newer one of the same citizen and field is there   30
 * history    (changes of records)                                                    3650
 */
const prune = `
  create function hub.prune(thing text, days int, batch int default 1000) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    before text := current_setting('hub.scope', true);
    least_days int := case thing when 'outbox' then 7 when 'answers' then 7 when 'staging' then 1 when 'pages' then 1 when 'runs' then 30
      when 'sessions' then 0 when 'security' then 90 when 'verifications' then 30 when 'history' then 3650 end;
    until timestamptz := clock_timestamp() - make_interval(days => days);
    home text;
    ids uuid[];
    gone int := 0;
    more int;
  begin
    if least_days is null then raise exception 'nothing is called %', thing using errcode = 'invalid_parameter_value'; end if;
    if days < least_days then raise exception '% are kept at least % days', thing, least_days using errcode = 'invalid_parameter_value'; end if;
    if batch not between 1 and 10000 then raise exception 'a batch is 1 to 10000' using errcode = 'invalid_parameter_value'; end if;
    perform set_config('hub.scope', '{(,)}', true);
    case thing
      when 'outbox' then
        with old as (
          select o.id from hub.outbox o
          where o.at < until and not exists (
            select from hub.outbox_consumer c
            where o.kind = any (c.kinds) and (o.xid, o.id) > (c.mark_xid, c.mark_id)
              and not exists (select from hub.outbox_done d where d.consumer = c.consumer and d.event_id = o.id))
          order by o.at limit batch),
        removed as (delete from hub.outbox o using old where o.id = old.id returning o.id),
        marks as (delete from hub.outbox_done d using removed r where d.event_id = r.id)
        select count(*) into gone from removed;
      when 'answers' then
        foreach home in array ${schemas} loop
          execute format('delete from %1$I.idempotency where ctid = any (array(select ctid from %1$I.idempotency where at < $1 order by at limit $2))', home)
            using until, batch - gone;
          get diagnostics more = row_count;
          gone := gone + more;
          exit when gone >= batch;
        end loop;
      when 'staging' then
        gone := hub.prune_imports(days, batch);
      when 'pages' then
        if to_regclass('hub.run_page') is not null then
          if to_regclass('hub.export_file') is not null then
            execute 'update hub.export_file e set filter = null from hub.run r
              where e.run_id = r.id and e.filter is not null and r.ended_at < $1' using until;
          end if;
          execute 'delete from hub.run_page where ctid = any (array(
              select p.ctid from hub.run r join hub.run_page p on p.run_id = r.id where r.ended_at < $1 limit $2))' using until, batch;
          get diagnostics gone = row_count;
        end if;
      when 'runs' then
        ids := array(select r.id from hub.run r where r.ended_at < until order by r.ended_at limit batch);
        if to_regclass('hub.run_page') is not null then
          execute 'delete from hub.run_page where run_id = any ($1)' using ids;
        end if;
        if to_regclass('hub.export_file') is not null then
          execute 'delete from hub.export_file where run_id = any ($1)' using ids;
        end if;
        delete from hub.run r where r.id = any (ids);
        get diagnostics gone = row_count;
      when 'sessions' then
        delete from organisation.session s where s.id = any (array(select id from organisation.session where expires_at < until limit batch));
        get diagnostics gone = row_count;
        delete from organisation.oidc_payload p where p.ctid = any (array(
          select ctid from organisation.oidc_payload where expires_at < until limit greatest(batch - gone, 0)));
        get diagnostics more = row_count;
        gone := gone + more;
      when 'security' then
        delete from organisation.security_event e where e.id = any (array(
          select id from organisation.security_event where at < until order by at limit batch));
        get diagnostics gone = row_count;
      when 'verifications' then
        delete from citizens.verification v where v.id = any (array(
          select o.id from citizens.verification o
          where o.checked_at < until and exists (
            select from citizens.verification n where n.citizen_id = o.citizen_id and n.field = o.field and n.checked_at > o.checked_at
              and coalesce(n.as_of, n.checked_at) >= coalesce(o.as_of, o.checked_at))
          limit batch));
        get diagnostics gone = row_count;
      when 'history' then
        foreach home in array ${schemas} loop
          execute format('delete from %1$I.change where id = any (array(select id from %1$I.change where at < $1 limit $2))', home)
            using until, batch - gone;
          get diagnostics more = row_count;
          gone := gone + more;
          exit when gone >= batch;
        end loop;
    end case;
    -- Back to the caller's own; an error undoes it with its transaction.
    perform set_config('hub.scope', coalesce(before, ''), true);
    return gone;
  end $body$;`;

/* A sweep belongs to the highest unit, for those who see the whole province; without units there is nothing to be swept for. */
const noteSweep = `
  create function hub.note_sweep(started timestamptz, counts jsonb) returns uuid
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    before text := current_setting('hub.scope', true);
    top int := (select min(number) from hub.unit where parent_number is null);
    run uuid := uuidv7();
    removed int := (select coalesce(sum(value::int), 0) from jsonb_each_text(counts));
  begin
    if top is null then return null; end if;
    perform set_config('hub.scope', '{(,)}', true);
    insert into hub.run (id, kind, state, unit_no, subgraph, started_by, total, done, counts, created_at, started_at, ended_at, heartbeat_at)
      values (run, 'SWEEP', 'DONE', top, 'hub', 'hub', removed, removed, counts, started, started, clock_timestamp(), clock_timestamp());
    perform set_config('hub.scope', coalesce(before, ''), true);
    return run;
  end $body$;`;
