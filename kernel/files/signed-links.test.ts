import { expect, test } from '@jest/globals';
import { signedLinks, type Link } from './signed-links.ts';

const now = new Date('2026-11-24T03:00:00Z');
const links = signedLinks(Buffer.alloc(32, 7));
const link: Link = {
  use: 'refused',
  id: '019ab000-0000-7000-8000-000000000001',
  expiresAt: new Date('2026-11-24T03:15:00Z'),
  holder: { principal: 'demo-integrator', purpose: 'HOPERAT', locale: 'en' },
};

test('a link says to nobody but the hub what it is for', () => {
  const sealed = links.seal(link);
  expect(links.open(sealed, now)).toEqual({ ...link, no: sealed.slice(0, 16) });
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toMatch(/demo|refused|019ab/);
  expect(links.seal(link)).not.toBe(sealed);
  expect(links.open(links.seal({ ...link, use: 'upload', holder: null }), now)).toMatchObject({ use: 'upload', holder: null });
});

test('a link that is altered, over, or of another installation opens nothing', () => {
  const sealed = links.seal(link);
  for (const at of [0, 20, sealed.length - 1]) {
    const other = sealed[at] === 'A' ? 'B' : 'A';
    expect(links.open(sealed.slice(0, at) + other + sealed.slice(at + 1), now)).toBeNull();
  }
  for (const text of ['', 'x', `${sealed}A`, 'A'.repeat(2_000)]) expect(links.open(text, now)).toBeNull();
  expect(links.open(sealed, link.expiresAt)).toBeNull();
  expect(signedLinks(Buffer.alloc(32, 8)).open(sealed, now)).toBeNull();
});
