import { en } from '../../admin/src/i18n/en.ts';
import { enFramework } from '../../admin/src/i18n/en-framework.ts';
import { vi } from '../../admin/src/i18n/vi.ts';
import { viFramework } from '../../admin/src/i18n/vi-framework.ts';

/*
 * Whether what stands on a screen comes from the dictionary of its language or from the data that the page received. A text is taken apart
 * into words; phrases of the dictionary and of the data must cover all of them. Figures and signs belong to no language.
 */

function wordsIn(text: string): readonly string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}]+/gu) ?? []
  );
}

function messagesOf(messages: object): readonly string[] {
  return Object.values(messages).flatMap((value: unknown) => (typeof value === 'string' ? [value] : messagesOf(value as object)));
}

/** A value of a closed list: to be said in words, never shown as it is. */
const code = /^(?:[A-Z]{3,}|[A-Z]+(?:_[A-Z0-9]+)+)$/;

class Phrases {
  readonly #phrases = new Set<string>();
  #longest = 0;

  add(text: string): void {
    const words = wordsIn(text);
    if (words.length === 0) return;
    this.#phrases.add(words.join(' '));
    this.#longest = Math.max(this.#longest, words.length);
  }

  get longest(): number {
    return this.#longest;
  }

  has(words: readonly string[]): boolean {
    return this.#phrases.has(words.join(' '));
  }
}

export class ScreenWords {
  readonly #dictionary = new Phrases();
  readonly #data = new Phrases();

  constructor(language: 'vi' | 'en') {
    const messages = language === 'vi' ? [vi, viFramework] : [en, enFramework];
    for (const message of messages.flatMap(messagesOf)) {
      // Forms for one and for many, and what stands between the values.
      for (const piece of message.split(/\|\|\|\||%\{\w+\}/)) this.#dictionary.add(piece);
    }
    // Each language calls itself by its own name everywhere.
    for (const name of [vi.account.en, vi.account.vi]) this.#dictionary.add(name);
  }

  /** What the page was answered may stand on it. */
  received(answer: unknown): void {
    if (typeof answer === 'string') {
      if (!code.test(answer)) this.#data.add(answer);
      // Ids are told by their beginning or their end.
      if (/^[0-9a-f-]{32,36}$/.test(answer)) for (const part of [answer.slice(0, 8), answer.slice(-8)]) this.#data.add(part);
    } else if (Array.isArray(answer)) answer.forEach((one) => this.received(one));
    else if (typeof answer === 'object' && answer !== null) {
      // The name of a field is ours: it is said in words.
      for (const [key, value] of Object.entries(answer)) if (key !== 'field') this.received(value);
    }
  }

  /** Whether nothing accounts for it. */
  strange(text: string): boolean {
    const words = wordsIn(text);
    const longest = Math.max(this.#dictionary.longest, this.#data.longest);
    const reached = new Set([0]);
    for (let from = 0; from < words.length; from += 1) {
      if (!reached.has(from)) continue;
      for (let to = from + 1; to <= Math.min(words.length, from + longest); to += 1) {
        const phrase = words.slice(from, to);
        if (this.#dictionary.has(phrase) || this.#data.has(phrase)) reached.add(to);
      }
    }
    return !reached.has(words.length);
  }
}
