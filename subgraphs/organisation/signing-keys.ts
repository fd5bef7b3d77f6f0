import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import type { JWK } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import type { OrganisationDatabase, Sql } from './database.ts';

/*
 * Keys that sign access tokens, shared by every copy of the provider through the database.
 *
 * A key is published before it signs and after it signed: a new one waits 15 min, in which whoever caches the key set (10 min)
 * has learned it; the one before it stays until the last token it signed has ended, and is then deleted. So nobody ever meets a
 * token whose key he cannot know. Private halves lie in the database encrypted under the installation's secret: a copy of the
 * database alone signs nothing.
 */

export const signatureAlgorithm = 'ES256';
/** Longest life of an access token. Seconds. */
export const tokenLifetime = 600;
/** Seconds that a key is published before it signs. */
const publishedBefore = 900;
/** Seconds after its successor began to sign at which a key is taken out: life of a token, tolerance of clocks, caches of ours. */
const keptAfter = tokenLifetime + 120;
/** A copy looks for changes this often; what was taken out is dead everywhere after that. Milliseconds. */
const heldFor = 15_000;
/** With the database away, keys are trusted this long. Milliseconds. */
const trustedFor = 60_000;

export interface SigningKeySet {
  /** Differs when anything differs. */
  readonly version: string;
  /** Key that signs now. */
  readonly signing: { readonly kid: string; readonly jwk: JWK };
  /** Every key of the set with its private half, the signing one first; for the provider alone. */
  readonly secret: readonly JWK[];
  /** By `kid`; what verifies. */
  readonly open: ReadonlyMap<string, KeyObject>;
}

interface KeyRow {
  readonly kid: string;
  readonly sealed: SealedKey;
  /** Seconds by the database's clock. */
  readonly age: number;
}

interface SealedKey {
  readonly iv: string;
  readonly tag: string;
  readonly text: string;
}

const lock = `select pg_advisory_xact_lock(hashtextextended('organisation.signing_key', 0))`;
const rowsText = `select kid, private_jwk as sealed, extract(epoch from clock_timestamp() - created_at)::float8 as age
  from organisation.signing_key where use = 'OIDC' and retired_at is null order by created_at desc, kid`;

export class SigningKeys {
  readonly #database: OrganisationDatabase;
  readonly #clock: Clock;
  readonly #wrappingKey: Buffer;
  #set: SigningKeySet | null = null;
  #readAt = 0;
  #reading: Promise<SigningKeySet> | null = null;

  constructor(database: OrganisationDatabase, installationSecret: Buffer, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#wrappingKey = Buffer.from(hkdfSync('sha256', installationSecret, '', 'organisation.signing_key', 32));
  }

  /** The keys as they are, at most 15 s old; the first call of an installation makes the first key. */
  async current(): Promise<SigningKeySet> {
    const age = this.#clock.now().getTime() - this.#readAt;
    if (this.#set !== null && age >= 0 && age < heldFor) return this.#set;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    try {
      return await this.#reading;
    } catch (error) {
      if (this.#set !== null && age >= 0 && age < trustedFor) return this.#set;
      throw error;
    }
  }

  /** The public key of this `kid`; rejects when there is none. */
  async verifying(kid: string | undefined): Promise<KeyObject> {
    const key = kid === undefined ? undefined : (await this.current()).open.get(kid);
    if (key === undefined) throw new Error('no key of this kid');
    return key;
  }

  /** Publishes the next key, unless one is waiting already; says which kid signs from when. */
  async rotate(): Promise<{ readonly kid: string; readonly inSeconds: number; readonly fresh: boolean }> {
    const next = await this.#database.write(async (sql) => {
      await sql.rows(lock);
      const rows = await sql.rows<KeyRow>(rowsText);
      const [youngest] = rows;
      if (youngest !== undefined && rows.length > 1 && youngest.age < publishedBefore) {
        return { kid: youngest.kid, inSeconds: Math.ceil(publishedBefore - youngest.age), fresh: false };
      }
      return { kid: await this.#insert(sql), inSeconds: rows.length === 0 ? 0 : publishedBefore, fresh: true };
    });
    this.#readAt = 0;
    return next;
  }

