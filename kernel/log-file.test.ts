import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLogFile } from './log-file.ts';
import { createLog } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'lien-thong-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a full disk costs lines, never the process or its memory [F22]', () => {
  const path = join(folder, 'full.log');
  symlinkSync('/dev/full', path);
  const log = createLog({ level: 'info', file: path, process: 'test' });
  const before = process.memoryUsage().rss;
  const began = performance.now();
  for (let n = 0; n < 100_000; n += 1) log.info('request', { operation: 'Q1', count: n });
  log.error('failed', {}, new Error('x'));
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
});

test('lines are kept whole and in order, and the file is turned over at its size', () => {
  const path = join(folder, 'some', 'hub.log');
  const file = openLogFile(path, 20_000);
  for (let n = 0; n < 3_000; n += 1) file.write(`${n} some words\n`);
  file.flush();
  expect(readdirSync(join(folder, 'some')).sort()).toEqual(['hub.log', 'hub.log.1']);
  expect(statSync(path).mode & 0o077).toBe(0);
  for (const name of [path, `${path}.1`]) expect(statSync(name).size).toBeLessThan(30_000);
  const lines = `${readFileSync(`${path}.1`, 'utf8')}${readFileSync(path, 'utf8')}`.trimEnd().split('\n');
  const numbers = lines.map((line) => Number(line.split(' ')[0]));
  expect(lines.every((line) => /^\d+ some words$/.test(line))).toBe(true);
  expect(numbers.at(-1)).toBe(2_999);
  expect(numbers.every((n, at) => at === 0 || n === (numbers[at - 1] ?? 0) + 1)).toBe(true);
});
