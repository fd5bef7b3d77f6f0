import { Migration } from '@mikro-orm/migrations';

/**
 * Who started a run, as he stands now: a worker asks before each page, and gets nothing of somebody who was disabled since. And the note of a
 * job that no transaction of the hub ever asked for.
 */
export class PrincipalNow extends Migration {
  override up(): void {
    this.addSql(`
      create function hub.principal_now(kind text, id text) returns table (name text, role text, unit_no int, units text, unit_count int, purpose text)
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        before text := current_setting('hub.scope', true);
      begin
        perform set_config('hub.scope', '{(,)}', true);
        return query
          with recursive who as (
            select a.login as name, a.role, a.unit_no, null::text as purpose from organisation.account a
              where principal_now.kind = 'ACCOUNT' and a.id::text = principal_now.id and a.disabled_at is null
            union all
            select c.name, c.role, c.unit_no, c.default_purpose from organisation.client c
              where principal_now.kind = 'CLIENT' and c.id = principal_now.id and c.revoked_at is null),
          below as (
            select w.unit_no as number from who w
            union
            select u.number from hub.unit u join below b on u.parent_number = b.number)
          select w.name, w.role, w.unit_no, (select range_agg(int4range(b.number, b.number, '[]'))::text from below b),
            (select count(*)::int from below), w.purpose
          from who w;
        -- Back to the caller's own; an error undoes it with its transaction.
        perform set_config('hub.scope', coalesce(before, ''), true);
      end $body$;

      create function hub.note_refused_job(queue text, reason text) returns void
      language sql security definer set search_path = pg_catalog, pg_temp as $body$
        insert into organisation.security_event (kind, principal, trace_id, detail)
          values ('job.refused', null, null, jsonb_build_object('queue', queue, 'reason', reason))
      $body$;`);
  }
}
