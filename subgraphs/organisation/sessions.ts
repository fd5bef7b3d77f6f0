import { randomUUID } from 'node:crypto';
import { SignJWT, importJWK } from 'jose';
import { hubAudience } from '#kernel/auth/authenticate.ts';
import { adminClient, sessionTimes, type ListedSession, type LiveSession, type SessionSource } from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import type { OrganisationDatabase } from './database.ts';
import { insertEvents } from './security-events.ts';
import { signatureAlgorithm, tokenLifetime, type SigningKeys } from './signing-keys.ts';

/*
 * Sessions of the admin. One lives while its account does: a disabled account, a new password and a log-out everywhere raise the
 * account's `not_before`, and what was opened earlier is dead at that moment. Times are the database's own.
 */

/** A use is written down only when the last one is older, so that reading costs no write each time. Seconds. */
const seenEvery = 60;

interface SessionRow {
  readonly accountId: string;
  readonly expiresAt: Date;
}

const idle = `make_interval(secs => ${String(sessionTimes.idle)})`;
const inTime = `s.expires_at > clock_timestamp() and s.last_seen_at > clock_timestamp() - ${idle}`;
const accountStands = 'a.disabled_at is null and (a.not_before is null or a.not_before <= s.created_at)';
/** Condition on a session `s` and its account `a`. */
export const sessionLives = `${inTime} and ${accountStands}`;
const endsAt = `least(s.expires_at, s.last_seen_at + ${idle}) as "expiresAt"`;

const findText = `select s.account_id::text as "accountId", ${endsAt}, ${inTime} as "inTime", ${accountStands} as stands,
    s.last_seen_at < clock_timestamp() - make_interval(secs => ${String(seenEvery)}) as stale
  from organisation.session s join organisation.account a on a.id = s.account_id where s.key = $1`;
const seenText = `update organisation.session s set last_seen_at = clock_timestamp() where key = $1
  returning account_id::text as "accountId", ${endsAt}`;

interface FoundRow extends SessionRow {
  readonly inTime: boolean;
  /** Its account does, and was not logged out everywhere since. */
  readonly stands: boolean;
  readonly stale: boolean;
}

interface SessionDeps {
  readonly database: OrganisationDatabase;
  readonly keys: SigningKeys;
  readonly issuer: () => string;
  readonly clock: Clock;
}

export class Sessions implements SessionSource {
  readonly #deps: SessionDeps;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  async open(key: string, accountId: string, agent: string): Promise<LiveSession | null> {
    const row = await this.#deps.database.write(async (sql) => {
      const [opened] = await sql.rows<SessionRow>(
        `insert into organisation.session as s (key, account_id, agent, expires_at)
          select $1, id, $3, clock_timestamp() + make_interval(secs => ${String(sessionTimes.absolute)})
          from organisation.account where id = $2 and disabled_at is null
          returning account_id::text as "accountId", ${endsAt}`,
        [key, accountId, agent],
      );
      if (opened !== undefined) {
        await insertEvents(sql, [{ kind: 'session.opened', principal: accountId, traceId: null, detail: {} }]);
      }
      return opened;
    });
    return row === undefined ? null : await this.#live(row);
  }

  async openByLogin(key: string, login: string, agent: string): Promise<LiveSession | null> {
    const { database } = this.#deps;
    const [account] = await database.read((sql) =>
      sql.rows<{ readonly id: string }>(
        'select id::text as id from organisation.account where login = $1 and disabled_at is null',
        [login],
      ),
    );
    const live = account === undefined ? null : await this.open(key, account.id, agent);
    const event = live === null ? 'login.outside-refused' : 'login.outside-passed';
    await database.write((sql) =>
      insertEvents(sql, [{ kind: event, principal: account?.id ?? null, traceId: null, detail: {} }]),
    );
    return live;
  }

  async find(key: string): Promise<LiveSession | null> {
    const { database } = this.#deps;
    const [row] = await database.read((sql) => sql.rows<FoundRow>(findText, [key]));
    if (row === undefined) return null;
    if (!row.inTime || !row.stands) {
      await this.#bury(key, row);
      return null;
    }
    if (!row.stale) return await this.#live(row);
    const [seen] = await database.write((sql) => sql.rows<SessionRow>(seenText, [key]));
    return seen === undefined ? null : await this.#live(seen);
  }

  async list(key: string): Promise<readonly ListedSession[]> {
    return await this.#deps.database.read((sql) =>
      sql.rows<ListedSession>(
        `select s.id::text as id, s.agent, s.created_at as "createdAt", s.last_seen_at as "lastSeenAt", s.key = $1 as current
          from organisation.session s join organisation.account a on a.id = s.account_id
          where s.account_id = (select s.account_id from organisation.session s
              join organisation.account a on a.id = s.account_id where s.key = $1 and ${sessionLives})
            and ${sessionLives} order by s.id desc limit 100`,
        [key],
      ),
    );
  }

  async end(key: string, everywhere: boolean, next?: string): Promise<void> {
    await this.#deps.database.write(async (sql) => {
      const [ended] = await sql.rows<{ readonly accountId: string }>(
        `delete from organisation.session where key = $1 returning account_id::text as "accountId"`,
        [key],
      );
      if (ended === undefined) return;
      const principal = ended.accountId;
      await insertEvents(sql, [
        { kind: everywhere ? 'session.ended-everywhere' : 'session.ended', principal, traceId: null, detail: {} },
      ]);
      if (principal !== next) await sql.rows('delete from organisation.draft where account_id = $1', [principal]);
      if (!everywhere) return;
      await sql.rows('update organisation.account set not_before = clock_timestamp() where id = $1', [principal]);
      await sql.rows('delete from organisation.session where account_id = $1', [principal]);
    });
  }

  /** Deletes what has ended; the number of rows. */
  async tidy(): Promise<number> {
    const rows = await this.#deps.database.write((sql) =>
      sql.rows(`delete from organisation.session where expires_at < clock_timestamp()
        or last_seen_at < clock_timestamp() - ${idle} returning 1`),
    );
    return rows.length;
  }

  /** A dead session that is used leaves one security event if it was ended on purpose, and is gone. */
  async #bury(key: string, { accountId, stands }: FoundRow): Promise<void> {
    await this.#deps.database.write(async (sql) => {
      const gone = await sql.rows('delete from organisation.session where key = $1 returning 1', [key]);
      if (gone.length === 0 || stands) return;
      await insertEvents(sql, [{ kind: 'session.dead', principal: accountId, traceId: null, detail: {} }]);
    });
  }

  async #live({ accountId, expiresAt }: SessionRow): Promise<LiveSession> {
    const { signing } = await this.#deps.keys.current();
    // The next whole second: a token must not seem older than the `not_before` that a new password set in this one.
    const issuedAt = Math.ceil(this.#deps.clock.now().getTime() / 1000);
    const token = await new SignJWT({ client_id: adminClient })
      .setProtectedHeader({ alg: signatureAlgorithm, typ: 'at+jwt', kid: signing.kid })
      .setIssuer(this.#deps.issuer())
      .setAudience(hubAudience)
      .setSubject(accountId)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + tokenLifetime)
      .sign(await importJWK(signing.jwk, signatureAlgorithm));
    return { accountId, token, expiresAt };
  }
}
