import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import type { Caller } from '#kernel/auth/principal.ts';
import { changesOf } from '#kernel/db/change.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { silentLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { openIdentity, type Identity } from '../subgraphs/organisation/index.ts';
import { results } from '../subgraphs/results/index.ts';
import { openCitizenWorld, type CitizenWorld } from '../test/kit/citizen-world.ts';
import { unitsScope, withClient } from '../test/kit/database.ts';
import { id, scopes, unit } from '../test/kit/record-world.ts';
import { runReplicaFeed } from './replicas.ts';

/* A citizen moves by the mutation of the graph, his records by the feed as it runs in the worker. */

let world: CitizenWorld;
let identity: Identity;
let steward: Caller;
const stop = new AbortController();
let feed: Promise<void>;
const an = id(0x101);
const homes = [unit.x11, unit.x12, unit.x21] as const;

/** Every table that holds rows of one citizen. */
const tables = [
  ...['identifier', 'name_key', 'verification', 'discrepancy', 'change'].map((name) => `citizens.${name}`),
  ...['insurance.card', 'results.result', 'slips.referral_slip', 'slips.reexamination_slip'],
  ...['insurance', 'results', 'slips'].flatMap((schema) => [`${schema}.change`, `${schema}.work`, `${schema}.citizen_hash`]),
  'organisation.work_item',
];

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  const { roles } = world.database;
  identity = openIdentity({
    url: roles.organisation,
    identifierKey: Buffer.alloc(32, 7),
    issuer: () => 'http://hub',
    clock: { now: () => new Date() },
    report: () => undefined,
  });
  steward = await world.account('steward', unit.p, scopes.province);
  await world.add({ id: an, unitNo: unit.x11, fullName: 'Nguyễn Văn An', personalId: '038090000001' });
  const his = { citizen_id: an, unit_no: unit.x11 };
  const change = { ...his, version: 1, principal: 'x', principal_name: 'x', cause: 'MUTATION', action: 'x' };
  const work = { ...his, id: id(0x201), kind: 'OVERLAP', found_by: 'CARDS' };
  await world.insert('citizens.verification', [
    { ...his, id: id(0x301), field: 'FULL_NAME', outcome: 'MATCH', source: 'POPULATION', checked_at: '2026-01-01' },
  ]);
  await world.insert('citizens.discrepancy', [
    { ...his, id: id(0x302), field: 'GENDER', kind: 'DIFFERENT', found_by: 'RECONCILE' },
  ]);
  for (const schema of ['insurance', 'results', 'slips']) {
    await world.insert(`${schema}.citizen`, [
      { id: an, unit_no: unit.x11, life_status: 'ACTIVE', version: 1, identifier_hashes: [Buffer.from('aa', 'hex')] },
    ]);
    await world.insert(`${schema}.change`, [{ ...change, record_id: id(0x401) }]);
  }
  await world.insert('insurance.card', [{ ...his, id: id(0x401), number: 'DN4380123456789', bhxh_number: '0123456789' }]);
  await world.insert('insurance.work', [{ ...work, card_id: id(0x401) }]);
  await world.insert('results.result', [{ ...his, id: id(0x402), name: 'Giấy khai sinh' }]);
  await world.insert('results.work', [{ ...work, result_id: id(0x402) }]);
  for (const table of ['referral_slip', 'reexamination_slip']) {
    await world.insert(`slips.${table}`, [{ ...his, id: id(0x403), number: '1', origin: 'ENTERED', status: 'ISSUED' }]);
  }
  await world.insert('slips.work', [{ ...work, slip_id: id(0x403) }]);
  await world.insert(
    'organisation.work_item',
    [
      ['CITIZENS', id(0x302), 'DIFFERENT', 'GENDER'],
      ['INSURANCE', id(0x401), 'OVERLAP', null],
      ['RESULTS', id(0x402), 'OVERLAP', null],
      ['SLIPS', id(0x403), 'OVERLAP', null],
    ].map(([source, subject, kind, field]) => ({
      ...his,
      id: randomUUID(),
      source,
      subject,
      kind,
      field,
      citizen_unit_no: unit.x11,
      found_by: 'CARDS',
      state: 'OPEN',
      raised_at: '2026-01-01',
    })),
  );
  feed = runReplicaFeed({ urls: roles, signal: stop.signal, metrics: createMetrics('test'), log: silentLog });
}, 60_000);
afterAll(async () => {
  stop.abort();
  await feed;
  await identity.close();
  await world.close();
});

type Places = Readonly<Record<string, readonly number[]>>;

/** In which of the three stations each row of his is seen, told by their own scopes in one snapshot; rows by table and key. */
async function seen(client: Client): Promise<Places> {
  const places: Record<string, number[]> = {};
  await client.query('begin isolation level repeatable read read only');
  for (const home of [null, ...homes]) {
    await client.query(`select set_config('hub.scope', $1, true)`, [home === null ? '{(,)}' : unitsScope(home)]);
    for (const table of ['citizens.citizen', ...tables]) {
      const { rows } = await client.query<{ key: string }>(
        `select coalesce(j ->> 'id', j ->> 'key', j ->> 'hash') as key from ${table} t, to_jsonb(t) j
         where ${table === 'citizens.citizen' ? 'id' : 'citizen_id'} = $1`,
        [an],
      );
      for (const { key } of rows) {
        const row = (places[`${table} ${key}`] ??= []);
        if (home !== null) row.push(home);
      }
    }
  }
  await client.query('commit');
  return places;
}

