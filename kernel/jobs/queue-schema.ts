import { LATEST_SCHEMA_VERSION, runMigrations } from 'bullmq';
import { escapeIdentifier, type Client } from 'pg';

const schema = 'bullmq';

/** Tables of the queue that lives in the database, and the right of the worker, alone, to them. Repeating it changes nothing. */
export async function migrateQueue(owner: Client, worker: string): Promise<void> {
  const { rows } = await owner.query<{ there: boolean }>(
    `select to_regclass('${schema}.migration') is not null and has_schema_privilege($1, '${schema}', 'usage') as there
     where exists (select from pg_namespace where nspname = '${schema}')`,
    [worker],
  );
  if (rows[0]?.there === true) {
    const { rows: known } = await owner.query<{ version: number | null }>(
      `select max(version) as version from ${schema}.migration`,
    );
    if (known[0]?.version === LATEST_SCHEMA_VERSION) return;
  }
  await runMigrations(owner, schema);
  const login = escapeIdentifier(worker);
  await owner.query('begin');
  try {
    await owner.query(`revoke all on schema ${schema} from public`);
    await owner.query(`revoke all on all functions in schema ${schema} from public`);
    await owner.query(`grant select, insert, update, delete on all tables in schema ${schema} to ${login}`);
    await owner.query(`grant usage on all sequences in schema ${schema} to ${login}`);
    await owner.query(`grant execute on all functions in schema ${schema} to ${login}`);
    // The first job of a queue makes a sequence for it.
    await owner.query(`grant usage, create on schema ${schema} to ${login}`);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    throw error;
  }
}
