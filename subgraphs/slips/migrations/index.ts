import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateSlips } from './0001-create-slips.ts';

export const slipsMigrations: SchemaMigrations = {
  schema: 'slips',
  migrations: [{ name: '0001-create-slips', class: CreateSlips }],
};
