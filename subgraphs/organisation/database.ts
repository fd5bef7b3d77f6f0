import { Pool, type PoolClient } from 'pg';
import { refusal } from '#kernel/errors/hub-error.ts';

export interface Sql {
  /** Rows as pg gives them: timestamps as Date, jsonb parsed. */
  rows<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/**
 * Every unit: look-ups here come before a scope is known (who is this client?), and nothing of them is shown to a caller. The same
 * text as in kernel/db/database.ts, which would bring the entity manager into a process that only reads.
 */
export const everyUnit = '{(,)}';

/**
 * The connection of organisation's own role: principals, keys and the provider's store, which no reader of the graph may see.
 * Few connections; who waits longer than a second for one is refused, so that a slow database never holds log-ins without end.
 */
export interface OrganisationDatabase {
  /** One transaction under the given scope; a connection that was lost is tried once more. Only for statements without effect. */
  read<T>(work: (sql: Sql) => Promise<T>, scope?: string): Promise<T>;
  /** One transaction under the given scope, committed when `work` resolves; never repeated. */
  write<T>(work: (sql: Sql) => Promise<T>, scope?: string): Promise<T>;
  /** For metrics: connections that stand, those that are free, and who waits for one. */
  pool(): { readonly standing: number; readonly free: number; readonly waiting: number };
  close(): Promise<void>;
}

const connections = 4;
const patience = 1_000;

export function openOrganisationDatabase(url: string): OrganisationDatabase {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: patience,
    idleTimeoutMillis: 60_000,
    application_name: 'hub-organisation',
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // A connection that breaks while idle is replaced by the next use; without a listener it would end the process.
  pool.on('error', () => undefined);

  async function transaction<T>(work: (sql: Sql) => Promise<T>, scope: string): Promise<T> {
    const client = await pool.connect().catch((cause: unknown) => {
      throw refusal('DATABASE_AWAY', { retryAfter: 1, cause });
    });
    let broken: Error | boolean = false;
    try {
      await client.query('begin');
      await client.query(`select set_config('hub.scope', $1, true)`, [scope]);
      const value = await work(sqlOf(client));
      const { command } = await client.query('commit');
      if (command !== 'COMMIT') throw refusal('INTERNAL', { cause: new Error(`commit ended as ${command}`) });
      return value;
    } catch (error) {
      broken = await client.query('rollback').then(
        () => false,
        () => true,
      );
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    async read(work, scope = everyUnit) {
      try {
        return await transaction(work, scope);
      } catch (error) {
        if (!wasLost(error)) throw error;
        return await transaction(work, scope);
      }
    },
    write: (work, scope = everyUnit) => transaction(work, scope),
    pool: () => ({ standing: pool.totalCount, free: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}

function sqlOf(client: PoolClient): Sql {
  return {
    async rows<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
      const { rows } = await client.query<Row & Record<string, unknown>>(text, [...values]);
      return rows;
    },
  };
}

/** The server said goodbye, or the wire broke, before anything was committed. */
function wasLost(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null) return /^(08|57P0[1-3]|ECONNRESET|EPIPE)/.test(code);
  return 'message' in error && typeof error.message === 'string' && error.message.startsWith('Connection terminated');
}
