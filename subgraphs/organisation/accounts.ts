import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { countLimit, decodeCursor, parseFirst } from '#kernel/page.ts';
import { countFrom } from '#kernel/records/record-page.ts';
import { lockOne } from '#kernel/records/record-table.ts';
import { LatestPage, type BoundPage, type KeysetRow } from './pages.ts';

/*
 * Accounts and clients as the graph shows them, by log-in and by id. There are few thousand of them at most: they are read along one index
 * and filtered. The reader's role has no column of a password, a secret or a key.
 */

export interface AccountFilter {
  readonly text?: string | null;
  readonly orgUnit?: string | null;
  readonly role?: string | null;
  readonly disabled?: boolean | null;
}

export interface Account extends KeysetRow {
  readonly version: number;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly unitNo: number;
  readonly role: string;
  readonly disabledAt: string | null;
  readonly mustChangePassword: boolean;
  readonly secondFactor: boolean;
  readonly createdAt: string;
  readonly lastSeenAt: string | null;
}

export interface Client extends KeysetRow {
  readonly version: number;
  readonly name: string;
  readonly unitNo: number;
  readonly role: string;
  readonly defaultPurpose: string | null;
  readonly pointsPerMinute: number;
  readonly revokedAt: string | null;
  readonly createdAt: string;
}

const accountColumns = `c.id::text as id, c.version, c.login, c.name, c.email, c.unit_no as "unitNo", c.role, c.disabled_at as "disabledAt",
  c.must_change_password as "mustChangePassword", c.second_factor as "secondFactor", c.created_at as "createdAt",
  c.last_seen_at as "lastSeenAt"`;
const clientColumns = `c.id, c.version, c.name, c.unit_no as "unitNo", c.role, c.default_purpose as "defaultPurpose",
  c.points_per_minute as "pointsPerMinute", c.revoked_at as "revokedAt", c.created_at as "createdAt"`;

const lock = lockOne('c', ['unit_no']);
const filtered = `from organisation.account c where ${lock}
  and ($2::text is null or strpos(hub.fold(c.login || ' ' || c.name || ' ' || coalesce(c.email, '')), hub.fold($2::text)) > 0)
  and ($3::text is null or c.role = $3::text) and ($4::bool is null or (c.disabled_at is not null) = $4::bool)`;

/** `scope` is already narrowed to the unit of the filter. */
export async function accountPage(
  door: ReadDoor,
  scope: RowScope,
  filter: AccountFilter,
  page: BoundPage,
): Promise<LatestPage<Account>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const binding = page.cursors('accounts', filter, 'LOGIN');
  const behind = after === null ? '' : String(decodeCursor(binding, after, 1)[0]);
  const text = filter.text?.trim() ?? '';
  const conditions = [text === '' ? null : text, filter.role ?? null, filter.disabled ?? null];
  const rows =
    page.countsOnly === true
      ? []
      : await door.rows<Omit<Account, 'key'>>(
          'accounts.page',
          `select ${accountColumns} ${filtered} and c.login > $5::text order by c.login limit $6::int`,
          scope,
          [...conditions, behind, first + 1],
        );
  return new LatestPage(
    rows.map((row) => ({ ...row, key: [row.login] })),
    { first, continued: after !== null, binding, seenTo: null },
    async () => {
      const [row] = await door.rows<{ readonly count: number }>(
        'accounts.count',
        `select count(*)::int as count from (select 1 ${filtered} limit $5::int) n`,
        scope,
        [...conditions, countLimit + 1],
      );
      return countFrom(row?.count ?? 0);
    },
    page.counted,
  );
}

export async function oneAccount(door: ReadDoor, scope: RowScope, id: string): Promise<Account | null> {
  if (!isUuid(id.toLowerCase())) return null;
  const [row] = await door.rows<Omit<Account, 'key'>>(
    'accounts.one',
    `select ${accountColumns} from organisation.account c where c.id = $2::uuid and ${lock}`,
    scope,
    [id.toLowerCase()],
  );
  return row === undefined ? null : { ...row, key: [row.login] };
}

export async function clientPage(door: ReadDoor, scope: RowScope, page: BoundPage): Promise<LatestPage<Client>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const binding = page.cursors('clients', null, 'ID');
  const behind = after === null ? '' : String(decodeCursor(binding, after, 1)[0]);
  const rows =
    page.countsOnly === true
      ? []
      : await door.rows<Omit<Client, 'key'>>(
          'clients.page',
          `select ${clientColumns} from organisation.client c where ${lock} and c.id > $2::text order by c.id limit $3::int`,
          scope,
          [behind, first + 1],
        );
  return new LatestPage(
    rows.map((row) => ({ ...row, key: [row.id] })),
    { first, continued: after !== null, binding, seenTo: null },
    async () => {
      const [row] = await door.rows<{ readonly count: number }>(
        'clients.count',
        `select count(*)::int as count from (select 1 from organisation.client c where ${lock} limit $2::int) n`,
        scope,
        [countLimit + 1],
      );
      return countFrom(row?.count ?? 0);
    },
    page.counted,
  );
}

export async function oneClient(door: ReadDoor, scope: RowScope, id: string): Promise<Client | null> {
  const [row] = await door.rows<Omit<Client, 'key'>>(
    'clients.one',
    `select ${clientColumns} from organisation.client c where c.id = $2::text and ${lock}`,
    scope,
    [id],
  );
  return row === undefined ? null : { ...row, key: [row.id] };
}
