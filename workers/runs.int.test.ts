import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { from, openDrill, openPeer, type Drill } from '../test/kit/drill.ts';

let drill: Drill;
beforeAll(async () => {
  drill = await openDrill();
});
afterAll(() => drill.close());

test('a run is planned, worked off page by page and reported; a restart finds nothing to do', async () => {
  const worker = await drill.worker();
  const run = await drill.start({ pages: 250 });
  const over = await drill.over(run, 20_000);
  expect(over).toMatchObject({ state: 'DONE', total: 500, done: 500, refused: 0, counts: { worked: 500 }, report: { pages: 250 } });
  expect(await drill.effects(run)).toEqual(from(1, 250));
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});
