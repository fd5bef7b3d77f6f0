import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator, type Migration } from '@mikro-orm/migrations';

export interface SchemaMigrations {
  /** PostgreSQL schema; its table `migration` remembers what ran. */
  readonly schema: string;
  /** In the order they run. A name is for ever; it says what the migration does. */
  readonly migrations: readonly {
    readonly name: string;
    readonly class: new (...args: ConstructorParameters<typeof Migration>) => Migration;
  }[];
}

/** Runs what has not run, schema by schema, each schema in one transaction; returns what ran as `schema/name`. Not safe beside a twin: the caller holds the lock. */
export async function runMigrations(ownerUrl: string, schemas: readonly SchemaMigrations[]): Promise<readonly string[]> {
  const ran: string[] = [];
  for (const { schema, migrations } of schemas) {
    const orm = await MikroORM.init({
      clientUrl: ownerUrl,
      entities: [],
      discovery: { warnWhenNoEntities: false },
      pool: { min: 0, max: 2 },
      extensions: [Migrator],
      migrations: {
        // A list instead of a folder: the glob of files finds nothing under Jest.
        migrationsList: migrations.map(({ name, class: migration }) => ({ name, class: migration })),
        tableName: `${schema}.migration`,
        transactional: true,
        allOrNothing: true,
        snapshot: false,
        silent: true,
      },
    });
    try {
      for (const { name } of await orm.migrator.up()) ran.push(`${schema}/${name}`);
    } finally {
      await orm.close(true);
    }
  }
  return ran;
}
