import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { Client } from 'pg';
import { createAuthenticator } from '#kernel/auth/authenticate.ts';
import { hashSecret, newSecret } from '#kernel/auth/secrets.ts';
import { systemClock } from '#kernel/clock.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { everyUnit, openOrganisationDatabase, type OrganisationDatabase } from './database.ts';
import { openOAuth } from './oidc.ts';
import { Principals } from './principals.ts';
import { SecondFactor } from './second-factor.ts';
import { SigningKeys } from './signing-keys.ts';
import { UnitDirectory, unitRowsText, type UnitRow } from './units.ts';

let database: TestDatabase;
let owner: Client;
let own: OrganisationDatabase;
let keys: SigningKeys;
let app: FastifyInstance;
let issuer: string;
const installation = Buffer.alloc(32, 7);
const secret = newSecret();
const time = { offset: 0 };
const clock = { now: () => new Date(Date.now() + time.offset) };

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', '${everyUnit}', false)`);
  await owner.query(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'), (3, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01')`);
  await owner.query(
    `insert into organisation.client (id, name, unit_no, role, secret_hashes) values
      ('reader', 'Reader', 1, 'reader', $1), ('short', 'Short', 2, 'reader', $2), ('ended', 'Ended', 1, 'reader', $1)`,
    [[await hashSecret(secret)], [await hashSecret('short-secret')]],
  );
  await owner.query(`update organisation.client set revoked_at = clock_timestamp() where id = 'ended'`);
  own = openOrganisationDatabase(database.roles.organisation);
  keys = new SigningKeys(own, installation, clock);
  app = Fastify();
  const oauth = openOAuth({
    database: own,
    keys,
    factor: new SecondFactor(installation, clock),
    issuer: () => issuer,
    clock,
    report: () => undefined,
  });
  await app.register(oauth.routes((request) => request.headers['test-address']?.toString() ?? '10.9.9.9'));
  issuer = await app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await app.close();
  await own.close();
  await owner.end();
  await database.close();
});
beforeEach(() => {
  time.offset += 120_000; // the windows of the test before are over
});

interface TokenAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  readonly accessToken: string;
}

async function token(id: string, password: string, body = 'grant_type=client_credentials', headers = {}): Promise<TokenAnswer> {
  const answer = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    body,
  });
  const text = await answer.text();
  const { access_token: accessToken } = JSON.parse(text) as { access_token?: string };
  return { status: answer.status, body: text, retryAfter: answer.headers.get('retry-after'), accessToken: accessToken ?? '' };
}

test('a machine gets a JWT for the hub with neither scope nor resource, in one line of JSON', async () => {
  const { status, body, accessToken } = await token('reader', secret);
  expect(status).toBe(200);
  expect(body).not.toContain('\n');
  expect(JSON.parse(body)).toMatchObject({ token_type: 'Bearer', expires_in: 600 });
  const { payload, protectedHeader } = await jwtVerify(accessToken, createRemoteJWKSet(new URL(`${issuer}/oauth/jwks`)), {
    issuer,
    audience: 'urn:hub',
    typ: 'at+jwt',
  });
  expect(protectedHeader.alg).toBe('ES256');
  expect(payload.sub).toBe('reader');
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
  expect((await token('short', 'short-secret')).status).toBe(200);
  expect((await token('reader', secret, 'grant_type=client_credentials&resource=urn:hub')).status).toBe(200);
  expect((await token('reader', secret, 'grant_type=client_credentials&resource=urn:other')).status).toBe(400);
  expect((await token('reader', secret, 'grant_type=password&username=a&password=b')).status).toBe(400);
});

test('discovery names the issuer, whatever the Host and forwarding headers say', async () => {
  const answer = await app.inject({
    url: '/.well-known/openid-configuration',
    headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.body).not.toContain('\n');
  expect(answer.body).not.toContain('evil');
  expect(answer.json()).toMatchObject({
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/oauth/jwks`,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
  });
  const set = (await app.inject({ url: '/oauth/jwks' })).body;
  expect(set).not.toContain('"d"');
});

test('no other origin is allowed to ask [B100]', async () => {
  const origin = 'https://evil.example';
  for (const url of ['/.well-known/openid-configuration', '/oauth/jwks']) {
    const { headers } = await app.inject({ url, headers: { origin } });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
  const { headers } = await app.inject({ method: 'POST', url: '/oauth/token', headers: { origin } });
  expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  expect((await app.inject({ method: 'OPTIONS', url: '/oauth/token', headers: { origin } })).statusCode).toBe(404);
});

test('nothing else of the provider is mounted', async () => {
  for (const url of ['/oauth/authorize', '/oauth/reg', '/session/end/confirm', '/oauth/me', '/oauth/token', '/interaction/x']) {
    expect((await app.inject({ url })).statusCode).toBe(404);
  }
});

test('twenty wrong secrets in a minute: from the sixth on RATE, also for the right one, elsewhere not [A07]', async () => {
  const answers = [];
  for (let n = 0; n < 20; n++)
    answers.push(await token('reader', `wrong-${String(n)}`, undefined, { 'test-address': '10.0.0.1' }));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, ...Array.from({ length: 15 }, () => 429)]);
  expect(answers[5]?.body).toContain('"RATE"');
  expect(Number(answers[5]?.retryAfter)).toBeGreaterThan(0);
  expect((await token('reader', secret, undefined, { 'test-address': '10.0.0.1' })).status).toBe(429);
  expect((await token('reader', secret, undefined, { 'test-address': '10.0.0.2' })).status).toBe(200);
});

