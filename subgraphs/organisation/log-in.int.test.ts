import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { Client } from 'pg';
import { Browser, into, type PageAnswer } from '../../test/kit/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { openIdentity, openRegister, type Identity, type Register } from './index.ts';

const password = 'mat khau that dai';
const time = { offset: 0 };
const clock = { now: () => new Date(Date.now() + time.offset) };
const identifierKey = Buffer.alloc(32, 6);

let database: TestDatabase;
let owner: Client;
let register: Register;
let identity: Identity;
let app: FastifyInstance;
let issuer: string;
let address = '10.0.0.1';

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', '{(,)}', false)`);
  await owner.query(`insert into hub.unit (number, code, name, level, parent_number, valid_from) values
    (1, 'p', 'Tỉnh', 'PROVINCE', null, '2025-07-01')`);
  const url = database.roles.organisation;
  register = openRegister({ url, identifierKey, clock });
  identity = openIdentity({ url, identifierKey, issuer: () => issuer, clock, report: () => undefined });
  app = Fastify();
  await app.register(identity.edgeRoutes(() => address));
  issuer = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const login of ['an.nguyen', 'ended.one']) await add(login, password);
  await register.setDisabled('ended.one', true);
});
afterAll(async () => {
  await app.close();
  await identity.close();
  await register.close();
  await owner.end();
  await database.close();
});
beforeEach(() => {
  time.offset += 120_000; // the windows of the test before are over
});

async function add(login: string, given: string | null): Promise<{ readonly id: string; readonly password: string }> {
  return await register.addAccount({ login, name: login, unitCode: 'p', role: 'steward', email: null, password: given });
}

const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');

function authorization(changes: Readonly<Record<string, string | null>> = {}): string {
  const query: Readonly<Record<string, string | null>> = {
    client_id: 'admin',
    response_type: 'code',
    redirect_uri: `${issuer}/auth/callback`,
    scope: 'openid',
    prompt: 'login',
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null);
  return `/oauth/auth?${new URLSearchParams(given).toString()}`;
}

/** A browser that sees the form. */
async function atForm(): Promise<Browser> {
  const browser = new Browser(into(app), issuer);
  const shown = await browser.get(authorization());
  expect(shown.statusCode).toBe(200);
  return browser;
}

async function attempt(login: string, given: string): Promise<PageAnswer> {
  return await (await atForm()).submit({ login, password: given });
}

/** Log-in as far as the code; the callback itself is the edge's and not here. */
async function codeFor(login: string, given = password): Promise<string> {
  const browser = await atForm();
  await browser.submit({ login, password: given });
  const { pathname, searchParams } = new URL(browser.at, issuer);
  expect(pathname).toBe('/auth/callback');
  expect(searchParams.get('state')).toBe('a state');
  return searchParams.get('code') ?? '';
}

interface Exchange {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function exchange(code: string, changes: Readonly<Record<string, string>> = {}): Promise<Exchange> {
  const fields = { grant_type: 'authorization_code', client_id: 'admin', redirect_uri: `${issuer}/auth/callback`, code };
  const answer = await app.inject({
    method: 'POST',
    url: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ ...fields, code_verifier: verifier, ...changes }).toString(),
  });
  return { status: answer.statusCode, body: answer.json() };
}

/** What is the page's own and not of what was typed. */
function plain(answer: PageAnswer): string {
  const nonce = /nonce="([^"]+)"/.exec(answer.body)?.[1] ?? '?';
  return answer.body
    .replaceAll(nonce, '')
    .replace(/ value="[^"]*"/, '')
    .replace(' autofocus', '');
}

