import { Migration } from '@mikro-orm/migrations';

/**
 * Whether a principal still is who his token says: every mutation asks inside its own transaction. The subgraphs may not read accounts, so
 * the database looks itself, over every unit, and says yes or no.
 */
export class PrincipalStands extends Migration {
  override up(): void {
    this.addSql(`
      create function hub.principal_stands(kind text, id text, role text, unit_no int) returns boolean
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
      declare
        stands boolean := false;
        before text := current_setting('hub.scope', true);
      begin
        perform set_config('hub.scope', '{(,)}', true);
        case principal_stands.kind
          when 'CLI' then stands := true;
          when 'ACCOUNT' then stands := exists (select from organisation.account a
            where a.id = principal_stands.id::uuid and a.role = principal_stands.role
              and a.unit_no = principal_stands.unit_no and a.disabled_at is null);
          when 'CLIENT' then stands := exists (select from organisation.client c
            where c.id = principal_stands.id and c.role = principal_stands.role
              and c.unit_no = principal_stands.unit_no and c.revoked_at is null);
          else stands := false;
        end case;
        -- Back to the caller's own; an error undoes it with its transaction.
        perform set_config('hub.scope', coalesce(before, ''), true);
        return stands;
      end $body$;`);
  }
}
