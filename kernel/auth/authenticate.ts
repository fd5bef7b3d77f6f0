import type { KeyObject } from 'node:crypto';
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  jwtVerify,
  type CryptoKey,
  type FetchImplementation,
  type JWTHeaderParameters,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { HubError } from '../errors/hub-error.ts';
import type { Authenticator, Principal, PrincipalSource } from './principal.ts';
import { fingerprint } from './secrets.ts';

/*
 * Who is asking: a bearer token of a trusted issuer → a principal, as organisation describes it at most 30 s ago.
 *
 * Whatever is not a good token is `null`: missing, malformed, forged, expired, revoked are one answer. The algorithm is pinned by
 * the issuer's entry, never taken from the token; a key is looked up by `kid` in that issuer's own set and nowhere else, so a
 * token can name no file, no address and no key of its own.
 */

type SignatureAlgorithm = 'EdDSA' | 'ES256' | 'RS256';

/** Audience of every access token that opens the graph. */
export const hubAudience = 'urn:hub';

/** Clocks of issuer and hub may differ by this much. Seconds. */
const tolerance = 30;
/** Largest token looked at. Characters. */
const longestToken = 8_192;
/** Verified tokens kept, and for how long. A revocation must work in 60 s, the unit cache takes 5 of them. */
const rememberedTokens = 10_000;
const principalFor = 30_000;
const refusalFor = 5_000;
const verifiedFor = 60_000;

/** Finds a key of one issuer; throws when the set has none of that `kid`. */
export type IssuerKeys = (header: JWTHeaderParameters) => Promise<KeyObject | CryptoKey>;

export interface TrustedIssuer {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly keys: IssuerKeys;
  /** Longest life of a token that is accepted, seconds from `iat`. */
  readonly lifetime: number;
  /** Required `typ`; `null` for issuers that do not follow RFC 9068. */
  readonly type: 'at+jwt' | null;
  /** What names the caller: an id of ours (client or account), the log-in of an account of ours, or the id of a client of ours. */
  readonly subject: 'id' | 'login' | 'client';
  /** The claim that does; `sub` unless given. */
  readonly claim?: string;
}

export interface AuthenticatorDeps {
  readonly issuers: readonly TrustedIssuer[];
  readonly principals: PrincipalSource;
  readonly clock: Clock;
  /** For metrics: a token was looked up or verified, or refused; `early`: well signed and of the future, so a clock is wrong, theirs or ours. */
  readonly observe?: (event: 'remembered' | 'verified' | 'refused' | 'early') => void;
}

interface Remembered {
  readonly subject: string;
  readonly issuedAt: Date;
  /** Milliseconds since 1970 after which the token is verified anew. */
  readonly until: number;
  principal: Principal | null;
  principalUntil: number;
}

export function createAuthenticator(
  deps: AuthenticatorDeps,
): Authenticator & { /** For metrics. */ readonly remembered: () => number } {
  const byIssuer = new Map(deps.issuers.map((trusted) => [trusted.issuer, trusted]));
  const remembered = new LRUCache<string, Remembered>({ max: rememberedTokens });
  /** Tokens being verified, so that a burst with one token costs one verification. */
  const underWay = new Map<string, Promise<Principal | null>>();

  async function verify(token: string, key: string): Promise<Principal | null> {
    const claims = await verifyToken(token, byIssuer, deps.clock.now(), () => deps.observe?.('early'));
    if (claims === null) return null;
    const now = deps.clock.now().getTime();
    const entry: Remembered = {
      subject: claims.subject,
      issuedAt: claims.issuedAt,
      until: Math.min(now + verifiedFor, claims.expiresAt.getTime() + tolerance * 1000),
      principal: null,
      principalUntil: 0,
    };
    await describe(entry);
    remembered.set(key, entry);
    return entry.principal;
  }

  async function describe(entry: Remembered): Promise<void> {
    entry.principal = await deps.principals.find(entry.subject, entry.issuedAt);
    entry.principalUntil = deps.clock.now().getTime() + (entry.principal === null ? refusalFor : principalFor);
  }

  async function look(token: string, key: string): Promise<Principal | null> {
    const entry = remembered.get(key);
    if (entry === undefined || entry.until <= deps.clock.now().getTime()) return await verify(token, key);
    await describe(entry);
    return entry.principal;
  }

  return {
    remembered: () => remembered.size,
    async authenticate(authorization) {
      const token = bearerToken(authorization);
      if (token === null) return null;
      const key = fingerprint(token);
      const now = deps.clock.now().getTime();
      const entry = remembered.get(key);
      if (entry !== undefined && now < entry.until && now < entry.principalUntil) {
        deps.observe?.('remembered');
        return entry.principal;
      }
      let answer = underWay.get(key);
      if (answer === undefined) {
        answer = look(token, key).finally(() => underWay.delete(key));
        underWay.set(key, answer);
      }
      const principal = await answer;
      deps.observe?.(principal === null ? 'refused' : 'verified');
      return principal;
    },
  };
}

