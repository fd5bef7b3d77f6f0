import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createAuthenticator, publishedKeys } from '#kernel/auth/authenticate.ts';
import type { Authenticator } from '#kernel/auth/principal.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import { outsidePaths } from '#kernel/auth/sessions.ts';
import { openIdentity, openRegister, type Identity, type Register } from '../subgraphs/organisation/index.ts';
import { Browser, into, type PageAnswer } from '../test/kit/browser.ts';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';
import { openOutsideProvider, type OutsideProvider } from '../test/kit/outside-provider.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { DoorLimits } from './door-limits.ts';
import { openOutsideLogIn } from './outside-log-in.ts';
import { openWebSession } from './session.ts';

/* A provider of somebody else lets people in who have an account here, and clients too; it may also be the only one who does. */

const origin = 'http://127.0.0.1:4000';
const identifierKey = Buffer.alloc(32, 5);
const password = 'mat khau that dai';
const time = { offset: 0 };
const clock = { now: () => new Date(Date.now() + time.offset) };
const known = { id: 'lien-thong', secret: 'a/secret:of+ours' };

let database: TestDatabase;
let owner: Client;
let register: Register;
let identity: Identity;
let department: OutsideProvider;
let authenticator: Authenticator;
/** Both ways in are open, and only the outside one. */
let hub: ImaginedHub;
let closed: ImaginedHub;
let closedIdentity: Identity;

async function openHub(who: Identity, byPassword: boolean, claim = 'preferred_username'): Promise<ImaginedHub> {
  const settings = { issuer: department.issuer, client: known.id, secret: known.secret, claim, name: 'Sở Y tế' };
  const session = openWebSession({
    sessions: who.sessions,
    drafts: who.drafts,
    limiter: createRateLimiter(memoryRateStore()),
    limits: new DoorLimits(clock),
    authenticator,
    outside: openOutsideLogIn(settings, `${origin}${outsidePaths.callback}`, clock),
    byPassword,
    issuer: who.trusted(),
    publicAddress: origin,
    origins: () => [origin],
    clock,
  });
  return await openImaginedHub({
    edge: {
      authenticator,
      session,
      mounts: [who.edgeRoutes((request) => request.ip)],
      hosts: () => ['127.0.0.1:4000'],
      origins: () => [origin],
    },
  });
}

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', '{(,)}', false)`);
  await owner.query(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01')`);
  department = await openOutsideProvider({ ...known, returnTo: `${origin}${outsidePaths.callback}` });
  const url = database.roles.organisation;
  register = openRegister({ url, identifierKey, clock });
  const options = { url, identifierKey, issuer: () => origin, clock, report: () => undefined };
  identity = openIdentity({ ...options, ways: { passwords: true, clients: true, outside: 'Sở Y tế' } });
  closedIdentity = openIdentity({ ...options, ways: { passwords: false, clients: false, outside: 'Sở Y tế' } });
  const outside = { issuer: department.issuer, algorithms: ['RS256'], lifetime: 3_600, type: null } as const;
  authenticator = createAuthenticator({
    issuers: [
      identity.trusted(),
      { ...outside, keys: publishedKeys(new URL(department.jwksUri), undefined, 0), subject: 'client', claim: 'azp' },
    ],
    principals: identity.principals,
    clock,
  });
  [hub, closed] = [await openHub(identity, true), await openHub(closedIdentity, false)];
  for (const login of ['an.nguyen', 'binh.tran']) {
    await register.addAccount({ login, name: login, unitCode: 'p', role: 'centre', email: null, password });
  }
  await register.setDisabled('binh.tran', true);
  department.claims.set('7001', { preferred_username: 'An.Nguyen', email: 'an.nguyen', email_verified: false });
  department.claims.set('7002', { preferred_username: 'binh.tran' });
  department.claims.set('7003', { preferred_username: '<b>khach</b>' });
  department.claims.set('7004', {});
});
afterAll(async () => {
  await Promise.all([hub.close(), closed.close(), department.close()]);
  await Promise.all([identity.close(), closedIdentity.close(), register.close(), owner.end()]);
  await database.close();
});
beforeEach(() => {
  time.offset += 60_000;
});

/** From the button to where the provider sends the browser back, that request not yet made. */
async function goThere(browser: Browser, person: string | null): Promise<string> {
  department.person = person;
  const sent = await browser.step(outsidePaths.begin);
  expect(sent.statusCode).toBe(303);
  return await department.visit(String(sent.headers.location));
}

async function logIn(
  person: string | null,
  at: ImaginedHub = hub,
): Promise<{ readonly browser: Browser; readonly answer: PageAnswer }> {
  const browser = new Browser(into(at.app), origin);
  const back = await goThere(browser, person);
  return { browser, answer: await browser.step(back) };
}

test('the log-in page offers the other way in, and who comes by it is the account that the claim names', async () => {
  const page = (await new Browser(into(hub.app), origin).get('/auth/login')).body;
  expect(page).toContain(`<a href="${outsidePaths.begin}">Đăng nhập bằng Sở Y tế`);
  const { browser, answer } = await logIn('7001');
  expect([answer.statusCode, answer.headers.location]).toEqual([303, '/']);
  expect([...browser.cookies().keys()]).toEqual(['hub-4000']);
  expect(browser.cookies().get('hub-4000')).toContain('HttpOnly; SameSite=Strict');
  expect((await browser.step('/auth/session')).json()).toMatchObject({ name: 'an.nguyen', role: 'centre', kind: 'ACCOUNT' });
  expect((await browser.post('/auth/logout')).statusCode).toBe(204);
  expect((await browser.step('/auth/session')).statusCode).toBe(401);
});

