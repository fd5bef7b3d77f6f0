import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateInsurance } from './0001-create-insurance.ts';

export const insuranceMigrations: SchemaMigrations = {
  schema: 'insurance',
  migrations: [{ name: '0001-create-insurance', class: CreateInsurance }],
};
