import { Migration } from '@mikro-orm/migrations';

const schemas = ['citizens', 'insurance', 'results', 'slips', 'organisation'] as const;

/**
 * `hub.begin_change` looked up the kept answer by a statement put together anew each time, which PostgreSQL planned each time: half of what it did.
 * Each schema has a statement of its own now, planned once per connection, and only where it is used.
 */
export class BeginPlannedOnce extends Migration {
  override up(): void {
    this.addSql(`
      create or replace function hub.begin_change(schema_name text, scope text, kind text, principal text, role text, unit_no int, operation text, key text)
      returns table (stands boolean, now bigint, body_hash text, outcome text)
      language plpgsql set search_path = pg_catalog, pg_temp as $body$
      begin
        perform set_config('hub.scope', begin_change.scope, true), set_config('hub.principal', begin_change.principal, true);
        stands := hub.principal_stands(begin_change.kind, begin_change.principal, begin_change.role, begin_change.unit_no);
        case schema_name
${schemas
  .map(
    (schema) => `          when '${schema}' then
            select encode(i.body_hash, 'hex'), i.outcome::text into body_hash, outcome from ${schema}.idempotency i
            where i.principal = begin_change.principal and i.operation = begin_change.operation and i.key = begin_change.key;`,
  )
  .join('\n')}
        end case;
        now := extract(epoch from clock_timestamp()) * 1000;
        return next;
      end $body$;`);
  }
}
