import { setTimeout as sleep } from 'node:timers/promises';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { ScreenWords } from './screen-words.ts';

/*
 * What is wrong with a screen as it stands: wider than the window, moved by itself, a word that is neither of its language nor of the data,
 * something that axe finds, something that the page's policy refused.
 */

/** Texts as they are read: a name with marked letters in it is one text. */
const texts = `(() => {
  const seen = new Set([document.title]);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent === null || parent.closest('script, style, svg, code, kbd') !== null) continue;
    const whole = parent.closest('mark')?.parentElement ?? parent.parentElement;
    seen.add((whole?.querySelector(':scope > mark') ? whole : walk.currentNode).textContent.trim());
  }
  for (const element of document.body.querySelectorAll('[aria-label], [title], [placeholder], [alt]'))
    for (const name of ['aria-label', 'title', 'placeholder', 'alt']) seen.add(element.getAttribute(name) ?? '');
  return [...seen];
})()`;

const found = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(' | ')))`;

/** For an answer that the page was told of, milliseconds. */
const patience = 2_000;

/** How far things may move without being asked: the sum that the page itself keeps. */
const stillEnough = 0.05;

export class Eyes {
  readonly #page: Page;
  readonly #words: ScreenWords | null;
  /** Answers that are still being read. */
  readonly #reading = new Set<Promise<void>>();

  /** `language`: null for pages that say everything twice. */
  constructor(page: Page, language: 'vi' | 'en' | null) {
    this.#page = page;
    this.#words = language === null ? null : new ScreenWords(language);
    page.on('response', (response) => {
      if (!/\/(?:graphql|auth\/session)$/.test(response.url())) return;
      // What is cancelled on the way never comes whole: nothing waits for it longer than a moment.
      const read = Promise.race([response.json().catch(() => null), sleep(patience, null, { ref: false })]).then(
        (answer: unknown) => {
          this.#words?.received(answer);
          this.#reading.delete(read);
        },
      );
      this.#reading.add(read);
    });
  }

  async begin(): Promise<void> {
    await this.#page.evaluate('globalThis.shift = 0');
  }

  async look(): Promise<readonly string[]> {
    const page = this.#page;
    const problems: string[] = [];
    const shift = await page.evaluate<number>('shift');
    if (shift >= stillEnough) problems.push(`moved by ${shift.toFixed(3)}`);
    const wider = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    if (wider > 0) problems.push(`${wider} px too wide`);
    const seen = await page.evaluate<string[]>(texts);
    await Promise.all(this.#reading);
    problems.push(...seen.filter((text) => this.#words?.strange(text)).map((text) => `“${text}” is of no dictionary`));
    if (!(await page.evaluate<boolean>(`'axe' in globalThis`))) await page.evaluate(axe.source);
    problems.push(...(await page.evaluate<string[]>(found)));
    problems.push(...(await page.evaluate<string[]>('refused.splice(0)')));
    return problems;
  }
}
