import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { Client } from 'pg';
import { createAuthenticator } from '#kernel/auth/authenticate.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import type { LiveSession, SessionSource } from '#kernel/auth/sessions.ts';
import { Browser, into, type PageAnswer } from '../test/kit/browser.ts';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { openIdentity, openRegister, type Identity, type Register } from '../subgraphs/organisation/index.ts';
import { countingLogIns, DoorLimits } from './door-limits.ts';
import { openWebSession } from './session.ts';

const origin = 'http://127.0.0.1:4000';
const identifierKey = Buffer.alloc(32, 5);
const password = 'mat khau that dai';
const time = { offset: 0 };
const clock = { now: () => new Date(Date.now() + time.offset) };
const minute = 60_000;

let database: TestDatabase;
let owner: Client;
let register: Register;
let identity: Identity;
let hub: ImaginedHub;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', '{(,)}', false)`);
  await owner.query(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01')`);
  const url = database.roles.organisation;
  register = openRegister({ url, identifierKey, clock });
  identity = openIdentity({ url, identifierKey, issuer: () => origin, clock, report: () => undefined });
  const authenticator = createAuthenticator({ issuers: [identity.trusted()], principals: identity.principals, clock });
  const session = openWebSession({
    sessions: identity.sessions,
    drafts: identity.drafts,
    limiter: createRateLimiter(memoryRateStore()),
    limits: new DoorLimits(clock),
    authenticator,
    issuer: identity.trusted(),
    publicAddress: origin,
    origins: () => [origin],
    clock,
  });
  hub = await openImaginedHub({
    edge: {
      authenticator,
      session,
      mounts: [identity.edgeRoutes((request) => request.ip)],
      hosts: () => ['127.0.0.1:4000', 'localhost:4000'],
      origins: () => [origin],
    },
  });
  for (const login of ['an.nguyen', 'binh.tran', 'chi.le']) {
    await register.addAccount({ login, name: login, unitCode: 'c1', role: 'centre', email: null, password });
  }
});
afterAll(async () => {
  await hub.close();
  await identity.close();
  await register.close();
  await owner.end();
  await database.close();
});
beforeEach(() => {
  time.offset += 2 * minute;
});

async function logIn(login: string): Promise<Browser> {
  const browser = new Browser(into(hub.app), origin);
  expect((await browser.get('/auth/login')).body).toContain('name="password"');
  await browser.submit({ login, password });
  expect(browser.at).toBe('/');
  return browser;
}

const json = { 'content-type': 'application/json' };
const me = JSON.stringify({ query: '{ me { id } }' });

async function ask(browser: Browser, headers: Readonly<Record<string, string>> = {}): Promise<PageAnswer> {
  return await browser.post('/graphql', { ...json, ...headers }, me);
}

/** Answered, whatever the imagined subgraphs say; refused otherwise. */
function codeOf(answer: PageAnswer): string | null {
  const { errors } = answer.json() as { errors?: readonly { extensions: { code: string } }[] };
  const code = errors?.[0]?.extensions.code ?? null;
  return code === 'UNAUTHENTICATED' || code === 'FORBIDDEN' || code === 'UNSUPPORTED' ? code : null;
}

test('who logs in has one cookie that no script reads and no other site sends', async () => {
  const browser = await logIn('an.nguyen');
  const cookies = [...browser.cookies()].filter(([, line]) => !line.toLowerCase().includes('path=/oauth'));
  expect(cookies.map(([name]) => name)).toEqual(['hub-4000']);
  expect(cookies[0]?.[1]).toContain('HttpOnly; SameSite=Strict');
  const session = await browser.step('/auth/session');
  expect(session.statusCode).toBe(200);
  expect(session.headers['cache-control']).toBe('no-store');
  expect(session.json()).toMatchObject({ name: 'an.nguyen', role: 'centre', kind: 'ACCOUNT', orgUnit: { id: 'u2' } });
  expect(session.body).not.toContain('eyJ'); // the token stays at the edge
  expect(codeOf(await ask(browser))).toBeNull();
  const { rows } = await owner.query('select key from organisation.session');
  expect(browser.cookieHeader()).not.toContain((rows[0] as { key: string }).key);
});

