import { afterAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataDir } from '../../cli/data-dir.ts';
import { usePostgres } from '../../cli/postgres.ts';
import { askGraph, checkout, freshDataDir, processesOf, startHub } from '../kit/hub.ts';

const folders: string[] = [];
function folder(): string {
  const made = freshDataDir();
  folders.push(made);
  return made;
}
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

/** `npm run hub -- …` beside whatever runs on the folder. */
function command(dataDir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number | null; last: Readonly<Record<string, unknown>>; said: string }>((resolve) => {
    const child = spawn('node', [join(checkout, 'cli', 'hub.mjs'), ...args, '--json'], {
      cwd: checkout,
      env: { PATH: process.env.PATH ?? '', HOME: dataDir, HUB_DATA_DIR: dataDir, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('close', (code) => {
      const last = out.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, said, last: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {} });
    });
  });
}

const generate = (citizens: number) => [
  'generate',
  '--citizens',
  String(citizens),
  '--seed',
  String(citizens),
  '--dirty',
  '0.02',
];

test('two commands at once on an empty folder, without a hub: both succeed, and PostgreSQL ends with the last of them', async () => {
  const dataDir = folder();
  const outcomes = await Promise.all([command(dataDir, generate(500)), command(dataDir, generate(700))]);
  expect(outcomes.map(({ code, said }) => [code, code === 0 ? '' : said])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  expect(outcomes[0].last).toMatchObject({ added: 500 });
  expect(processesOf(dataDir)).toEqual([]);
});

test('two commands and a running hub share one folder', async () => {
  const hub = await startHub({ dataDir: folder() });
  try {
    const [made, token] = await Promise.all([command(hub.dataDir, generate(500)), command(hub.dataDir, ['token', 'steward'])]);
    expect([made.code, token.code]).toEqual([0, 0]);
    const count = await askGraph(hub, String(token.last.token), '{ citizens(first: 1) { totalCount } }');
    expect(count.body).toEqual({ data: { citizens: { totalCount: 2_500 } } });
  } finally {
    await hub.stop();
  }
});

test('what cannot be understood changes nothing and ends with 2, an unknown command too', async () => {
  const dataDir = folder();
  for (const args of [['generate', '--citizens', 'many'], ['nonsense'], ['token']]) {
    const { code, last } = await command(dataDir, args);
    expect([args[0], code]).toEqual([args[0], 2]);
    expect(typeof last.error).toBe('string');
  }
  expect(processesOf(dataDir)).toEqual([]);
});

test('a PostgreSQL of its own choosing instead of the one from npm', async () => {
  const elsewhere = folder();
  makeDataDir(elsewhere);
  const server = await usePostgres(elsewhere, AbortSignal.timeout(60_000));
  const dataDir = folder();
  try {
    const hub = await startHub({ dataDir, processes: 'apart', env: { DATABASE_URL: server.ownerUrl, HUB_DEMO: '0' } });
    expect(hub.processes().filter(({ command: line }) => line.includes('bin/postgres'))).toEqual([]);
    expect(await hub.stop()).toBeLessThan(10_000);
    expect(server.isAlive()).toBe(true);
  } finally {
    await server.leave();
  }
}, 90_000);
