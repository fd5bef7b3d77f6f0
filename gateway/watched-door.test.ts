import { expect, test } from '@jest/globals';
import type { SubgraphAnswer, SubgraphDoor, SubgraphRequest } from '#kernel/graph/subgraph-call.ts';
import { anyCaller } from '../test/differential/compare.ts';
import { watchedDoor } from './watched-door.ts';

const request: SubgraphRequest = {
  query: '{ me { id } }',
  variables: {},
  caller: anyCaller,
  signal: new AbortController().signal,
};
const answer: SubgraphAnswer = { data: {}, audit: () => Promise.resolve() };
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const after = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const doorThat = (execute: () => Promise<SubgraphAnswer>): SubgraphDoor => ({ name: 'slips', execute });

test('a subgraph that hangs is given up within two seconds, and at once while it is known to hang [F21]', async () => {
  const door = watchedDoor(doorThat(never), never);
  const started = performance.now();
  const calls = await Promise.allSettled([door.execute(request), after(300).then(() => door.execute(request))]);
  expect(performance.now() - started).toBeLessThan(2_000);
  for (const call of calls)
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'UPSTREAM_BUSY', reason: 'SUBGRAPH_AWAY' } });
  const again = performance.now();
  await expect(door.execute(request)).rejects.toMatchObject({ reason: 'SUBGRAPH_AWAY' });
  expect(performance.now() - again).toBeLessThan(50);
});

test('a subgraph that works long is waited for', async () => {
  let asked = 0;
  const door = watchedDoor(
    doorThat(async () => {
      await after(2_300);
      return answer;
    }),
    async () => (asked += 1),
  );
  expect(await door.execute(request)).toBe(answer);
  expect(asked).toBeGreaterThan(0);
});

test('a subgraph that is back is asked again', async () => {
  let hangs = true;
  const door = watchedDoor(
    doorThat(() => (hangs ? never() : Promise.resolve(answer))),
    () => (hangs ? never() : Promise.resolve()),
  );
  await expect(door.execute(request)).rejects.toMatchObject({ reason: 'SUBGRAPH_AWAY' });
  hangs = false;
  await after(1_050);
  expect(await door.execute(request)).toBe(answer);
});
