import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { permissionsPage } from './permissions-page.ts';

test('docs/permissions.md is what the lists print', () => {
  expect(readFileSync(new URL('../../docs/permissions.md', import.meta.url), 'utf8')).toBe(permissionsPage());
});
