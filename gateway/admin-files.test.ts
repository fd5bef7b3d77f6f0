import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { noncePlaceholder } from '../admin/build-options.ts';
import { adminFiles } from './admin-files.ts';

let app: FastifyInstance;
const folder = mkdtempSync(join(tmpdir(), 'admin files ế-'));

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    `<div data-cookie="COOKIE_OF_THIS_REQUEST"></div><script nonce="${noncePlaceholder}" src="/assets/a-1.js"></script>`,
  );
  writeFileSync(join(folder, 'assets', 'a-1.js'), 'plain');
  writeFileSync(join(folder, 'assets', 'a-1.js.br'), 'packed');
  const plugin = adminFiles(pathToFileURL(`${folder}/`));
  app = Fastify();
  await app.register(plugin!);
});
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

test('a folder whose name needs escaping in an address is found', () => {
  expect(pathToFileURL(`${folder}/`).pathname).toContain('%20');
  expect(adminFiles(pathToFileURL(`${folder}/`))).not.toBeNull();
});

test('the page has a nonce of its own each time, and the policy names it', async () => {
  const answers = await Promise.all([app.inject('/'), app.inject('/')]);
  const nonces = answers.map((answer) => {
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const policy = String(answer.headers['content-security-policy']);
    const nonce = /script-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    expect(answer.body).toContain(`nonce="${nonce}"`);
    return nonce;
  });
  expect(new Set(nonces).size).toBe(2);
});

test('the page knows whether its request had a session cookie, never which', async () => {
  const cookies = [undefined, 'other=1', 'hub-4000=secret', '__Host-hub=secret', 'a=b; hub-80=secret'];
  const pages = await Promise.all(
    cookies.map((cookie) => app.inject({ url: '/', headers: cookie === undefined ? {} : { cookie } })),
  );
  expect(pages.map(({ body }) => /data-cookie="(\w+)"/.exec(body)?.[1])).toEqual(['none', 'none', 'some', 'some', 'some']);
  for (const { body } of pages) expect(body).not.toContain('secret');
});

test('HEAD answers as GET does, without the page', async () => {
  const answer = await app.inject({ method: 'HEAD', url: '/' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-security-policy']).toBeDefined();
  expect(answer.body).toBe('');
});

test('files never change under their names, and come packed where the browser can unpack', async () => {
  const plain = await app.inject('/assets/a-1.js');
  expect([plain.statusCode, plain.body]).toEqual([200, 'plain']);
  expect(plain.headers['cache-control']).toContain('immutable');
  const packed = await app.inject({ url: '/assets/a-1.js', headers: { 'accept-encoding': 'gzip, br' } });
  expect([packed.headers['content-encoding'], packed.body]).toEqual(['br', 'packed']);
});

test.each(['/assets/nothing.js', '/assets/a-1.js.br', '/assets/..%2Findex.html', '/assets/%2e%2e/index.html'])(
  '%s is not there',
  async (url) => {
    expect((await app.inject(url)).statusCode).toBe(404);
  },
);

test('without a built admin there is none', () => {
  expect(adminFiles(pathToFileURL(`${folder}/assets/`))).toBeNull();
});
