import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { askGraph, getJson, startHub, tokenOf, type TestHub } from '../kit/hub.ts';

/*
 * More than the hub can do, from clients that mean it: what is refused is refused quickly and by name, and who asks little goes on
 * being answered. Real processes, shortened; rates and times in full: test:long.
 */

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
}, 180_000);
afterAll(async () => {
  await hub.stop();
});

interface Outcome {
  readonly status: number;
  readonly code: unknown;
  readonly milliseconds: number;
}

async function ask(token: string, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Outcome> {
  const began = performance.now();
  const { status, body } = await askGraph(hub, token, query, variables);
  return { status, code: body.errors?.[0]?.extensions?.code, milliseconds: performance.now() - began };
}

/** As many at a time as there are clients, until `total` are asked. */
async function fromClients(
  clients: number,
  total: number,
  one: (index: number) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (next < total) outcomes.push(await one(next++));
    }),
  );
  return outcomes;
}

/** One who asks for one person, again and again, until told to end; what he was answered. */
function quietCaller(token: string): { end(): Promise<readonly Outcome[]> } {
  const ended = new AbortController();
  const asking = (async () => {
    const outcomes: Outcome[] = [];
    while (!ended.signal.aborted) {
      outcomes.push(await ask(token, an, { n: '038090000001' }));
      await sleep(50);
    }
    return outcomes;
  })();
  return {
    end() {
      ended.abort();
      return asking;
    },
  };
}

const an = 'query ($n: String!) { citizen(personalId: $n) { id fullName } }';

test('a burst of 1,000 requests in a moment is answered or refused by name, and nothing breaks [L2]', async () => {
  const token = await tokenOf(hub);
  const outcomes = await fromClients(50, 1_000, () => ask(token, an, { n: '038090000001' }));
  const classes = new Set(outcomes.map(({ status, code }) => (status === 200 ? 'answered' : String(code))));
  expect(outcomes).toHaveLength(1_000);
  expect([...classes].filter((name) => name !== 'answered' && name !== 'RATE')).toEqual([]);
  expect(classes).toContain('answered');
  expect(Math.max(...outcomes.map(({ milliseconds }) => milliseconds))).toBeLessThan(10_000);
  await sleep(500);
  expect((await ask(token, an, { n: '038090000001' })).status).toBe(200);
}, 120_000);

test('fragment bombs from 50 connections are refused one and all, and a quiet caller goes on being answered [A31]', async () => {
  const token = await tokenOf(hub);
  const reader = await tokenOf(hub, 'reader');
  const bomb = Array.from({ length: 24 }, (_, k) => `fragment f${k + 1} on Citizen { ...f${k} ...f${k} }`).join(' ');
  const query = `{ citizens(first: 1) { nodes { ...f24 } } } fragment f0 on Citizen { id } ${bomb}`;
  const quiet = quietCaller(reader);
  const outcomes = await fromClients(50, 1_500, () => ask(token, query));
  const unharmed = await quiet.end();
  expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['LIMIT']));
  expect(unharmed.length).toBeGreaterThan(3);
  expect(unharmed.every(({ status }) => status === 200)).toBe(true);
  expect((await getJson(`${hub.address}/health/live`)).status).toBe(200);
}, 120_000);

test('searches that miss every cache run out of points; plain reads of others are not starved [A36]', async () => {
  const token = await tokenOf(hub);
  const other = await tokenOf(hub, 'reader');
  const search = 'query ($t: String!) { citizens(filter: { text: $t }, first: 20) { nodes { id } totalCount } }';
  const quiet = quietCaller(other);
  // 60,000 points a minute, 20 and more for a search: 3,000 of them are a minute's work.
  const outcomes = await fromClients(32, 4_000, (index) =>
    ask(token, search, { t: `${String.fromCharCode(97 + (index % 26))}${index}` }),
  );
  const unharmed = await quiet.end();
  const codes = new Set(outcomes.map(({ status, code }) => (status === 200 ? 'answered' : String(code))));
  expect([...codes].sort()).toEqual(['RATE', 'answered']);
  expect(unharmed.every(({ status }) => status === 200)).toBe(true);
}, 180_000);
