import { Migration } from '@mikro-orm/migrations';

/**
 * What the audit costs beside load. The index by person is fed in sets, by the sealer: fed within the INSERT it costs a row of twenty persons 0.1 ms,
 * and every some thousand rows one INSERT (and every read that waits for it) stood still until the whole list was worked in.
 */
export class AuditBesideLoad extends Migration {
  override up(): void {
    this.addSql(`
      -- All that was committed before swept_at, at any place of the last ten minutes, is sealed; before passed_at: at any place of the last one.
      alter table hub.audit_sealer add column swept_at timestamptz not null default clock_timestamp();
      ${patientIndexes}
      ${partitions}
      select hub.make_audit_partitions();
      ${settle}`);
  }
}

/* Half a million rows of twenty persons; above that the INSERT works the list in as before. In kB. */
const patientIndexes = `
  create function hub.make_audit_indexes_patient() returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    index regclass;
  begin
    for index in
      select i.inhrelid::regclass from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'hub.audit_event_subjects'::regclass and c.reloptions is null
    loop
      execute format('alter index %s set (gin_pending_list_limit = 262144)', index);
    end loop;
  end $body$;`;

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
    if to_regclass('hub.audit_event_subjects') is not null then perform hub.make_audit_indexes_patient(); end if;
    return made;
  end $body$;`;

/* Months that rows still come to. A look at the index reads what waits as well, so nothing is ever missing from an answer. */
const settle = `
  create function hub.settle_audit_index() returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    index regclass;
  begin
    for index in
      select i.inhrelid::regclass from pg_inherits i join pg_index x on x.indexrelid = i.inhrelid join pg_class c on c.oid = x.indrelid
      where i.inhparent = to_regclass('hub.audit_event_subjects') and right(c.relname, 7) in
        (to_char(clock_timestamp() at time zone 'UTC', 'YYYY_MM'), to_char(clock_timestamp() at time zone 'UTC' - interval '1 day', 'YYYY_MM'))
    loop
      perform gin_clean_pending_list(index);
    end loop;
  end $body$;`;
