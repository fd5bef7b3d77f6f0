import { expect, test } from '@jest/globals';
import { en } from './en.ts';
import { enFramework } from './en-framework.ts';
import { vi } from './vi.ts';
import { viFramework } from './vi-framework.ts';

function leaves(words: object, prefix = ''): readonly (readonly [string, string])[] {
  return Object.entries(words).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value] as const] : leaves(value as object, `${prefix}${key}.`),
  );
}
const holes = (text: string): readonly string[] => [...new Set(text.match(/%\{\w+\}/g) ?? [])].sort();

test.each([
  ['ours', vi, en],
  ['the framework’s', viFramework, enFramework],
])('%s: both languages say the same things with the same values', (_, vietnamese, english) => {
  const one = leaves(vietnamese);
  const other = new Map(leaves(english));
  expect(one.map(([key]) => key).sort()).toEqual([...other.keys()].sort());
  for (const [key, text] of one) expect([key, holes(text)]).toEqual([key, holes(other.get(key) ?? '')]);
});

test('no word is empty, shouts, or was left in English', () => {
  for (const [key, text] of [...leaves(vi), ...leaves(en)]) {
    if (key !== 'boolean.null') expect([key, text.trim()]).not.toEqual([key, '']);
    expect([key, text.includes('!')]).toEqual([key, false]);
  }
  const english = new Map(leaves(en));
  const same = leaves(vi).filter(([key, text]) => english.get(key) === text && /[a-z]{4}/i.test(text));
  // The name of the language, a form without words, and the name of an issuer.
  expect(same.map(([key]) => key)).toEqual(['account.en', 'why.title', 'enum.cardIssuer.BHXH_VN']);
});
