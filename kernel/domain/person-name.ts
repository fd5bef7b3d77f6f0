import type { Brand, Parsed } from './brand.ts';

/** A person's full name as Vietnamese papers write it: surname, middle names, given name; NFC, blanks squeezed. */
export type PersonName = Brand<string, 'PersonName'>;
export type PersonNameReason = 'NAME_EMPTY' | 'NAME_LENGTH' | 'NAME_CHARSET';

export const longestName = 255;

/** Latin letters that do not fall apart into a base letter and marks; ƀ is one of Ê-đê and Gia-rai. */
const plainLetters: Readonly<Record<string, string>> = {
  đ: 'd',
  ð: 'd',
  ø: 'o',
  ł: 'l',
  ı: 'i',
  ƀ: 'b',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
};

/**
 * The key under which names are searched and compared: lower case, no tones, đ→d, blanks squeezed. `hub.fold(text)` in
 * PostgreSQL gives the same for every accepted name.
 */
export function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[đðøłıƀßæœþ]/g, (letter) => plainLetters[letter] ?? letter)
    .replaceAll('’', "'")
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Accepted is what folds to Latin letters with apostrophe (H'Hen), hyphen and full stop inside: no digit, no mark-up, no line
 * break, no letter of another alphabet that only looks Latin. Marks without a letter of their own (ơ̆ of Ba-na) stay; heaps of
 * marks do not.
 */
export function parsePersonName(text: string): Parsed<PersonName, PersonNameReason> {
  const name = text
    .normalize('NFC')
    .replaceAll('’', "'")
    .replace(/[\p{Zs}\t]+/gu, ' ')
    .trim();
  if (name === '') return { ok: false, reason: 'NAME_EMPTY' };
  if (Array.from(name).length > longestName) return { ok: false, reason: 'NAME_LENGTH' };
  if (!/^[\p{Script=Latin}\p{Mn}][\p{Script=Latin}\p{Mn} '.-]*$/u.test(name)) return { ok: false, reason: 'NAME_CHARSET' };
  if (/\p{Mn}{3}/u.test(name) || !/^[a-z][a-z '.-]*$/.test(fold(name))) return { ok: false, reason: 'NAME_CHARSET' };
  return { ok: true, value: name as PersonName };
}

export interface NameParts {
  readonly surname: string;
  readonly middle: string;
  readonly given: string;
}

/** First word surname, last word given name; a single word is a given name. */
export function nameParts(name: PersonName): NameParts {
  const words = name.split(' ');
  const given = words.pop() ?? '';
  const surname = words.shift() ?? '';
  return { surname, middle: words.join(' '), given };
}

/** Given name, middle, surname: ordered by Vietnamese collation this is the order of Vietnamese name lists. */
export function sortName(name: PersonName): string {
  const { surname, middle, given } = nameParts(name);
  return [given, middle, surname].filter((part) => part !== '').join(' ');
}

/** The folded name from each of its words on: a search for any word, from its start, is one range of an index. */
export function nameKeys(name: PersonName): readonly string[] {
  const words = fold(name).split(' ');
  return [...new Set(words.map((_, index) => words.slice(index).join(' ')))];
}
