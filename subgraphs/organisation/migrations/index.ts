import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateOrganisation } from './0001-create-organisation.ts';

export const organisationMigrations: SchemaMigrations = {
  schema: 'organisation',
  migrations: [{ name: '0001-create-organisation', class: CreateOrganisation }],
};
