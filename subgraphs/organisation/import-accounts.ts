import { randomUUIDv7 } from 'node:crypto';
import type { Role } from '#kernel/auth/permissions.ts';
import { hashPassword } from '#kernel/auth/secrets.ts';
import type { Headings } from '#kernel/csv-table.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { parseEmail } from '#kernel/domain/contact.ts';
import { refusedRow, type ImportKind, type ImportPage, type RowOutcome } from '#kernel/imports/import-kind.ts';
import { cellReader } from '#kernel/imports/row-cells.ts';
import { unitsByCode } from '#kernel/imports/unit-codes.ts';
import { accountRoles, madePassword } from './register-rules.ts';

/*
 * A file of accounts: new ones get a first password that is handed over once and must be changed; known ones get name and e-mail. A
 * file changes nobody's rights.
 */

type AccountColumn = 'login' | 'full_name' | 'unit_code' | 'role' | 'email';

const headings: Headings<AccountColumn> = {
  required: ['login', 'full_name', 'unit_code', 'role'],
  names: {
    login: ['Tên đăng nhập', 'Tài khoản'],
    full_name: ['Họ và tên', 'Họ tên'],
    unit_code: ['Mã đơn vị', 'Mã trạm'],
    role: ['Vai trò', 'Quyền'],
    email: ['E-mail', 'Thư điện tử', 'Địa chỉ email'],
  },
};

export const accountsImport: ImportKind<AccountColumn> = {
  kind: 'ACCOUNTS',
  subgraph: 'organisation',
  permissions: ['account:write', 'import:send'],
  action: 'account.imported',
  type: 'Account',
  headings,
  // Each new one costs a slow hash.
  pageSize: 10,
  decide: () => ({}),
  sameAs: ({ login }) => login ?? '',
  page: readAccounts,
};

interface Known {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly unitNo: number;
  readonly role: string;
  readonly version: number;
}

async function readAccounts(
  page: ImportPage<AccountColumn>,
  rows: Parameters<typeof accountsImport.page>[1],
): Promise<readonly RowOutcome[]> {
  const { tx, units } = page;
  const unitNumbers = await unitsByCode(
    page,
    rows.map(({ cells }) => cells?.unit_code ?? ''),
  );
  const found = await tx.query<Known>(
    `select id, login, name, email, unit_no as "unitNo", role, version from organisation.account
     where login = any ($1::text[]) and coalesce(unit_no <@ $2::int4multirange, false) order by id for update`,
    [rows.map(({ cells }) => cells?.login ?? ''), units],
  );
  const known = new Map(found.map((account) => [account.login, account]));
  const outcomes: RowOutcome[] = [];
  for (const row of rows) {
    const cells = cellReader(row);
    const login = cells.needed('login', parseLogin);
    const name = cells.needed('full_name', parseName);
    const unitCode = cells.needed('unit_code', (text) => ({ ok: true, value: text }));
    const role = cells.needed('role', parseRole);
    const email = cells.stated('email', parseEmail);
    const unitNo = unitCode === null ? undefined : unitNumbers.get(unitCode);
    if (unitCode !== null && unitNo === undefined) cells.refuse('unit_code', 'UNIT_UNKNOWN');
    const read = cells.done(null);
    if (!read.ok || login === null || name === null || unitNo === undefined || role === null) {
      if (!read.ok) outcomes.push(read.error);
      continue;
    }
    const account = known.get(login);
    const { line } = row;
    if (account === undefined) {
      const added = await add(page, line, { login, name, unitNo, role, email });
      if (added === null) outcomes.push(refusedRow(line, 'login', 'LOGIN_TAKEN'));
      else {
        known.set(login, added);
        outcomes.push({ line, end: 'ADDED', subject: added.id });
      }
    } else if (account.unitNo !== unitNo) outcomes.push(refusedRow(line, 'unit_code', 'ACCOUNT_CHANGED_BY_HAND'));
    else if (account.role !== role) outcomes.push(refusedRow(line, 'role', 'ACCOUNT_CHANGED_BY_HAND'));
    else {
      const now = { ...account, name, email: email ?? account.email, version: account.version + 1 };
      const changed = now.name !== account.name || now.email !== account.email;
      if (changed) {
        await tx.query('update organisation.account set name = $2, email = $3, version = version + 1 where id = $1', [
          now.id,
          now.name,
          now.email,
        ]);
        await remember(page, now, { name: account.name, email: account.email }, { name: now.name, email: now.email });
        known.set(login, now);
      }
      outcomes.push({ line, end: changed ? 'CHANGED' : 'UNCHANGED', subject: account.id });
    }
  }
  return outcomes;
}

/** `null`: the log-in is somebody's out of sight. */
async function add(page: ImportPage<AccountColumn>, line: number, account: Omit<Known, 'id' | 'version'>): Promise<Known | null> {
  const { tx } = page;
  const { login, name, email, unitNo, role } = account;
  const password = madePassword();
  const [added] = await tx.query<{ readonly id: string }>(
    `insert into organisation.account (id, login, name, email, unit_no, role, password_hash, must_change_password)
     values ($1, $2, $3, $4, $5, $6, $7, true) on conflict do nothing returning id`,
    [randomUUIDv7(), login, name, email, unitNo, role, page.dryRun ? null : await hashPassword(password)],
  );
  if (added === undefined) return null;
  const known = { ...account, id: added.id, version: 1 };
  await remember(page, known, null, { login, name, email, unitNo, role });
  page.hand({ line, name: login, value: password });
  return known;
}

async function remember(
  { tx, id, caller }: ImportPage,
  { id: record, unitNo, version }: Known,
  before: object | null,
  after: object,
): Promise<void> {
  await tx.query(
    `insert into organisation.change (record_id, unit_no, version, principal, principal_name, cause, cause_id, action, before, after)
     values ($1, $2, $3, $4, $5, 'IMPORT', $6, $7, $8, $9)`,
    [
      record,
      unitNo,
      version,
      caller.principal.id,
      caller.principal.name,
      id,
      before === null ? 'added' : 'account.changed',
      before === null ? null : JSON.stringify(before),
      JSON.stringify(after),
    ],
  );
}

function parseLogin(text: string): Parsed<string, 'LOGIN_FORMAT'> {
  return /^[a-z][a-z0-9._-]{2,63}$/.test(text) ? { ok: true, value: text } : { ok: false, reason: 'LOGIN_FORMAT' };
}

function parseRole(text: string): Parsed<Role, 'ROLE_NOT_FOR_ACCOUNT'> {
  const role = [...accountRoles].find((known) => known === text.toLowerCase());
  return role === undefined ? { ok: false, reason: 'ROLE_NOT_FOR_ACCOUNT' } : { ok: true, value: role };
}

function parseName(text: string): Parsed<string, 'NAME_LENGTH'> {
  const value = text.normalize('NFC').trim().replace(/\s+/g, ' ');
  return value.length > 200 ? { ok: false, reason: 'NAME_LENGTH' } : { ok: true, value };
}
