import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { hashPassword, hashSecret, newSecret } from '#kernel/auth/secrets.ts';
import type { Change, Changes, Outcome, Refusal } from '#kernel/db/change.ts';
import { parseEmail } from '#kernel/domain/contact.ts';
import { isUuid, unitId } from '#kernel/domain/ids.ts';
import { clientSubject } from '#kernel/identifier-hash.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { stands, writeStated, type Side } from '#kernel/records/sides.ts';
import type { Result } from '#kernel/result.ts';
import { asRole } from './principals.ts';
import { accountActs, accountRole, clientActs, givenLogin, givenName, holdsAllOf, madePassword } from './register-rules.ts';
import { theirUnit, widen } from './unit-changes.ts';
import { Units, unitRowsText, type UnitRow } from './units.ts';

/*
 * What stewards do to the accounts and clients of their units. Nobody gives what he has not: a role only by who has each of its rights, a
 * unit only at or below his own, as the tree is now; an account or a secret of a higher role is not touched either, for whoever sets its
 * password could use it. To his own account nobody does more than correct his name and address. A password or secret is answered once:
 * only its hash is kept, so a repeat of the request is told what was done without it.
 */

interface CreateAccount {
  readonly login: string;
  readonly name: string;
  readonly email?: string | null;
  readonly orgUnitId: string;
  readonly role: string;
}
interface UpdateAccount {
  readonly id: string;
  readonly version: number;
  readonly name?: string | null;
  readonly email?: string | null;
  readonly orgUnitId?: string | null;
  readonly role?: string | null;
}
interface OneVersion {
  readonly id: string;
  readonly version: number;
}
interface RotateClient extends OneVersion {
  readonly endOld?: boolean | null;
}

/** Id of what was changed, and what is told this once. */
type Changed = Result<Outcome, Refusal>;

interface AccountRow {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly email: string | null;
  readonly unitNo: number;
  readonly role: string;
  readonly disabled: boolean;
  readonly secondFactor: boolean;
}

interface ClientRow {
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
  readonly role: string;
  readonly revoked: boolean;
}

