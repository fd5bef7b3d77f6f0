import { randomUUID } from 'node:crypto';
import { SignJWT, importJWK } from 'jose';
import { hubAudience } from '#kernel/auth/authenticate.ts';
import { onLegalBasis, type Permission } from '#kernel/auth/permissions.ts';
import { clientPointsPerMinute } from '#kernel/auth/rate.ts';
import { hashPassword, hashSecret, newSecret } from '#kernel/auth/secrets.ts';
import { adminClient } from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { isGiven } from '#kernel/records/arguments.ts';
import { openOrganisationDatabase, type OrganisationDatabase, type Sql } from './database.ts';
import { asPurpose, asRole } from './principals.ts';
import { accountActs, accountRole, clientActs, clientRoles, givenLogin, givenName, madePassword } from './register-rules.ts';
import { sessionLives } from './sessions.ts';
import { signatureAlgorithm, SigningKeys, tokenLifetime } from './signing-keys.ts';

/*
 * The register of accounts, clients and legal bases, as the machine's own operator keeps it by the command line. Every change is
 * one transaction with its history and its audit row, both under the name `cli`. A secret is given back once, when it is made;
 * only its hash is kept. Nothing is ever deleted: ids and log-ins are not given twice.
 */

interface NewClient {
  readonly id: string;
  readonly name: string;
  readonly unitCode: string;
  readonly role: string;
  readonly purpose: string | null;
  readonly pointsPerMinute: number | null;
}

interface NewAccount {
  readonly login: string;
  readonly name: string;
  readonly unitCode: string;
  readonly role: string;
  readonly email: string | null;
  /** `null`: one is made, to be changed at the first log-in. */
  readonly password: string | null;
}

interface NewBasis {
  readonly clientId: string;
  readonly ground: string;
  /** Empty: everything that the client's role may read on a basis. */
  readonly permissions: readonly string[];
  readonly citizenId: string | null;
  /** People of this unit and below; `null`: of the client's own. */
  readonly unitCode: string | null;
  /** `null`: now. */
  readonly from: Date | null;
  readonly until: Date | null;
}

type Row = Readonly<Record<string, unknown>>;

export interface Register {
  addClient(client: NewClient): Promise<{ readonly secret: string }>;
  /** A new secret; the one before it stays good until the next rotation, unless it is to end at once. */
  rotateClient(id: string, endOld: boolean): Promise<{ readonly secret: string }>;
  revokeClient(id: string): Promise<void>;
  listClients(): Promise<readonly Row[]>;
  addBasis(basis: NewBasis): Promise<{ readonly id: string; readonly permissions: readonly Permission[] }>;
  withdrawBasis(id: string): Promise<void>;
  listBases(clientId: string | null): Promise<readonly Row[]>;
  addAccount(account: NewAccount): Promise<{ readonly id: string; readonly password: string }>;
  setPassword(login: string, password: string | null): Promise<{ readonly password: string }>;
  setDisabled(login: string, disabled: boolean): Promise<void>;
  /** For who has lost the phone: the password alone opens the hub again. */
  dropSecondFactor(login: string): Promise<void>;
  /** Ends every session and every token of an account; how many sessions there were. */
  logOut(login: string): Promise<number>;
  /** Sessions that live now, the youngest first. */
  listSessions(login: string): Promise<readonly Row[]>;
  listAccounts(): Promise<readonly Row[]>;
  /** An access token of an account without a log-in: for checks of a demonstration, never elsewhere. */
  mintToken(login: string, issuer: string): Promise<string>;
  /** Publishes the next key that signs access tokens. */
  rotateSigningKey(): Promise<{ readonly kid: string; readonly inSeconds: number; readonly fresh: boolean }>;
  close(): Promise<void>;
}

export function openRegister(options: { readonly url: string; readonly identifierKey: Buffer; readonly clock: Clock }): Register {
  return new CommandLineRegister(
    openOrganisationDatabase(options.url),
    (database) => new SigningKeys(database, options.identifierKey, options.clock),
    options.clock,
  );
}

class CommandLineRegister implements Register {
  readonly #database: OrganisationDatabase;
  readonly #keys: SigningKeys;
  readonly #clock: Clock;

  constructor(database: OrganisationDatabase, keys: (database: OrganisationDatabase) => SigningKeys, clock: Clock) {
    this.#database = database;
    this.#keys = keys(database);
    this.#clock = clock;
  }

