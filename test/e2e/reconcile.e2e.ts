import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { getJson, startHub, tokenOf, type TestHub } from '../kit/hub.ts';
import {
  behave,
  callsOf,
  command,
  endOf,
  forgetCalls,
  killOf,
  openWork,
  plantedOf,
  startOnGraph,
  stewardOf,
} from '../kit/reconcile-drill.ts';

/* The nightly comparison over real processes: hub, worker, PostgreSQL and a population database that misbehaves. */

describe('a hub beside its population database', () => {
  const seed = randomInt(1, 100_000);
  let hub: TestHub;
  beforeAll(async () => {
    process.stderr.write(`reconcile over processes: seed ${String(seed)}\n`);
    hub = await startHub({ env: { HUB_DEMO_SEED: String(seed) } });
  });
  afterAll(() => hub.stop());

  test('hub reconcile finds exactly what was planted, and says so in one line', async () => {
    const { code, last, said } = await command(hub.dataDir, 'reconcile').ended;
    expect({ seed, code, said: code === 0 ? '' : said }).toEqual({ seed, code: 0, said: '' });
    expect(last).toMatchObject({ busy: 0, refused: 0, complete: true });
    expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
  });

  test('every call names officer, unit and procedure, and no question is asked under two names', async () => {
    const { calls } = await callsOf(hub.dataDir);
    expect(calls.length).toBeGreaterThan(1_900);
    expect(calls.filter(({ officer, unit, procedure }) => [officer, unit, procedure].includes(''))).toEqual([]);
    expect(new Set(calls.map(({ requestId }) => requestId)).size).toBe(calls.length);
  });

  test('a steward starts a comparison on the graph; the worker does it, and the same key starts none again', async () => {
    const steward = await stewardOf(hub);
    const first = await startOnGraph(hub, steward, { afterDays: 0 }, 'start-once-0001');
    const again = await startOnGraph(hub, steward, { afterDays: 0 }, 'start-once-0001');
    const { runId } = first.ok as { readonly runId: string };
    expect(again).toEqual(first);
    const run = await endOf(hub, runId, 60_000);
    expect(run).toMatchObject({ state: 'DONE', counts: { opened: 0, withdrawn: 0, busy: 0, refused: 0 } });
    expect(run.done).toBe(run.total);
    expect((run.counts.matched ?? 0) + (run.counts.differing ?? 0) + (run.counts.unknown ?? 0)).toBe(run.total);
    expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
  });

  test('whoever may not start runs starts none', async () => {
    expect(await startOnGraph(hub, await tokenOf(hub), {})).toMatchObject({ ok: null, error: { code: 'FORBIDDEN' } });
    expect(await startOnGraph(hub, await stewardOf(hub), { afterDays: -1 })).toMatchObject({
      ok: null,
      error: { code: 'BAD_INPUT' },
    });
  });

  test('while it talks nonsense and asks for a pause, pages wait; when it is well they are done, without a storm [F15][F16]', async () => {
    await behave(hub.dataDir, { mode: 'garbage', garbage: 'truncated', count: 5, share: 0.2, seed: 4 });
    await forgetCalls(hub.dataDir);
    const { ok } = await startOnGraph(hub, await stewardOf(hub), { afterDays: 0 });
    await sleep(800);
    await behave(hub.dataDir, { mode: 'status', status: 429, retryAfter: 1, count: 1 });
    const run = await endOf(hub, (ok as { readonly runId: string }).runId, 60_000);
    expect(run).toMatchObject({ state: 'DONE', counts: { busy: 0, refused: 0, opened: 0 } });
    expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
    const { calls, busiestSecond } = await callsOf(hub.dataDir);
    expect(busiestSecond).toBeLessThanOrEqual(1_000);
    // Whose writing differs is looked up as well: 1.1 calls for each.
    expect(calls.filter(({ outcome }) => outcome === 'answered').length).toBeLessThan(1.2 * 1.1 * run.total);
  }, 90_000);

  test('dead, it is down in /health and the hub is ready all the same [F14]', async () => {
    await behave(hub.dataDir, { mode: 'dead' });
    const state = async () => await getJson(`${hub.address}/health/ready`);
    const until = performance.now() + 20_000;
    let seen = await state();
    while (JSON.stringify(seen.body.outside).includes('"population":"up"') && performance.now() < until) {
      await sleep(500);
      seen = await state();
    }
    expect(seen).toMatchObject({ status: 200, body: { outside: { population: 'down' } } });
    await behave(hub.dataDir, {});
  }, 40_000);

  test('hub, worker and PostgreSQL are killed one after the other in the middle: the run ends, and finds what was planted, once', async () => {
    await behave(hub.dataDir, { delay: 30 });
    const { ok } = await startOnGraph(hub, await stewardOf(hub), { afterDays: 0 });
    for (const victim of ['hub', 'worker', 'postgres'] as const) {
      await sleep(700);
      killOf(hub, victim);
    }
    await behave(hub.dataDir, {});
    const run = await endOf(hub, (ok as { readonly runId: string }).runId, 120_000);
    expect(run).toMatchObject({ state: 'DONE', counts: { busy: 0, refused: 0 } });
    expect(run.done).toBe(run.total);
    expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
  }, 180_000);
});
