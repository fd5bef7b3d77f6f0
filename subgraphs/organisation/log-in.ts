import { randomBytes } from 'node:crypto';
import { hashPassword, verifyPassword } from '#kernel/auth/secrets.ts';
import type { Adapter } from 'oidc-provider';
import type { OrganisationDatabase, Sql } from './database.ts';
import type { PasswordFault } from './log-in-pages.ts';
import { insertEvents } from './security-events.ts';

/*
 * Whether somebody is who he says: his log-in and password against organisation.account.
 *
 * An unknown log-in, a wrong password and a disabled account are one answer after the same work: one look-up, one slow hash, one
 * security event. A first password opens nothing but the form for the next one.
 */

type LogInAnswer =
  | { readonly is: 'wrong' }
  | { readonly is: 'right'; readonly accountId: string }
  /** The password was made by somebody else: it must be changed first. */
  | { readonly is: 'first'; readonly ticket: string };

type PasswordAnswer =
  | { readonly is: 'changed'; readonly accountId: string }
  | { readonly is: 'unfit'; readonly fault: Exclude<PasswordFault, null> }
  /** The ticket is none, was used, or belongs to another log-in under way. */
  | { readonly is: 'ended' };

interface AccountRow {
  readonly id: string;
  readonly login: string;
  readonly hash: string | null;
  readonly mustChange: boolean;
  readonly disabled: boolean;
}

const columns = `id::text as id, login, password_hash as hash, must_change_password as "mustChange", disabled_at is not null as disabled`;
/** How long one may take to choose a password. Seconds. */
const ticketLife = 600;

export class LogIn {
  readonly #database: OrganisationDatabase;
  readonly #tickets: Adapter;

  /** `tickets`: the provider's store for the model of that name. */
  constructor(database: OrganisationDatabase, tickets: Adapter) {
    this.#database = database;
    this.#tickets = tickets;
  }

  /** `interaction`: the log-in under way, to which a ticket is bound. */
  async check(login: string, password: string, interaction: string): Promise<LogInAnswer> {
    const [account] = await this.#database.read((sql) =>
      sql.rows<AccountRow>(`select ${columns} from organisation.account where login = $1`, [login]),
    );
    const right = await verifyPassword(account === undefined || account.disabled ? null : account.hash, password);
    if (account === undefined || !right) {
      await this.#note('login.failed', account?.id ?? null);
      return { is: 'wrong' };
    }
    if (!account.mustChange) {
      await this.#note('login.passed', account.id);
      return { is: 'right', accountId: account.id };
    }
    const ticket = randomBytes(32).toString('base64url');
    await this.#tickets.upsert(ticket, { accountId: account.id, uid: interaction }, ticketLife);
    return { is: 'first', ticket };
  }

  async choosePassword(ticket: string, interaction: string, fresh: string, again: string): Promise<PasswordAnswer> {
    const known = /^[\w-]{43}$/.test(ticket) ? await this.#tickets.find(ticket) : undefined;
    if (known?.accountId === undefined || known.uid !== interaction) return { is: 'ended' };
    const [account] = await this.#database.read((sql) =>
      sql.rows<AccountRow>(`select ${columns} from organisation.account where id = $1`, [known.accountId]),
    );
    if (account === undefined || account.disabled || !account.mustChange) return { is: 'ended' };
    const fault = await faultOf(account, fresh, again);
    if (fault !== null) return { is: 'unfit', fault };
    const hash = await hashPassword(fresh);
    const changed = await this.#database.write((sql) => changePassword(sql, account, hash));
    await this.#tickets.destroy(ticket);
    return changed ? { is: 'changed', accountId: account.id } : { is: 'ended' };
  }

  /** Whether an account may have a session at all. */
  async stands(accountId: string): Promise<boolean> {
    const rows = await this.#database.read((sql) =>
      sql.rows('select 1 from organisation.account where id::text = $1 and disabled_at is null', [accountId]),
    );
    return rows.length > 0;
  }

  async #note(kind: string, principal: string | null): Promise<void> {
    await this.#database.write((sql) => insertEvents(sql, [{ kind, principal, traceId: null, detail: {} }]));
  }
}

async function faultOf(account: AccountRow, fresh: string, again: string): Promise<Exclude<PasswordFault, null> | null> {
  const { length } = fresh;
  if (length < 12 || length > 200) return 'length';
  if (fresh !== again) return 'differ';
  if (fresh.toLowerCase() === account.login || (await verifyPassword(account.hash, fresh))) return 'same';
  return null;
}

/** With its history and audit, under the account's own name; only if nobody changed the password meanwhile. */
async function changePassword(sql: Sql, { id, hash: before }: AccountRow, hash: string): Promise<boolean> {
  const [changed] = await sql.rows<{ version: number; unitNo: number; name: string; role: string }>(
    `update organisation.account set password_hash = $2, must_change_password = false, not_before = clock_timestamp(), version = version + 1
      where id = $1 and password_hash = $3 and must_change_password and disabled_at is null
      returning version, unit_no as "unitNo", name, role`,
    [id, hash, before],
  );
  if (changed === undefined) return false;
  const { version, unitNo, name, role } = changed;
  await sql.rows(
    `insert into organisation.change (record_id, unit_no, version, principal, principal_name, cause, action)
      values ($1, $2, $3, $1, $4, 'MUTATION', 'password set')`,
    [id, unitNo, version, name],
  );
  await sql.rows(
    `insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects,
        subject_count, operation, trace_id, detail)
      values ($1::text, 'ACCOUNT', $2, $3, $4, 'HOPERAT', 'account.changed', 'organisation', array[$1::text::uuid], 1, 'log-in', '', $5)`,
    [id, name, role, unitNo, JSON.stringify({ record: id, what: 'password set' })],
  );
  await insertEvents(sql, [{ kind: 'password.changed', principal: id, traceId: null, detail: {} }]);
  return true;
}
