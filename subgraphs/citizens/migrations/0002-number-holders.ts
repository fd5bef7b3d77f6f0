import { Migration } from '@mikro-orm/migrations';

/**
 * Who holds a personal number, over every unit: whoever writes one down may learn that it is taken, and nothing else, at most 20 times
 * in 24 hours. Two writers of one number go one after the other.
 */
export class NumberHolders extends Migration {
  override up(): void {
    this.addSql(`
      create function citizens.number_holders(number text, principal text, own uuid) returns table (holders uuid[], probed int)
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        before text := current_setting('hub.scope', true);
      begin
        perform pg_advisory_xact_lock(hashtextextended('citizens.number ' || number_holders.number, 21));
        perform set_config('hub.scope', '{(,)}', true);
        holders := array(
          select distinct c.id from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
          where i.system = 'PERSONAL_ID' and i.value = number_holders.number and i.valid_to is null and i.standing <> 'CANCELLED'
            and c.life_status <> 'MERGED' and c.id is distinct from number_holders.own);
        probed := (
          select count(*) from hub.audit_event a
          where a.principal = number_holders.principal and a.at > clock_timestamp() - interval '1 day' and a.action = 'citizen.number-taken');
        perform set_config('hub.scope', coalesce(before, ''), true);
        return next;
      end $body$;`);
  }
}