/**
 * The one Authorization header of a request. Node keeps the first of two and drops the rest, so the raw list is read: two are as
 * good as none.
 */
export function singleAuthorization(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'authorization') continue;
    if (found !== undefined) return undefined;
    found = rawHeaders[at + 1];
  }
  return found;
}

/** Keys of an issuer that publishes them; fetched at most every `cooldown` milliseconds, kept 10 min, never from an address that a token names. */
export function publishedKeys(jwks: URL, fetch?: FetchImplementation, cooldown = 30_000): IssuerKeys {
  const find = createRemoteJWKSet(jwks, {
    timeoutDuration: 5_000,
    cooldownDuration: cooldown,
    cacheMaxAge: 600_000,
    ...(fetch === undefined ? {} : { [customFetch]: fetch }),
  });
  return async (header) => await find(header);
}

interface Claims {
  readonly subject: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

async function verifyToken(
  token: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
  now: Date,
  early: () => void,
): Promise<Claims | null> {
  try {
    const trusted = issuers.get(decodeJwt(token).iss ?? '');
    if (trusted === undefined) return null;
    const { payload } = await jwtVerify(token, (header) => keyFor(trusted, header), {
      issuer: trusted.issuer,
      audience: hubAudience,
      algorithms: [...trusted.algorithms],
      clockTolerance: tolerance,
      currentDate: now,
      requiredClaims: ['exp', 'iat', 'sub'],
      maxTokenAge: trusted.lifetime,
      ...(trusted.type === null ? {} : { typ: trusted.type }),
    });
    const { iat, exp } = payload;
    const sub = payload[trusted.claim ?? 'sub'];
    if (typeof sub !== 'string' || sub === '' || iat === undefined || exp === undefined || sub.length > 255) return null;
    return {
      subject: trusted.subject === 'id' ? sub : `${trusted.subject}:${sub}`,
      issuedAt: new Date(iat * 1000),
      expiresAt: new Date(exp * 1000),
    };
  } catch (error) {
    // That the keys cannot be reached now says nothing about the token: its owner is to come again, not to log in anew.
    if (error instanceof HubError) throw error;
    // Claims are looked at behind the signature: it is the issuer who says so, not somebody who tries.
    if (
      error instanceof errors.JWTClaimValidationFailed &&
      error.reason === 'check_failed' &&
      ['iat', 'nbf'].includes(error.claim)
    )
      early();
    // Every reason is the same answer; which one it was helps only who is trying.
    return null;
  }
}

async function keyFor(trusted: TrustedIssuer, header: JWTHeaderParameters): Promise<KeyObject | CryptoKey> {
  if (typeof header.kid !== 'string' || header.kid.length > 256) throw new Error('no usable kid');
  if ('jku' in header || 'jwk' in header || 'x5u' in header || 'x5c' in header) throw new Error('a token brings no key');
  return await trusted.keys(header);
}

function bearerToken(authorization: string | undefined): string | null {
  if (authorization === undefined || authorization.length > longestToken) return null;
  return /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i.exec(authorization)?.[1] ?? null;
}
