import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateResults } from './0001-create-results.ts';

export const resultsMigrations: SchemaMigrations = {
  schema: 'results',
  migrations: [{ name: '0001-create-results', class: CreateResults }],
};
