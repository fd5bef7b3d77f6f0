import { afterEach, expect, test } from '@jest/globals';
import { Browser, over, type PageAnswer } from '../kit/browser.ts';
import { startHub, type TestHub } from '../kit/hub.ts';

let hub: TestHub | null = null;
afterEach(async () => {
  await hub?.stop();
  hub = null;
});

const me = JSON.stringify({ query: '{ me { name role orgUnit { name } } }' });

async function ask(browser: Browser, headers: Readonly<Record<string, string>> = {}): Promise<PageAnswer> {
  return await browser.post('/graphql', { 'content-type': 'application/json', ...headers }, me);
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
    const cookie = browser.cookieHeader();
    expect((await browser.post('/auth/logout')).statusCode).toBe(204);
    expect((await ask(browser, { cookie })).statusCode).toBe(401);
  },
);