test('without an account, or with a disabled one, he is refused with the reason; nothing is made for him', async () => {
  for (const person of ['7002', '7003']) {
    const { browser, answer } = await logIn(person);
    expect(answer.statusCode).toBe(403);
    expect(answer.body).toContain('không có tài khoản đang hoạt động');
    expect(answer.body).not.toContain('<b>');
    expect(browser.cookies().has('hub-4000')).toBe(false);
  }
  const { rows } = await owner.query(
    `select count(*)::int as n from organisation.security_event where kind = 'login.outside-refused'`,
  );
  expect(rows).toEqual([{ n: 2 }]);
  expect((await owner.query('select 1 from organisation.account')).rows).toHaveLength(2);
});

test('who names nobody, gives up, or has no verified address gets a page that says so', async () => {
  for (const person of ['7004', null]) {
    const { answer } = await logIn(person);
    expect([answer.statusCode, answer.body.includes('đã bị hủy')]).toEqual([400, true]);
  }
  const byEmail = await openHub(identity, true, 'email');
  expect((await logIn('7001', byEmail)).answer.statusCode).toBe(400);
  department.claims.set('7001', { preferred_username: 'an.nguyen', email: 'an.nguyen', email_verified: true });
  expect((await logIn('7001', byEmail)).answer.statusCode).toBe(303);
  await byEmail.close();
});

test('a log-in belongs to the browser that began it, once, and to this provider', async () => {
  const begun = new Browser(into(hub.app), origin);
  const back = await goThere(begun, '7001');
  const stranger = new Browser(into(hub.app), origin);
  expect((await stranger.step(back)).statusCode).toBe(400);
  await stranger.step(outsidePaths.begin);
  expect((await stranger.step(back)).statusCode).toBe(400);
  expect((await begun.step(back.replace(/iss=[^&]*/, 'iss=https%3A%2F%2Fother.example'))).statusCode).toBe(400);
  expect((await begun.step(back)).statusCode).toBe(400);
  // The state of a log-in by password opens nothing here either.
  const mixed = new Browser(into(hub.app), origin);
  await mixed.step('/auth/login');
  expect((await mixed.step(back)).statusCode).toBe(400);
});

test('its keys rotate, and log-ins and tokens go on', async () => {
  expect((await logIn('7001')).answer.statusCode).toBe(303);
  await department.rotate();
  expect((await logIn('7001')).answer.statusCode).toBe(303);
});

test('clients come by its tokens too: a client of ours, named by the claim of the settings; an account is none', async () => {
  await register.addClient({
    id: 'doi-tac',
    name: 'Đối tác',
    unitCode: 'p',
    role: 'reader',
    purpose: null,
    pointsPerMinute: null,
  });
  const ask = async (azp: string): Promise<string | undefined> =>
    (await authenticator.authenticate(`Bearer ${await department.accessToken('any', { azp })}`))?.id;
  expect([await ask('doi-tac'), await ask('nobody'), await ask('an.nguyen')]).toEqual(['doi-tac', undefined, undefined]);
  await department.rotate();
  expect(await ask('doi-tac')).toBe('doi-tac');
});

test('while it is away a page says so, and the log-in by password still works', async () => {
  const elsewhere = await openOutsideProvider({ ...known, returnTo: `${origin}${outsidePaths.callback}` });
  const real = department;
  department = elsewhere;
  elsewhere.claims.set('7001', { preferred_username: 'an.nguyen' });
  const other = await openHub(identity, true);
  const browser = new Browser(into(other.app), origin);
  const back = await goThere(browser, '7001');
  await elsewhere.close();
  department = real;
  const late = await browser.step(back);
  expect([late.statusCode, late.body.includes('Sở Y tế không trả lời'), late.body.includes('/auth/login')]).toEqual([
    503,
    true,
    true,
  ]);
  time.offset += 60_000;
  expect((await browser.step(outsidePaths.begin)).statusCode).toBe(503);
  await browser.get('/auth/login');
  await browser.submit({ login: 'an.nguyen', password });
  expect(browser.at).toBe('/');
  await other.close();
});

test('with the own provider switched off, the outside one is the only way in', async () => {
  const browser = new Browser(into(closed.app), origin);
  const begun = await browser.step('/auth/login');
  expect([begun.statusCode, begun.headers.location]).toEqual([303, outsidePaths.begin]);
  for (const url of ['/oauth/auth?client_id=admin', '/oauth/login/abc']) {
    const answer = await browser.step(url);
    expect([answer.statusCode, answer.body.includes('Không đăng nhập bằng mật khẩu')]).toEqual([403, true]);
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await browser.post('/oauth/login/abc', form, `login=an.nguyen&password=${password}`)).statusCode).toBe(403);
  const token = await browser.post('/oauth/token', form, 'grant_type=client_credentials');
  expect([token.statusCode, (token.json() as { error: string }).error]).toEqual([403, 'unauthorized_client']);
  const { browser: inside, answer } = await logIn('7001', closed);
  expect(answer.statusCode).toBe(303);
  expect((await inside.step('/auth/session')).statusCode).toBe(200);
});
