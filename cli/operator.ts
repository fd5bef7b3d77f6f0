import { randomBytes } from 'node:crypto';
import { permissionsOf } from '#kernel/auth/permissions.ts';
import type { Caller, Principal } from '#kernel/auth/principal.ts';
import { systemClock } from '#kernel/clock.ts';
import { everyUnit, type Database } from '#kernel/db/database.ts';
import { openIdentity } from '../subgraphs/organisation/index.ts';
import { UsageError, type VerbArguments, type VerbContext, type VerbOption } from './verb.ts';

/* Under whose rights a command works: an account's, or those of whoever may run commands on this machine. */

export const asOption: VerbOption = {
  type: 'string',
  value: 'LOGIN',
  help: {
    en: "With the rights of this account. Default: the machine's own operator, for the whole province.",
    vi: 'Với quyền của tài khoản này. Mặc định: người vận hành máy chủ, phạm vi toàn tỉnh.',
  },
};

export async function operatorOf(
  context: VerbContext,
  args: VerbArguments,
  database: Database,
  operation: string,
): Promise<Caller> {
  const login = args.text('as');
  const principal = login === undefined ? await ownOperator(database) : await account(context, login);
  return {
    principal,
    purpose: principal.purpose,
    basis: null,
    locale: context.language,
    traceId: randomBytes(16).toString('hex'),
    operation,
    idempotencyKey: null,
  };
}

/** Whoever may run commands on this machine: every unit of the province, audited as `cli`. */
async function ownOperator(database: Database): Promise<Principal> {
  const [province] = await database.transaction({ units: everyUnit, principal: 'cli' }, (tx) =>
    tx.query<{ readonly number: number }>('select number from hub.unit where parent_number is null order by number limit 1'),
  );
  return {
    id: 'cli',
    name: 'cli',
    kind: 'CLI',
    role: 'cli',
    // Before the first unit there is none: a file of units brings it.
    unitNo: province?.number ?? 0,
    scope: everyUnit,
    scopeUnits: Number.MAX_SAFE_INTEGER,
    permissions: permissionsOf.cli,
    purpose: 'HOPERAT',
    pointsPerMinute: 0,
  };
}

async function account(context: VerbContext, login: string): Promise<Principal> {
  const opened = await context.database();
  const identity = openIdentity({
    url: opened.roleUrl('organisation'),
    identifierKey: opened.identifierKey,
    issuer: () => 'urn:hub:cli',
    clock: systemClock,
    report: () => undefined,
  });
  try {
    const principal = await identity.principals.find(`login:${login}`, systemClock.now());
    if (principal !== null) return principal;
  } finally {
    await identity.close();
  }
  throw new UsageError({
    en: `There is no account "${login}" that may log in.`,
    vi: `Không có tài khoản "${login}" đang được phép đăng nhập.`,
  });
}