async function move(to: number, version: number): Promise<void> {
  const answer = await world.ask(
    { ...steward, idempotencyKey: randomUUID() },
    'mutation ($input: UpdateCitizenInput!) { updateCitizen(input: $input) { error { reason } } }',
    { input: { id: an, version, orgUnitId: `u${String(to)}` } },
  );
  expect(answer.data).toEqual({ updateCitizen: { error: null } });
}

test('while a citizen moves and moves again, no row of his is seen by two stations or by none, and all arrive where he is', async () => {
  await withClient(world.database.ownerUrl, async (client) => {
    const looks = { stop: false, count: 0 };
    const wrong: string[] = [];
    const watching = (async () => {
      while (!looks.stop) {
        for (const [row, places] of Object.entries(await seen(client))) {
          if (places.length !== 1) wrong.push(`${row} at ${places.join()}`);
        }
        looks.count += 1;
      }
    })();
    let home: number = unit.x11;
    for (let version = 1; version <= 12 || looks.count < 12; version += 1) {
      home = homes.filter((other) => other !== home)[Math.floor(Math.random() * 2)] ?? home;
      await move(home, version);
      if (version % 3 === 0) await identity.feedWork();
    }
    looks.stop = true;
    await watching;
    expect(wrong).toEqual([]);
    const deadline = performance.now() + 20_000; // other tests write in the same server, and the horizon waits for them
    const elsewhere = (rows: Places): readonly string[] =>
      Object.entries(rows).flatMap(([row, places]) => (places.join() === String(home) ? [] : [`${row} at ${places.join()}`]));
    let last = await seen(client);
    while (elsewhere(last).length > 0 && performance.now() < deadline) {
      await identity.feedWork();
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await seen(client);
    }
    expect(elsewhere(last)).toEqual([]);
    expect(new Set(Object.keys(last).map((row) => row.split(' ')[0]))).toEqual(new Set(['citizens.citizen', ...tables]));
  });
}, 60_000);

test('a card that is entered while he moves ends where he is', async () => {
  await withClient(world.database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    const [{ version, home } = { version: 0, home: 0 }] = (
      await client.query<{ version: number; home: number }>(
        'select version, unit_no as home from citizens.citizen where id = $1',
        [an],
      )
    ).rows;
    const to = homes.find((other) => other !== home) ?? home;
    await withClient(world.database.roles.insurance, async (slow) => {
      // As every mutation does it: his replica is held, then the card is written with the unit that stood there.
      await slow.query('begin');
      await slow.query(`select set_config('hub.scope', '{(,)}', true)`);
      const { rows } = await slow.query<{ unit_no: number }>('select unit_no from insurance.citizen where id = $1 for share', [
        an,
      ]);
      await move(to, version);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await slow.query(
        `insert into insurance.card (id, citizen_id, unit_no, number, bhxh_number) values ($1, $2, $3, 'DN4380123456780', '0123456780')`,
        [id(0x499), an, rows[0]?.unit_no],
      );
      await slow.query('commit');
    });
    const place = async (): Promise<unknown> =>
      (await client.query<{ unit_no: number }>('select unit_no from insurance.card where id = $1', [id(0x499)])).rows[0]?.unit_no;
    const deadline = performance.now() + 20_000;
    while ((await place()) !== to && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await place()).toBe(to);
  });
}, 60_000);

test('a paper that waits goes to its citizen when he is registered, wherever that is', async () => {
  const changes = await changesOf(results, world.database.roles.results);
  if (changes === null) throw new Error('results have no mutations');
  const deps = { door: world.door, changes, clock: { now: () => new Date() }, identifierKey: Buffer.alloc(32, 7) };
  const runtime = openRuntime(results, deps, { commit: () => Promise.resolve() });
  try {
    const answer = await runtime.execute({
      query: `mutation ($input: CreateDigitizedResultInput!) { createDigitizedResult(input: $input) {
        ok { digitizedResult { id citizen { id } orgUnit { id } } } error { reason } } }`,
      variables: { input: { code: '038099000009.KQ.G15.000031.7', name: 'Giấy khai sinh', orgUnitId: 'u4' } },
      caller: { ...steward, idempotencyKey: randomUUID() },
      signal: AbortSignal.timeout(10_000),
    });
    const { createDigitizedResult: made } = JSON.parse(JSON.stringify(answer.data)) as {
      createDigitizedResult: { ok: { digitizedResult: { id: string } } };
    };
    expect(made).toMatchObject({ ok: { digitizedResult: { citizen: null, orgUnit: { id: 'u4' } } }, error: null });
    const registered = await world.ask(
      { ...steward, idempotencyKey: randomUUID() },
      'mutation ($input: CreateCitizenInput!) { createCitizen(input: $input) { ok { citizen { id } } error { reason } } }',
      { input: { orgUnitId: 'u6', fullName: 'Lê Hoa', personalId: '038099000009' } },
    );
    const { createCitizen } = registered.data as { createCitizen: { ok: { citizen: { id: string } } } };
    const place = async (): Promise<unknown> =>
      withClient(world.database.ownerUrl, async (client) => {
        await client.query(`select set_config('hub.scope', '{(,)}', false)`);
        const { rows } = await client.query('select citizen_id, unit_no, version from results.result where id = $1', [
          made.ok.digitizedResult.id,
        ]);
        return rows[0] as unknown;
      });
    const linked = { citizen_id: createCitizen.ok.citizen.id, unit_no: unit.x21, version: 2 };
    const deadline = performance.now() + 20_000;
    while (JSON.stringify(await place()) !== JSON.stringify(linked) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await place()).toEqual(linked);
  } finally {
    await runtime.close();
    await changes.close();
  }
}, 60_000);