  async addClient(client: NewClient): Promise<{ readonly secret: string }> {
    const role = asRole(client.role);
    if (!/^[a-z][a-z0-9-]{2,63}$/.test(client.id)) throw refusal('CLIENT_ID_FORMAT', { field: 'id' });
    if (client.id === adminClient) throw refusal('CLIENT_TAKEN', { field: 'id' });
    if (role === null || !clientRoles.has(role)) throw refusal('ROLE_NOT_FOR_CLIENT', { field: 'role' });
    if (client.purpose !== null && asPurpose(client.purpose) === null) throw refusal('PURPOSE_UNKNOWN', { field: 'purpose' });
    const points = client.pointsPerMinute ?? clientPointsPerMinute;
    if (!Number.isInteger(points) || points < 1 || points > 100_000_000) throw refusal('POINTS_RANGE', { field: 'points' });
    const name = givenName(client.name);
    const secret = newSecret();
    const hash = await hashSecret(secret);
    await this.#database.write(async (sql) => {
      const unitNo = await unitNumber(sql, client.unitCode);
      const added = await sql.rows(
        `insert into organisation.client (id, name, unit_no, role, secret_hashes, default_purpose, points_per_minute)
          values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id`,
        [client.id, name, unitNo, role, [hash], client.purpose, points],
      );
      if (added.length === 0) throw refusal('CLIENT_TAKEN', { field: 'id' });
      const after = { name, unitNo, role, purpose: client.purpose, pointsPerMinute: points };
      await note(sql, { record: client.id, unitNo, version: 1, action: 'client.changed', what: 'added', after });
    });
    return { secret };
  }

  async rotateClient(id: string, endOld: boolean): Promise<{ readonly secret: string }> {
    const secret = newSecret();
    const hash = await hashSecret(secret);
    await this.#changeClient(id, 'rotated', [hash, endOld]);
    return { secret };
  }

  async revokeClient(id: string): Promise<void> {
    await this.#changeClient(id, 'revoked', []);
  }

  async #changeClient(id: string, what: keyof typeof clientActs, values: readonly unknown[]): Promise<void> {
    await this.#database.write(async (sql) => {
      const [changed] = await sql.rows<{ unitNo: number; version: number }>(
        `update organisation.client set ${clientActs[what]}, version = version + 1 where id = $1 and revoked_at is null
          returning unit_no as "unitNo", version`,
        [id, ...values],
      );
      if (changed === undefined) throw refusal('CLIENT_UNKNOWN', { field: 'id' });
      await note(sql, { record: id, ...changed, action: 'client.changed', what });
    });
  }

  async listClients(): Promise<readonly Row[]> {
    return await this.#list(
      `select c.id, c.name, c.role, u.code as unit, c.default_purpose as purpose, c.points_per_minute as "pointsPerMinute",
        cardinality(c.secret_hashes) as secrets, c.created_at as "createdAt", c.revoked_at as "revokedAt"
        from organisation.client c left join hub.unit u on u.number = c.unit_no order by c.id`,
    );
  }

  async addBasis(basis: NewBasis): Promise<{ readonly id: string; readonly permissions: readonly Permission[] }> {
    const ground = basis.ground.trim();
    if (ground.length < 3 || ground.length > 500) throw refusal('BASIS_GROUND', { field: 'ground' });
    if (basis.citizenId !== null && !isUuid(basis.citizenId)) throw refusal('ID_FORMAT', { field: 'citizen' });
    const from = basis.from ?? this.#clock.now();
    if (basis.until !== null && basis.until <= from) throw refusal('BASIS_PERIOD', { field: 'until' });
    const id = `basis-${randomUUID()}`;
    const permissions = await this.#database.write(async (sql) => {
      const [client] = await sql.rows<{ role: string; unitNo: number }>(
        'select role, unit_no as "unitNo" from organisation.client where id = $1 and revoked_at is null',
        [basis.clientId],
      );
      if (client === undefined) throw refusal('CLIENT_UNKNOWN', { field: 'client' });
      const lendable = onLegalBasis[asRole(client.role) ?? 'cli'] ?? [];
      const lent = basis.permissions.length === 0 ? lendable : lendable.filter((one) => basis.permissions.includes(one));
      if (lent.length === 0 || basis.permissions.some((one) => !lendable.some((known) => known === one))) {
        throw refusal('BASIS_PERMISSION', { field: 'permissions' });
      }
      const unitNo = basis.unitCode === null ? client.unitNo : await unitNumber(sql, basis.unitCode);
      await sql.rows(
        `insert into organisation.legal_basis (id, client_id, ground, permissions, citizen_id, unit_no, valid_from, valid_until, created_by)
          values ($1, $2, $3, $4, $5, $6, $7, $8, 'cli')`,
        [id, basis.clientId, ground, lent, basis.citizenId, unitNo, from, basis.until],
      );
      const after = { clientId: basis.clientId, permissions: lent, citizenId: basis.citizenId, from, until: basis.until };
      const subjects = basis.citizenId === null ? [] : [basis.citizenId];
      await note(sql, { record: id, unitNo, version: 1, action: 'basis.added', what: 'added', after, subjects });
      return lent;
    });
    return { id, permissions };
  }

  async withdrawBasis(id: string): Promise<void> {
    await this.#database.write(async (sql) => {
      const [gone] = await sql.rows<{ unitNo: number; citizenId: string | null }>(
        `update organisation.legal_basis set withdrawn_at = clock_timestamp() where id = $1 and withdrawn_at is null
          returning unit_no as "unitNo", citizen_id::text as "citizenId"`,
        [id],
      );
      if (gone === undefined) throw refusal('BASIS_UNKNOWN', { field: 'id' });
      const subjects = gone.citizenId === null ? [] : [gone.citizenId];
      await note(sql, { record: id, unitNo: gone.unitNo, version: 2, action: 'basis.withdrawn', what: 'withdrawn', subjects });
    });
  }

  async listBases(clientId: string | null): Promise<readonly Row[]> {
    return await this.#list(
      `select b.id, b.client_id as client, b.ground, b.permissions, b.citizen_id as citizen, u.code as unit, b.valid_from as "from",
        b.valid_until as until, b.withdrawn_at as "withdrawnAt", b.created_at as "createdAt"
        from organisation.legal_basis b left join hub.unit u on u.number = b.unit_no
        where $1::text is null or b.client_id = $1 order by b.created_at, b.id`,
      [clientId],
    );
  }

  async addAccount(account: NewAccount): Promise<{ readonly id: string; readonly password: string }> {
    const login = givenLogin(account.login);
    const role = accountRole(account.role);
    const name = givenName(account.name);
    const password = account.password ?? madePassword();
    const hash = await hashPassword(checkedPassword(password));
    const id = await this.#database.write(async (sql) => {
      const unitNo = await unitNumber(sql, account.unitCode);
      const [added] = await sql.rows<{ id: string }>(
        `insert into organisation.account (id, login, name, email, unit_no, role, password_hash, must_change_password)
          values (uuidv7(), $1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id::text as id`,
        [login, name, account.email, unitNo, role, hash, account.password === null],
      );
      if (added === undefined) throw refusal('LOGIN_TAKEN', { field: 'login' });
      const after = { login, name, unitNo, role };
      await note(sql, {
        record: added.id,
        unitNo,
        version: 1,
        action: 'account.changed',
        what: 'added',
        after,
        subjects: [added.id],
      });
      return added.id;
    });
    return { id, password };
  }

  async setPassword(login: string, password: string | null): Promise<{ readonly password: string }> {
    const fresh = password ?? madePassword();
    const hash = await hashPassword(checkedPassword(fresh));
    await this.#changeAccount(login, accountActs['password set'], [hash, password === null], 'password set');
    return { password: fresh };
  }

  async setDisabled(login: string, disabled: boolean): Promise<void> {
    const what = disabled ? 'disabled' : 'enabled';
    await this.#changeAccount(login, accountActs[what], [], what);
  }

  async dropSecondFactor(login: string): Promise<void> {
    await this.#changeAccount(login, accountActs['second factor off'], [], 'second factor off');
  }

  async logOut(login: string): Promise<number> {
    return await this.#changeAccount(login, 'not_before = clock_timestamp()', [], 'logged out', async (sql, id) => {
      const ended = await sql.rows('delete from organisation.session where account_id = $1 returning 1', [id]);
      return ended.length;
    });
  }

  async listSessions(login: string): Promise<readonly Row[]> {
    return await this.#list(
      `select s.id, s.agent, s.created_at as "createdAt", s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt"
        from organisation.session s join organisation.account a on a.id = s.account_id where a.login = $1 and ${sessionLives}
        order by s.id desc`,
      [login],
    );
  }

  async #changeAccount(
    login: string,
    set: string,
    values: readonly unknown[],
    what: string,
    also: (sql: Sql, id: string) => Promise<number> = () => Promise.resolve(0),
  ): Promise<number> {
    return await this.#database.write(async (sql) => {
      const [changed] = await sql.rows<{ id: string; unitNo: number; version: number }>(
        `update organisation.account set ${set}, version = version + 1 where login = $1
          returning id::text as id, unit_no as "unitNo", version`,
        [login, ...values],
      );
      if (changed === undefined) throw refusal('ACCOUNT_UNKNOWN', { field: 'login' });
      const { id, unitNo, version } = changed;
      await note(sql, { record: id, unitNo, version, action: 'account.changed', what, subjects: [id] });
      return await also(sql, id);
    });
  }

  async listAccounts(): Promise<readonly Row[]> {
    return await this.#list(
      `select a.login, a.id, a.name, a.role, u.code as unit, a.email, a.must_change_password as "mustChangePassword", a.totp_secret is not null as "secondFactor",
        a.created_at as "createdAt", a.disabled_at as "disabledAt"
        from organisation.account a left join hub.unit u on u.number = a.unit_no order by a.login`,
    );
  }

  async mintToken(login: string, issuer: string): Promise<string> {
    const [account] = await this.#database.read((sql) =>
      sql.rows<{ id: string; disabled: boolean }>(
        'select id::text as id, disabled_at is not null as disabled from organisation.account where login = $1',
        [login],
      ),
    );
    if (account === undefined) throw refusal('ACCOUNT_UNKNOWN', { field: 'login' });
    if (account.disabled) throw refusal('ACCOUNT_DISABLED', { field: 'login' });
    const { signing } = await this.#keys.current();
    const issuedAt = Math.floor(this.#clock.now().getTime() / 1000);
    return await new SignJWT({ client_id: 'cli' })
      .setProtectedHeader({ alg: signatureAlgorithm, typ: 'at+jwt', kid: signing.kid })
      .setIssuer(issuer)
      .setAudience(hubAudience)
      .setSubject(account.id)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + tokenLifetime)
      .sign(await importJWK(signing.jwk, signatureAlgorithm));
  }

  async rotateSigningKey(): Promise<{ readonly kid: string; readonly inSeconds: number; readonly fresh: boolean }> {
    await this.#keys.tidy();
    return await this.#keys.rotate();
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #list(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return await this.#database.read((sql) => sql.rows<Row>(text, values));
  }
}

