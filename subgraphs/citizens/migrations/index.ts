import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateCitizens } from './0001-create-citizens.ts';
import { NumberHolders } from './0002-number-holders.ts';

export const citizensMigrations: SchemaMigrations = {
  schema: 'citizens',
  migrations: [
    { name: '0001-create-citizens', class: CreateCitizens },
    { name: '0002-number-holders', class: NumberHolders },
  ],
};