  /** Deletes keys whose tokens have all ended; the number of them. */
  async tidy(): Promise<number> {
    const removed = await this.#database.write(async (sql) => {
      await sql.rows(lock);
      const rows = await sql.rows<KeyRow>(rowsText);
      const signing = signingRow(rows);
      if (signing === null || signing.age < publishedBefore + keptAfter) return 0;
      const ended = rows.filter(({ age }) => age > signing.age).map(({ kid }) => kid);
      await sql.rows('delete from organisation.signing_key where kid = any($1::text[])', [ended]);
      return ended.length;
    });
    if (removed > 0) this.#readAt = 0;
    return removed;
  }

  async #read(): Promise<SigningKeySet> {
    const asked = this.#clock.now().getTime();
    let rows = await this.#database.read((sql) => sql.rows<KeyRow>(rowsText));
    if (rows.length === 0) rows = await this.#first();
    const signing = signingRow(rows);
    if (signing === null) throw new Error('there is no key to sign with');
    const jwks = new Map(rows.map(({ kid, sealed }) => [kid, this.#unseal(kid, sealed)]));
    const order = [signing, ...rows.filter((row) => row !== signing)];
    const secret = order.flatMap(({ kid }) => jwks.get(kid) ?? []);
    const version = order.map(({ kid }) => kid).join(' ');
    if (this.#set?.version !== version) {
      this.#set = {
        version,
        signing: { kid: signing.kid, jwk: secret[0] ?? {} },
        secret,
        open: new Map(secret.map((jwk) => [jwk.kid ?? '', createPublicKey({ key: publicHalf(jwk), format: 'jwk' })])),
      };
    }
    this.#readAt = asked;
    return this.#set;
  }

  async #first(): Promise<readonly KeyRow[]> {
    return await this.#database.write(async (sql) => {
      await sql.rows(lock); // another copy may make the first key at the same moment
      const rows = await sql.rows<KeyRow>(rowsText);
      if (rows.length > 0) return rows;
      await this.#insert(sql);
      return await sql.rows<KeyRow>(rowsText);
    });
  }

  async #insert(sql: Sql): Promise<string> {
    const kid = randomUUID();
    const jwk: JWK = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), kid };
    await sql.rows(`insert into organisation.signing_key (kid, use, private_jwk) values ($1, 'OIDC', $2)`, [
      kid,
      JSON.stringify(this.#seal(kid, jwk)),
    ]);
    return kid;
  }

  #seal(kid: string, jwk: JWK): SealedKey {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#wrappingKey, iv).setAAD(Buffer.from(kid));
    const text = Buffer.concat([cipher.update(JSON.stringify(jwk)), cipher.final()]);
    return { iv: iv.toString('base64url'), tag: cipher.getAuthTag().toString('base64url'), text: text.toString('base64url') };
  }

  #unseal(kid: string, sealed: SealedKey): JWK {
    const iv = Buffer.from(sealed.iv, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#wrappingKey, iv, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(kid)).setAuthTag(Buffer.from(sealed.tag, 'base64url'));
    const text = Buffer.concat([decipher.update(Buffer.from(sealed.text, 'base64url')), decipher.final()]);
    const { kty, crv, x, y, d } = JSON.parse(text.toString()) as Record<'kty' | 'crv' | 'x' | 'y' | 'd', string>;
    return { kty, crv, x, y, d, kid, use: 'sig', alg: signatureAlgorithm };
  }
}

/** The youngest key that has been published long enough; the first key of an installation signs at once. */
function signingRow(rows: readonly KeyRow[]): KeyRow | null {
  return rows.find(({ age }) => age >= publishedBefore) ?? rows.at(-1) ?? null;
}

function publicHalf({ kty, crv, x, y }: JWK): Record<string, string> {
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '', y: y ?? '' };
}
