import type { SchemaMigrations } from '../migrator.ts';
import { CreateHub } from './0001-create-hub.ts';
import { Retention } from './0005-retention.ts';
import { BeginChange } from './0006-begin-change.ts';
import { Imports } from './0007-imports.ts';
import { RunPages } from './0008-run-pages.ts';
import { SealAudit } from './0009-seal-audit.ts';
import { FilesOut } from './0010-files-out.ts';
import { Exports } from './0011-exports.ts';
import { AuditBesideLoad } from './0011-audit-beside-load.ts';
import { BeginPlannedOnce } from './0012-begin-planned-once.ts';

export const hubMigrations: SchemaMigrations = {
  schema: 'hub',
  migrations: [
    { name: '0001-create-hub', class: CreateHub },
    { name: '0005-retention', class: Retention },
    { name: '0006-begin-change', class: BeginChange },
    { name: '0007-imports', class: Imports },
    { name: '0008-run-pages', class: RunPages },
    { name: '0009-seal-audit', class: SealAudit },
    { name: '0010-files-out', class: FilesOut },
    { name: '0011-exports', class: Exports },
    { name: '0011-audit-beside-load', class: AuditBesideLoad },
    { name: '0012-begin-planned-once', class: BeginPlannedOnce },
  ],
};