export class AccountChanges {
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  async create(caller: Caller, input: CreateAccount): Promise<Changed> {
    const password = madePassword();
    // Of the run that made it: a twin that came first has another id, and its password went to whoever sent that one.
    const id = randomUUIDv7();
    const done = await this.#mutate(caller, 'createAccount', 'account:write', input, async (change, units) => {
      const login = givenLogin(input.login);
      const name = givenName(input.name);
      const email = emailOf(input.email) ?? null;
      const role = accountRole(input.role);
      refuseAbove(caller, role);
      const unit = theirUnit(change, units, input.orgUnitId, 'orgUnitId');
      await widen(change, units, []);
      const added = await change.transaction.query(
        `insert into organisation.account (id, login, name, email, unit_no, role, password_hash, must_change_password)
          values ($1, $2, $3, $4, $5, $6, $7, true) on conflict do nothing returning id`,
        [id, login, name, email, unit.number, role, await hashPassword(password)],
      );
      if (added.length === 0) throw refusal('LOGIN_TAKEN', { field: 'login' });
      const after = stands({ login, name, email, orgUnit: unitId(unit.number), role });
      remember(change, { id, version: 1, unitNo: unit.number }, 'added', { before: null, after });
      noteAccount(change, id, Object.keys(after));
      return { account: id };
    });
    return done.ok && done.value.account === id ? { ok: true, value: { ...done.value, firstPassword: password } } : done;
  }

  update(caller: Caller, input: UpdateAccount): Promise<Changed> {
    return this.#mutate(caller, 'updateAccount', 'account:write', input, async (change, units) => {
      const account = await foundAccount(change, units, input);
      for (const field of ['name', 'orgUnitId', 'role'] as const) {
        if (input[field] === null) throw refusal('FIELD_REQUIRED', { field });
      }
      const given = typeof input.role === 'string' ? accountRole(input.role) : null;
      if (given !== null && given !== account.role) {
        refuseOwn(caller, account, 'role');
        refuseAbove(caller, given);
      }
      const role = given ?? account.role;
      const unitNo =
        input.orgUnitId === undefined || input.orgUnitId === null || input.orgUnitId === unitId(account.unitNo)
          ? account.unitNo
          : theirUnit(change, units, input.orgUnitId, 'orgUnitId').number;
      if (unitNo !== account.unitNo) refuseOwn(caller, account, 'orgUnitId');
      const email = emailOf(input.email);
      const now: Record<string, string | null> = {
        name: account.name,
        email: account.email,
        orgUnit: unitId(account.unitNo),
        role: account.role,
      };
      const { before, after } = writeStated(now, ['name', 'email', 'orgUnit', 'role'], {
        ...(typeof input.name === 'string' && { name: givenName(input.name) }),
        ...(email !== undefined && { email }),
        orgUnit: unitId(unitNo),
        role,
      });
      if (Object.keys(after).length === 0) return { account: account.id };
      await change.transaction.query(
        'update organisation.account set name = $2, email = $3, unit_no = $4, role = $5, version = version + 1 where id = $1',
        [account.id, now.name, now.email, unitNo, role],
      );
      remember(change, { id: account.id, version: account.version + 1, unitNo }, 'changed', { before, after });
      noteAccount(change, account.id, Object.keys(after));
      return { account: account.id };
    });
  }

  disable(caller: Caller, input: OneVersion): Promise<Changed> {
    return this.#act(caller, 'disableAccount', input, 'disabled', ({ disabled }) => !disabled);
  }

  enable(caller: Caller, input: OneVersion): Promise<Changed> {
    return this.#act(caller, 'enableAccount', input, 'enabled', ({ disabled }) => disabled);
  }

  dropSecondFactor(caller: Caller, input: OneVersion): Promise<Changed> {
    return this.#act(caller, 'dropSecondFactor', input, 'second factor off', ({ secondFactor }) => secondFactor);
  }

  async resetPassword(caller: Caller, input: OneVersion): Promise<Changed> {
    const password = madePassword();
    const reset = randomUUID();
    const done = await this.#mutate(caller, 'resetPassword', 'account:write', input, async (change, units) => {
      const account = await foundAccount(change, units, input);
      refuseOwn(caller, account, 'id');
      await act(change, account, 'password set', [await hashPassword(password), true]);
      return { account: account.id, reset };
    });
    return done.ok && done.value.reset === reset ? { ok: true, value: { ...done.value, firstPassword: password } } : done;
  }

  revokeClient(caller: Caller, input: OneVersion): Promise<Changed> {
    return this.#mutate(caller, 'revokeClient', 'client:write', input, async (change, units) => {
      const client = await foundClient(change, units, input);
      if (!client.revoked) await actOnClient(change, client, 'revoked', []);
      return { client: client.id };
    });
  }

  async rotateClientSecret(caller: Caller, input: RotateClient): Promise<Changed> {
    const secret = newSecret();
    const rotation = randomUUID();
    const done = await this.#mutate(caller, 'rotateClientSecret', 'client:write', input, async (change, units) => {
      const client = await foundClient(change, units, input);
      if (client.revoked) throw refusal('CLIENT_UNKNOWN', { field: 'id' });
      refuseAbove(caller, asRole(client.role));
      await actOnClient(change, client, 'rotated', [await hashSecret(secret), input.endOld === true]);
      return { client: client.id, rotation };
    });
    return done.ok && done.value.rotation === rotation ? { ok: true, value: { ...done.value, secret } } : done;
  }

  #act(
    caller: Caller,
    operation: string,
    input: OneVersion,
    what: 'disabled' | 'enabled' | 'second factor off',
    changes: (account: AccountRow) => boolean,
  ): Promise<Changed> {
    return this.#mutate(caller, operation, 'account:write', input, async (change, units) => {
      const account = await foundAccount(change, units, input);
      refuseOwn(caller, account, 'id');
      if (what === 'enabled' && units.find(account.unitNo)?.validTo !== null) throw refusal('UNIT_ENDED', { field: 'id' });
      if (changes(account)) await act(change, account, what, []);
      return { account: account.id };
    });
  }

  /** The tree of units stands still meanwhile: nobody ends or moves the unit that an account is given. */
  #mutate(
    caller: Caller,
    operation: string,
    permission: 'account:write' | 'client:write',
    input: object,
    body: (change: Change, units: Units) => Promise<Outcome>,
  ): Promise<Changed> {
    return this.#changes.mutate({ caller, operation, permission, input }, async (change) => {
      await change.transaction.query(`select pg_advisory_xact_lock_shared(hashtextextended('hub.unit', 0)) is null as locked`);
      return await body(change, new Units(await change.transaction.query<UnitRow>(unitRowsText)));
    });
  }
}

