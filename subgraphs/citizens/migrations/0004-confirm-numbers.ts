import { Migration } from '@mikro-orm/migrations';

/**
 * Numbers that a trusted source confirmed. Of confirmed numbers in force no two people hold the same, and the other may live where the
 * caller may not look: the database looks itself, over every unit, and says only which of the caller's people have it confirmed now.
 * A run writes one verification of a citizen's field, however often a page is done.
 */
export class ConfirmNumbers extends Migration {
  override up(): void {
    this.addSql(`
      drop index citizens.verification_run;
      create unique index verification_run on citizens.verification (run_id, citizen_id, field) where run_id is not null;

      create function citizens.confirm_numbers(citizens uuid[], systems text[], source text) returns table (citizen_id uuid, system text)
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        before text := current_setting('hub.scope', true);
        item record;
      begin
        perform set_config('hub.scope', '{(,)}', true);
        for item in
          select i.id, i.citizen_id, i.system, i.standing
          from unnest(confirm_numbers.citizens, confirm_numbers.systems) asked(citizen_id, system)
          join citizens.identifier i on i.citizen_id = asked.citizen_id and i.system = asked.system
            and i.valid_to is null and i.standing <> 'CANCELLED'
          join citizens.citizen c on c.id = i.citizen_id
            and i.value = case i.system when 'PERSONAL_ID' then c.personal_id else c.old_id_number end
          where coalesce(c.unit_no <@ nullif(before, '')::int4multirange, false)
          order by i.system, i.value
        loop
          if item.standing <> 'CONFIRMED' then
            begin
              update citizens.identifier i set standing = 'CONFIRMED', source = confirm_numbers.source where i.id = item.id;
            exception when unique_violation then
              -- Another holds it, confirmed: his stays, and people decide.
              continue;
            end;
          end if;
          citizen_id := item.citizen_id;
          system := item.system;
          return next;
        end loop;
        perform set_config('hub.scope', coalesce(before, ''), true);
      end $body$;`);
  }
}
