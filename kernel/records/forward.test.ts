import { expect, test } from '@jest/globals';
import { mayGo } from './forward.ts';

const ways = { DRAFT: ['SENT', 'LOST'], SENT: ['LOST'], LOST: [] } as const;

test('a record goes where a way leads, stands still, and never goes back', () => {
  expect(mayGo<keyof typeof ways>(ways, 'DRAFT', 'LOST')).toBe(true);
  expect(mayGo<keyof typeof ways>(ways, 'SENT', 'SENT')).toBe(true);
  expect(mayGo<keyof typeof ways>(ways, 'SENT', 'DRAFT')).toBe(false);
  expect(mayGo<keyof typeof ways>(ways, 'LOST', 'DRAFT')).toBe(false);
});
