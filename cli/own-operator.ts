import { randomBytes } from 'node:crypto';
import { permissionsOf } from '#kernel/auth/permissions.ts';
import type { Caller, Principal } from '#kernel/auth/principal.ts';
import { everyUnit, type Database } from '#kernel/db/database.ts';
import { UsageError } from './verb.ts';

/** Whoever may run commands on this machine: every unit of the province, audited as `cli`. */
export async function ownOperator(database: Database): Promise<Principal> {
  const [province] = await database.transaction({ units: everyUnit, principal: 'cli' }, (tx) =>
    tx.query<{ readonly number: number }>('select number from hub.unit where parent_number is null order by number limit 1'),
  );
  if (province === undefined) {
    throw new UsageError({
      en: 'The hub has no units yet. Import or add them first.',
      vi: 'Hệ thống chưa có đơn vị nào. Hãy nhập hoặc thêm đơn vị trước.',
    });
  }
  return {
    id: 'cli',
    name: 'cli',
    kind: 'CLI',
    role: 'cli',
    unitNo: province.number,
    scope: everyUnit,
    scopeUnits: Number.MAX_SAFE_INTEGER,
    permissions: permissionsOf.cli,
    purpose: 'HOPERAT',
    pointsPerMinute: 0,
  };
}

/** One command as one operation of this principal. */
export function callerOf(principal: Principal, operation: string, locale: 'vi' | 'en'): Caller {
  return {
    principal,
    purpose: principal.purpose,
    basis: null,
    locale,
    traceId: randomBytes(16).toString('hex'),
    operation,
    idempotencyKey: null,
  };
}
