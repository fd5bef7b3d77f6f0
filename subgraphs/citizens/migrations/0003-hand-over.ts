import { Migration } from '@mikro-orm/migrations';

/**
 * Work goes to another unit on the way from the citizen's own up to the province: the receiver may lie above the caller, where his scope
 * does not reach. What he may not see he cannot hand over, and no row says why. Work about two people only goes up: below, one of
 * them would be out of sight.
 */
export class HandOver extends Migration {
  override up(): void {
    this.addSql(`
      create function citizens.hand_over_discrepancy(item uuid, receiver int) returns table (version int)
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        before text := current_setting('hub.scope', true);
        mine int4multirange := nullif(before, '')::int4multirange;
        found_item citizens.discrepancy;
        home int;
      begin
        perform set_config('hub.scope', '{(,)}', true);
        select d.* into found_item from citizens.discrepancy d where d.id = item and d.state in ('OPEN','LEASED');
        select c.unit_no into home from citizens.citizen c where c.id = found_item.citizen_id;
        if coalesce(found_item.unit_no <@ mine and home <@ mine, false) and receiver <> found_item.unit_no and exists (
          with recursive up(at, steps) as (
            select case found_item.kind when 'TWO_HOLDERS' then found_item.unit_no else home end, 0
            union all
            select p.parent_number, up.steps + 1 from up join hub.unit p on p.number = up.at
            where p.parent_number is not null and up.steps < 64)
          select from up join hub.unit u on u.number = up.at where up.at = receiver and u.valid_to is null)
        then
          update citizens.discrepancy d set unit_no = receiver, version = d.version + 1, state = 'OPEN' where d.id = item
            returning d.version into version;
          return next;
        end if;
        perform set_config('hub.scope', coalesce(before, ''), true);
      end $body$;`);
  }
}
