import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { from, openDrill, type Drill, type DrillWorker } from '../test/kit/drill.ts';

let drill: Drill;
let folder: string;
let port: number;
let server: ChildProcess | null = null;
let alive: DrillWorker[] = [];

const address = (): string => `redis://127.0.0.1:${String(port)}`;

async function startRedis(...more: readonly string[]): Promise<void> {
  const child = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      '--maxmemory-policy',
      'noeviction',
      ...more,
    ],
    { stdio: 'ignore' },
  );
  server = child;
  await new Promise<void>((resolve, reject) => {
    child.once('error', () => reject(new Error('redis-server is missing: apt-get install redis-server')));
    void ask((redis) => redis.ping()).then(() => resolve(), reject);
  });
}

async function stopRedis(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const child = server;
  server = null;
  if (child === null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

async function ask<T>(body: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(address(), { retryStrategy: (times) => (times > 100 ? null : 50), maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    return await body(redis);
  } finally {
    redis.disconnect();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-redis-'));
  port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const at = probe.address();
      probe.close(() => resolve(typeof at === 'object' && at !== null ? at.port : 0));
    });
  });
  drill = await openDrill({ DRILL_LEASE: '2', DRILL_RECONCILE: '1000', REDIS_URL: address() });
});
afterEach(async () => {
  for (const one of alive) one.kill('SIGKILL');
  await Promise.all(alive.map(({ ended }) => ended));
  alive = [];
  await stopRedis();
});
afterAll(async () => {
  await drill.close();
  await rm(folder, { recursive: true, force: true });
});

async function worker(): Promise<DrillWorker> {
  const one = await drill.worker();
  alive.push(one);
  return one;
}
const until = async (what: () => Promise<boolean>, milliseconds = 20_000): Promise<void> => {
  const end = performance.now() + milliseconds;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`it did not happen: ${what.toString()}`);
    await sleep(50);
  }
};
const alerts = (): string[] => alive.flatMap((one) => one.said().match(/"msg":"queue\.(?:lost|away)"/g) ?? []);

test('what Redis forgets is told again: every page is done once, and the loss is told once [F04]', async () => {
  await startRedis();
  await worker();
  const run = await drill.start({ pages: 1_010, milliseconds: 6 });
  await until(async () => (await drill.run(run)).done > 20);
  await ask((redis) => redis.flushall());
  expect(await drill.over(run, 55_000)).toMatchObject({ state: 'DONE', done: 2_020, refused: 0 });
  expect(await drill.effects(run)).toEqual(from(1, 1_010));
  expect(alerts().filter((alert) => alert.includes('lost'))).toHaveLength(1);
});

test('Redis dies and comes back empty again and again: processes live on and every page is done once [F05]', async () => {
  await startRedis();
  const one = await worker();
  const run = await drill.start({ pages: 120, milliseconds: 50 });
  for (let n = 0; n < 3; n += 1) {
    await sleep(700);
    await stopRedis();
    await sleep(300);
    await startRedis();
  }
  expect(await drill.over(run, 50_000)).toMatchObject({ state: 'DONE', done: 240, refused: 0 });
  expect(await drill.effects(run)).toEqual(from(1, 120));
  expect(one.child.exitCode).toBeNull();
});

test('with Redis down or silent work is accepted as fast as ever and done when it is back [F06]', async () => {
  await startRedis();
  await worker();
  async function opened(times: number): Promise<{ runs: string[]; p95: number }> {
    const took: number[] = [];
    const runs: string[] = [];
    for (let n = 0; n < times; n += 1) {
      const began = performance.now();
      runs.push(await drill.start({ pages: 1 }));
      took.push(performance.now() - began);
    }
    return { runs, p95: took.sort((a, b) => a - b)[Math.floor(times * 0.95)] ?? 0 };
  }
  const calm = await opened(20);
  server?.kill('SIGSTOP');
  const silent = await opened(20);
  server?.kill('SIGCONT');
  await stopRedis();
  const down = await opened(20);
  for (const { p95 } of [silent, down]) expect(p95).toBeLessThan(Math.max(calm.p95 * 3, 250));
  await startRedis();
  for (const run of [...calm.runs, ...silent.runs, ...down.runs]) {
    expect(await drill.over(run, 40_000)).toMatchObject({ state: 'DONE', done: 2 });
    expect(await drill.effects(run)).toEqual([1]);
  }
});

test('a Redis that is full is waited for; one that would forget is refused at the start [F07]', async () => {
  await startRedis('--maxmemory', '1mb');
  const one = await worker();
  const run = await drill.start({ pages: 300 });
  await until(() => Promise.resolve(alerts().length > 0));
  await sleep(1_000);
  expect(one.child.exitCode).toBeNull();
  await ask((redis) => redis.config('SET', 'maxmemory', '100mb'));
  expect(await drill.over(run, 30_000)).toMatchObject({ state: 'DONE', done: 600 });
  expect(await drill.effects(run)).toEqual(from(1, 300));

  await ask((redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'));
  const refused = await worker();
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toContain('noeviction');
});

test('a job written straight into Redis is refused: no such page, and a security event [A43]', async () => {
  await startRedis();
  await worker();
  const { Queue } = await import('bullmq');
  const queue = new Queue('internal', { connection: { url: address() }, prefix: 'hub-queue' });
  try {
    await queue.add('drill-pages', { run: '01900000-0000-7000-8000-00000000dead', no: 1 });
    await until(
      async () => (await drill.owner.query(`select from organisation.security_event where kind = 'job.refused'`)).rowCount === 1,
    );
    expect(await ask((redis) => redis.keys('*'))).toEqual(expect.arrayContaining([expect.stringMatching(/^hub-queue:/)]));
  } finally {
    await queue.close();
  }
});
