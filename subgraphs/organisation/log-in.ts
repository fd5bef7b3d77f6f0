import { randomBytes } from 'node:crypto';
import { hashPassword, verifyPassword } from '#kernel/auth/secrets.ts';
import type { Adapter } from 'oidc-provider';
import type { OrganisationDatabase, Sql } from './database.ts';
import type { PasswordFault } from './log-in-pages.ts';
import type { Enrolment, SecondFactor } from './second-factor.ts';
import { insertEvents } from './security-events.ts';

/*
 * Whether somebody is who he says: his log-in and password against organisation.account, and a code where he has a second factor.
 *
 * An unknown log-in, a wrong password and a disabled account are one answer after the same work: one look-up, one slow hash, one
 * security event. A first password opens nothing but the form for the next one. Passwords and second factors are changed here and
 * nowhere else: whoever changes them has just shown that he is the one.
 */

/** What one wants to do with a log-in that is right. */
export type Purpose = 'enter' | 'password' | 'second-factor';

/** What is asked before the log-in is complete; a ticket stands for what was right so far. */
export type Asked =
  | { readonly step: 'code'; readonly ticket: string; readonly wrong: boolean }
  | { readonly step: 'password'; readonly ticket: string; readonly first: boolean; readonly fault: PasswordFault }
  | { readonly step: 'enrol'; readonly ticket: string; readonly wrong: boolean; readonly enrolment: Enrolment }
  | { readonly step: 'drop'; readonly ticket: string };

export type LogInAnswer =
  | { readonly is: 'wrong' }
  | { readonly is: 'asked'; readonly asked: Asked }
  /** `amr`: how he has shown it (RFC 8176). */
  | { readonly is: 'right'; readonly accountId: string; readonly amr: readonly string[] }
  /** The ticket is none, was used, or belongs to another log-in under way. */
  | { readonly is: 'ended' };

interface AccountRow {
  readonly id: string;
  readonly login: string;
  readonly hash: string | null;
  readonly mustChange: boolean;
  readonly disabled: boolean;
  readonly secret: string | null;
}

interface Ticket {
  readonly accountId: string;
  readonly uid: string;
  readonly step: Asked['step'];
  readonly purpose: Purpose;
  readonly amr: readonly string[];
  /** Of a second factor that is being set up, sealed. */
  readonly secret: string | null;
}

const columns = `id::text as id, login, password_hash as hash, must_change_password as "mustChange", disabled_at is not null as disabled,
  totp_secret as secret`;
/** How long one may take from step to step. Seconds. */
const ticketLife = 600;
const withCode = ['pwd', 'otp'];

export class LogIn {
  readonly #database: OrganisationDatabase;
  readonly #tickets: Adapter;
  readonly #factor: SecondFactor;

  /** `tickets`: the provider's store for the model of that name. */
  constructor(database: OrganisationDatabase, tickets: Adapter, factor: SecondFactor) {
    this.#database = database;
    this.#tickets = tickets;
    this.#factor = factor;
  }

