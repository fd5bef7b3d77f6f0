import { afterEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { Browser, over, type PageAnswer } from '../kit/browser.ts';
import { startHub, type TestHub } from '../kit/hub.ts';

let hub: TestHub | null = null;
afterEach(async () => {
  await hub?.stop();
  hub = null;
});

const me = JSON.stringify({ query: '{ me { name role orgUnit { name } } }' });

const settings = JSON.stringify({ query: '{ settings { name value secret origin } }' });

async function ask(browser: Browser, headers: Readonly<Record<string, string>> = {}, what = me): Promise<PageAnswer> {
  return await browser.post('/graphql', { 'content-type': 'application/json', ...headers }, what);
}

/** Every setting by name, and no secret of this very hub among them. */
async function seesSettings({ address, dataDir }: TestHub): Promise<void> {
  const steward = new Browser(over(address), address);
  await steward.get('/auth/login');
  await steward.submit({ login: 'steward', password: 'lien-thong-demo' });
  const answer = await ask(steward, {}, settings);
  const { data } = answer.json() as { data: { settings: readonly { name: string; value: string | null; origin: string }[] } };
  const found = Object.fromEntries(data.settings.map(({ name, value, origin }) => [name, [value, origin]]));
  expect(found).toMatchObject({
    PORT: [new URL(address).port, expect.any(String)],
    HUB_DATA_DIR: [dataDir, 'ENVIRONMENT'],
    HUB_IDENTIFIER_KEY: [null, 'START'],
    HUB_LOG_LEVEL: [expect.any(String), expect.any(String)],
    HUB_BACKUP_KEY: [null, 'DEFAULT'],
  });
  const keys = readFileSync(join(dataDir, 'keys.json'), 'utf8');
  const secrets = [...keys.matchAll(/[\w-]{32,}/g)].map(([text]) => text).filter((text) => !text.startsWith('hop-'));
  expect(secrets.length).toBeGreaterThan(1);
  for (const secret of secrets) expect(answer.body).not.toContain(secret);
}

test.each(['one', 'apart'] as const)(
  'a clerk logs in, is who he is, and is nobody after log-out: %s [A06 A40]',
  async (processes) => {
    hub = await startHub({ processes });
    const browser = new Browser(over(hub.address), hub.address);
    expect((await browser.get('/auth/login')).body).toContain('name="password"');
    expect((await browser.submit({ login: 'clerk11', password: 'wrong' })).statusCode).toBe(401);
    const first = await browser.submit({ login: 'clerk11', password: 'lien-thong-demo' });
    expect([browser.at, first.statusCode]).toEqual(['/', 200]);
    const session = await browser.step('/auth/session');
    expect([session.statusCode, (session.json() as { role: string }).role]).toEqual([200, 'clerk']);
    const answer = (await ask(browser)).json() as { data: { me: { role: string; orgUnit: { name: string } } } };
    expect(answer.data.me.role).toBe('clerk');
    expect(answer.data.me.orgUnit.name).not.toBe('');
    expect((await ask(browser, { origin: 'https://evil.example' })).statusCode).toBe(403);
    expect((await ask(browser, {}, settings)).json()).toMatchObject({
      data: { settings: null },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    await seesSettings(hub);
    const cookie = browser.cookieHeader();
    expect((await browser.post('/auth/logout')).statusCode).toBe(204);
    expect((await ask(browser, { cookie })).statusCode).toBe(401);
  },
);

interface Refused {
  readonly principal: string;
  readonly detail: unknown;
}

/** Security events of refused requests in the hub's own database. */
async function refusedRequests({ dataDir }: TestHub): Promise<readonly Refused[]> {
  const roles = JSON.parse(readFileSync(join(dataDir, 'roles.json'), 'utf8')) as { readonly organisation: string };
  const client = new Client({ connectionString: roles.organisation });
  await client.connect();
  const { rows } = await client.query<Refused>(
    "select principal, detail from organisation.security_event where kind = 'request.refused'",
  );
  await client.end();
  return rows;
}

test.each(['one', 'apart'] as const)(
  'a refused request leaves one security event, and callers behind the proxy are counted apart: %s [A07]',
  async (processes) => {
    hub = await startHub({ processes, env: { HUB_TRUSTED_PROXIES: '127.0.0.1' } });
    const { address } = hub;
    const browser = new Browser(over(address), address);
    await browser.get('/auth/login');
    await browser.submit({ login: 'clerk11', password: 'lien-thong-demo' });
    const json = { 'content-type': 'application/json' };
    expect((await browser.post('/graphql', json, JSON.stringify({ query: '{ nothing }' }))).statusCode).toBe(400);
    const guess = async (forwarded: string): Promise<number> => {
      const answer = await fetch(`${address}/oauth/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from('nobody:wrong').toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
          'x-forwarded-for': forwarded,
        },
        body: 'grant_type=client_credentials',
      });
      return answer.status;
    };
    for (let turn = 0; turn < 5; turn += 1) expect(await guess('198.51.100.1')).toBe(401);
    expect([await guess('198.51.100.1'), await guess('198.51.100.2')]).toEqual([429, 401]);
    let events = await refusedRequests(hub);
    for (const until = Date.now() + 5_000; events.length === 0 && Date.now() < until; events = await refusedRequests(hub))
      await sleep(100);
    expect(events.map(({ detail }) => detail)).toEqual([{ code: 'BAD_INPUT', reason: 'GRAPHQL_INVALID' }]);
  },
);
