import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomUUID,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import type { SubgraphName } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';

/*
 * The signed hop between the gateway and a subgraph that runs as a process of its own.
 *
 * The gateway seals each request: an EdDSA token for one subgraph, one use and exactly these bytes, good for 60 s. The subgraph
 * opens it before it parses anything, on every path, `_service` and `_entities` included. Who asks, his scope, permissions,
 * purpose, basis, locale, operation and trace id stand in the sealed bytes (`envelope.ts`), so one signature covers them all; a
 * seal with another body, for another subgraph, or older than 60 + 30 s opens nothing. An access token of the edge is not a seal
 * and a seal is not an access token: issuer, type and audience differ.
 */

/** Header that carries the seal. The gateway strips every inbound `x-hub-*`, so nobody outside can send one. */
export const hopHeader = 'x-hub-hop';
const lifetime = 60;
/** Clocks of gateway and subgraph may differ by this much. Seconds. */
const tolerance = 30;
const sealType = 'hub-hop+jwt';
const gatewayIssuer = 'urn:hub:gateway';
const longestSeal = 4_096;

/** What the sealed bytes are for; a seal for one use opens no other. */
export type HopUse = 'operations' | 'principals' | 'oauth' | 'health';

export interface HopSigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

export interface HopSeal {
  /** Address of the client at the edge, where the use needs it (the token endpoint counts failures by it). */
  readonly address: string | null;
  readonly issuedAt: Date;
}

/** Seals with the key that is current at that moment. */
export class HopSigner {
  readonly #key: () => HopSigningKey;
  readonly #clock: Clock;
  /** The encoded header of the last key: it is the same for every request until the key changes. */
  #header: { readonly kid: string; readonly text: string } | null = null;

