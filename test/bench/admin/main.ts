/*
 * The admin in Chromium, on a whole hub with 200,000 citizens, as the steward of the province:
 *
 * firstScreenKiB  scripts received, cold and gzipped, from the log-in until the dashboard answers a key.
 * listToCitizenMs from the click on a row of the list to the person's page painted; warm, the median.
 * searchP95Ms     from the last letter typed into the search box to the rows it found painted.
 *
 *   npm run bench -- admin [--json] [--citizens N]
 */
import { request } from 'node:http';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { logIn, open, openChromium } from '../../kit/admin-browser.ts';
import { benchData, startHub, withDatabase } from '../query/data.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, citizens: { type: 'string', default: '200000' } },
});
const citizens = Number(options.citizens);
const budgets = { firstScreenKiB: 450, listToCitizenMs: 300, searchP95Ms: 150 } as const;
const pagesOpened = 20;
const textsTyped = 100;
/** A letter asks for 20 points of the 6,000 that a person has in a minute. Milliseconds. */
const pause = 450;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

function gzippedSize(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(address, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => (size += chunk.length));
      response.on('end', () => resolve(size));
    })
      .on('error', reject)
      .end();
  });
}

const at = (values: readonly number[], share: number): number =>
  [...values].sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

async function firstScreen(page: Page, address: string): Promise<number> {
  const scripts = new Set<string>();
  page.on('response', (response) => {
    if (response.url().endsWith('.js')) scripts.add(response.url());
  });
  await page.goto(address);
  await page.fill('input[name=login]', 'steward');
  await page.fill('input[name=password]', 'lien-thong-demo');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.dashboard');
  await page.keyboard.press('/');
  await page.waitForSelector('.search > input:focus');
  const sizes = await Promise.all([...scripts].map(gzippedSize));
  return sizes.reduce((sum, size) => sum + size, 0) / 1024;
}

/** In the page: milliseconds from the click on the row to the frame that shows the person. */
const openRow = (row: number): string => `new Promise((resolve) => {
  const link = document.querySelectorAll('tbody .row-link')[${row}];
  const name = link.textContent;
  const began = performance.now();
  link.click();
  const look = () => {
    const there = document.querySelector('h1')?.textContent === name && document.querySelector('.identity dd') !== null;
    if (there) requestAnimationFrame(() => resolve(performance.now() - began));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})`;

async function listToCitizen(page: Page, address: string): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < pagesOpened + 2; index += 1) {
    await open(page, address, '/citizens');
    await page.waitForSelector('tbody .row-link');
    times.push(await page.evaluate<number>(openRow(index)));
    await page.waitForTimeout(pause / 3);
  }
  // The first ones fetch the screen itself.
  return at(times.slice(2), 0.5);
}

/** In the page: each letter starts a look at every frame for what it found; `took` is then milliseconds from the letter to that frame. */
const watchBox = `document.querySelector('.search > input').addEventListener('input', () => {
  const began = performance.now();
  const list = document.querySelector('.search [role=listbox]');
  globalThis.took = null;
  const look = () => {
    const there = list.dataset.text === globalThis.wanted && list.getAttribute('aria-busy') !== 'true';
    if (there) requestAnimationFrame(() => { globalThis.took = performance.now() - began; });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}, true)`;

async function timeOf(page: Page, text: string): Promise<number> {
  for (let waited = 0; waited < 10_000; waited += 20) {
    const took = await page.evaluate<number | null>('globalThis.took');
    if (took !== null) return took;
    await page.waitForTimeout(20);
  }
  throw new Error(`The search box found nothing in 10 s for “${text}”`);
}

async function search(page: Page, texts: readonly string[]): Promise<readonly number[]> {
  const times: number[] = [];
  await page.evaluate(watchBox);
  for (const text of texts) {
    await page.focus('.search > input');
    await page.evaluate('globalThis.wanted = null');
    await page.fill('.search > input', text.slice(0, -1));
    await page.waitForTimeout(pause);
    await page.evaluate(`globalThis.wanted = ${JSON.stringify(text)}; globalThis.took = null;`);
    await page.keyboard.press(text.slice(-1));
    times.push(await timeOf(page, text));
    await page.keyboard.press('Escape');
  }
  return times;
}

/** Beginnings of names as people type them, without tones, long enough to mean somebody. */
async function beginnings(url: string): Promise<readonly string[]> {
  return withDatabase(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select name_folded as name from citizens.citizen order by md5(id::text) limit $1',
      [textsTyped],
    );
    return rows.map(({ name }, index) => name.slice(0, Math.max(4, Math.min(name.length, 5 + (index % 9)))).trim());
  });
}

const data = await benchData(citizens === 200_000 ? 'large' : `admin-${citizens}`, citizens, say);
try {
  const texts = await beginnings(data.administratorUrl);
  const hub = await startHub(data.dir, 'one');
  const browser = await openChromium();
  try {
    const address = hub.ready;
    const fresh = await browser.newContext();
    const firstScreenKiB = await firstScreen(await fresh.newPage(), address);
    await fresh.close();
    say('first screen measured');
    const { page, context } = await logIn(browser, address, 'steward', { language: 'vi' });
    const listToCitizenMs = await listToCitizen(page, address);
    say('list to person measured');
    await page.waitForTimeout(10_000);
    // The first ones warm the way.
    const typed = (await search(page, texts)).slice(5);
    await context.close();
    const numbers = {
      firstScreenKiB: Math.round(firstScreenKiB),
      listToCitizenMs: Math.round(listToCitizenMs),
      searchP95Ms: Math.round(at(typed, 0.95)),
    };
    const table = Object.entries(budgets).map(
      ([name, budget]) => `| ${name} | ${numbers[name as keyof typeof budgets]} | ≤ ${budget} |`,
    );
    if (citizens === 200_000) {
      recordResult(
        'admin',
        [
          `The admin in Chromium at ${citizens} citizens, as the steward of the province; search: median ${Math.round(at(typed, 0.5))} ms over ${typed.length} texts.`,
          '',
          '| what | measured | budget |',
          '| --- | --- | --- |',
          ...table,
        ].join('\n'),
      );
    }
    process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${table.join('\n')}\n`);
    if (Object.entries(budgets).some(([name, budget]) => numbers[name as keyof typeof budgets] > budget)) process.exitCode = 1;
  } finally {
    await browser.close();
    await hub.stop();
  }
} finally {
  await data.close();
}
