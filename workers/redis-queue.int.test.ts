import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { from, openDrill, scheduledRuns, timeOfDay, type Drill, type DrillWorker } from '../test/kit/drill.ts';
import { openRedis, type TestRedis } from '../test/kit/redis.ts';

let drill: Drill;
let redis: TestRedis;
let alive: DrillWorker[] = [];

beforeAll(async () => {
  redis = await openRedis();
  drill = await openDrill({ DRILL_LEASE: '2', DRILL_RECONCILE: '1000', REDIS_URL: redis.url });
});
afterEach(async () => {
  for (const one of alive) one.kill('SIGKILL');
  await Promise.all(alive.map(({ ended }) => ended));
  alive = [];
  await redis.stop();
});
afterAll(async () => {
  await drill.close();
  await redis.close();
});

async function worker(env?: Readonly<Record<string, string>>): Promise<DrillWorker> {
  const one = await drill.worker(env);
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
  await redis.start();
  await worker();
  const run = await drill.start({ pages: 1_010, milliseconds: 6 });
  await until(async () => (await drill.run(run)).done > 20);
  await redis.ask((server) => server.flushall());
  expect(await drill.over(run, 55_000)).toMatchObject({ state: 'DONE', done: 2_020, refused: 0 });
  expect(await drill.effects(run)).toEqual(from(1, 1_010));
  expect(alerts().filter((alert) => alert.includes('lost'))).toHaveLength(1);
});

test('Redis dies and comes back empty again and again: processes live on and every page is done once [F05]', async () => {
  await redis.start();
  const one = await worker();
  const run = await drill.start({ pages: 120, milliseconds: 50 });
  for (let n = 0; n < 3; n += 1) {
    await sleep(700);
    await redis.stop();
    await sleep(300);
    await redis.start();
  }
  expect(await drill.over(run, 50_000)).toMatchObject({ state: 'DONE', done: 240, refused: 0 });
  expect(await drill.effects(run)).toEqual(from(1, 120));
  expect(one.child.exitCode).toBeNull();
});

test('with Redis down or silent work is accepted as fast as ever and done when it is back [F06]', async () => {
  await redis.start();
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
  redis.signal('SIGSTOP');
  const silent = await opened(20);
  redis.signal('SIGCONT');
  await redis.stop();
  const down = await opened(20);
  for (const { p95 } of [silent, down]) expect(p95).toBeLessThan(Math.max(calm.p95 * 3, 250));
  await redis.start();
  for (const run of [...calm.runs, ...silent.runs, ...down.runs]) {
    expect(await drill.over(run, 40_000)).toMatchObject({ state: 'DONE', done: 2 });
    expect(await drill.effects(run)).toEqual([1]);
  }
});

test('a Redis that is full is waited for; one that would forget is refused at the start [F07]', async () => {
  await redis.start('--maxmemory', '1mb');
  const one = await worker();
  const run = await drill.start({ pages: 300 });
  await until(() => Promise.resolve(alerts().length > 0));
  await sleep(1_000);
  expect(one.child.exitCode).toBeNull();
  await redis.ask((server) => server.config('SET', 'maxmemory', '100mb'));
  expect(await drill.over(run, 30_000)).toMatchObject({ state: 'DONE', done: 600 });
  expect(await drill.effects(run)).toEqual(from(1, 300));

  await redis.ask((server) => server.config('SET', 'maxmemory-policy', 'allkeys-lru'));
  const refused = await worker();
  expect(await refused.ended).toBe(1);
  expect(refused.said()).toContain('noeviction');
});

test('a nightly schedule opens its run when its time comes, though Redis is away at that moment', async () => {
  await redis.start();
  const daily = await timeOfDay(drill, 3);
  await worker({ DRILL_DAILY: daily });
  await redis.stop();
  await sleep(3_500);
  expect(await scheduledRuns(drill)).toEqual([]);
  await redis.start();
  await until(async () => (await scheduledRuns(drill)).length > 0);
  await sleep(1_000);
  expect((await scheduledRuns(drill)).map(({ runs, by, ahead }) => [runs, by, ahead])).toEqual([[1, 'schedule', false]]);
});

test('a job written straight into Redis is refused: no such page, and a security event [A43]', async () => {
  await redis.start();
  await worker();
  const { Queue } = await import('bullmq');
  const queue = new Queue('internal', { connection: { url: redis.url }, prefix: 'hub-queue' });
  try {
    await queue.add('drill-pages', { run: '01900000-0000-7000-8000-00000000dead', no: 1 });
    await until(
      async () => (await drill.owner.query(`select from organisation.security_event where kind = 'job.refused'`)).rowCount === 1,
    );
    expect(await redis.ask((server) => server.keys('*'))).toEqual(expect.arrayContaining([expect.stringMatching(/^hub-queue:/)]));
  } finally {
    await queue.close();
  }
});
