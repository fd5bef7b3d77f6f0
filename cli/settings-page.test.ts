import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { catalogue } from '#kernel/config-catalogue.ts';
import { settingsPage } from './settings-page.ts';

test('docs/settings.md is what the settings print', () => {
  expect(readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8')).toBe(settingsPage());
});

test('every setting is on the page, in both languages', () => {
  const page = settingsPage();
  for (const [name, { what }] of Object.entries(catalogue)) {
    expect(page).toContain(`| \`${name}\` |`);
    expect(what.en).not.toBe(what.vi);
  }
});
