import { Migration } from '@mikro-orm/migrations';

/**
 * What still belongs to a unit, by kind and number, at most 10,001 of each. Organisation may not read the records of the other subgraphs, so
 * the database looks itself, for units in the scope of the session alone, and says how many.
 */
export class UnitHolds extends Migration {
  override up(): void {
    this.addSql(`
      create function organisation.unit_holds(unit int) returns table(kind text, count int)
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        before text := current_setting('hub.scope', true);
      begin
        if not coalesce(unit_holds.unit <@ nullif(before, '')::int4multirange, false) then return; end if;
        perform set_config('hub.scope', '{(,)}', true);
        return query
          select 'units', count(*)::int from (
            select from hub.unit u where u.parent_number = unit_holds.unit and u.valid_to is null limit 10001) n
          union all select 'accounts', count(*)::int from (
            select from organisation.account a where a.unit_no = unit_holds.unit and a.disabled_at is null
            union all select from organisation.client c where c.unit_no = unit_holds.unit and c.revoked_at is null limit 10001) n
          union all select 'citizens', count(*)::int from (
            select from citizens.citizen c where c.unit_no = unit_holds.unit and c.life_status = 'ACTIVE' limit 10001) n
          union all select 'records', count(*)::int from (
            select from insurance.card c where c.unit_no = unit_holds.unit and c.citizen_id is null and c.status <> 'WITHDRAWN'
            union all select from results.result r where r.unit_no = unit_holds.unit and r.citizen_id is null and r.state <> 'WITHDRAWN'
            union all select from slips.referral_slip s where s.status in ('ISSUED','SHOWN','ACCEPTED')
              and (s.facility_no = unit_holds.unit or s.unit_no = unit_holds.unit and s.citizen_id is null)
            union all select from slips.reexamination_slip s where s.status in ('ISSUED','SHOWN','ACCEPTED')
              and (s.facility_no = unit_holds.unit or s.unit_no = unit_holds.unit and s.citizen_id is null) limit 10001) n
          union all select 'work', count(*)::int from (
            select from organisation.work_item w where w.unit_no = unit_holds.unit and w.state in ('OPEN','LEASED') limit 10001) n;
        -- Back to the caller's own; an error undoes it with its transaction.
        perform set_config('hub.scope', coalesce(before, ''), true);
      end $body$;`);
  }
}