test('guesses at one client count together however its name is spelled, h%6Fspital-a like hospital-a [A07]', async () => {
  const from = { 'test-address': '10.0.2.1' };
  for (const id of ['hospital-a', 'h%6Fspital-a', '%68ospital-a', 'hospital%2Da', 'hospital%2da'])
    expect((await token(id, newSecret(), undefined, from)).status).toBe(401);
  for (const id of ['h%6fspital-a', 'hospital-a']) expect((await token(id, newSecret(), undefined, from)).status).toBe(429);
  expect((await token('%zz', newSecret(), undefined, from)).status).toBe(400);
});

test('unknown and revoked clients are refused like a wrong secret, and counted like one [A07]', async () => {
  const from = { 'test-address': '10.0.1.1' };
  const wrong = await token('reader', newSecret(), undefined, from);
  for (const id of ['nobody', 'ended', '../../etc/passwd', 'a%20b']) {
    const { status, body } = await token(id, id === 'ended' ? secret : newSecret(), undefined, from);
    expect({ status, body }).toEqual({ status: wrong.status, body: wrong.body });
  }
  for (let n = 0; n < 4; n++) await token('nobody', newSecret(), undefined, from);
  expect((await token('nobody', newSecret(), undefined, from)).status).toBe(429);
});

test('what is no client authentication at all is refused', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const post = (payload: string, more = {}) =>
    app.inject({ method: 'POST', url: '/oauth/token', payload, headers: { ...headers, ...more } });
  expect((await post('grant_type=client_credentials')).statusCode).toBe(400);
  expect((await post(`grant_type=client_credentials&client_id=reader&client_secret=${secret}`)).statusCode).toBe(401);
  expect((await post('grant_type=client_credentials', { authorization: 'Bearer x' })).statusCode).toBe(400);
  expect((await post('x'.repeat(60_000))).statusCode).toBe(413);
  const html = await post('grant_type=client_credentials', { accept: 'text/html' });
  expect(html.headers['content-type']).toContain('application/json');
});

test('keys rotate without a token being refused: published before use, kept until its tokens ended', async () => {
  const before = await token('reader', secret);
  const old = decodeProtectedHeader(before.accessToken).kid ?? '';
  const published = async () =>
    (await app.inject({ url: '/oauth/jwks' })).json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid);
  const { kid: next, fresh } = await keys.rotate();
  expect(fresh).toBe(true);
  expect((await keys.rotate()).kid).toBe(next); // one waits already
  expect(await published()).toEqual([old, next]);
  expect(decodeProtectedHeader((await token('reader', secret)).accessToken).kid).toBe(old);
  // fifteen minutes later by the database's clock
  await owner.query(`update organisation.signing_key set created_at = created_at - interval '901 seconds'`);
  time.offset += 16_000;
  const after = await token('reader', secret);
  expect(decodeProtectedHeader(after.accessToken).kid).toBe(next);
  expect(await published()).toEqual([next, old]);
  expect(await keys.tidy()).toBe(0);
  await expect(jwtVerify(before.accessToken, await keys.verifying(old))).resolves.toBeDefined();
  await owner.query(`update organisation.signing_key set created_at = created_at - interval '721 seconds'`);
  expect(await keys.tidy()).toBe(1);
  expect(await published()).toEqual([next]);
  await expect(keys.verifying(old)).rejects.toThrow();
});

test('private keys do not lie readable in the database', async () => {
  await keys.current();
  const { rows } = await owner.query<{ text: string }>('select private_jwk::text as text from organisation.signing_key');
  expect(rows.length).toBeGreaterThan(0);
  for (const { text } of rows) expect(text).not.toContain('"d"');
  await expect(new SigningKeys(own, Buffer.alloc(32, 8), systemClock).current()).rejects.toThrow();
});

test('a revoked client is nobody within a minute, and its dead token leaves a security event [A06]', async () => {
  const units = new UnitDirectory(() => own.read((sql) => sql.rows<UnitRow>(unitRowsText)), clock);
  const authenticator = createAuthenticator({
    issuers: [
      {
        issuer,
        algorithms: ['ES256'],
        keys: ({ kid }) => keys.verifying(kid),
        lifetime: 600,
        type: 'at+jwt',
        subject: 'id',
      },
    ],
    principals: new Principals(own, units, clock),
    clock,
  });
  time.offset = 0;
  await owner.query(`update organisation.client set unit_no = 2 where id = 'short'`);
  const { accessToken } = await token('short', 'short-secret', undefined, { 'test-address': '10.0.7.7' });
  expect(decodeJwt(accessToken).client_id).toBe('short');
  expect(await authenticator.authenticate(`Bearer ${accessToken}`)).toMatchObject({
    id: 'short',
    kind: 'CLIENT',
    role: 'reader',
    unitNo: 2,
    scope: '{[2,4)}',
    scopeUnits: 2,
    purpose: 'HOPERAT',
    pointsPerMinute: 60_000,
  });
  await owner.query(`update organisation.client set revoked_at = clock_timestamp() where id = 'short'`);
  time.offset = 60_000;
  expect(await authenticator.authenticate(`Bearer ${accessToken}`)).toBeNull();
  expect((await token('short', 'short-secret', undefined, { 'test-address': '10.0.7.8' })).status).toBe(401);
  const { rows } = await owner.query(`select kind, principal from organisation.security_event where principal = 'short'`);
  expect(rows).toEqual([{ kind: 'token.dead', principal: 'short' }]);
});
