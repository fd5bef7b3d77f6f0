import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alone, claim, claimHub, identityOf, isAlive, makeDataDir, runningHub, writeSafely } from './data-dir.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lien-thong-claims-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const got = (claimed: Awaited<ReturnType<typeof claim>>) => 'release' in claimed;

test('a claim is held by one, and free again after its release', async () => {
  const path = join(folder, 'hub.lock');
  const first = await claim(path);
  expect(got(first)).toBe(true);
  expect(await claim(path)).toEqual(identityOf(process.pid));
  if ('release' in first) first.release();
  expect(got(await claim(path))).toBe(true);
});

test('a second hub on a data directory is told who runs there', async () => {
  makeDataDir(folder);
  expect(runningHub(folder)).toBeNull();
  const hub = await claimHub(folder);
  expect(runningHub(folder)).toEqual(identityOf(process.pid));
  expect(await claimHub(folder)).toMatchObject({ pid: process.pid });
  if ('release' in hub) hub.release();
});

test('the claim of a process that is gone is stale', async () => {
  const child = spawn('sleep', ['30'], { stdio: 'ignore' });
  const identity = identityOf(child.pid!);
  writeFileSync(join(folder, 'hub.lock'), JSON.stringify(identity));
  expect(await claimHub(folder)).toEqual(identity);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(identity!)).toBe(false);
  expect(got(await claimHub(folder))).toBe(true);
});

test('a claim whose number now belongs to another process is stale', async () => {
  writeFileSync(join(folder, 'hub.lock'), JSON.stringify({ pid: process.pid, started: 'another boot/12' }));
  expect(got(await claimHub(folder))).toBe(true);
});

test('a claim that was never written to its end is stale after a moment', async () => {
  const path = join(folder, 'hub.lock');
  writeFileSync(path, '{"pid":');
  const past = new Date(Date.now() - 60_000);
  utimesSync(path, past, past);
  expect(got(await claim(path))).toBe(true);
});

test('of many who want a stale claim at once one gets it', async () => {
  const path = join(folder, 'hub.lock');
  for (let round = 0; round < 20; round += 1) {
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: `another boot/${round}` }));
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(path)));
    expect(claims.filter(got)).toHaveLength(1);
    rmSync(path);
  }
});

test('work under a claim never overlaps', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => alone(join(folder, 'guard'), AbortSignal.timeout(5_000), work)));
  expect(most).toBe(1);
});

test('the data directory and what lies in it are closed to others', () => {
  const dataDir = join(folder, 'data');
  makeDataDir(dataDir);
  writeSafely(join(dataDir, 'keys.json'), '{}');
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataDir, 'keys.json')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(dataDir, 'keys.json'), 'utf8')).toBe('{}');
  expect(readdirSync(dataDir).sort()).toEqual(['keys.json', 'logs']);
});