interface Noted {
  readonly record: string;
  readonly unitNo: number;
  readonly version: number;
  readonly action: 'client.changed' | 'account.changed' | 'basis.added' | 'basis.withdrawn';
  readonly what: string;
  readonly after?: Row;
  /** Citizens or accounts by id; a client's id is no uuid and stands in the detail. */
  readonly subjects?: readonly string[];
}

/** History and audit of one change, in its transaction. */
async function note(sql: Sql, { record, unitNo, version, action, what, after, subjects = [] }: Noted): Promise<void> {
  await sql.rows(
    `insert into organisation.change (record_id, unit_no, version, principal, principal_name, cause, action, after)
      values ($1, $2, $3, 'cli', 'cli', 'MUTATION', $4, $5)`,
    [record, unitNo, version, what, isGiven(after) ? JSON.stringify(after) : null],
  );
  await sql.rows(
    `insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects,
        subject_count, operation, trace_id, detail)
      values ('cli', 'CLI', 'cli', 'cli', coalesce((select min(number) from hub.unit where parent_number is null), 0), 'HOPERAT', $1,
        'organisation', $2::uuid[], $3, 'cli', '', $4)`,
    [action, subjects, subjects.length, JSON.stringify({ record, what })],
  );
}

async function unitNumber(sql: Sql, code: string): Promise<number> {
  const [unit] = await sql.rows<{ number: number }>('select number from hub.unit where code = $1 and valid_to is null', [code]);
  if (unit === undefined) throw refusal('UNIT_UNKNOWN', { field: 'unit' });
  return unit.number;
}

function checkedPassword(password: string): string {
  if (password.length < 12 || password.length > 200) throw refusal('PASSWORD_LENGTH', { field: 'password' });
  return password;
}