  /** `interaction`: the log-in under way, to which every ticket is bound. */
  async check(login: string, password: string, purpose: Purpose, interaction: string): Promise<LogInAnswer> {
    const [account] = await this.#database.read((sql) =>
      sql.rows<AccountRow>(`select ${columns} from organisation.account where login = $1`, [login]),
    );
    const right = await verifyPassword(account === undefined || account.disabled ? null : account.hash, password);
    if (account === undefined || !right) {
      await this.#note('login.failed', account?.id ?? null);
      return { is: 'wrong' };
    }
    if (account.secret === null) return await this.#goOn(account, purpose, interaction, ['pwd']);
    const ticket = await this.#issue(account, { step: 'code', purpose, uid: interaction, amr: ['pwd'] });
    return { is: 'asked', asked: { step: 'code', ticket, wrong: false } };
  }

  /** Whose guesses at a code are counted together; `null`: no code is asked by this ticket. */
  async guessing(ticket: string, interaction: string): Promise<string | null> {
    const known = await this.#find(ticket, interaction);
    return known !== null && (known.step === 'code' || known.step === 'enrol') ? known.accountId : null;
  }

  /** The next step: `field` gives what was typed. */
  async next(ticket: string, interaction: string, field: (name: string) => string): Promise<LogInAnswer> {
    const known = await this.#find(ticket, interaction);
    if (known === null) return { is: 'ended' };
    const [account] = await this.#database.read((sql) =>
      sql.rows<AccountRow>(`select ${columns} from organisation.account where id = $1`, [known.accountId]),
    );
    if (account === undefined || account.disabled) return { is: 'ended' };
    switch (known.step) {
      case 'code':
        return await this.#code(account, known, ticket, field('code'));
      case 'password':
        return await this.#password(account, known, ticket, field('newPassword'), field('again'));
      case 'enrol':
        return await this.#enrol(account, known, ticket, field('code'));
      case 'drop':
        return await this.#drop(account, known, ticket, field('confirm') === 'yes');
    }
  }

  /** Whether an account may have a session at all. */
  async stands(accountId: string): Promise<boolean> {
    const rows = await this.#database.read((sql) =>
      sql.rows('select 1 from organisation.account where id::text = $1 and disabled_at is null', [accountId]),
    );
    return rows.length > 0;
  }

  /** After everything that was asked was right. */
  async #goOn(account: AccountRow, purpose: Purpose, uid: string, amr: readonly string[]): Promise<LogInAnswer> {
    if (account.mustChange || purpose === 'password') {
      const ticket = await this.#issue(account, { step: 'password', purpose, uid, amr });
      return { is: 'asked', asked: { step: 'password', ticket, first: account.mustChange, fault: null } };
    }
    if (purpose === 'second-factor' && account.secret === null) {
      const secret = this.#factor.make(account.id);
      const ticket = await this.#issue(account, { step: 'enrol', purpose, uid, amr }, secret);
      return { is: 'asked', asked: { step: 'enrol', ticket, wrong: false, enrolment: this.#shown(account, secret) } };
    }
    if (purpose === 'second-factor') {
      return { is: 'asked', asked: { step: 'drop', ticket: await this.#issue(account, { step: 'drop', purpose, uid, amr }) } };
    }
    await this.#note('login.passed', account.id);
    return { is: 'right', accountId: account.id, amr };
  }

  async #code(account: AccountRow, known: Ticket, ticket: string, code: string): Promise<LogInAnswer> {
    if (account.secret === null) return { is: 'ended' };
    const step = this.#factor.stepOf(account.id, account.secret, code);
    if (step === null || !(await this.#use(account.id, step))) {
      await this.#note('login.failed', account.id);
      return { is: 'asked', asked: { step: 'code', ticket, wrong: true } };
    }
    await this.#tickets.destroy(ticket);
    return await this.#goOn(account, known.purpose, known.uid, withCode);
  }

  async #password(account: AccountRow, known: Ticket, ticket: string, fresh: string, again: string): Promise<LogInAnswer> {
    const fault = await faultOf(account, fresh, again);
    if (fault !== null) {
      return { is: 'asked', asked: { step: 'password', ticket, first: account.mustChange, fault } };
    }
    const hash = await hashPassword(fresh);
    const changed = await this.#database.write((sql) =>
      changeOwn(sql, account.id, {
        // Only if nobody changed it meanwhile.
        set: 'password_hash = $2, must_change_password = false, not_before = clock_timestamp()',
        condition: 'password_hash = $3',
        values: [hash, account.hash],
        what: 'password set',
        event: 'password.changed',
      }),
    );
    await this.#tickets.destroy(ticket);
    return changed ? { is: 'right', accountId: account.id, amr: known.amr } : { is: 'ended' };
  }

  async #enrol(account: AccountRow, { secret }: Ticket, ticket: string, code: string): Promise<LogInAnswer> {
    if (secret === null || account.secret !== null) return { is: 'ended' };
    const step = this.#factor.stepOf(account.id, secret, code);
    if (step === null) {
      return { is: 'asked', asked: { step: 'enrol', ticket, wrong: true, enrolment: this.#shown(account, secret) } };
    }
    const changed = await this.#database.write((sql) =>
      changeOwn(sql, account.id, {
        set: 'totp_secret = $2, totp_step = $3',
        condition: 'totp_secret is null',
        values: [secret, step],
        what: 'second factor on',
        event: 'second-factor.on',
      }),
    );
    await this.#tickets.destroy(ticket);
    return changed ? { is: 'right', accountId: account.id, amr: withCode } : { is: 'ended' };
  }

  async #drop(account: AccountRow, { amr }: Ticket, ticket: string, confirmed: boolean): Promise<LogInAnswer> {
    await this.#tickets.destroy(ticket);
    if (confirmed) {
      await this.#database.write((sql) =>
        changeOwn(sql, account.id, {
          set: 'totp_secret = null, totp_step = null',
          condition: 'totp_secret is not null',
          values: [],
          what: 'second factor off',
          event: 'second-factor.off',
        }),
      );
    }
    return { is: 'right', accountId: account.id, amr };
  }

  /** Each code is good once, also when two come at the same moment. */
  async #use(accountId: string, step: number): Promise<boolean> {
    const rows = await this.#database.write((sql) =>
      sql.rows(
        `update organisation.account set totp_step = $2 where id = $1 and (totp_step is null or totp_step < $2) returning 1`,
        [accountId, step],
      ),
    );
    return rows.length > 0;
  }

  #shown({ id, login }: AccountRow, secret: string): Enrolment {
    return this.#factor.enrolment(id, secret, login);
  }

  async #issue({ id }: AccountRow, rest: Omit<Ticket, 'accountId' | 'secret'>, secret: string | null = null): Promise<string> {
    const ticket = randomBytes(32).toString('base64url');
    await this.#tickets.upsert(ticket, { ...rest, amr: [...rest.amr], accountId: id, secret }, ticketLife);
    return ticket;
  }

  async #find(ticket: string, interaction: string): Promise<Ticket | null> {
    // Only tickets made above stand under this model.
    const known = /^[\w-]{43}$/.test(ticket) ? ((await this.#tickets.find(ticket)) as Ticket | undefined) : undefined;
    return known?.uid === interaction ? known : null;
  }

  async #note(kind: string, principal: string | null): Promise<void> {
    await this.#database.write((sql) => insertEvents(sql, [{ kind, principal, traceId: null, detail: {} }]));
  }
}

