import { Migration } from '@mikro-orm/migrations';

/**
 * What makes a rewritten audit noticed: beside each month of events a month of seals (the hash of every row), and the chain of heads that
 * the sealer signs. Seals and heads are only ever inserted; a month goes as a whole, and only under a signed head that says so.
 */
export class SealAudit extends Migration {
  override up(): void {
    this.addSql(tables);
    this.addSql(partitions);
    this.addSql(dropMonth);
    this.addSql(overdue);
  }
}

const tables = `
  create table hub.audit_seal (
    at timestamptz not null, id uuid not null, head bigint not null, no int not null, hash bytea not null,
    primary key (at, id)) partition by range (at);

  -- SEAL: a batch of rows · PRUNED: a month was dropped · RESTORE: the hub's own command restored a backup and began a new line.
  create table hub.audit_head (
    no bigint primary key, line uuid not null, kind text not null, at timestamptz not null,
    from_at timestamptz, to_at timestamptz, rows int not null, batch_hash bytea not null, detail jsonb not null default '{}',
    previous bytea not null, head bytea not null, key_id text not null, signature bytea not null,
    constraint audit_head_kind check (kind in ('SEAL','PRUNED','RESTORE')));

  -- Rows up to sealed_to were seen; all that was committed before passed_at is sealed; before excused_until a late sealer stops nobody (a hub that was off for a night).
  create table hub.audit_sealer (
    "only" boolean primary key default true, sealed_to timestamptz, passed_at timestamptz not null default clock_timestamp(),
    excused_until timestamptz not null default clock_timestamp(),
    constraint audit_sealer_only check ("only"));
  insert into hub.audit_sealer default values;`;

const partitions = `
  create or replace function hub.make_audit_partitions(months int default 24) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    first date := date_trunc('month', clock_timestamp() at time zone 'UTC')::date;
    made int := 0;
    month date;
    tab text;
  begin
    if months not between 1 and 120 then raise exception 'months is 1 to 120'; end if;
    perform pg_advisory_xact_lock(hashtextextended('hub.make_audit_partitions', 0));
    -- A month of events that an earlier version made gets its seals too.
    for month in
      select to_date(right(c.relname, 7), 'YYYY_MM') from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'hub.audit_event'::regclass
      union select (first + make_interval(months => n))::date from generate_series(0, months) n
    loop
      foreach tab in array array['audit_event', 'audit_seal'] loop
        if to_regclass('hub.' || tab || '_' || to_char(month, 'YYYY_MM')) is null then
          execute format('create table hub.%I partition of hub.%I for values from (%L) to (%L)', tab || '_' || to_char(month, 'YYYY_MM'), tab,
            month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
          made := made + 1;
        end if;
      end loop;
    end loop;
    return made;
  end $body$;
  select hub.make_audit_partitions();`;

/* The sealer writes the PRUNED head in the same transaction; whatever is not sealed, or younger than two years, stays. */
const dropMonth = `
  create function hub.audit_months() returns setof date
  language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
    select to_date(right(c.relname, 7), 'YYYY_MM') from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'hub.audit_event'::regclass order by 1
  $body$;
  create function hub.drop_audit_month(month date) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    until timestamptz := (month + interval '1 month') at time zone 'UTC';
    suffix text := to_char(month, 'YYYY_MM');
    unsealed bigint;
  begin
    if until > clock_timestamp() - interval '24 months' then
      raise exception 'the audit is kept at least 24 months' using errcode = 'invalid_parameter_value';
    end if;
    if not exists (select from hub.audit_head h where h.kind = 'PRUNED' and h.detail ->> 'month' = to_char(month, 'YYYY-MM')) then
      raise exception 'no head says that this month is dropped' using errcode = 'invalid_parameter_value';
    end if;
    execute format('select count(*) from hub.%I e where not exists (select from hub.%I s where s.at = e.at and s.id = e.id)',
      'audit_event_' || suffix, 'audit_seal_' || suffix) into unsealed;
    if unsealed > 0 then raise exception 'the month holds rows that are not sealed' using errcode = 'object_not_in_prerequisite_state'; end if;
    execute format('drop table hub.%I, hub.%I', 'audit_event_' || suffix, 'audit_seal_' || suffix);
  end $body$;`;

const overdue = `
  -- Seconds up to which nobody knows whether the audit is sealed.
  create function hub.sealing_lag() returns double precision
  language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
    select greatest(extract(epoch from clock_timestamp() - s.passed_at), 0)::double precision from hub.audit_sealer s
  $body$;
  -- Four hours without a seal: nothing may be changed any more. Reads go on.
  create function hub.sealing_overdue() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
    select coalesce((select s.passed_at < clock_timestamp() - interval '4 hours' and s.excused_until < clock_timestamp()
      from hub.audit_sealer s), true)
  $body$;
  -- Of each start of a hub: the sealer has a minute.
  create function hub.excuse_sealer() returns void
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    update hub.audit_sealer s set excused_until = clock_timestamp() + interval '1 minute' where s.passed_at < clock_timestamp() - interval '1 hour'
  $body$;`;
