import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { generateKeyPairSync } from 'node:crypto';
import { createAuthenticator } from './authenticate.ts';
import { decodeEnvelope, encodeEnvelope, type EnvelopeCall } from './envelope.ts';
import { HopSigner, hopSigningKey, HopVerifier, hopVerifyingKeys, makeHopKey } from './hop.ts';
import { permissions, roles } from './permissions.ts';
import type { Caller } from './principal.ts';
import { purposes } from './purposes.ts';

const start = Date.UTC(2026, 10, 24, 3, 0, 0);

function ring() {
  const time = { now: start };
  const clock = { now: () => new Date(time.now) };
  const { secret, open } = makeHopKey();
  const keys = hopVerifyingKeys([open]);
  return {
    time,
    clock,
    open,
    signer: new HopSigner(() => hopSigningKey(secret), clock),
    citizens: new HopVerifier('citizens', () => keys, clock),
    insurance: new HopVerifier('insurance', () => keys, clock),
  };
}

const caller: Caller = {
  principal: {
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
  },
  purpose: 'HOPERAT',
  basis: null,
  locale: 'vi',
  traceId: 't1',
  operation: 'Q1',
  idempotencyKey: null,
};
const body = encodeEnvelope([{ caller, query: '{ citizens { nodes { id } } }', variables: { first: 20 } }]);
const sent = { method: 'POST', path: '/operations', body };
const keys = { method: 'GET', path: '/oauth/jwks', body: '' };

test('a subgraph opens what the gateway sealed for it', () => {
  const { signer, citizens } = ring();
  expect(citizens.open(signer.seal('citizens', 'operations', sent), 'operations', sent)).toEqual({
    address: null,
    issuedAt: new Date(start),
  });
  expect(citizens.open(signer.seal('citizens', 'oauth', keys, '10.0.0.7'), 'oauth', keys)?.address).toBe('10.0.0.7');
});

test('a token for citizens opens nothing at insurance [A05]', () => {
  const { signer, insurance } = ring();
  expect(insurance.open(signer.seal('citizens', 'operations', sent), 'operations', sent)).toBeNull();
});

test('a replay after 91 s, or with another operation, opens nothing [A05]', () => {
  const { signer, citizens, time } = ring();
  const seal = signer.seal('citizens', 'operations', sent);
  const other = encodeEnvelope([{ caller, query: '{ citizens { nodes { id phone } } }', variables: { first: 20 } }]);
  expect(citizens.open(seal, 'operations', { ...sent, body: other })).toBeNull();
  expect(citizens.open(seal, 'principals', sent)).toBeNull();
  time.now = start + 89_000;
  expect(citizens.open(seal, 'operations', sent)).not.toBeNull();
  time.now = start + 91_000;
  expect(citizens.open(seal, 'operations', sent)).toBeNull();
  time.now = start - 31_000;
  expect(citizens.open(seal, 'operations', sent)).toBeNull();
});

test('a seal for one path or method opens no other, though the body is as empty [A05]', () => {
  const { signer, citizens } = ring();
  const seal = signer.seal('citizens', 'oauth', keys, '10.0.0.7');
  expect(citizens.open(seal, 'oauth', { ...keys, path: '/oauth/auth?client_id=admin' })).toBeNull();
  expect(citizens.open(seal, 'oauth', { ...keys, path: '/oauth/jwks?' })).toBeNull();
  expect(citizens.open(seal, 'oauth', { ...keys, method: 'POST' })).toBeNull();
  const health = signer.seal('citizens', 'health', { ...keys, path: '/health/ready' });
  expect(citizens.open(health, 'health', { ...keys, path: '/metrics' })).toBeNull();
  expect(citizens.open(health, 'health', { ...keys, path: '/health/ready' })).not.toBeNull();
});

