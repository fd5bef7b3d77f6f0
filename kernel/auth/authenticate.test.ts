import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { base64url, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose';
import { refusal } from '../errors/hub-error.ts';
import { HopSigner, hopSigningKey, makeHopKey } from './hop.ts';
import { organisationOverHop } from './organisation-hop.ts';
import { createAuthenticator, singleAuthorization, type TrustedIssuer } from './authenticate.ts';
import type { Principal } from './principal.ts';

const issuer = 'http://127.0.0.1:4000';
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const start = Date.UTC(2026, 10, 24, 3, 0, 0);
const seconds = start / 1000;

const principal: Principal = {
  id: 'reader',
  name: 'Reader',
  kind: 'CLIENT',
  role: 'reader',
  unitNo: 1,
  scope: '{[1,6)}',
  scopeUnits: 5,
  permissions: ['citizen:read'],
  purpose: 'HOPERAT',
  pointsPerMinute: 60_000,
};

function world(changes: Partial<TrustedIssuer> = {}) {
  const state = {
    now: start,
    finds: 0,
    lookups: [] as string[],
    events: [] as string[],
    standing: true,
    away: null as Error | null,
  };
  const authenticator = createAuthenticator({
    issuers: [
      {
        issuer,
        algorithms: ['ES256'],
        keys: (header) => {
          state.lookups.push(header.kid ?? '');
          return header.kid === 'k1' ? Promise.resolve(ours.publicKey) : Promise.reject(new Error('no such key'));
        },
        lifetime: 600,
        type: 'at+jwt',
        subject: 'id',
        ...changes,
      },
    ],
    principals: {
      find: (subject) => {
        state.finds++;
        if (state.away !== null) return Promise.reject(state.away);
        return Promise.resolve(state.standing && subject === 'reader' ? principal : null);
      },
      basis: () => Promise.resolve(null),
    },
    clock: { now: () => new Date(state.now) },
    observe: (event) => void state.events.push(event),
  });
  return { state, ask: (token: string) => authenticator.authenticate(`Bearer ${token}`), authenticator };
}

interface Token {
  readonly header?: Partial<JWTHeaderParameters>;
  readonly claims?: Record<string, unknown>;
  readonly key?: KeyObject | Uint8Array;
}

async function token({ header, claims, key }: Token = {}): Promise<string> {
  const all: Record<string, unknown> = {
    iss: issuer,
    aud: 'urn:hub',
    sub: 'reader',
    iat: seconds,
    exp: seconds + 600,
    ...claims,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return await new SignJWT(kept)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...header })
    .sign(key ?? ours.privateKey);
}

test('a good token names its principal', async () => {
  expect(await world().ask(await token())).toEqual(principal);
});

test('an unsigned token is refused, also one whose algorithm is changed after signing [A01]', async () => {
  const { ask } = world();
  const claims = { sub: 'reader', iat: seconds, exp: seconds + 600 };
  expect(await ask(new UnsecuredJWT({ ...claims, iss: issuer, aud: 'urn:hub' }).encode())).toBeNull();
  const [, payload, signature] = (await token()).split('.');
  const none = base64url.encode(JSON.stringify({ alg: 'none', kid: 'k1', typ: 'at+jwt' }));
  expect(await ask(`${none}.${payload ?? ''}.${signature ?? ''}`)).toBeNull();
  expect(await ask(`${none}.${payload ?? ''}.`)).toBeNull();
});

test('a token signed with our public key as a shared secret is refused [A02]', async () => {
  const { ask } = world();
  const spki = createPublicKey(ours.publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'pem' });
  const secret = new TextEncoder().encode(spki.toString());
  expect(await ask(await token({ header: { alg: 'HS256' }, key: secret }))).toBeNull();
});

test('a token brings no key and names no place to find one [A03]', async () => {
  const { ask, state } = world();
  const jwk = theirs.publicKey.export({ format: 'jwk' });
  const headers = [{ jku: 'http://127.0.0.1:9/jwks' }, { jwk }, { x5u: 'http://127.0.0.1:9/cert' }, { x5c: ['MIIB'] }];
  for (const header of headers) {
    expect(await ask(await token({ header, key: theirs.privateKey }))).toBeNull();
    expect(await ask(await token({ header }))).toBeNull();
  }
  expect(state.lookups).toEqual([]);
  expect(await ask(await token({ header: { kid: '../../dev/null' } }))).toBeNull();
  expect(state.lookups).toEqual(['../../dev/null']);
});

test('an issuer whose clock is an hour ahead is refused and told about; forged, old or foreign tokens tell nothing about clocks [F20]', async () => {
  const { ask, state } = world();
  for (const claims of [{ iat: seconds + 3_600, exp: seconds + 4_200 }, { nbf: seconds + 3_600 }])
    expect(await ask(await token({ claims }))).toBeNull();
  expect(state.events).toEqual(['early', 'refused', 'early', 'refused']);
  state.events.length = 0;
  const late = { iat: seconds + 3_600, exp: seconds + 4_200 };
  expect(await ask(await token({ claims: late, key: theirs.privateKey }))).toBeNull();
  expect(await ask(await token({ claims: { iat: seconds - 3_600, exp: seconds - 3_000 } }))).toBeNull();
  expect(await ask(await token({ claims: { aud: 'urn:other' } }))).toBeNull();
  expect(state.events).toEqual(['refused', 'refused', 'refused']);
});

