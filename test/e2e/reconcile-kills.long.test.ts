import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHub, type TestHub } from '../kit/hub.ts';
import { behave, endOf, killOf, openWork, plantedOf, startOnGraph, stewardOf } from '../kit/reconcile-drill.ts';

/* A comparison is cut off at every place, again and again. */

let hub: TestHub;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.stop());

const victims = ['worker', 'hub', 'postgres'] as const;
const moments = [300, 900, 1_500, 2_100];

test.each(victims.flatMap((victim) => moments.map((moment) => [victim, moment] as const)))(
  'the %s is killed after %i ms: the run ends, and finds what was planted, once',
  async (victim, moment) => {
    await behave(hub.dataDir, { delay: 20 });
    const { ok } = await startOnGraph(hub, await stewardOf(hub), { afterDays: 0 });
    await sleep(moment);
    killOf(hub, victim);
    await behave(hub.dataDir, {});
    const run = await endOf(hub, (ok as { readonly runId: string }).runId, 120_000);
    expect(run).toMatchObject({ state: 'DONE', counts: { busy: 0, refused: 0 } });
    expect(run.done).toBe(run.total);
    expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
  },
  180_000,
);

test('while three of ten calls fail for a minute the breaker keeps the peace, and afterwards everything is found [F15]', async () => {
  await behave(hub.dataDir, { mode: 'status', share: 0.3, seed: 4, status: 503 });
  const { ok } = await startOnGraph(hub, await stewardOf(hub), { afterDays: 0 });
  await sleep(60_000);
  await behave(hub.dataDir, {});
  const run = await endOf(hub, (ok as { readonly runId: string }).runId, 240_000);
  expect(run).toMatchObject({ state: 'DONE', counts: { busy: 0, refused: 0 } });
  expect(await openWork(hub)).toEqual(plantedOf(hub.dataDir));
}, 400_000);
