import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startHub, type TestHub } from '../kit/hub.ts';

/*
 * The admin in a real browser, on a whole hub with the demo world: people log in as they do, and do what they come for.
 */

const binary = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const switches = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'].concat([
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]);

let hub: TestHub;
let browser: Browser;

beforeAll(async () => {
  if (binary === undefined) throw new Error('These tests need Chromium: apt-get install chromium');
  [hub, browser] = await Promise.all([startHub(), chromium.launch({ executablePath: binary, args: switches })]);
}, 240_000);
afterAll(async () => {
  await browser.close();
  await hub.stop();
}, 60_000);

/** What must never happen on any screen, gathered while it is looked at. */
interface Watched {
  readonly page: Page;
  readonly problems: string[];
}

async function watch(context: BrowserContext): Promise<Watched> {
  const problems: string[] = [];
  const page = await context.newPage();
  await page.addInitScript(
    `globalThis.refused = []; addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective + ' ' + event.blockedURI));`,
  );
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(hub.address) && !request.url().startsWith('blob:'))
      problems.push(`third party: ${request.url()}`);
  });
  return { page, problems };
}

async function logIn(
  login: string,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Watched & { readonly context: BrowserContext }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const watched = await watch(context);
  await watched.page.goto(hub.address);
  await watched.page.fill('input[name=login]', login);
  await watched.page.fill('input[name=password]', 'lien-thong-demo');
  await watched.page.keyboard.press('Enter');
  await watched.page.waitForSelector('.who-unit', { timeout: 30_000 });
  return { ...watched, context };
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main .page');
  await page.waitForSelector('[aria-busy="true"]', { state: 'detached', timeout: 30_000 });
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${hub.address}/#${path}`);
  await settled(page);
}

async function idOfAn(page: Page): Promise<string> {
  await page.keyboard.press('/');
  await page.keyboard.type('nguyen van an');
  await page.waitForSelector('[role=option] mark');
  await page.keyboard.press('Enter');
  await page.waitForURL(/citizens\/[0-9a-f-]{36}\/show/);
  await settled(page);
  return /citizens\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';
}

test('a clerk finds a person, learns why a field is yellow, and sees a number on a stated purpose', async () => {
  const { page, problems, context } = await logIn('clerk11');
  await settled(page);
  await idOfAn(page);
  expect(await page.textContent('h1')).toBe('Nguyễn Văn An');
  expect(await page.textContent('.summary')).toContain('038•••••0001');
  await page.click('button[aria-label="Vì sao: Điện thoại, tự khai"]');
  expect(await page.textContent('[role=dialog]')).toContain('chưa có nguồn tin cậy nào xác nhận');
  await page.keyboard.press('Escape');
  await page.click('.reveal');
  await page.click('[role=dialog] button >> nth=0');
  await page.waitForSelector('text=038090000001');
  // Nothing of him lies in the address, in storage or in a cache.
  const kept = await page.evaluate<string>(
    `(async () => JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, await caches.keys(), await indexedDB.databases(), history.length]))()`,
  );
  for (const personal of ['038090000001', 'Nguyễn', 'nguyen', '038•']) expect(kept).not.toContain(personal);
  expect(problems).toEqual([]);
  await context.close();
});

test('a clerk meets nobody of another station: not in the search, not in the list, not by address [A08]', async () => {
  const { page, context } = await logIn('clerk11');
  await settled(page);
  await page.keyboard.press('/');
  await page.keyboard.type('le thi chi');
  await page.waitForSelector('text=Không tìm thấy trong các đơn vị của anh chị');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.type('038192000003');
  await page.waitForSelector('text=Không tìm thấy trong các đơn vị của anh chị');
  await page.keyboard.press('Escape');
  const steward = await logIn('steward');
  await open(steward.page, '/discrepancies');
  const chi = (await steward.page.getAttribute('tr:has-text("Lê Thị Chi") a', 'href'))?.replace('#', '') ?? '';
  expect(chi).toMatch(/^\/citizens\//);
  await open(page, chi);
  expect(await page.textContent('main')).not.toContain('Chi');
  expect(await page.textContent('[role=alert]')).toContain('Không có trong các đơn vị của anh chị');
  await steward.context.close();
  await context.close();
});

test('the keyboard leads everywhere, and rests while a letter is composed', async () => {
  const { page, problems, context } = await logIn('steward');
  await settled(page);
  for (const [letter, path] of [
    ['c', 'citizens'],
    ['t', 'cards'],
    ['k', 'results'],
    ['p', 'referrals'],
    ['d', 'discrepancies'],
    ['n', 'imports'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await page.waitForURL(new RegExp(`#/${path}$`));
    await settled(page);
  }
  await open(page, '/citizens');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.evaluate(`dispatchEvent(new KeyboardEvent('keydown', { key: 'j', isComposing: true }))`);
  expect(await page.evaluate<number>(`[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement)`)).toBe(1);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/show$/);
  await page.keyboard.press('?');
  await page.waitForSelector('[role=dialog] kbd');
  await page.keyboard.press('Escape');
  expect(problems).toEqual([]);
  await context.close();
});

const screens = [
  '/',
  '/citizens',
  '/cards',
  '/results',
  '/referrals',
  '/reexaminations',
  '/discrepancies',
  '/work',
  '/runs',
  '/imports',
  '/units',
  '/audit',
];
const views = [
  { width: 1440, height: 900, colorScheme: 'light', language: 'vi' },
  { width: 390, height: 844, colorScheme: 'dark', language: 'vi' },
  { width: 390, height: 844, colorScheme: 'light', language: 'en' },
  { width: 1440, height: 900, colorScheme: 'dark', language: 'en' },
] as const;

test.each(views)(
  'every screen at $width px, $colorScheme, $language: whole, readable for all, nothing refused',
  async ({ width, height, colorScheme, language }) => {
    const { page, problems, context } = await logIn('steward', { viewport: { width, height }, colorScheme });
    await page.evaluate(`localStorage.setItem('lien-thong.preferences', JSON.stringify({ language: '${language}' }))`);
    await page.reload();
    await settled(page);
    const person = await idOfAn(page);
    const found: string[] = [];
    for (const path of [...screens, `/citizens/${person}/show`]) {
      await open(page, path);
      const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (wider > 0) found.push(`${path}: ${wider} px too wide`);
      await page.evaluate(axe.source);
      const violations = await page.evaluate<string[]>(
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(' | ')))`,
      );
      found.push(...violations.map((violation) => `${path}: ${violation}`));
    }
    found.push(...(await page.evaluate<string[]>('refused')));
    expect([...found, ...problems]).toEqual([]);
    await context.close();
  },
  180_000,
);

test('the first screen is small: scripts until the dashboard stands', async () => {
  const context = await browser.newContext();
  const { page } = await watch(context);
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('.js'))
      sizes.push(
        response
          .request()
          .sizes()
          .then(({ responseBodySize }) => responseBodySize),
      );
  });
  await page.goto(hub.address);
  await page.fill('input[name=login]', 'clerk11');
  await page.fill('input[name=password]', 'lien-thong-demo');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.dashboard');
  await settled(page);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(50 * 1024);
  expect(bytes).toBeLessThan(450 * 1024);
  await context.close();
});

test('log-out ends it: the page asks for a log-in again', async () => {
  const { page, context } = await logIn('clerk21');
  await settled(page);
  await page.click('.account');
  await page.click('text=Đăng xuất');
  await page.waitForSelector('input[name=password]');
  await page.goto(`${hub.address}/#/citizens`);
  await page.waitForSelector('input[name=password]');
  await context.close();
});