test('an edge token is no seal, and a seal is no edge token [A05]', async () => {
  const { signer, citizens, clock } = ring();
  const edge = generateKeyPairSync('ed25519');
  const token = await new SignJWT({ sub: 'reader' })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' })
    .setIssuer('http://127.0.0.1:4000')
    .setAudience('urn:hub')
    .setIssuedAt(start / 1000)
    .setExpirationTime(start / 1000 + 600)
    .sign(edge.privateKey);
  expect(citizens.open(token, 'operations', sent)).toBeNull();
  const authenticator = createAuthenticator({
    issuers: [
      {
        issuer: 'http://127.0.0.1:4000',
        algorithms: ['EdDSA'],
        keys: () => Promise.resolve(edge.publicKey),
        lifetime: 600,
        type: 'at+jwt',
        subject: 'id',
      },
    ],
    principals: { find: () => Promise.resolve(caller.principal), basis: () => Promise.resolve(null) },
    clock,
  });
  expect(await authenticator.authenticate(`Bearer ${token}`)).toEqual(caller.principal);
  expect(await authenticator.authenticate(`Bearer ${signer.seal('citizens', 'operations', sent)}`)).toBeNull();
});

test('nothing opens without a seal, with a foreign key, or with one character changed [A05]', () => {
  const { signer, citizens, clock } = ring();
  const seal = signer.seal('citizens', 'operations', sent);
  const stranger = new HopSigner(() => hopSigningKey(makeHopKey().secret), clock);
  expect(citizens.open(undefined, 'operations', sent)).toBeNull();
  expect(citizens.open(stranger.seal('citizens', 'operations', sent), 'operations', sent)).toBeNull();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: seal.length - 1 }), (at) => {
      const cut = seal.slice(0, at) + seal.slice(at + 1);
      expect(citizens.open(cut, 'operations', sent)).toBeNull();
    }),
    { numRuns: 300 },
  );
});

test('keys of the hop rotate while requests are under way', () => {
  const { clock, open, signer } = ring();
  const next = makeHopKey();
  const both = hopVerifyingKeys([next.open, open]);
  const verifier = new HopVerifier('slips', () => both, clock);
  const rotated = new HopSigner(() => hopSigningKey(next.secret), clock);
  expect(verifier.open(signer.seal('slips', 'operations', sent), 'operations', sent)).not.toBeNull();
  expect(verifier.open(rotated.seal('slips', 'operations', sent), 'operations', sent)).not.toBeNull();
  expect('d' in next.open).toBe(false);
  expect(() => hopSigningKey(next.open)).toThrow('public key');
});

const anyCall: fc.Arbitrary<EnvelopeCall> = fc.record({
  query: fc.string(),
  variables: fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
  ),
  caller: fc.record({
    principal: fc.record({
      id: fc.string(),
      name: fc.string(),
      kind: fc.constantFrom('ACCOUNT' as const, 'CLIENT' as const, 'CLI' as const),
      role: fc.constantFrom(...roles),
      unitNo: fc.nat(),
      scope: fc.string(),
      scopeUnits: fc.nat(),
      permissions: fc.subarray([...permissions]),
      purpose: fc.constantFrom(...purposes),
      pointsPerMinute: fc.nat(),
    }),
    purpose: fc.constantFrom(...purposes),
    basis: fc.option(
      fc.record({
        id: fc.string(),
        citizenId: fc.option(fc.string()),
        scope: fc.string(),
        permissions: fc.subarray([...permissions]),
      }),
    ),
    locale: fc.constantFrom('vi' as const, 'en' as const),
    traceId: fc.string(),
    operation: fc.string(),
    idempotencyKey: fc.option(fc.string()),
  }),
});

test('an envelope gives back exactly the calls that were put in', () => {
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 4 }), (calls) => {
      const twice = [...calls, ...calls];
      expect(decodeEnvelope(encodeEnvelope(twice))).toEqual(twice.map((call) => ({ ...call, variables: { ...call.variables } })));
    }),
  );
});

test('an envelope of another shape is refused, an unknown permission is dropped', () => {
  for (const text of ['', '{', '[]', 'null', '{"v":2}', '{"v":1,"principals":[],"texts":[],"calls":[{"who":0,"text":0}]}']) {
    expect(decodeEnvelope(text)).toBeNull();
  }
  const newer = body.replace('"permissions":["citizen:read"]', '"permissions":["citizen:read","citizen:erase"]');
  expect(decodeEnvelope(newer)?.[0]?.caller.principal.permissions).toEqual(['citizen:read']);
  expect(decodeEnvelope(body.replace('"role":"reader"', '"role":"root"'))).toBeNull();
});
