import { afterAll, expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { turnOverLogs } from './log-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'lien-thong-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a log that another process holds open stays bounded, and goes on from its start', () => {
  const path = join(folder, 'postgres.log');
  writeFileSync(join(folder, 'hub.log'), Buffer.alloc(3 * 1024 * 1024, 'x'));
  const handle = openSync(path, 'a');
  for (let round = 0; round < 5; round += 1) {
    writeSync(handle, Buffer.alloc(1024 * 1024, 'a'));
    turnOverLogs(folder, 1);
    expect(statSync(path).size).toBe(0);
    expect(statSync(`${path}.1`).size).toBe(1024 * 1024);
  }
  writeSync(handle, 'next\n');
  closeSync(handle);
  turnOverLogs(folder, 1);
  expect(readFileSync(path, 'utf8')).toBe('next\n');
  // Its own process turns that one over.
  expect(readdirSync(folder).sort()).toEqual(['hub.log', 'postgres.log', 'postgres.log.1']);
});
