import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateInsurance } from './0001-create-insurance.ts';
import { CardWork } from './0002-card-work.ts';

export const insuranceMigrations: SchemaMigrations = {
  schema: 'insurance',
  migrations: [
    { name: '0001-create-insurance', class: CreateInsurance },
    { name: '0002-card-work', class: CardWork },
  ],
};
