import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { ReplicaTarget } from '#kernel/db/citizen-replica.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { publish, type CitizenReplica } from '#kernel/db/outbox.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { silentLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { asScope, withClient } from '../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { feedOnce, rebuildReplicas, replicaTargets, runReplicaFeed, sweepWaiting, type Fed } from './replicas.ts';

const key = randomBytes(32);
const session = { units: everyUnit, principal: 'test' };
const [insurance] = replicaTargets as readonly [ReplicaTarget];

let database: TestDatabase;
let citizens: Database;
let cards: Database;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  citizens = await openDatabase({ url: database.roles.citizens, entities: [], connections: 4, applicationName: 'test' });
  cards = await openDatabase({ url: database.roles.insurance, entities: [], connections: 2, applicationName: 'test' });
});
afterEach(async () => {
  await citizens.close();
  await cards.close();
});
afterAll(() => database.close());

interface News {
  readonly id: string;
  readonly version: number;
  readonly unit: number;
  readonly numbers?: readonly string[];
  readonly lifeStatus?: CitizenReplica['lifeStatus'];
  readonly mergedInto?: string;
}

const hashesOf = (numbers: readonly string[]): string[] => numbers.map((number) => hashIdentifier(key, number).toString('hex'));

function eventOf({ id, version, unit, numbers = [], lifeStatus = 'ACTIVE', mergedInto }: News) {
  return {
    kind: 'CITIZEN',
    subject: id,
    version,
    unitBefore: version === 1 ? null : unit,
    unitAfter: unit,
    payload: { hashes: hashesOf(numbers), lifeStatus, mergedInto: mergedInto ?? null },
  } as const;
}

function tell(...news: readonly News[]): Promise<void> {
  return citizens.transaction(session, (transaction) => publish(transaction, news.map(eventOf)));
}

/**
 * Feeds until so many events were taken: the horizon waits for the oldest writer of the whole server, and other tests write in it.
 * Then once more, so that an event too many is seen.
 */
