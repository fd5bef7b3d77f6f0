import { Migration } from '@mikro-orm/migrations';

/**
 * How every mutation begins, in one round trip: tells this transaction scope and principal, looks whether the principal still stands, and finds
 * what was answered to this key before. Runs with the rights of the caller: his row policies decide what it sees.
 */
export class BeginChange extends Migration {
  override up(): void {
    this.addSql(`
      create function hub.begin_change(schema_name text, scope text, kind text, principal text, role text, unit_no int, operation text, key text)
      returns table (stands boolean, now bigint, body_hash text, outcome text)
      language plpgsql set search_path = pg_catalog, pg_temp as $body$
      begin
        perform set_config('hub.scope', begin_change.scope, true), set_config('hub.principal', begin_change.principal, true);
        stands := hub.principal_stands(begin_change.kind, begin_change.principal, begin_change.role, begin_change.unit_no);
        execute format('select encode(i.body_hash, ''hex''), i.outcome::text from %I.idempotency i '
            'where i.principal = $1 and i.operation = $2 and i.key = $3', schema_name)
          into body_hash, outcome using begin_change.principal, begin_change.operation, begin_change.key;
        now := extract(epoch from clock_timestamp()) * 1000;
        return next;
      end $body$;

      -- How often a principal was told within a day that a number is taken: his other rows are not walked.
      create index audit_event_taken on hub.audit_event (principal, at) where action = 'citizen.number-taken';`);
  }
}
