import type { SchemaMigrations } from '../migrator.ts';
import { CreateHub } from './0001-create-hub.ts';

export const hubMigrations: SchemaMigrations = {
  schema: 'hub',
  migrations: [{ name: '0001-create-hub', class: CreateHub }],
};