test('a log-in by code and PKCE gives a token for the hub whose subject is the account', async () => {
  const { id } = await add('binh.tran', password);
  const { status, body } = await exchange(await codeFor('binh.tran'));
  expect(status).toBe(200);
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth/jwks`));
  const { payload } = await jwtVerify(String(body.access_token), keys, { issuer, audience: 'urn:hub', typ: 'at+jwt' });
  expect(payload.sub).toBe(id);
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(600);
  const idToken = await jwtVerify(String(body.id_token), keys, { issuer, audience: 'admin' });
  expect(idToken.payload).toMatchObject({ sub: id, nonce: 'a nonce' });
  expect(body).not.toHaveProperty('refresh_token');
});

test('the log-in page is a plain form under a strict policy', async () => {
  const browser = new Browser(into(app), issuer);
  const { body, headers } = await browser.get(authorization());
  expect(body).toMatch(/<html lang="vi">/);
  expect(body).toMatch(/<form method="post">[^]*name="login"[^]*name="password" type="password"/);
  expect(body).not.toMatch(/<script|<img|<link|style=|\son\w+=|https?:/);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'none'; style-src 'nonce-[\w+/=]+'/);
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['referrer-policy']).toBe('same-origin');
  expect([...browser.cookies().values()].every((line) => /httponly/i.test(line) && /samesite=lax/i.test(line))).toBe(true);
  const typed = await browser.submit({ login: '"><script>x</script>', password: 'x' });
  expect(typed.body).not.toContain('<script');
});

test('unknown, wrong and disabled are one answer', async () => {
  const wrong = await attempt('an.nguyen', 'not the password');
  expect(wrong.statusCode).toBe(401);
  expect(wrong.body).toContain('không đúng');
  for (const [login, given] of [
    ['nobody', password],
    ['ended.one', password],
    ['an.nguyen', ''],
    ['', ''],
    ["an'; drop", 'x'.repeat(500)],
  ] as const) {
    const { statusCode } = await attempt(login, given);
    const answer = await attempt(login, given);
    expect([statusCode, answer.statusCode]).toEqual([401, 401]);
    expect(plain(answer)).toBe(plain(wrong));
  }
  const { rows } = await owner.query(
    `select count(*)::int as failed from organisation.security_event where kind = 'login.failed'`,
  );
  expect((rows[0] as { failed: number }).failed).toBeGreaterThanOrEqual(11);
});

test('after five wrong passwords the right one is refused too, for unknown log-ins alike, elsewhere not', async () => {
  for (const login of ['an.nguyen', 'nobody']) {
    address = `10.1.0.${String(login.length)}`;
    for (let n = 0; n < 5; n++) expect((await attempt(login, 'wrong')).statusCode).toBe(401);
    const locked = await attempt(login, password);
    expect(locked.statusCode).toBe(429);
    expect(Number(locked.headers['retry-after'])).toBeGreaterThan(0);
    expect(locked.body).toContain('quá nhiều lần');
  }
  address = '10.1.0.200';
  await codeFor('an.nguyen');
  address = `10.1.0.${String('an.nguyen'.length)}`;
  time.offset += 61_000;
  await codeFor('an.nguyen');
});

test('a code is good once, for its verifier and its address, also when two come at the same moment', async () => {
  const code = await codeFor('an.nguyen');
  const both = await Promise.all([exchange(code), exchange(code)]);
  expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
  expect((await exchange(code)).body).toMatchObject({ error: 'invalid_grant' });
  for (const changes of [
    { code_verifier: randomBytes(32).toString('base64url') },
    { redirect_uri: 'http://127.0.0.1:1/auth/callback' },
    { client_id: 'reader' },
  ]) {
    expect((await exchange(await codeFor('an.nguyen'), changes)).status).toBeGreaterThanOrEqual(400);
  }
});

test('without PKCE by S256, or for another address, there is no log-in', async () => {
  for (const changes of [{ code_challenge: null, code_challenge_method: null }, { code_challenge_method: 'plain' }]) {
    const browser = new Browser(into(app), issuer);
    await browser.get(authorization(changes));
    const { pathname, searchParams } = new URL(browser.at, issuer);
    expect([pathname, searchParams.get('error'), searchParams.get('code')]).toEqual(['/auth/callback', 'invalid_request', null]);
  }
  for (const changes of [{ redirect_uri: 'https://evil.example/' }, { client_id: 'nobody' }, { response_type: 'token' }]) {
    const answer = await new Browser(into(app), issuer).step(authorization(changes));
    const location = answer.headers.location ?? '';
    expect(location).not.toContain('evil');
    expect(location).not.toContain('access_token=');
    if (answer.statusCode !== 303) expect(answer.body).toContain('/auth/login');
  }
});

test('a log-in under way belongs to the browser that began it', async () => {
  const mine = await atForm();
  const form = mine.at;
  const other = new Browser(into(app), issuer);
  expect((await other.get(form)).statusCode).toBe(400);
  expect((await other.post(form, { 'content-type': 'application/x-www-form-urlencoded' }, 'login=x')).statusCode).toBe(400);
  expect((await mine.post(form, { 'content-type': 'text/plain' }, 'login=x')).statusCode).toBe(415);
  await mine.submit({ login: 'an.nguyen', password });
  expect(mine.at).toContain('/auth/callback?code=');
  expect((await mine.get(form)).statusCode).toBe(400); // finished
});

test('a first password opens the form for the next one and nothing else', async () => {
  const { id, password: first } = await add('chi.le', null);
  const browser = await atForm();
  const asked = await browser.submit({ login: 'chi.le', password: first });
  expect(asked.statusCode).toBe(200);
  const ticket = /name="ticket" value="([^"]+)"/.exec(asked.body)?.[1] ?? '';
  expect(ticket).toMatch(/^[\w-]{43}$/);
  const choose = async (newPassword: string, again: string): Promise<PageAnswer> =>
    await browser.submit({ ticket, newPassword, again });
  expect((await choose('short', 'short')).statusCode).toBe(422);
  expect((await choose('a long new one 1', 'a long new one 2')).body).toContain('không giống nhau');
  expect((await choose(first, first)).body).toContain('khác mật khẩu cũ');
  const elsewhere = await atForm();
  expect((await elsewhere.submit({ ticket, newPassword: password, again: password })).statusCode).toBe(400);
  await choose(password, password);
  expect(browser.at).toContain('/auth/callback?code=');
  expect((await attempt('chi.le', first)).statusCode).toBe(401);
  const again = await exchange(await codeFor('chi.le'));
  expect(again.status).toBe(200);
  const { rows } = await owner.query(
    `select c.action, c.principal = $1 as own from organisation.change c where c.record_id = $1 order by c.id`,
    [id],
  );
  expect(rows).toEqual([
    { action: 'added', own: false },
    { action: 'password set', own: true },
  ]);
});

test('a password is changed by whoever has just given the old one, and the other sessions end', async () => {
  const { id } = await add('dung.pham', password);
  const opened = await identity.sessions.open('a key', id, 'Chrome');
  expect(opened?.accountId).toBe(id);
  const browser = await atForm();
  const asked = await browser.submit({ login: 'dung.pham', password, then: 'password' });
  expect(asked.body).toContain('Các phiên đăng nhập khác của bạn sẽ kết thúc');
  const ticket = ticketIn(asked);
  expect((await browser.submit({ ticket, newPassword: password, again: password })).statusCode).toBe(422);
  await browser.submit({ ticket, newPassword: 'mot mat khau khac', again: 'mot mat khau khac' });
  expect(browser.at).toContain('/auth/callback?code=');
  expect(await identity.sessions.find('a key')).toBeNull();
  expect((await attempt('dung.pham', password)).statusCode).toBe(401);
  expect((await exchange(await codeFor('dung.pham', 'mot mat khau khac'))).status).toBe(200);
});

test('a second factor is set up by its first code, asked from then on, and each code is good once', async () => {
  const { id } = await add('em.vo', password);
  const codes = await enrolled('em.vo');
  const stored = await owner.query<{ secret: string }>(`select totp_secret as secret from organisation.account where id = $1`, [
    id,
  ]);
  expect(stored.rows[0]?.secret).not.toContain(codes.secret);

  const browser = await atForm();
  const asked = await browser.submit({ login: 'em.vo', password });
  expect(asked.statusCode).toBe(200);
  const ticket = ticketIn(asked);
  expect((await browser.submit({ ticket, code: codes.at(0) })).statusCode).toBe(422); // the one it was set up with
  time.offset += 30_000;
  const code = codes.at(0);
  await browser.submit({ ticket, code });
  expect(browser.at).toContain('/auth/callback?code=');
  const again = await atForm();
  const second = ticketIn(await again.submit({ login: 'em.vo', password }));
  expect((await again.submit({ ticket: second, code })).statusCode).toBe(422);
  const elsewhere = await atForm();
  expect((await elsewhere.submit({ ticket: second, code: codes.at(30_000) })).statusCode).toBe(400);
});

test('after five wrong codes the right one is refused too', async () => {
  await add('giang.ho', password);
  const codes = await enrolled('giang.ho');
  time.offset += 90_000;
  const browser = await atForm();
  const ticket = ticketIn(await browser.submit({ login: 'giang.ho', password }));
  for (let n = 0; n < 5; n++) expect((await browser.submit({ ticket, code: codes.other() })).statusCode).toBe(422);
  expect((await browser.submit({ ticket, code: codes.at(0) })).statusCode).toBe(429);
});

test('a second factor is turned off by its owner, or by the command line for who has lost the phone', async () => {
  await add('hoa.do', password);
  const codes = await enrolled('hoa.do');
  time.offset += 60_000;
  const browser = await atForm();
  const ticket = ticketIn(await browser.submit({ login: 'hoa.do', password, then: 'second-factor' }));
  const drop = await browser.submit({ ticket, code: codes.at(0) });
  expect(drop.body).toContain('Tắt mã xác thực hai lớp');
  await browser.submit({ ticket: ticketIn(drop), confirm: 'yes' });
  expect(browser.at).toContain('/auth/callback?code=');
  await codeFor('hoa.do');
  await enrolled('hoa.do');
  await register.dropSecondFactor('hoa.do');
  await codeFor('hoa.do');
});

function ticketIn({ body }: PageAnswer): string {
  const ticket = /name="ticket" value="([^"]+)"/.exec(body)?.[1] ?? '';
  expect(ticket).toMatch(/^[\w-]{43}$/);
  return ticket;
}

interface Codes {
  readonly secret: string;
  /** The code of the moment so many milliseconds from now. */
  at(ahead: number): string;
  /** Six digits that are no code of these minutes. */
  other(): string;
}

/** Sets up a second factor as an authenticator app would. */
async function enrolled(login: string): Promise<Codes> {
  const browser = await atForm();
  const asked = await browser.submit({ login, password, then: 'second-factor' });
  expect(asked.body).toContain('<svg');
  const secret = (/<code>([A-Z2-7 ]+)<\/code>/.exec(asked.body)?.[1] ?? '').replaceAll(' ', '');
  const app = new TOTP({ secret: Secret.fromBase32(secret) });
  const at = (ahead: number): string => app.generate({ timestamp: clock.now().getTime() + ahead });
  const other = (): string => {
    const near = [-60_000, -30_000, 0, 30_000, 60_000].map(at);
    return ['111111', '222222', '333333', '444444', '555555', '666666'].find((code) => !near.includes(code)) ?? '';
  };
  const ticket = ticketIn(asked);
  expect((await browser.submit({ ticket, code: other() })).statusCode).toBe(422);
  await browser.submit({ ticket, code: at(0) });
  expect(browser.at).toContain('/auth/callback?code=');
  return { secret, at, other };
}
