import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demoWorld } from '#kernel/synthetic/world.ts';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import { selfSigned } from '../../test/kit/certificate.ts';
import type { CallEvent, ClientOptions } from './client.ts';
import { populationContract } from './contract.ts';
import { openPopulation, type PopulationDatabase, type StatedPerson } from './index.ts';
import { startSimulator, type Simulator } from './simulator.ts';
import { busiestSecond } from './simulated-behaviour.ts';

const baseDay = '2026-11-24' as PlainDay;
const access = { user: 'so-y-te', secret: 'a secret of this test', client: null, apiKey: null };
const asker = { officer: 'CB01', account: 'steward', unit: 'H52', procedure: '1.012345' };
const an = demoWorld(7, baseDay).citizen(0).ours;
const place = (detail: string | null) => (detail === null ? null : { detail, code: null, list: null, provinceCode: null });
const known: StatedPerson = {
  personalId: an.personalId ?? '',
  oldIdNumber: an.oldIdNumber,
  fullName: an.fullName,
  dateOfBirth: an.dateOfBirth,
  gender: an.gender,
  birthplace: place(an.birthplace),
  nativePlace: place(an.nativePlace),
  permanentAddress: {
    detail: an.permanent.text.split(', ')[0] ?? null,
    code: an.permanent.code,
    list: '2025',
    provinceCode: '52',
  },
};

let dataDir: string;
let simulator: Simulator;
let opened: PopulationDatabase[] = [];
let events: CallEvent[] = [];
let keys = 0;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'lien-thong-population-'));
  writeFileSync(join(dataDir, 'base-day'), `${baseDay}\n`);
  simulator = await startSimulator({ seed: 7, dataDir, user: access.user, secret: access.secret });
});
afterAll(async () => {
  await simulator.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  events = [];
  await simulator.behave({});
});
afterEach(async () => {
  await Promise.all(opened.map((database) => database.close()));
  opened = [];
});

function open(more: Partial<ClientOptions> = {}): PopulationDatabase {
  const database = openPopulation({
    ...access,
    url: simulator.url,
    callsPerSecond: 2_000,
    callsAtOnce: 8,
    observe: (event) => events.push(event),
    patience: { call: 400, backoff: 5, longestBackoff: 20, open: 150 },
    ...more,
  });
  opened.push(database);
  return database;
}

const ask = (database: PopulationDatabase, person: StatedPerson = known) =>
  database.ask({ person, asker, key: `key ${String((keys += 1))}` });
/** What became of it, without the stack. */
const outcome = async (asking: Promise<unknown>): Promise<unknown> => {
  try {
    return await asking;
  } catch (error) {
    expect(String(error) + JSON.stringify(error)).not.toContain(known.personalId);
    return error;
  }
};
const since = (calls: number): number => simulator.calls().length - calls;

describe('the contract of the population database, by the simulator', () => {
  for (const contractCase of populationContract) {
    test(contractCase.name, () => contractCase.run({ database: open(), asker, known, unknown: '096299999999' }));
  }
});

test('a question that is asked again carries the same id, another question another one', async () => {
  const before = simulator.calls().length;
  const database = open();
  for (const key of ['a', 'a', 'b']) await database.ask({ person: known, asker, key });
  const [first, again, other] = simulator.calls().slice(before);
  expect(first?.requestId).toBe(again?.requestId);
  expect(first?.requestId).not.toBe(other?.requestId);
  expect(first).toMatchObject({ officer: 'CB01', unit: 'H52', procedure: '1.012345' });
});

test('the secret never travels: a wrong one is refused, as a matter of rights', async () => {
  expect(await outcome(ask(open({ secret: 'another' })))).toMatchObject({ name: 'SystemRefused', kind: 'rights' });
});

describe('slow and silent [F14]', () => {
  test.each(['slow', 'silent'] as const)('%s: given up in time, then left alone by the breaker', async (mode) => {
    await simulator.behave({ mode, slowDelay: 3_000 });
    const before = simulator.calls().length;
    const database = open({ patience: { call: 100, backoff: 5, longestBackoff: 10, open: 60_000 } });
    const began = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => outcome(ask(database))));
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(outcomes.every((one) => one instanceof Error && one.name === 'SystemBusy')).toBe(true);
    const asked = since(before);
    expect(await outcome(ask(database))).toMatchObject({ kind: 'breaker' });
    expect(since(before)).toBe(asked);
    expect(events).toContainEqual({ kind: 'breaker', state: 'open' });
  });
});