  constructor(key: () => HopSigningKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  seal(audience: SubgraphName, use: HopUse, body: string | Uint8Array, address: string | null = null): string {
    const { kid, key } = this.#key();
    if (this.#header?.kid !== kid) this.#header = { kid, text: encode({ alg: 'EdDSA', typ: sealType, kid }) };
    const iat = Math.floor(this.#clock.now().getTime() / 1000);
    const claims = encode({
      iss: gatewayIssuer,
      aud: audienceOf(audience),
      iat,
      exp: iat + lifetime,
      jti: randomUUID(),
      use,
      body: hash('sha256', body, 'base64url'),
      ...(address === null ? {} : { address }),
    });
    const signed = `${this.#header.text}.${claims}`;
    return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
  }
}

/** Opens what was sealed for one subgraph. Holds public keys only: a subgraph cannot seal. */
export class HopVerifier {
  readonly #audience: string;
  readonly #keys: () => ReadonlyMap<string, KeyObject>;
  readonly #clock: Clock;

  /** `keys` gives every key that may have sealed something in the last 90 s: two during a rotation. */
  constructor(audience: SubgraphName, keys: () => ReadonlyMap<string, KeyObject>, clock: Clock) {
    this.#audience = audienceOf(audience);
    this.#keys = keys;
    this.#clock = clock;
  }

  /** `null` for whatever is not a good seal of exactly these bytes, without saying why. */
  open(seal: string | undefined, use: HopUse, body: string | Uint8Array): HopSeal | null {
    if (seal === undefined || seal.length > longestSeal) return null;
    const [header, claims, signature, ...rest] = seal.split('.');
    if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return null;
    const key = this.#keyOf(header);
    if (key === null) return null;
    if (!verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))) return null;
    const said = decode(claims);
    if (said?.iss !== gatewayIssuer || said.aud !== this.#audience || said.use !== use) return null;
    if (said.body !== hash('sha256', body, 'base64url')) return null;
    const { iat, exp, address } = said;
    const now = this.#clock.now().getTime() / 1000;
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > lifetime) return null;
    if (now > exp + tolerance || now < iat - tolerance) return null;
    return { address: typeof address === 'string' ? address : null, issuedAt: new Date(iat * 1000) };
  }

  #keyOf(header: string): KeyObject | null {
    const said = decode(header);
    // Algorithm and type are ours alone; anything else in the header is refused rather than ignored.
    if (said?.alg !== 'EdDSA' || said.typ !== sealType || Object.keys(said).length !== 3) return null;
    return typeof said.kid === 'string' ? (this.#keys().get(said.kid) ?? null) : null;
  }
}

/** One key pair of the hop as it lies in a file: `private.json` for the gateway, `public.json` for the subgraphs. */
export interface HopKeyFile {
  readonly keys: readonly HopKey[];
}

interface HopKey {
  readonly kid: string;
  /** ISO 8601; the youngest private key that every verifier has had for a minute is the one that seals. */
  readonly createdAt: string;
  readonly jwk: JsonWebKey;
}

/** How long a new key is known to the verifiers before it seals, and how long the old one is kept after. Milliseconds. */
const publishedBefore = 60_000;
const keysKept = 2;
/** A ring takes another key only when every seal of the key before the last has ended. Milliseconds. */
const settled = publishedBefore + (lifetime + 2 * tolerance) * 1000;

/** Adds a key to the ring (at most two are kept); the first ring is made from `null`. */
export function rotateHopKeys(
  ring: HopKeyFile | null,
  clock: Clock,
): { readonly private: HopKeyFile; readonly public: HopKeyFile } {
  const youngest = ring?.keys[0];
  if (youngest !== undefined && clock.now().getTime() - Date.parse(youngest.createdAt) < settled) {
    throw new Error('the hop was given a new key less than three minutes ago: a third one would drop a key that is in use');
  }
  const made = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const fresh: HopKey = { kid: `hop-${randomUUID()}`, createdAt: clock.now().toISOString(), jwk: made };
  const keys = [fresh, ...(ring?.keys ?? [])].slice(0, keysKept);
  return {
    private: { keys },
    public: { keys: keys.map(({ kid, createdAt, jwk }) => ({ kid, createdAt, jwk: publicHalf(jwk) })) },
  };
}

export function parseHopKeys(text: string): HopKeyFile {
  const value: unknown = JSON.parse(text);
  if (!isKeyFile(value)) throw new Error('this is no file of hop keys');
  return value;
}

/** Key that seals now: the youngest one known for a minute, or the only one. */
export function hopSigningKey(ring: HopKeyFile, clock: Clock): () => HopSigningKey {
  const keys = ring.keys
    .map(({ kid, createdAt, jwk }) => ({ kid, since: Date.parse(createdAt), key: createPrivateKey({ key: jwk, format: 'jwk' }) }))
    .sort((a, b) => b.since - a.since);
  return () => {
    const known = clock.now().getTime() - publishedBefore;
    const key = keys.find(({ since }) => since <= known) ?? keys.at(-1);
    if (key === undefined) throw new Error('no key seals the hop');
    return key;
  };
}

export function hopVerifyingKeys(ring: HopKeyFile): ReadonlyMap<string, KeyObject> {
  return new Map(ring.keys.map(({ kid, jwk }) => [kid, createPublicKey({ key: publicHalf(jwk), format: 'jwk' })]));
}

function publicHalf({ kty, crv, x }: JsonWebKey): JsonWebKey {
  return { ...(kty === undefined ? {} : { kty }), ...(crv === undefined ? {} : { crv }), ...(x === undefined ? {} : { x }) };
}

function isKeyFile(value: unknown): value is HopKeyFile {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false;
  return value.keys.every(
    (key: unknown) =>
      typeof key === 'object' &&
      key !== null &&
      'kid' in key &&
      typeof key.kid === 'string' &&
      'createdAt' in key &&
      typeof key.createdAt === 'string' &&
      'jwk' in key &&
      typeof key.jwk === 'object' &&
      key.jwk !== null,
  );
}

function audienceOf(subgraph: SubgraphName): string {
  return `urn:hub:subgraph:${subgraph}`;
}

function encode(value: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