async function foundAccount(change: Change, units: Units, { id, version }: OneVersion): Promise<AccountRow> {
  await widen(change, units, []);
  const [account] = isUuid(id.toLowerCase())
    ? await change.transaction.query<AccountRow>(
        `select id::text as id, version, name, email, unit_no as "unitNo", role, disabled_at is not null as disabled,
           second_factor as "secondFactor" from organisation.account where id = $1 and coalesce(unit_no <@ $2::int4multirange, false) for update`,
        [id.toLowerCase(), units.scopeOf(change.caller.principal.unitNo).units],
      )
    : [];
  if (account === undefined) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  refuseAbove(change.caller, asRole(account.role));
  if (account.version !== version) throw refusal('VERSION_STALE', { field: 'version' });
  return account;
}

async function foundClient(change: Change, units: Units, { id, version }: OneVersion): Promise<ClientRow> {
  await widen(change, units, []);
  const [client] = await change.transaction.query<ClientRow>(
    `select id, version, unit_no as "unitNo", role, revoked_at is not null as revoked
       from organisation.client where id = $1 and coalesce(unit_no <@ $2::int4multirange, false) for update`,
    [id, units.scopeOf(change.caller.principal.unitNo).units],
  );
  if (client === undefined) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  if (client.version !== version) throw refusal('VERSION_STALE', { field: 'version' });
  return client;
}

/** A role that the hub does not know is above everybody. */
function refuseAbove({ principal }: Caller, role: Role | null): void {
  if (role === null || !holdsAllOf(principal.permissions, role)) throw refusal('ROLE_ABOVE_YOURS', { field: 'role' });
}

function refuseOwn({ principal }: Caller, { id }: AccountRow, field: string): void {
  if (principal.id === id) throw refusal('ACCOUNT_OWN', { field });
}

/** `undefined`: not stated; `null`: erased. */
function emailOf(text: string | null | undefined): string | null | undefined {
  if (text === null || text === undefined) return text;
  return text.trim() === '' ? null : valueOf(parseEmail(text.trim()), 'email');
}

async function act(
  change: Change,
  account: AccountRow,
  what: keyof typeof accountActs,
  values: readonly unknown[],
): Promise<void> {
  await change.transaction.query(`update organisation.account set ${accountActs[what]}, version = version + 1 where id = $1`, [
    account.id,
    ...values,
  ]);
  remember(change, { ...account, version: account.version + 1 }, what, { before: null, after: null });
  noteAccount(change, account.id, [actFields[what]]);
}

const actFields = {
  disabled: 'disabledAt',
  enabled: 'disabledAt',
  'password set': 'mustChangePassword',
  'second factor off': 'secondFactor',
} as const satisfies Readonly<Record<keyof typeof accountActs, string>>;

async function actOnClient(
  change: Change,
  client: ClientRow,
  what: keyof typeof clientActs,
  values: readonly unknown[],
): Promise<void> {
  await change.transaction.query(`update organisation.client set ${clientActs[what]}, version = version + 1 where id = $1`, [
    client.id,
    ...values,
  ]);
  remember(change, { ...client, version: client.version + 1 }, what, { before: null, after: null });
  change.audit('client.changed', [clientSubject(client.id)], [what === 'revoked' ? 'Client.revokedAt' : 'Client.secret']);
}

function noteAccount(change: Change, id: string, fields: readonly string[]): void {
  change.audit(
    'account.changed',
    [id],
    fields.map((field) => `Account.${field}`),
  );
}

function remember(
  change: Change,
  { id, version, unitNo }: { readonly id: string; readonly version: number; readonly unitNo: number },
  action: string,
  { before, after }: { readonly before: Side | null; readonly after: Side | null },
): void {
  const { by } = change;
  change.late(
    `insert into organisation.change (record_id, unit_no, version, principal, principal_name, cause, cause_id, action, before, after)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10::jsonb)`,
    [
      id,
      unitNo,
      version,
      by.principal,
      by.principalName,
      by.cause,
      by.causeId,
      action,
      before === null ? null : JSON.stringify(before),
      after === null ? null : JSON.stringify(after),
    ],
  );
}
