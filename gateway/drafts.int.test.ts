import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createAuthenticator } from '#kernel/auth/authenticate.ts';
import { draftLimits } from '#kernel/auth/drafts.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import { openIdentity, openRegister, type Identity, type Register } from '../subgraphs/organisation/index.ts';
import { Browser, into, type PageAnswer } from '../test/kit/browser.ts';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { DoorLimits } from './door-limits.ts';
import { openWebSession } from './session.ts';

/* What somebody is typing, kept for his account alone, until it is saved, a day is over, or he logs out. */

const origin = 'http://127.0.0.1:4000';
const identifierKey = Buffer.alloc(32, 5);
const password = 'mat khau that dai';
const clock = { now: () => new Date() };
const place = 'citizens/0190a1b2-0000-7000-8000-000000000001/update';
const draft = { version: 3, base: { phone: '0901•••567' }, mine: { phone: '0912 345 678' }, at: 1 };

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
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01')`);
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
      hosts: () => ['127.0.0.1:4000'],
      origins: () => [origin],
    },
  });
  for (const login of ['an.nguyen', 'binh.tran']) {
    await register.addAccount({ login, name: login, unitCode: 'p', role: 'centre', email: null, password });
  }
});
afterAll(async () => {
  await hub.close();
  await identity.close();
  await register.close();
  await owner.end();
  await database.close();
});
beforeEach(() => owner.query('delete from organisation.draft'));

async function logIn(login: string): Promise<Browser> {
  const browser = new Browser(into(hub.app), origin);
  await browser.get('/auth/login');
  await browser.submit({ login, password });
  expect(browser.at).toBe('/');
  return browser;
}

async function type(browser: Browser, what: object | null, where = place): Promise<PageAnswer> {
  return await browser.put('/auth/drafts', { 'content-type': 'application/json' }, JSON.stringify({ place: where, draft: what }));
}

async function waiting(browser: Browser): Promise<readonly { readonly place: string; readonly draft: unknown }[]> {
  const answer = await browser.step('/auth/drafts');
  expect(answer.statusCode).toBe(200);
  return (answer.json() as { drafts: readonly { place: string; draft: unknown }[] }).drafts;
}

test('what is typed is there again at another desk of the same account, and nobody else has it', async () => {
  const [desk, other] = [await logIn('an.nguyen'), await logIn('binh.tran')];
  expect((await type(desk, draft)).statusCode).toBe(204);
  const elsewhere = await logIn('an.nguyen');
  expect(await waiting(elsewhere)).toMatchObject([{ place, draft }]);
  expect(await waiting(other)).toEqual([]);
  await type(other, { mine: { phone: '1' } });
  expect(await waiting(desk)).toMatchObject([{ place, draft }]);
  expect((await type(desk, null)).statusCode).toBe(204);
  expect(await waiting(elsewhere)).toEqual([]);
  expect(await waiting(other)).toHaveLength(1);
});

test('it lies sealed: neither the text nor a row moved to another account tells anything', async () => {
  const [desk, other] = [await logIn('an.nguyen'), await logIn('binh.tran')];
  await type(desk, draft);
  await type(other, { mine: {} });
  const { rows } = await owner.query<{ sealed: string }>('select sealed from organisation.draft');
  expect(JSON.stringify(rows)).not.toMatch(/0912|phone/);
  await owner.query(`update organisation.draft d set sealed = (select sealed from organisation.draft where account_id <> d.account_id)
    where account_id = (select id from organisation.account where login = 'binh.tran')`);
  expect((await other.step('/auth/drafts')).statusCode).toBe(500);
  expect(await waiting(desk)).toHaveLength(1);
});

test('a log-out ends it, here and everywhere; the same person logging in again does not', async () => {
  const desk = await logIn('an.nguyen');
  await type(desk, draft);
  await desk.get('/auth/login');
  await desk.submit({ login: 'an.nguyen', password });
  expect(await waiting(desk)).toHaveLength(1);
  expect((await desk.post('/auth/logout')).statusCode).toBe(204);
  expect((await desk.step('/auth/drafts')).statusCode).toBe(401);
  expect((await type(desk, draft)).statusCode).toBe(401);
  const again = await logIn('an.nguyen');
  expect(await waiting(again)).toEqual([]);
  await type(again, draft);
  expect((await again.post('/auth/logout/everywhere')).statusCode).toBe(204);
  expect((await owner.query('select 1 from organisation.draft')).rows).toEqual([]);
});

test('who takes over a desk ends what the person before him was typing', async () => {
  const desk = await logIn('an.nguyen');
  await type(desk, draft);
  await desk.get('/auth/login');
  await desk.submit({ login: 'binh.tran', password });
  expect(await waiting(desk)).toEqual([]);
  expect((await owner.query('select 1 from organisation.draft')).rows).toEqual([]);
});

test('a draft ends a day after its last letter, and with whatever ends the sessions of its account', async () => {
  const desk = await logIn('an.nguyen');
  await type(desk, draft);
  await owner.query(`update organisation.draft set saved_at = saved_at - interval '24 hours 1 minute'`);
  expect(await waiting(desk)).toEqual([]);
  await type(desk, draft);
  await register.logOut('an.nguyen');
  expect(await waiting(await logIn('an.nguyen'))).toEqual([]);
});

test('only so many, only so large, only from a page of ours, only of a place of ours', async () => {
  const desk = await logIn('an.nguyen');
  for (let n = 0; n <= draftLimits.perAccount; n += 1)
    expect((await type(desk, draft, `units/u${String(n)}/update`)).statusCode).toBe(204);
  const kept = await waiting(desk);
  expect([kept.length, kept[0]?.place, kept.at(-1)?.place]).toEqual([30, 'units/u30/update', 'units/u1/update']);
  const long = { mine: { reason: 'ễ'.repeat(11_000) } };
  expect((await type(desk, long)).statusCode).toBe(413);
  expect((await type(desk, { mine: { reason: 'a'.repeat(40_000) } })).statusCode).toBe(413);
  for (const where of ['citizens', '../x/y', 'citizens/Nguyễn Văn An/update'])
    expect((await type(desk, draft, where)).statusCode).toBe(400);
  const json = { 'content-type': 'application/json' };
  const sent = JSON.stringify({ place, draft });
  expect((await desk.put('/auth/drafts', { ...json, origin: 'https://evil.example' }, sent)).statusCode).toBe(403);
  expect((await desk.put('/auth/drafts', { 'content-type': 'text/plain' }, sent)).statusCode).toBe(415);
  const stranger = new Browser(into(hub.app), origin);
  expect([(await stranger.step('/auth/drafts')).statusCode, (await type(stranger, draft)).statusCode]).toEqual([401, 401]);
});
