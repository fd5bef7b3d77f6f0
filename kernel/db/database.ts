import { MikroORM, type EntityManager, type EntitySchema } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { PreparingClient } from './preparing-client.ts';

/** For whom a transaction writes. Both locks get the same scope; without one nothing is visible and nothing can be written. */
export interface WriteSession {
  /** int4multirange text of unit numbers: the caller's, or {@link everyUnit} for work of the hub's own. */
  readonly units: string;
  /** Id of the principal: owns the answers kept for repeats. */
  readonly principal: string;
}

/** Scope of maintenance and replicas: every unit. Never the scope of a caller. */
export const everyUnit = '{(,)}';

/** One open transaction. */
export interface Transaction {
  /** Entities, loaded under lock one (the filter `scope`) and lock two (the row policy). Flushed before the commit. */
  readonly em: EntityManager;
  /**
   * A statement on sets of rows, with `$1`-parameters, which are sent beside the text. Entities of `em` that were changed are
   * flushed first. Lock two holds here as well; lock one is the statement's own business.
   * Instants and dates come as PostgreSQL text, bigint as text.
   */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface DatabaseOptions {
  /** Login of a subgraph or of the worker, never of the owner. */
  readonly url: string;
  readonly entities: readonly EntitySchema[];
  /** Connections at most. */
  readonly connections: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/** Where one role writes. Reads that answer the graph go through the read door instead. */
export interface Database {
  /** Commits when `body` resolves, rolls back when it rejects. Kept short: the outbox's horizon waits for the oldest writer. */
  transaction<T>(session: WriteSession, body: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * The same, but PostgreSQL is told nothing before the first statement of `body`, which must set `hub.scope` and `hub.principal` itself
   * (`hub.begin_change`): one round trip less for each mutation. Forgotten, lock two shows and takes no row.
   */
  untold<T>(session: WriteSession, body: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens the writing side of one role. Refuses a server that does not keep what it acknowledged: with `fsync`,
 * `full_page_writes` or `synchronous_commit` off, a crash would lose mutations that answered success.
 */
export async function openDatabase({ url, entities, connections, applicationName }: DatabaseOptions): Promise<Database> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [...entities],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: connections, idleTimeoutMillis: 30_000 },
    driverOptions: {
      Client: PreparingClient,
      pipeline: true,
      application_name: applicationName,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    },
    // A transaction that was refused must not be mistaken for one that never saw a scope.
    sessionContext: 'transaction',
    ignoreUndefinedInQuery: false,
  });
  try {
    await refuseForgetful(orm.em);
  } catch (error) {
    await orm.close(true);
    throw error;
  }
  const run = <T>(session: WriteSession, told: boolean, body: (transaction: Transaction) => Promise<T>): Promise<T> => {
    const variables = { 'hub.scope': session.units, 'hub.principal': session.principal };
    const em = orm.em.fork(told ? { session: { variables } } : {});
    em.setFilterParams('scope', { units: session.units });
    em.setFilterParams('own', { principal: session.principal });
    return em.transactional((inside) =>
      body({
        em: inside,
        async query<Row extends object>(text: string, values: readonly unknown[] = []) {
          await inside.flush();
          const { rows } = await inside.getKysely().executeQuery<Row>(CompiledQuery.raw(text, [...values]));
          return rows;
        },
      }),
    );
  };
  return {
    transaction: (session, body) => run(session, true, body),
    untold: (session, body) => run(session, false, body),
    close: () => orm.close(true),
  };
}

async function refuseForgetful(em: EntityManager): Promise<void> {
  const durable = ['fsync', 'full_page_writes', 'synchronous_commit'];
  const { rows } = await em
    .getKysely()
    .executeQuery<{ name: string }>(
      CompiledQuery.raw(`select name from pg_settings where name = any ($1) and setting = 'off'`, [durable]),
    );
  if (rows.length > 0) {
    const names = rows.map(({ name }) => name).join(', ');
    throw new Error(`PostgreSQL runs with ${names} off and would lose acknowledged changes in a crash. Set it to "on".`);
  }
}
