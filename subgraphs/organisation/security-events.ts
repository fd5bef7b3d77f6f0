import type { SecurityEvent } from '#kernel/auth/security-log.ts';
import type { OrganisationDatabase, Sql } from './database.ts';

export async function writeEvents(database: OrganisationDatabase, events: readonly SecurityEvent[]): Promise<void> {
  await database.write((sql) => insertEvents(sql, events));
}

/** In the transaction of what they tell of. */
export async function insertEvents(sql: Sql, events: readonly SecurityEvent[]): Promise<void> {
  await sql.rows(
    `insert into organisation.security_event (kind, principal, trace_id, detail)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])`,
    [
      events.map(({ kind }) => kind),
      events.map(({ principal }) => principal),
      events.map(({ traceId }) => traceId),
      events.map(({ detail }) => JSON.stringify(detail)),
    ],
  );
}
