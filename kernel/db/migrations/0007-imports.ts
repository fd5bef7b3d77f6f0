import { Migration } from '@mikro-orm/migrations';
import { rowsOfUnit } from './frozen.ts';

/**
 * Files that came in, and their rows before and after anyone decided about them. A file belongs to the unit of whoever sent it, whatever units
 * its rows name: until a row is applied it is nobody else's.
 */
export class Imports extends Migration {
  override up(): void {
    this.addSql(file);
    this.addSql(row);
    this.addSql(goOn);
    this.addSql(prune);
  }
}

const file = `
  create table hub.import_file (
    id uuid primary key, version int not null default 1, kind text not null, unit_no int not null,
    sender text not null, sender_name text not null, file_name text, stored_as text, state text not null,
    separator text, headings jsonb, places jsonb, decisions jsonb, planned jsonb, refusal jsonb, total int, run_id uuid, expires_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    constraint import_file_kind check (kind in ('CITIZENS','CARDS','RESULTS','UNITS','ACCOUNTS')),
    constraint import_file_state check (state in ('AWAITED','RECEIVED','STAGED','CHECKED','APPLIED','REFUSED')));
  create index import_file_unit on hub.import_file (unit_no, id);
  create index import_file_run on hub.import_file (run_id) where run_id is not null;
  create index import_file_created on hub.import_file (created_at);
  ${rowsOfUnit('hub.import_file')}`;

/* \`problem\` is what is wrong with the cells, never a cell; \`cells\` stand as they were written, for the file of refused rows. */
const row = `
  create table hub.import_row (
    import_id uuid not null, line int not null, unit_no int not null, state text not null default 'STAGED', planned text,
    cells jsonb not null, problem jsonb, primary key (import_id, line),
    constraint import_row_state check (state in ('STAGED','ADDED','CHANGED','UNCHANGED','WAITING','REFUSED')),
    constraint import_row_planned check (planned in ('ADDED','CHANGED','UNCHANGED','WAITING','REFUSED')))
    -- What became of a row is written beside it on its page; no index looks at it.
    with (fillfactor = 50);
  ${rowsOfUnit('hub.import_row')}`;

/* A run that was stopped, failed or was left behind by a process that is gone goes on; one that has ended well does not. */
const goOn = `
  create function hub.run_go_on(id uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    with moved as (
      update hub.run r set state = 'RUNNING', ended_at = null, report = null, heartbeat_at = clock_timestamp()
      where r.id = run_go_on.id and r.kind = 'IMPORT' and r.state in ('PLANNED','RUNNING','PAUSED','FAILED') returning 1)
    select exists (select from moved)
  $body$;
  -- Adds to the sums of a run; false when it is not running any more: the caller undoes what it did.
  create function hub.run_add(id uuid, done int, refused int, counts jsonb) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    with moved as (
      update hub.run r set done = r.done + run_add.done, refused = r.refused + run_add.refused, heartbeat_at = clock_timestamp(),
        counts = (select jsonb_object_agg(k, coalesce((r.counts ->> k)::int, 0) + coalesce((run_add.counts ->> k)::int, 0))
          from (select jsonb_object_keys(r.counts) union select jsonb_object_keys(run_add.counts)) names (k))
      where r.id = run_add.id and r.state = 'RUNNING' returning 1)
    select exists (select from moved)
  $body$;
  create function hub.run_pause(id uuid) returns boolean
  language sql security definer set search_path = pg_catalog, pg_temp as $body$
    with moved as (
      update hub.run r set state = 'PAUSED', heartbeat_at = clock_timestamp() where r.id = run_pause.id and r.state = 'RUNNING' returning 1)
    select exists (select from moved)
  $body$;`;

/* Rows of files whose import has ended, or was never applied, that long ago; then the files without rows. At least one day. */
const prune = `
  create function hub.prune_imports(days int, batch int default 1000) returns int
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    before text := current_setting('hub.scope', true);
    until timestamptz := clock_timestamp() - make_interval(days => days);
    ids uuid[];
    gone int := 0;
  begin
    if days < 1 then raise exception 'imports are kept at least one day' using errcode = 'invalid_parameter_value'; end if;
    if batch not between 1 and 10000 then raise exception 'a batch is 1 to 10000' using errcode = 'invalid_parameter_value'; end if;
    perform set_config('hub.scope', '{(,)}', true);
    ids := array(
      select f.id from hub.import_file f left join hub.run r on r.id = coalesce(f.run_id, f.id)
      where coalesce(r.ended_at, case when r.id is null then f.created_at end) < until order by f.created_at limit 100);
    delete from hub.import_row w where w.ctid = any (array(select i.ctid from hub.import_row i where i.import_id = any (ids) limit batch));
    get diagnostics gone = row_count;
    if gone < batch then
      delete from hub.import_file f where f.id = any (ids) and not exists (select from hub.import_row w where w.import_id = f.id);
    end if;
    perform set_config('hub.scope', coalesce(before, ''), true);
    return gone;
  end $body$;`;
