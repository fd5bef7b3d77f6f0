import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateOrganisation } from './0001-create-organisation.ts';
import { PrincipalStands } from './0002-principal-stands.ts';
import { CreateSession } from './0003-create-session.ts';
import { UnitHolds } from './0004-unit-holds.ts';
import { PrincipalNow } from './0005-principal-now.ts';
import { SecondFactorStep } from './0010-second-factor.ts';
import { AccountSeen } from './0011-account-seen.ts';
import { CreateDraft } from './0020-create-draft.ts';

export const organisationMigrations: SchemaMigrations = {
  schema: 'organisation',
  migrations: [
    { name: '0001-create-organisation', class: CreateOrganisation },
    { name: '0002-principal-stands', class: PrincipalStands },
    { name: '0003-create-session', class: CreateSession },
    { name: '0004-unit-holds', class: UnitHolds },
    { name: '0005-principal-now', class: PrincipalNow },
    { name: '0010-second-factor', class: SecondFactorStep },
    { name: '0011-account-seen', class: AccountSeen },
    { name: '0020-create-draft', class: CreateDraft },
  ],
};
