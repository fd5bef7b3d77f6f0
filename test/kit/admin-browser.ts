import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

/*
 * The admin in a real Chromium, as a person sits before it: log-in by the hub's own page, what must never happen gathered on the way, and
 * acts counted.
 */

const binary = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export function openChromium(): Promise<Browser> {
  if (binary === undefined) throw new Error('These tests need Chromium: apt-get install chromium');
  return chromium.launch({ executablePath: binary, args: switches });
}

export interface Seat {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, exceptions, requests to anybody else; a test expects none. */
  readonly problems: string[];
}

export interface SeatOptions extends BrowserContextOptions {
  readonly language?: 'vi' | 'en';
}

/** Policy reports and layout shifts that no key or click explains, as the page itself sees them. */
const watching = `
  globalThis.refused = [];
  globalThis.shift = 0;
  addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective + ' ' + event.blockedURI));
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });`;

/** A fresh browser of one person, at the log-in page. */
export async function takeSeat(
  browser: Browser,
  address: string,
  { language, ...options }: SeatOptions = {},
  watch?: (page: Page) => void,
): Promise<Seat> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  watch?.(page);
  const problems: string[] = [];
  await page.addInitScript(watching);
  if (language !== undefined) {
    await page.addInitScript(
      `localStorage.getItem('lien-thong.preferences') ?? localStorage.setItem('lien-thong.preferences', '{"language":"${language}"}')`,
    );
  }
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('request', (request) => {
    // Files come in at an origin of the hub's own, on the same host.
    const ours = request.url().startsWith(address) || new URL(request.url()).host.startsWith(`${new URL(address).hostname}:`);
    if (!ours && !request.url().startsWith('blob:')) problems.push(`third party: ${request.url()}`);
  });
  await page.goto(address);
  return { page, context, problems };
}

/** `watch`: told of the page before it loads anything. */
export async function logIn(
  browser: Browser,
  address: string,
  login: string,
  options: SeatOptions = {},
  watch?: (page: Page) => void,
): Promise<Seat> {
  const seat = await takeSeat(browser, address, options, watch);
  await seat.page.fill('input[name=login]', login);
  await seat.page.fill('input[name=password]', 'lien-thong-demo');
  await seat.page.keyboard.press('Enter');
  await seat.page.waitForSelector('.who-unit', { timeout: 30_000 });
  await settled(seat.page);
  return seat;
}

/** The screen is there whole. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('main .page');
  await page.waitForSelector('[aria-busy="true"]', { state: 'detached', timeout: 30_000 });
}

export async function open(page: Page, address: string, path: string): Promise<void> {
  await page.goto(`${address}/#${path}`);
  await settled(page);
}

/** Everything that the browser keeps of a visit, as one text. */
export function keptByBrowser(page: Page): Promise<string> {
  return page.evaluate<string>(
    `(async () => JSON.stringify([location.href, document.title, { ...localStorage }, { ...sessionStorage }, await caches.keys(),
      await indexedDB.databases(), performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).map(({ name }) => name)]))()`,
  );
}

/** What one does, counted: a key or a click is one act; the letters of the datum itself are none. */
export class Hands {
  readonly #page: Page;
  #acts = 0;

  constructor(page: Page) {
    this.#page = page;
  }

  get acts(): number {
    return this.#acts;
  }

  async press(key: string): Promise<void> {
    this.#acts += 1;
    await this.#page.keyboard.press(key);
  }

  async click(selector: string): Promise<void> {
    this.#acts += 1;
    await this.#page.click(selector);
  }

  async type(datum: string): Promise<void> {
    await this.#page.keyboard.type(datum);
  }

  /** Files dropped or chosen are one act. */
  async give(
    selector: string,
    file: { readonly name: string; readonly mimeType: string; readonly buffer: Buffer },
  ): Promise<void> {
    this.#acts += 1;
    await this.#page.setInputFiles(selector, file);
  }
}