test('the cookie counts for a page of ours alone [A40]', async () => {
  const browser = await logIn('an.nguyen');
  expect(codeOf(await ask(browser))).toBeNull();
  expect(codeOf(await ask(browser, { origin: 'https://evil.example' }))).toBe('FORBIDDEN');
  expect(codeOf(await ask(browser, { origin: 'null' }))).toBe('FORBIDDEN');
  // A request of no page at all: curl with a stolen cookie, or an old browser.
  const cookie = browser.cookieHeader();
  const bare = await hub.app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { host: '127.0.0.1:4000', cookie, ...json },
    payload: me,
  });
  expect(codeOf(bare)).toBe('UNAUTHENTICATED');
  const form = await browser.post('/graphql', { 'content-type': 'application/x-www-form-urlencoded' }, 'query={me{id}}');
  expect(form.statusCode).toBe(415);
  for (const url of ['/auth/logout', '/auth/logout/everywhere']) {
    expect((await browser.post(url, { origin: 'https://evil.example' })).statusCode).toBe(403);
  }
  expect((await browser.step('/auth/session')).statusCode).toBe(200);
});

test('where a request brings an Authorization of its own, the cookie is not read', async () => {
  const browser = await logIn('an.nguyen');
  expect(codeOf(await ask(browser, { authorization: 'Bearer no.good.token' }))).toBe('UNAUTHENTICATED');
  expect(codeOf(await ask(browser, { authorization: '' }))).toBe('UNAUTHENTICATED');
});

test('after log-out the session is dead at once, even for who kept the cookie [A06]', async () => {
  const browser = await logIn('binh.tran');
  const cookie = browser.cookieHeader();
  expect(codeOf(await ask(browser))).toBeNull();
  expect((await browser.post('/auth/logout')).statusCode).toBe(204);
  expect(browser.cookieHeader()).not.toContain('hub-4000');
  expect(codeOf(await ask(browser, { cookie }))).toBe('UNAUTHENTICATED');
  expect((await browser.step('/auth/session')).statusCode).toBe(401);
  // The provider knows the browser no longer either.
  expect((await browser.get('/auth/login')).body).toContain('name="password"');
});

test('logged out everywhere, every session and every token of the account is dead; others live [A06]', async () => {
  const [here, there, other] = [await logIn('binh.tran'), await logIn('binh.tran'), await logIn('an.nguyen')];
  const listed = (await here.step('/auth/sessions')).json() as { sessions: readonly { current: boolean }[] };
  expect(listed.sessions.map(({ current }) => current)).toEqual([false, true]);
  expect(codeOf(await ask(there))).toBeNull();
  expect((await here.post('/auth/logout/everywhere')).statusCode).toBe(204);
  expect(codeOf(await ask(there))).toBe('UNAUTHENTICATED');
  expect(codeOf(await ask(other))).toBeNull();
  expect((await (await logIn('binh.tran')).step('/auth/session')).statusCode).toBe(200);
});

test('a disabled account is out within a minute, wherever it was logged in [A06]', async () => {
  const browser = await logIn('chi.le');
  expect(codeOf(await ask(browser))).toBeNull();
  await register.setDisabled('chi.le', true);
  time.offset += minute;
  expect(codeOf(await ask(browser))).toBe('UNAUTHENTICATED');
  await register.setDisabled('chi.le', false);
  time.offset += minute;
  expect(codeOf(await ask(browser))).toBe('UNAUTHENTICATED'); // the old session stays dead
  const { rows } = await owner.query(`select count(*)::int as events from organisation.security_event e
    join organisation.account a on a.id::text = e.principal where e.kind = 'session.dead' and a.login = 'chi.le'`);
  expect(rows).toEqual([{ events: 1 }]);
});

test("the machine's own operator sees the sessions of an account and ends them all [A06]", async () => {
  const browser = await logIn('binh.tran');
  expect((await register.listSessions('binh.tran')).length).toBeGreaterThan(0);
  expect(await register.logOut('binh.tran')).toBeGreaterThan(0);
  expect(await register.listSessions('binh.tran')).toEqual([]);
  time.offset += minute;
  expect(codeOf(await ask(browser))).toBe('UNAUTHENTICATED');
});

