import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateCitizens } from './0001-create-citizens.ts';

export const citizensMigrations: SchemaMigrations = {
  schema: 'citizens',
  migrations: [{ name: '0001-create-citizens', class: CreateCitizens }],
};
