import { afterAll, beforeAll, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { en } from '../../admin/src/i18n/en.ts';
import { vi } from '../../admin/src/i18n/vi.ts';
import { logIn, open, openChromium } from '../kit/admin-browser.ts';
import { startHub, type TestHub } from '../kit/hub.ts';

/*
 * Every screen in both widths, both looks, both languages: nothing wider than the window, nothing that jumps, nothing that axe finds,
 * nothing refused by the policy, and no word of the other language.
 */

let hub: TestHub;
let browser: Browser;

beforeAll(async () => {
  [hub, browser] = await Promise.all([startHub(), openChromium()]);
}, 240_000);
afterAll(async () => {
  await browser.close();
  await hub.stop();
}, 60_000);

const lists = [
  '/',
  '/citizens',
  '/cards',
  '/results',
  '/referrals',
  '/reexaminations',
  '/discrepancies',
  '/discrepancies?state=SETTLED',
].concat(['/work', '/runs', '/imports', '/units', '/accounts', '/accounts/create', '/clients', '/queues', '/audit']);
const views = [
  { width: 1440, height: 900, colorScheme: 'light', language: 'vi' },
  { width: 390, height: 844, colorScheme: 'dark', language: 'vi' },
  { width: 390, height: 844, colorScheme: 'light', language: 'en' },
  { width: 1440, height: 900, colorScheme: 'dark', language: 'en' },
] as const;

function wordsOf(messages: object): readonly string[] {
  return Object.values(messages).flatMap((value: unknown) => (typeof value === 'string' ? [value] : wordsOf(value as object)));
}

/** Whole words of one dictionary that the other has not: found as a whole text on a screen of the other, they are in the wrong language. */
function wordsOfOther(language: 'vi' | 'en'): readonly string[] {
  const own = new Set(wordsOf(language === 'vi' ? vi : en));
  return wordsOf(language === 'vi' ? en : vi).filter((text) => text.length > 3 && !text.includes('%{') && !own.has(text));
}

/** The pages of one person and of what is his, and all forms. */
async function pagesOf(page: Page): Promise<readonly string[]> {
  await open(page, hub.address, '/citizens');
  await page.keyboard.press('/');
  await page.keyboard.type('nguyen van an');
  await page.waitForSelector('[role=option] mark');
  await page.keyboard.press('Enter');
  await page.waitForURL(/show$/);
  await page.waitForSelector('.card-lines a');
  await page.waitForSelector('a[href*="referrals/"][href$="show"]');
  const person = /citizens\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';
  const links = await page.evaluate<string[]>(
    `[...document.querySelectorAll('.stack-blocks a[href$="/show"]')].map((link) => link.getAttribute('href').slice(1))`,
  );
  const one = ['cards', 'results', 'referrals', 'reexaminations'].flatMap(
    (kind) => links.find((link) => link.startsWith(`/${kind}/`)) ?? [],
  );
  expect(one).toHaveLength(4);
  const forms = [...one, `/citizens/${person}/show`].map((link) => link.replace(/\/show$/, ''));
  return [
    `/citizens/${person}/show`,
    ...one,
    ...forms,
    ...forms.map((link) => `${link}?act=withdraw`),
    '/citizens/create',
    '/units/create',
    '/units/u1/show',
    '/units/u1',
    '/units/u1?act=withdraw',
    ...['cards', 'results', 'referrals', 'reexaminations'].map((kind) => `/${kind}/create?citizen=${person}`),
  ];
}

test.each(views)(
  'every screen at $width px, $colorScheme, $language: whole, still, readable for all, nothing refused',
  async ({ width, height, colorScheme, language }) => {
    const { page, problems, context } = await logIn(browser, hub.address, 'steward', {
      viewport: { width, height },
      colorScheme,
      language,
    });
    const found: string[] = [];
    const foreign = JSON.stringify(wordsOfOther(language));
    for (const path of [...lists, ...(await pagesOf(page))]) {
      await page.evaluate('globalThis.shift = 0');
      await open(page, hub.address, path);
      const shift = await page.evaluate<number>('shift');
      if (shift >= 0.05) found.push(`${path}: moved by ${shift.toFixed(3)}`);
      const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (wider > 0) found.push(`${path}: ${wider} px too wide`);
      const words = await page.evaluate<string[]>(`(() => {
        const foreign = new Set(${foreign});
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const seen = [];
        while (walk.nextNode()) if (foreign.has(walk.currentNode.data.trim())) seen.push(walk.currentNode.data.trim());
        return seen;
      })()`);
      found.push(...words.map((word) => `${path}: “${word}” is of the other language`));
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
  120_000,
);