test('a session ends half an hour after its last use, and after twelve hours in any case', async () => {
  const idle = await logIn('an.nguyen');
  await owner.query(`update organisation.session set last_seen_at = last_seen_at - interval '29 minutes'`);
  time.offset += minute;
  expect((await idle.step('/auth/session')).statusCode).toBe(200); // used: the half hour begins anew
  await owner.query(`update organisation.session set last_seen_at = last_seen_at - interval '29 minutes'`);
  time.offset += minute;
  expect((await idle.step('/auth/session')).statusCode).toBe(200);
  await owner.query(`update organisation.session set last_seen_at = last_seen_at - interval '31 minutes'`);
  time.offset += minute;
  expect((await idle.step('/auth/session')).statusCode).toBe(401);
  const old = await logIn('an.nguyen');
  await owner.query(`update organisation.session set expires_at = expires_at - interval '12 hours'`);
  time.offset += minute;
  expect((await old.step('/auth/session')).statusCode).toBe(401);
});

test('a callback that belongs to no log-in of this browser opens nothing', async () => {
  const victim = new Browser(into(hub.app), origin);
  for (const query of ['', '?code=x&state=y', `?code=x&state=${'a'.repeat(43)}`, '?code=a&code=b&state=c']) {
    const answer = await victim.step(`/auth/callback${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('text/html');
  }
  // Somebody else's finished log-in, sent to the victim as a link.
  const attacker = new Browser(into(hub.app), origin);
  await attacker.get('/auth/login');
  const passed = await attacker.post(
    attacker.at,
    { 'content-type': 'application/x-www-form-urlencoded' },
    `login=an.nguyen&password=${password}`,
  );
  const back = await attacker.step(String(passed.headers.location));
  const link = String(back.headers.location);
  expect(link).toContain('/auth/callback?');
  expect((await victim.step(link)).statusCode).toBe(400);
  await victim.get('/auth/login');
  expect((await victim.step(link)).statusCode).toBe(400);
  expect(victim.cookies().has('hub-4000')).toBe(false);
});

test('under another name of the machine the log-in moves to the address that cookies belong to', async () => {
  const answer = await hub.app.inject({ url: '/auth/login', headers: { host: 'localhost:4000' } });
  expect(answer.statusCode).toBe(303);
  expect(answer.headers.location).toBe(`${origin}/auth/login`);
});

test('made-up cookies from one network stop at the door, and nobody who is known there is shut out', async () => {
  const known = await logIn('an.nguyen');
  let asked = 0;
  const sessions: SessionSource = {
    open: (...args) => identity.sessions.open(...args),
    openByLogin: (...args) => identity.sessions.openByLogin(...args),
    list: (key) => identity.sessions.list(key),
    end: (...args) => identity.sessions.end(...args),
    find: (key) => {
      asked += 1;
      return identity.sessions.find(key);
    },
  };
  const session = openWebSession({
    sessions,
    drafts: identity.drafts,
    limiter: createRateLimiter(memoryRateStore()),
    limits: new DoorLimits(clock),
    authenticator: createAuthenticator({ issuers: [identity.trusted()], principals: identity.principals, clock }),
    issuer: identity.trusted(),
    publicAddress: origin,
    origins: () => [origin],
    clock,
  });
  const edge = await openImaginedHub({ edge: { session, hosts: () => ['127.0.0.1:4000'], origins: () => [origin] } });
  const { app } = edge;
  const look = async (cookie: string, remoteAddress = '10.0.0.1', more = {}): Promise<number> =>
    (await app.inject({ url: '/auth/session', remoteAddress, headers: { host: '127.0.0.1:4000', cookie, ...more } })).statusCode;
  const madeUp = (n: number): string => `hub-4000=${String(n).padStart(43, 'x')}`;
  try {
    expect(await look(known.cookieHeader())).toBe(200);
    for (let n = 0; n < 120; n += 1) expect(await look(madeUp(n))).toBe(401);
    const before = asked;
    for (let n = 120; n < 200; n += 1) expect(await look(madeUp(n))).toBe(429);
    expect(asked).toBe(before);
    time.offset += 20_000; // what is held must be asked again: known, so it is
    expect([await look(known.cookieHeader()), asked]).toEqual([200, before + 1]);
    expect(await look(madeUp(300), '10.0.0.2')).toBe(401);
    // Whoever stands behind a proxy that the settings do not name has the room of many.
    expect(await look(madeUp(301), '10.0.0.1', { 'x-forwarded-for': '203.0.113.9' })).toBe(401);
    time.offset += minute;
    expect(await look(madeUp(302))).toBe(401);
  } finally {
    await edge.close();
  }
});

test('log-ins that are begun and never ended are counted per network; the page says when to come again', async () => {
  const limits = new DoorLimits(clock);
  const app = Fastify({ trustProxy: ['10.9.9.9'] });
  await app.register(
    countingLogIns((inner, _options, done) => {
      inner.get('/oauth/auth', (_request, reply) => reply.send('begun'));
      inner.get('/oauth/jwks', (_request, reply) => reply.send('keys'));
      done();
    }, limits),
  );
  const begin = async (remoteAddress: string, forwarded?: string) =>
    await app.inject({
      url: '/oauth/auth?client_id=admin',
      remoteAddress,
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    });
  try {
    for (let n = 0; n < 360; n += 1) expect((await begin('10.0.0.1')).statusCode).toBe(200);
    const late = await begin('10.0.0.1');
    expect([late.statusCode, Number(late.headers['retry-after']) > 0, late.body.includes('Quá nhiều lượt đăng nhập')]).toEqual([
      429,
      true,
      true,
    ]);
    expect((await app.inject({ url: '/oauth/jwks', remoteAddress: '10.0.0.1' })).statusCode).toBe(200);
    // A proxy that is named: each caller is himself, and the proxy's own address locks out nobody.
    for (let n = 0; n < 361; n += 1) await begin('10.9.9.9', '203.0.113.9');
    expect((await begin('10.9.9.9', '203.0.113.9')).statusCode).toBe(429);
    expect((await begin('10.9.9.9', '203.0.113.10')).statusCode).toBe(200);
    // One that is not named has the room of many.
    for (let n = 0; n < 400; n += 1) await begin('10.0.0.7', `203.0.113.${String(n % 200)}`);
    expect((await begin('10.0.0.7', '203.0.113.1')).statusCode).toBe(200);
    time.offset += minute + 1_000;
    expect((await begin('10.0.0.1')).statusCode).toBe(200);
  } finally {
    await app.close();
  }
});

test('a look-up that began before a log-out does not bring the session back', async () => {
  const live: LiveSession = { accountId: 'a', token: 't', expiresAt: new Date(Date.now() + minute) };
  let answer: (found: LiveSession | null) => void = () => undefined;
  let alive = true;
  const sessions: SessionSource = {
    ...identity.sessions,
    find: () => (alive ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(null)),
    end: () => Promise.resolve(),
  };
  const session = openWebSession({
    sessions,
    drafts: identity.drafts,
    limiter: createRateLimiter(memoryRateStore()),
    limits: new DoorLimits(clock),
    authenticator: createAuthenticator({ issuers: [identity.trusted()], principals: identity.principals, clock }),
    issuer: identity.trusted(),
    publicAddress: origin,
    origins: () => [origin],
    clock,
  });
  const app = Fastify();
  await app.register(session.routes);
  app.get('/who', async (request) => ({ token: (await session.authorizationOf(request)) ?? null }));
  const headers = { origin, cookie: `hub-4000=${'s'.repeat(43)}` };
  const who = async (): Promise<unknown> => (await app.inject({ url: '/who', headers })).json();
  try {
    const early = who();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const out = await app.inject({ method: 'POST', url: '/auth/logout', headers });
    expect(out.statusCode).toBe(204);
    alive = false;
    answer(live);
    await early;
    expect(await who()).toEqual({ token: null });
  } finally {
    await app.close();
  }
});