async function feed(expected: number, most = 20_000): Promise<Fed> {
  const deadline = performance.now() + most;
  const sum = { taken: 0, changed: 0, stale: 0, linked: 0, merged: 0 };
  for (let enough = false; ;) {
    const fed = await feedOnce(cards, insurance);
    for (const name of ['taken', 'changed', 'stale', 'linked', 'merged'] as const) sum[name] += fed[name];
    if (fed.taken > 0) continue;
    if (enough || performance.now() > deadline) return sum;
    enough = sum.taken >= expected;
    if (!enough) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until so many events can be taken; taking without finishing changes nothing. */
async function due(count: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const found = await cards.transaction(session, (transaction) =>
      transaction.query(`select id from hub.take_event('insurance', 100)`),
    );
    if (found.length === count) return;
    if (performance.now() > deadline) throw new Error(`${String(found.length)} events are due, not ${String(count)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function replicaOf(id: string): Promise<{ unit: number; version: number } | undefined> {
  const [row] = await asScope<{ unit: number; version: number }>(
    database.roles.insurance,
    everyUnit,
    'select unit_no as unit, version from insurance.citizen where id = $1',
    [id],
  );
  return row;
}

async function addCard(card: { citizen?: string; unit: number; waitsFor?: string }): Promise<string> {
  const id = randomUUID();
  await asScope(
    database.roles.insurance,
    everyUnit,
    `insert into insurance.card (id, citizen_id, unit_no, number, bhxh_number, waiting_hash) values ($1, $2, $3, 'DN4380123456789', '0123456789', $4)`,
    [id, card.citizen ?? null, card.unit, card.waitsFor === undefined ? null : hashIdentifier(key, card.waitsFor)],
  );
  return id;
}

async function cardOf(id: string): Promise<{ citizen: string | null; unit: number; version: number } | undefined> {
  const [row] = await asScope<{ citizen: string | null; unit: number; version: number }>(
    database.roles.insurance,
    everyUnit,
    'select citizen_id as citizen, unit_no as unit, version from insurance.card where id = $1',
    [id],
  );
  return row;
}

test('an event with a lower id that commits last is delivered all the same [F13]', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  await withClient(database.roles.citizens, async (slow) => {
    await slow.query('begin');
    await slow.query(
      `insert into hub.outbox (kind, subject, version, unit_after, payload) values ('CITIZEN', $1, 1, 5, '{"hashes":[],"lifeStatus":"ACTIVE"}')`,
      [first],
    );
    await tell({ id: second, version: 1, unit: 5 }); // higher id, committed first
    expect(await feed(0)).toMatchObject({ taken: 0 }); // the horizon waits for the open transaction
    expect(await replicaOf(second)).toBeUndefined();
    await slow.query('commit');
  });
  expect(await feed(2)).toMatchObject({ taken: 2, changed: 2 });
  expect(await replicaOf(first)).toEqual({ unit: 5, version: 1 });
  expect(await replicaOf(second)).toEqual({ unit: 5, version: 1 });
});

test('many writers that commit in any order, some of them never: each committed event arrives exactly once [F13]', async () => {
  const writers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = new Client({ connectionString: database.roles.citizens });
      await client.connect();
      return client;
    }),
  );
  const committed: string[] = [];
  let seen = 0;
  try {
    for (let round = 0; round < 10; round += 1) {
      const ids = writers.map(() => randomUUID());
      for (const [n, client] of writers.entries()) {
        await client.query('begin');
        await client.query(
          `insert into hub.outbox (kind, subject, version, unit_after, payload) values ('CITIZEN', $1, 1, 5, '{"hashes":[],"lifeStatus":"ACTIVE"}')`,
          [ids[n]],
        );
      }
      const order = writers.map((_, n) => n).sort(() => Math.random() - 0.5);
      for (const n of order) {
        const rolledBack = Math.random() < 0.2;
        await writers[n]?.query(rolledBack ? 'rollback' : 'commit');
        if (!rolledBack) committed.push(ids[n] ?? '');
        if (Math.random() < 0.3) seen += (await feed(0)).taken;
      }
    }
  } finally {
    await Promise.all(writers.map((client) => client.end()));
  }
  seen += (await feed(committed.length - seen)).taken;
  expect(seen).toBe(committed.length);
  const rows = await asScope(database.roles.insurance, everyUnit, 'select from insurance.citizen where id = any ($1)', [
    committed,
  ]);
  expect(rows).toHaveLength(committed.length);
});

test('older or repeated news changes nothing and is counted [F17] [F18]', async () => {
  const id = randomUUID();
  await tell({ id, version: 7, unit: 5 });
  await feed(1);
  await tell({ id, version: 6, unit: 4 }, { id, version: 7, unit: 4 });
  expect(await feed(2)).toEqual({ taken: 2, changed: 0, stale: 2, linked: 0, merged: 0 });
  expect(await replicaOf(id)).toEqual({ unit: 5, version: 7 });
});

test('a batch that fails is taken again as a whole', async () => {
  const id = randomUUID();
  await tell({ id, version: 1, unit: 5 });
  await due(1);
  await expect(
    cards.transaction(session, async (transaction) => {
      expect(await transaction.query(`select id from hub.take_event('insurance', 10)`)).toHaveLength(1);
      await transaction.query(`select hub.finish_event('insurance', array(select id from hub.take_event('insurance', 10)))`);
      throw new Error('killed');
    }),
  ).rejects.toThrow('killed');
  expect(await feed(1)).toMatchObject({ taken: 1, changed: 1 });
  expect(await replicaOf(id)).toEqual({ unit: 5, version: 1 });
});

test('a second copy of a consumer takes nothing while the first is at work', async () => {
  await tell({ id: randomUUID(), version: 1, unit: 5 });
  await due(1);
  await cards.transaction(session, async (transaction) => {
    expect(await transaction.query(`select id from hub.take_event('insurance', 10)`)).toHaveLength(1);
    expect((await feedOnce(cards, insurance)).taken).toBe(0);
  });
  expect(await feed(1)).toMatchObject({ taken: 1 });
});

test('events can be done out of order; what is open stays open', async () => {
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  for (const id of ids) await tell({ id, version: 1, unit: 5 });
  await due(3);
  await cards.transaction(session, async (transaction) => {
    const taken = await transaction.query<{ id: string }>(`select id from hub.take_event('insurance', 10)`);
    await transaction.query(`select hub.finish_event('insurance', $1::bigint[])`, [[taken[1]?.id]]);
  });
  expect(await feed(2)).toMatchObject({ taken: 2 });
  const left = await withClient(database.ownerUrl, (client) =>
    client.query(`select from hub.outbox_done where consumer = 'insurance'`),
  );
  expect(left.rowCount).toBe(0);
});

test('a role takes and finishes only for itself', async () => {
  for (const statement of [`select hub.take_event('insurance', 1)`, `select hub.finish_event('insurance', '{}')`]) {
    await expect(asScope(database.roles.slips, everyUnit, statement)).rejects.toThrow(/no outbox consumer of this role/);
  }
});

test('when a citizen moves, his cards, their history and open work move with him', async () => {
  const id = randomUUID();
  await tell({ id, version: 1, unit: 5 });
  await feed(1);
  const card = await addCard({ citizen: id, unit: 5 });
  await tell({ id, version: 2, unit: 9 });
  await feed(1);
  expect(await cardOf(card)).toEqual({ citizen: id, unit: 9, version: 1 });
});

test('his open work moves with him and the queue hears of it; what lies with a unit above stays there', async () => {
  const id = randomUUID();
  await tell({ id, version: 1, unit: 5 });
  await feed(1);
  const card = await addCard({ citizen: id, unit: 5 });
  const [his, above] = [randomUUID(), randomUUID()];
  await asScope(
    database.roles.insurance,
    everyUnit,
    `insert into insurance.work (id, card_id, citizen_id, unit_no, kind, found_by) values ($1, $3, $4, 5, 'OVERLAP', 'CARDS'), ($2, $3, $4, 1, 'DUPLICATE_CARD', 'CARDS')`,
    [his, above, card, id],
  );
  await tell({ id, version: 2, unit: 9 });
  await feed(1);
  const work = await asScope(
    database.roles.insurance,
    everyUnit,
    'select id, unit_no, version from insurance.work where citizen_id = $1 order by kind desc',
    [id],
  );
  expect(work).toEqual([
    { id: his, unit_no: 9, version: 2 },
    { id: above, unit_no: 1, version: 1 },
  ]);
  const events = await withClient(database.roles.worker, (client) =>
    client.query(
      `select version, unit_before, unit_after, payload - 'raisedAt' as payload from hub.outbox where kind = 'WORK' and subject = $1`,
      [card],
    ),
  );
  expect(events.rows).toEqual([
    {
      version: 2,
      unit_before: 5,
      unit_after: 9,
      payload: {
        source: 'INSURANCE',
        kind: 'OVERLAP',
        field: null,
        citizenId: id,
        citizenUnit: 9,
        foundBy: 'CARDS',
        state: 'OPEN',
      },
    },
  ]);
});

test('records of a merged citizen go to the one who goes on, along the whole way and in whatever order the news comes', async () => {
  const [first, second, last] = [randomUUID(), randomUUID(), randomUUID()];
  await tell({ id: first, version: 1, unit: 5 }, { id: second, version: 1, unit: 6 });
  await feed(2);
  const card = await addCard({ citizen: first, unit: 5 });
  const own = await addCard({ citizen: second, unit: 6 });
  await asScope(
    database.roles.insurance,
    everyUnit,
    `insert into insurance.change (record_id, citizen_id, unit_no, version, principal, principal_name, cause, action) values ($1, $2, 5, 1, 'x', 'x', 'MUTATION', 'card.created')`,
    [card, first],
  );
  // The one who goes on at the end is not known here yet.
  await tell(
    { id: second, version: 2, unit: 6, lifeStatus: 'MERGED', mergedInto: last },
    { id: first, version: 2, unit: 5, lifeStatus: 'MERGED', mergedInto: second },
  );
  expect(await feed(2)).toMatchObject({ merged: 0 });
  expect(await cardOf(card)).toEqual({ citizen: first, unit: 5, version: 1 });
  await tell({ id: last, version: 1, unit: 9 });
  expect(await feed(1)).toMatchObject({ merged: 2 });
  expect(await cardOf(card)).toEqual({ citizen: last, unit: 9, version: 2 });
  expect(await cardOf(own)).toEqual({ citizen: last, unit: 9, version: 2 });
  const history = await asScope(
    database.roles.insurance,
    everyUnit,
    'select citizen_id, unit_no, action, before, after from insurance.change where record_id = $1 order by version',
    [card],
  );
  expect(history).toEqual([
    { citizen_id: last, unit_no: 9, action: 'card.created', before: null, after: null },
    {
      citizen_id: last,
      unit_no: 9,
      action: 'merged',
      before: { citizen: first, orgUnit: 'u5' },
      after: { citizen: last, orgUnit: 'u9' },
    },
  ]);
  const audit = await withClient(database.roles.auditor, (client) =>
    client.query(`select action from hub.audit_event where subjects @> array[$1::uuid, $2::uuid]`, [first, last]),
  );
  expect(audit.rows).toEqual([{ action: 'card.changed' }]);
  // Again: nothing changes.
  await tell({ id: first, version: 3, unit: 5, lifeStatus: 'MERGED', mergedInto: second });
  expect(await feed(1)).toMatchObject({ merged: 0 });
  expect(await cardOf(card)).toMatchObject({ version: 2 });
});

test('a card that waits finds its citizen when he comes, with history, audit and event', async () => {
  const id = randomUUID();
  const card = await addCard({ unit: 3, waitsFor: '038090000001' });
  await tell({ id, version: 1, unit: 5, numbers: ['038090000001', '123456789'] });
  expect(await feed(1)).toMatchObject({ changed: 1, linked: 1 });
  expect(await cardOf(card)).toEqual({ citizen: id, unit: 5, version: 2 });
  const history = await asScope(
    database.roles.insurance,
    everyUnit,
    `select unit_no, version, action from insurance.change where record_id = $1`,
    [card],
  );
  expect(history).toEqual([{ unit_no: 5, version: 2, action: 'linked' }]);
  const audit = await withClient(database.roles.auditor, (client) =>
    client.query(`select action, subgraph, subject_count from hub.audit_event where subjects @> array[$1::uuid]`, [id]),
  );
  expect(audit.rows).toEqual([{ action: 'card.changed', subgraph: 'insurance', subject_count: 1 }]);
  const events = await withClient(database.roles.worker, (client) =>
    client.query(`select kind, version, unit_before, unit_after from hub.outbox where subject = $1`, [card]),
  );
  expect(events.rows).toEqual([{ kind: 'CARD', version: 2, unit_before: 3, unit_after: 5 }]);
});

test('a card that found its citizen is looked at beside his other cards', async () => {
  const id = randomUUID();
  await tell({ id, version: 1, unit: 5 });
  await feed(1);
  await addCard({ citizen: id, unit: 5 });
  const waiting = await addCard({ unit: 3, waitsFor: '038090000077' });
  await asScope(
    database.roles.insurance,
    everyUnit,
    `update insurance.card set valid_from = '2026-01-01' where citizen_id = $1 or id = $2`,
    [id, waiting],
  );
  await tell({ id, version: 2, unit: 5, numbers: ['038090000077'] });
  expect(await feed(1)).toMatchObject({ linked: 1 });
  const work = await asScope(
    database.roles.insurance,
    everyUnit,
    `select kind, state from insurance.work where citizen_id = $1`,
    [id],
  );
  expect(work).toEqual([{ kind: 'OVERLAP', state: 'OPEN' }]);
});

test('a number of two citizens links nothing; a card that came to wait too late is found by the sweep', async () => {
  const [one, two] = [randomUUID(), randomUUID()];
  await tell(
    { id: one, version: 1, unit: 5, numbers: ['038090000002'] },
    { id: two, version: 1, unit: 6, numbers: ['038090000002', '038090000003'] },
  );
  await feed(2);
  const disputed = await addCard({ unit: 3, waitsFor: '038090000002' });
  const late = await addCard({ unit: 3, waitsFor: '038090000003' });
  expect(await sweepWaiting(cards, insurance)).toBe(1);
  expect(await cardOf(disputed)).toMatchObject({ citizen: null });
  expect(await cardOf(late)).toMatchObject({ citizen: two, unit: 6 });
  await tell({ id: one, version: 2, unit: 5 }, { id: two, version: 2, unit: 6, numbers: ['038090000002'] });
  await feed(2);
  expect(await cardOf(disputed)).toMatchObject({ citizen: two, unit: 6 });
});

test('rebuild makes every replica anew from the citizens and removes strangers', async () => {
  const [id, stranger] = [randomUUID(), randomUUID()];
  await asScope(
    database.roles.citizens,
    everyUnit,
    `with c as (insert into citizens.citizen (id, version, unit_no, full_name, name_folded, name_sort) values ($1, 4, 11, 'A', 'a', 'A') returning id)
     insert into citizens.identifier (id, citizen_id, unit_no, system, value, standing, source)
     values (gen_random_uuid(), $1, 11, 'PERSONAL_ID', '038090000009', 'CLAIMED', 'test')`,
    [id],
  );
  await asScope(
    database.roles.insurance,
    everyUnit,
    `insert into insurance.citizen (id, unit_no, life_status, version, identifier_hashes) values ($1, 1, 'ACTIVE', 4, '{}'), ($2, 1, 'ACTIVE', 1, '{"\\\\x00"}')`,
    [id, stranger],
  );
  const card = await addCard({ citizen: id, unit: 1 });
  expect(await rebuildReplicas({ ownerUrl: database.ownerUrl, identifierKey: key })).toMatchObject({ citizens: 1 });
  expect(await replicaOf(id)).toEqual({ unit: 11, version: 4 });
  expect(await replicaOf(stranger)).toBeUndefined();
  const hashes = await asScope(
    database.roles.insurance,
    everyUnit,
    'select citizen_id, unit_no from insurance.citizen_hash where citizen_id = any ($1)',
    [[id, stranger]],
  );
  expect(hashes).toEqual([{ citizen_id: id, unit_no: 11 }]);
  expect(await cardOf(card)).toMatchObject({ unit: 11 });
});

// The second that production promises is measured elsewhere: here other tests write in the same server, and the horizon waits for them.
test('the feed brings news to all three subgraphs, says its lag, and ends with its signal', async () => {
  const stop = new AbortController();
  const metrics = createMetrics('test');
  const feed = runReplicaFeed({ urls: database.roles, signal: stop.signal, metrics, log: silentLog });
  const id = randomUUID();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await tell({ id, version: 1, unit: 5 });
  const asked = performance.now();
  const arrived = async (): Promise<boolean> => {
    for (const schema of ['insurance', 'results', 'slips'] as const) {
      const rows = await asScope(database.roles[schema], everyUnit, `select from ${schema}.citizen where id = $1`, [id]);
      if (rows.length === 0) return false;
    }
    return true;
  };
  while (!(await arrived())) {
    if (performance.now() - asked > 20_000) throw new Error('not arrived');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop.abort();
  await feed;
  expect(await metrics.registry.getSingleMetricAsString('hub_replica_lag_seconds')).toMatch(/consumer="slips"/);
});