describe('failing, then healthy [F15]', () => {
  test.each([500, 503] as const)('%i: tried again a little later, with success', async (status) => {
    await simulator.behave({ mode: 'status', status, count: 2 });
    expect(await outcome(ask(open()))).toMatchObject({ kind: 'match' });
  });

  test('told to wait two minutes nobody asks for two minutes', async () => {
    await simulator.behave({ mode: 'status', status: 429, retryAfter: 120, count: 1 });
    const before = simulator.calls().length;
    const database = open();
    expect(await outcome(ask(database))).toMatchObject({ kind: 'status', retryAfter: 120_000 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(ask(database))));
    expect(outcomes.every((one) => one instanceof Error && 'kind' in one && one.kind === 'held')).toBe(true);
    expect(since(before)).toBe(1);
  });

  test('after the wait it asks again', async () => {
    await simulator.behave({ mode: 'status', status: 429, retryAfter: 1, count: 1 });
    const database = open();
    await outcome(ask(database));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await ask(database)).toMatchObject({ kind: 'match' });
  });

  test('never more calls in a second than agreed, also while everything is tried again', async () => {
    await simulator.behave({ mode: 'status', share: 0.2, seed: 5 });
    const before = simulator.calls().length;
    const database = open({ callsPerSecond: 100 });
    await Promise.all(Array.from({ length: 180 }, () => outcome(ask(database))));
    expect(busiestSecond(simulator.calls().slice(before))).toBeLessThanOrEqual(100);
  });

  test('when it is back, one call tries it before the others come, and nothing is asked much more often than needed', async () => {
    await simulator.behave({ mode: 'status' });
    const database = open();
    await Promise.all(Array.from({ length: 20 }, () => outcome(ask(database))));
    await simulator.behave({});
    const before = simulator.calls().length;
    let done = 0;
    const until = performance.now() + 5_000;
    while (done < 50 && performance.now() < until) {
      const results = await Promise.all(Array.from({ length: 10 }, () => outcome(ask(database))));
      done += results.filter((one) => !(one instanceof Error)).length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(done).toBeGreaterThanOrEqual(50);
    expect(since(before)).toBeLessThanOrEqual(1.2 * done);
  });
});

describe('nonsense [F16]', () => {
  test.each([
    ['html', 'doctype'],
    ['truncated', 'malformed'],
    ['null', 'not-xml'],
    ['empty', 'not-xml'],
    ['wrong-type', 'wrong-type'],
    ['utf8', 'encoding'],
    ['doctype', 'doctype'],
    ['huge', 'too-large'],
  ] as const)('%s: busy, and the broken rule has a name', async (garbage, violation) => {
    await simulator.behave({ mode: 'garbage', garbage });
    expect(await outcome(ask(open()))).toMatchObject({ name: 'SystemBusy', kind: 'violation', violation });
  });

  test('fifty megabytes, twenty times at once, do not stay in memory', async () => {
    await simulator.behave({ mode: 'garbage', garbage: 'huge' });
    const database = open();
    const before = process.memoryUsage.rss();
    await Promise.all(Array.from({ length: 20 }, () => outcome(ask(database))));
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('the answer to another question is nobody’s', async () => {
    await ask(open());
    await simulator.behave({ mode: 'foreign' });
    expect(await outcome(ask(open()))).toMatchObject({ kind: 'violation', violation: 'contradiction' });
  });
});

test('a record that comes twice in one answer is one record [F17]', async () => {
  await simulator.behave({ mode: 'twice' });
  expect(await ask(open(), { ...known, fullName: 'Người Khác' })).toMatchObject({ kind: 'record' });
});

describe('led elsewhere [A44]', () => {
  test('a redirect to an address of ours is not followed', async () => {
    let called = 0;
    const ours = createServer((_, response) => {
      called += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => ours.listen(0, '127.0.0.1', resolve));
    await simulator.behave({
      mode: 'moved',
      location: `http://127.0.0.1:${String((ours.address() as AddressInfo).port)}/graphql`,
    });
    expect(await outcome(ask(open()))).toMatchObject({ name: 'SystemRefused', kind: 'moved' });
    expect(called).toBe(0);
    ours.close();
  });

  test.each([
    ['of another host', 'somewhere.example', true],
    ['that nobody we trust has signed', '127.0.0.1', false],
  ] as const)('a certificate %s is refused before anything is sent', async (_, host, trusted) => {
    const certificate = selfSigned(host);
    let heard = 0;
    const impostor = createSecureServer(certificate, (request, response) => {
      heard += 1;
      request.resume();
      response.end();
    });
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${String((impostor.address() as AddressInfo).port)}/`;
    const database = open({ url, ...(trusted && { authority: certificate.cert }) });
    expect(await outcome(ask(database))).toMatchObject({ name: 'SystemRefused', kind: 'certificate' });
    expect(heard).toBe(0);
    impostor.close();
  });

  test('with the right certificate the same listener is heard', async () => {
    const certificate = selfSigned('127.0.0.1');
    const real = createSecureServer(certificate, (request, response) => {
      request.resume();
      response.writeHead(403).end();
    });
    await new Promise<void>((resolve) => real.listen(0, '127.0.0.1', resolve));
    const database = open({
      url: `https://127.0.0.1:${String((real.address() as AddressInfo).port)}/`,
      authority: certificate.cert,
    });
    expect(await outcome(ask(database))).toMatchObject({ name: 'SystemRefused', kind: 'rights' });
    real.closeAllConnections();
    real.close();
  });
});