test('life and origin of a token are held to 30 s and to the list of issuers [A04]', async () => {
  const { ask } = world();
  const good = [{ exp: seconds - 29, iat: seconds - 500 }, { nbf: seconds + 29 }, { iat: seconds + 29 }];
  const bad = [
    { exp: seconds - 31, iat: seconds - 500 },
    { nbf: seconds + 31 },
    { iat: seconds + 31 },
    { exp: undefined },
    { iat: undefined },
    { sub: undefined },
    { iat: seconds - 631 },
    { iss: 'http://127.0.0.1:4001' },
    { iss: undefined },
    { aud: 'urn:other' },
    { aud: undefined },
  ];
  for (const claims of good) expect(await ask(await token({ claims }))).toEqual(principal);
  for (const claims of bad) expect(await ask(await token({ claims }))).toBeNull();
  expect(await ask(await token({ header: { typ: 'JWT' } }))).toBeNull();
  expect(await ask(await token({ key: theirs.privateKey }))).toBeNull();
});

test('a remembered token ends with its life and with the standing of its principal', async () => {
  const { ask, state } = world();
  const bearer = await token();
  for (let n = 0; n < 5; n++) await ask(bearer);
  expect(state.finds).toBe(1);
  expect(state.lookups).toHaveLength(1);
  state.standing = false;
  state.now += 31_000;
  expect(await ask(bearer)).toBeNull(); // revoked: 30 s later at most
  state.standing = true;
  state.now += 6_000;
  expect(await ask(bearer)).toEqual(principal);
  state.now = start + 631_000;
  expect(await ask(bearer)).toBeNull();
});

test('a burst with one token is verified once', async () => {
  const { ask, state } = world();
  const bearer = await token();
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(bearer)));
  expect(new Set(answers)).toEqual(new Set([principal]));
  expect(state.finds).toBe(1);
});

test('no text that is not a token is taken for one', async () => {
  const { authenticator } = world();
  const bearer = await token();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.integer({ min: 0, max: bearer.length - 1 })), async (edit) => {
      const text = typeof edit === 'string' ? `Bearer ${edit}` : `Bearer ${bearer.slice(0, edit)}${bearer.slice(edit + 1)}`;
      expect(await authenticator.authenticate(text)).toBeNull();
    }),
    { numRuns: 300 },
  );
  expect(await authenticator.authenticate(undefined)).toBeNull();
  expect(await authenticator.authenticate('Basic YTpi')).toBeNull();
  expect(await authenticator.authenticate(`Bearer ${'a'.repeat(9_000)}.b.c`)).toBeNull();
});

test('two Authorization headers are as good as none [B94]', () => {
  expect(singleAuthorization(['Host', 'h', 'authorization', 'Bearer a'])).toBe('Bearer a');
  expect(singleAuthorization(['Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer a'])).toBeUndefined();
  expect(singleAuthorization(['Host', 'h'])).toBeUndefined();
});

test('an outside issuer that knows log-ins speaks of log-ins', async () => {
  const asked: string[] = [];
  const authenticator = createAuthenticator({
    issuers: [
      {
        issuer,
        algorithms: ['ES256'],
        keys: () => Promise.resolve(ours.publicKey),
        lifetime: 3_600,
        type: null,
        subject: 'login',
      },
    ],
    principals: {
      find: (subject) => {
        asked.push(subject);
        return Promise.resolve(null);
      },
      basis: () => Promise.resolve(null),
    },
    clock: { now: () => new Date(start) },
  });
  expect(await authenticator.authenticate(`Bearer ${await token({ header: { typ: 'JWT' } })}`)).toBeNull();
  expect(asked).toEqual(['login:reader']);
});

test('keys or principals that cannot be reached are told as such, never as a bad token', async () => {
  const away = refusal('ORGANISATION_AWAY', { retryAfter: 2 });
  await expect(world({ keys: () => Promise.reject(away) }).ask(await token())).rejects.toBe(away);
  const { state, ask } = world();
  state.away = away;
  await expect(ask(await token())).rejects.toBe(away);
  state.away = null;
  expect(await ask(await token())).toEqual(principal);
  const signer = new HopSigner(() => hopSigningKey(makeHopKey().secret), { now: () => new Date() });
  const unreachable = organisationOverHop(signer, () => Promise.reject(new Error('ECONNREFUSED')), issuer);
  await expect(world({ keys: unreachable.keys }).ask(await token())).rejects.toMatchObject({ reason: 'ORGANISATION_AWAY' });
  const failing = organisationOverHop(signer, () => Promise.resolve({ status: 503, headers: {}, body: Buffer.alloc(0) }), issuer);
  await expect(world({ keys: failing.keys }).ask(await token())).rejects.toMatchObject({ reason: 'ORGANISATION_AWAY' });
  expect(await world({ keys: () => Promise.reject(new Error('no such key')) }).ask(await token())).toBeNull();
});