async function faultOf(account: AccountRow, fresh: string, again: string): Promise<PasswordFault> {
  const { length } = fresh;
  if (length < 12 || length > 200) return 'length';
  if (fresh !== again) return 'differ';
  if (fresh.toLowerCase() === account.login || (await verifyPassword(account.hash, fresh))) return 'same';
  return null;
}

interface OwnChange {
  readonly set: string;
  readonly condition: string;
  /** From `$2` on. */
  readonly values: readonly unknown[];
  readonly what: string;
  readonly event: string;
}

/** With its history and audit, under the account's own name; `false`: the condition did not hold any more. */
async function changeOwn(sql: Sql, id: string, { set, condition, values, what, event }: OwnChange): Promise<boolean> {
  const [changed] = await sql.rows<{ version: number; unitNo: number; name: string; role: string }>(
    `update organisation.account set ${set}, version = version + 1 where id = $1 and ${condition} and disabled_at is null
      returning version, unit_no as "unitNo", name, role`,
    [id, ...values],
  );
  if (changed === undefined) return false;
  const { version, unitNo, name, role } = changed;
  await sql.rows(
    `insert into organisation.change (record_id, unit_no, version, principal, principal_name, cause, action)
      values ($1, $2, $3, $1, $4, 'MUTATION', $5)`,
    [id, unitNo, version, name, what],
  );
  await sql.rows(
    `insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects,
        subject_count, operation, trace_id, detail)
      values ($1::text, 'ACCOUNT', $2, $3, $4, 'HOPERAT', 'account.changed', 'organisation', array[$1::text::uuid], 1, 'log-in', '', $5)`,
    [id, name, role, unitNo, JSON.stringify({ record: id, what })],
  );
  await insertEvents(sql, [{ kind: event, principal: id, traceId: null, detail: {} }]);
  return true;
}
