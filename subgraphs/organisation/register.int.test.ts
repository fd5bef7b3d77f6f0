import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { createAuthenticator } from '#kernel/auth/authenticate.ts';
import { hopHeader, HopSigner, hopSigningKey, HopVerifier, hopVerifyingKeys, makeHopKey } from '#kernel/auth/hop.ts';
import { oauthPaths, organisationOverHop, principalsPath, type HopSend } from '#kernel/auth/organisation-hop.ts';
import { permissionsOf } from '#kernel/auth/permissions.ts';
import { systemClock } from '#kernel/clock.ts';
import { asScope, withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { people } from '../../test/kit/record-world.ts';
import { everyUnit } from './database.ts';
import { openIdentity, openRegister, type Identity, type Register } from './index.ts';

let database: TestDatabase;
let register: Register;
let identity: Identity;
let edge: FastifyInstance;
const identifierKey = Buffer.alloc(32, 7);
const issuer = 'http://127.0.0.1:4000';
const time = { offset: 0 };
const clock = { now: () => new Date(Date.now() + time.offset) };

beforeAll(async () => {
  database = await createTestDatabase();
  await withClient(database.ownerUrl, (client) =>
    client.query(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
      (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'), (4, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01')`),
  );
  const url = database.roles.organisation;
  register = openRegister({ url, identifierKey, clock: systemClock });
  identity = openIdentity({ url, identifierKey, issuer: () => issuer, clock, report: () => undefined });
  edge = Fastify();
  await edge.register(identity.edgeRoutes((request) => request.ip));
});
afterAll(async () => {
  await edge.close();
  await identity.close();
  await register.close();
  await database.close();
});

async function token(app: FastifyInstance, id: string, secret: string) {
  const answer = await app.inject({
    method: 'POST',
    url: oauthPaths.token,
    headers: {
      authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: 'grant_type=client_credentials',
  });
  return { status: answer.statusCode, token: answer.json<{ access_token?: string }>().access_token ?? '' };
}

function rows(text: string) {
  return asScope<Record<string, unknown>>(database.ownerUrl, everyUnit, text);
}

const partner = { name: 'Đối tác', unitCode: 'p', purpose: null, pointsPerMinute: null };

test('a client is added, rotated without a gap, and revoked', async () => {
  const first = await register.addClient({
    ...partner,
    id: 'partner',
    role: 'integrator',
    purpose: 'PUBHLTH',
    pointsPerMinute: 90_000,
  });
  expect((await token(edge, 'partner', first.secret)).status).toBe(200);
  const second = await register.rotateClient('partner', false);
  expect((await token(edge, 'partner', first.secret)).status).toBe(200);
  expect((await token(edge, 'partner', second.secret)).status).toBe(200);
  const third = await register.rotateClient('partner', true);
  expect((await token(edge, 'partner', first.secret)).status).toBe(401);
  expect((await token(edge, 'partner', second.secret)).status).toBe(401);
  expect((await token(edge, 'partner', third.secret)).status).toBe(200);
  expect(await identity.principals.find('partner', new Date())).toMatchObject({ purpose: 'PUBHLTH', pointsPerMinute: 90_000 });
  await register.revokeClient('partner');
  expect((await token(edge, 'partner', third.secret)).status).toBe(401);
  expect(await identity.principals.find('partner', new Date())).toBeNull();
  await expect(register.revokeClient('partner')).rejects.toMatchObject({ reason: 'CLIENT_UNKNOWN' });
  await expect(register.addClient({ ...partner, id: 'partner', role: 'reader' })).rejects.toMatchObject({
    reason: 'CLIENT_TAKEN',
  });
  expect(await rows(`select action, version from organisation.change where record_id = 'partner' order by version`)).toEqual([
    { action: 'added', version: 1 },
    { action: 'rotated', version: 2 },
    { action: 'rotated', version: 3 },
    { action: 'revoked', version: 4 },
  ]);
  const written = JSON.stringify([
    await rows('select * from organisation.client'),
    await rows('select * from organisation.change'),
    await rows('select * from hub.audit_event'),
  ]);
  for (const { secret } of [first, second, third]) expect(written).not.toContain(secret);
  expect((await register.listClients())[0]).toMatchObject({ id: 'partner', unit: 'p', pointsPerMinute: 90_000 });
});

test('what is no client, account or basis is refused and changes nothing', async () => {
  const refused: readonly (readonly [Promise<unknown>, string])[] = [
    [register.addClient({ ...partner, id: 'No', role: 'reader' }), 'CLIENT_ID_FORMAT'],
    [register.addClient({ ...partner, id: 'other', role: 'steward' }), 'ROLE_NOT_FOR_CLIENT'],
    [register.addClient({ ...partner, id: 'other', role: 'cli' }), 'ROLE_NOT_FOR_CLIENT'],
    [register.addClient({ ...partner, id: 'other', role: 'reader', unitCode: 'zz' }), 'UNIT_UNKNOWN'],
    [register.addClient({ ...partner, id: 'other', role: 'reader', purpose: 'FUN' }), 'PURPOSE_UNKNOWN'],
    [register.addClient({ ...partner, id: 'other', role: 'reader', pointsPerMinute: 0.5 }), 'POINTS_RANGE'],
    [register.addClient({ ...partner, id: 'other', role: 'reader', name: '  ' }), 'NAME_EMPTY'],
    [register.addAccount({ login: 'x y', name: 'A', unitCode: 'p', role: 'clerk', email: null, password: null }), 'LOGIN_FORMAT'],
    [
      register.addAccount({ login: 'abc', name: 'A', unitCode: 'p', role: 'reader', email: null, password: null }),
      'ROLE_NOT_FOR_ACCOUNT',
    ],
    [
      register.addAccount({ login: 'abc', name: 'A', unitCode: 'p', role: 'clerk', email: null, password: 'short' }),
      'PASSWORD_LENGTH',
    ],
    [register.setPassword('nobody', null), 'ACCOUNT_UNKNOWN'],
    [register.withdrawBasis('basis-x'), 'BASIS_UNKNOWN'],
  ];
  for (const [attempt, reason] of refused) await expect(attempt).rejects.toMatchObject({ reason });
  expect(await rows(`select 1 from organisation.client where id = 'other' union all select 1 from organisation.account`)).toEqual(
    [],
  );
});

test('an account asks with a token of the demonstration until it is disabled', async () => {
  const made = await register.addAccount({
    login: 'clerk',
    name: 'Cán bộ',
    unitCode: 'x11',
    role: 'clerk',
    email: null,
    password: null,
  });
  expect(made.password.length).toBeGreaterThanOrEqual(12);
  const authenticator = createAuthenticator({ issuers: [identity.trusted()], principals: identity.principals, clock });
  const bearer = `Bearer ${await register.mintToken('clerk', issuer)}`;
  expect(await authenticator.authenticate(bearer)).toMatchObject({
    id: made.id,
    kind: 'ACCOUNT',
    role: 'clerk',
    scope: '{[4,5)}',
    permissions: permissionsOf.clerk,
    pointsPerMinute: 6_000,
  });
  expect(await identity.principals.find('login:clerk', new Date())).toMatchObject({ id: made.id });
  await register.setDisabled('clerk', true);
  await expect(register.mintToken('clerk', issuer)).rejects.toMatchObject({ reason: 'ACCOUNT_DISABLED' });
  time.offset = 60_000;
  expect(await authenticator.authenticate(bearer)).toBeNull();
  await register.setDisabled('clerk', false);
  time.offset = 0;
  expect(await identity.principals.find(made.id, new Date(Date.now() - 600_000))).toBeNull(); // issued before it was disabled
  expect(await identity.principals.find(made.id, new Date(Date.now() + 1_000))).not.toBeNull();
  await expect(register.mintToken('nobody', issuer)).rejects.toMatchObject({ reason: 'ACCOUNT_UNKNOWN' });
});

test('a legal basis lends what it says while it stands; a refused one stands in the person’s access list [A21]', async () => {
  await register.addClient({ ...partner, id: 'insurer', role: 'insurer' });
  await register.addClient({ ...partner, id: 'hospital', role: 'hospital' });
  const basis = { ground: 'Đơn đề nghị 12/2026', permissions: [], citizenId: people.an, unitCode: null, from: null, until: null };
  const asked = { purpose: 'HPAYMT' as const, operation: 'Claim', traceId: 'trace-1' };
  const { id, permissions } = await register.addBasis({ ...basis, clientId: 'insurer', permissions: ['result:read'] });
  expect(permissions).toEqual(['result:read']);
  expect(await identity.principals.basis('insurer', id, asked)).toEqual({
    id,
    citizenId: people.an,
    scope: '{[1,3),[4,5)}',
    permissions: ['result:read'],
  });
  const wide = await register.addBasis({ ...basis, clientId: 'insurer', citizenId: null, unitCode: 'c1' });
  expect(await identity.principals.basis('insurer', wide.id)).toMatchObject({
    citizenId: null,
    scope: '{[2,3),[4,5)}',
    permissions: ['citizen:read', 'result:read', 'slip:read'],
  });
  // another client's, unknown, not yet begun, ended
  expect(await identity.principals.basis('hospital', id)).toBeNull();
  expect(await identity.principals.basis('insurer', 'basis-unknown')).toBeNull();
  const later = await register.addBasis({ ...basis, clientId: 'insurer', from: new Date(Date.now() + 60_000) });
  expect(await identity.principals.basis('insurer', later.id, { ...asked, traceId: 'trace-2' })).toBeNull();
  await register.withdrawBasis(id);
  expect(await identity.principals.basis('insurer', id, { ...asked, traceId: 'trace-3' })).toBeNull();
  await expect(register.withdrawBasis(id)).rejects.toMatchObject({ reason: 'BASIS_UNKNOWN' });
  expect(
    await rows(
      `select principal, purpose, basis, operation, trace_id, subjects from hub.audit_event where action = 'basis.refused' order by at`,
    ),
  ).toEqual([
    { principal: 'insurer', purpose: 'HPAYMT', basis: later.id, operation: 'Claim', trace_id: 'trace-2', subjects: [people.an] },
    { principal: 'insurer', purpose: 'HPAYMT', basis: id, operation: 'Claim', trace_id: 'trace-3', subjects: [people.an] },
  ]);
  expect(await rows(`select kind from organisation.security_event where kind like 'basis.%' order by at`)).toEqual([
    { kind: 'basis.unknown' },
    { kind: 'basis.unknown' },
    { kind: 'basis.refused' },
    { kind: 'basis.refused' },
  ]);
  const refused: readonly (readonly [Partial<Parameters<Register['addBasis']>[0]>, string])[] = [
    [{ clientId: 'hospital' }, 'BASIS_PERMISSION'],
    [{ permissions: ['card:write'] }, 'BASIS_PERMISSION'],
    [{ permissions: ['result:read', 'audit:read'] }, 'BASIS_PERMISSION'],
    [{ clientId: 'nobody' }, 'CLIENT_UNKNOWN'],
    [{ citizenId: '038090000001' }, 'ID_FORMAT'],
    [{ ground: ' ' }, 'BASIS_GROUND'],
    [{ until: new Date(0) }, 'BASIS_PERIOD'],
    [{ unitCode: 'zz' }, 'UNIT_UNKNOWN'],
  ];
  for (const [change, reason] of refused) {
    await expect(register.addBasis({ ...basis, clientId: 'insurer', ...change })).rejects.toMatchObject({ reason });
  }
  expect(await register.listBases('insurer')).toHaveLength(3);
});

test('a refused or unknown legal basis leaves one trace a minute, however often it is used', async () => {
  await register.addClient({ ...partner, id: 'hammer', role: 'insurer' });
  const { id } = await register.addBasis({
    ground: 'Đơn đề nghị 13/2026',
    permissions: [],
    citizenId: people.an,
    unitCode: null,
    from: new Date(Date.now() + 3_600_000),
    until: null,
    clientId: 'hammer',
  });
  const traces = async (): Promise<unknown> =>
    (
      await rows(`select (select count(*)::int from organisation.security_event where principal = 'hammer' and kind = 'basis.unknown') as unknown,
        (select count(*)::int from organisation.security_event where principal = 'hammer' and kind = 'basis.refused') as refused,
        (select count(*)::int from hub.audit_event where principal = 'hammer') as audited`)
    )[0];
  const use = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) {
      expect(await identity.principals.basis('hammer', id)).toBeNull();
      expect(await identity.principals.basis('hammer', `made-up-${String(n)}`)).toBeNull();
    }
  };
  await use();
  expect(await traces()).toEqual({ unknown: 1, refused: 1, audited: 1 });
  time.offset += 61_000;
  await use();
  expect(await traces()).toEqual({ unknown: 2, refused: 2, audited: 2 });
});

test('apart, organisation answers what the gateway sealed and nothing else [A05]', async () => {
  const { secret: hopSecret, open } = makeHopKey();
  const signer = new HopSigner(() => hopSigningKey(hopSecret), clock);
  const verifier = new HopVerifier('organisation', () => hopVerifyingKeys([open]), clock);
  const server = Fastify();
  await server.register(identity.hopRoutes(verifier));
  const sent: string[] = [];
  const send: HopSend = async ({ method, path, headers, body }) => {
    sent.push(path);
    const answer = await server.inject({ method, url: path, headers, ...(body === null ? {} : { payload: body }) });
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      body: answer.rawPayload,
    };
  };
  const over = organisationOverHop(signer, send, 'http://127.0.0.1:4000');
  const gateway = Fastify();
  await gateway.register(over.routes((request) => request.ip));
  try {
    const { secret } = await register.addClient({ ...partner, id: 'apart', role: 'reader', unitCode: 'c1' });
    expect((await token(gateway, 'apart', `${secret}x`)).status).toBe(401);
    const good = await token(gateway, 'apart', secret);
    expect(good.status).toBe(200);
    const authenticator = createAuthenticator({
      issuers: [{ ...identity.trusted(), keys: over.keys }],
      principals: over.principals,
      clock,
    });
    expect(await authenticator.authenticate(`Bearer ${good.token}`)).toEqual(await identity.principals.find('apart', new Date()));
    expect(sent).toContain(oauthPaths.keys);
    expect((await gateway.inject({ url: '/.well-known/openid-configuration' })).json()).toMatchObject({ issuer });
    const lent = await register.addBasis({
      clientId: 'insurer',
      ground: 'Luật',
      permissions: [],
      citizenId: people.chi,
      unitCode: null,
      from: null,
      until: null,
    });
    const asked = { purpose: 'HPAYMT' as const, operation: 'Q', traceId: 't' };
    expect(await over.principals.basis('insurer', lent.id, asked)).toEqual(await identity.principals.basis('insurer', lent.id));
    expect(await over.principals.find('nobody', new Date())).toBeNull();

    over.security.note({ kind: 'request.refused', principal: 'apart', traceId: 'far', detail: { code: 'FORBIDDEN' } });
    identity.security.note({ kind: 'request.refused', principal: 'apart', traceId: 'near', detail: { count: 2 } });
    await over.security.close();
    await identity.security.close();
    expect(
      await rows(`select kind, trace_id, detail from organisation.security_event where principal = 'apart' order by at`),
    ).toEqual([
      { kind: 'request.refused', trace_id: 'far', detail: { code: 'FORBIDDEN' } },
      { kind: 'request.refused', trace_id: 'near', detail: { count: 2 } },
    ]);

    // without a seal, with an access token, with a seal for another use, another body or another subgraph
    const body = JSON.stringify({ ask: 'find', subject: 'apart', issuedAt: Date.now() });
    const question = { method: 'POST', path: principalsPath };
    const seals = [
      undefined,
      good.token,
      signer.seal('organisation', 'operations', { ...question, body }),
      signer.seal('organisation', 'principals', { ...question, body: `${body} ` }),
      signer.seal('organisation', 'principals', { ...question, path: '/internal/other', body }),
      signer.seal('citizens', 'principals', { ...question, body }),
    ];
    for (const seal of seals) {
      const headers = seal === undefined ? {} : { [hopHeader]: seal, authorization: `Bearer ${good.token}` };
      expect((await server.inject({ method: 'POST', url: principalsPath, payload: body, headers })).statusCode).toBe(401);
      for (const url of [oauthPaths.keys, ...oauthPaths.discovery])
        expect((await server.inject({ url, headers })).statusCode).toBe(401);
    }
    expect((await token(server, 'apart', secret)).status).toBe(401);
    const nonsense = '{"ask":"all"}';
    const sealed = { [hopHeader]: signer.seal('organisation', 'principals', { ...question, body: nonsense }) };
    expect((await server.inject({ method: 'POST', url: principalsPath, payload: nonsense, headers: sealed })).statusCode).toBe(
      400,
    );
    // five wrong secrets at the gateway are counted by the client's address, not by the gateway's
    for (let n = 0; n < 4; n++) await token(gateway, 'apart', `${secret}y`);
    expect((await token(gateway, 'apart', secret)).status).toBe(429);
  } finally {
    await gateway.close();
    await server.close();
  }
  await expect(
    organisationOverHop(signer, () => Promise.reject(new Error('refused')), 'http://127.0.0.1:4000').principals.find(
      'x',
      new Date(),
    ),
  ).rejects.toMatchObject({
    code: 'DEGRADED',
  });
});
