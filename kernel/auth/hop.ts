import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomUUID,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import type { SubgraphName } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';

/*
 * The signed hop between the gateway and a subgraph that runs as a process of its own.
 *
 * The gateway seals each request: an EdDSA token for one subgraph, one use, one method and path with its query, and exactly these bytes,
 * good for 60 s. The subgraph
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

/** What a seal covers. */
export interface HopSent {
  readonly method: string;
  /** With its query, as it goes over the wire. */
  readonly path: string;
  readonly body: string | Uint8Array;
}

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

  seal(audience: SubgraphName, use: HopUse, { method, path, body }: HopSent, address: string | null = null): string {
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
      to: targetOf(method, path),
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

  /** `null` for whatever is not a good seal of exactly this, without saying why. */
  open(seal: string | undefined, use: HopUse, { method, path, body }: HopSent): HopSeal | null {
    if (seal === undefined || seal.length > longestSeal) return null;
    const [header, claims, signature, ...rest] = seal.split('.');
    if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return null;
    const key = this.#keyOf(header);
    if (key === null) return null;
    if (!verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))) return null;
    const said = decode(claims);
    if (said?.iss !== gatewayIssuer || said.aud !== this.#audience || said.use !== use) return null;
    if (said.to !== targetOf(method, path) || said.body !== hash('sha256', body, 'base64url')) return null;
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

/** An Ed25519 key of the hop as JWK; with `d` it seals, without it only opens. */
export interface HopJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
  readonly d?: string | undefined;
}

/*
 * Keys of the hop rotate without a gap: give the subgraphs the new public key beside the old one, then the gateway the new
 * private key, and take the old public key away when the last seal made with it has ended (90 s later).
 */

/** A new key pair: `secret` for the gateway alone, `open` for the subgraphs. */
export function makeHopKey(): { readonly secret: HopJwk; readonly open: HopJwk } {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('a new key of the hop has no value');
  const open: HopJwk = { kty: 'OKP', crv: 'Ed25519', kid: `hop-${randomUUID()}`, x };
  return { secret: { ...open, d }, open };
}

export function hopSigningKey(jwk: HopJwk): HopSigningKey {
  if (jwk.d === undefined) throw new Error('the gateway was given a public key to sign the hop with');
  return { kid: jwk.kid, key: createPrivateKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, d: jwk.d }, format: 'jwk' }) };
}

export function hopVerifyingKeys(jwks: readonly HopJwk[]): ReadonlyMap<string, KeyObject> {
  return new Map(jwks.map(({ kty, crv, kid, x }) => [kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' })]));
}

function targetOf(method: string, path: string): string {
  return hash('sha256', `${method} ${path}`, 'base64url');
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
