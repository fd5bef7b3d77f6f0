import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { publish } from '#kernel/db/outbox.ts';
import { silentLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { asScope } from '../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { rebuildReplicas, replicaTargets, runReplicaFeed } from './replicas.ts';

const key = randomBytes(32);
const session = { units: everyUnit, principal: 'test' };
const schemas = replicaTargets.map(({ schema }) => schema);
const writes = 2_000;
/** Milliseconds between two writes: a hundred in a second. */
const beat = 10;

let database: TestDatabase;
let citizens: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  citizens = await openDatabase({ url: database.roles.citizens, entities: [], connections: 4, applicationName: 'test' });
});
afterAll(async () => {
  await citizens.close();
  await database.close();
});

async function write(number: string): Promise<void> {
  const id = randomUUID();
  await citizens.transaction(session, async (tx) => {
    await tx.query(
      `insert into citizens.citizen (id, unit_no, full_name, name_folded, name_sort) values ($1, 11, 'A', 'a', 'A')`,
      [id],
    );
    await tx.query(
      `insert into citizens.identifier (id, citizen_id, unit_no, system, value, standing, source)
       values (gen_random_uuid(), $1, 11, 'PERSONAL_ID', $2, 'CLAIMED', 'test')`,
      [id, number],
    );
    const hashes = [hashIdentifier(key, number).toString('hex')];
    await publish(tx, [
      {
        kind: 'CITIZEN',
        subject: id,
        version: 1,
        unitBefore: null,
        unitAfter: 11,
        payload: { hashes, lifeStatus: 'ACTIVE', mergedInto: null },
      },
    ]);
  });
}

const replica = (schema: string): Promise<readonly object[]> =>
  asScope(
    database.roles[schema as 'insurance'],
    everyUnit,
    `select c.id, c.unit_no, c.life_status, c.version, h.hash from ${schema}.citizen c left join ${schema}.citizen_hash h on h.citizen_id = c.id order by c.id, h.hash`,
  );

test('under a hundred changes a second the replicas lag less than a second, and made anew after they were wiped they are the same', async () => {
  const stop = new AbortController();
  const metrics = createMetrics('test');
  const feed = runReplicaFeed({ urls: database.roles, signal: stop.signal, metrics, log: silentLog });
  const lags: number[] = [];
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      for (const schema of schemas) {
        const [row] = await asScope<{ lag: number }>(database.roles[schema], everyUnit, 'select hub.outbox_lag($1) as lag', [
          schema,
        ]);
        lags.push(row?.lag ?? Infinity);
      }
      await sleep(50);
    }
  })();
  await sleep(500);
  const began = performance.now();
  const under: Promise<void>[] = [];
  for (let n = 0; n < writes; n += 1) {
    under.push(write(String(38_090_000_000 + n).padStart(12, '0')));
    await sleep(Math.max(0, began + n * beat - performance.now()));
  }
  await Promise.all(under);
  const seconds = (performance.now() - began) / 1_000;
  await sleep(2_000);
  stop.abort();
  await Promise.all([feed, sampling]);
  const p95 = lags.sort((a, b) => a - b)[Math.floor(lags.length * 0.95)] ?? Infinity;
  process.stdout.write(
    `${(writes / seconds).toFixed(0)} changes/s, lag p95 ${p95.toFixed(3)} s of ${String(lags.length)} looks\n`,
  );
  expect(writes / seconds).toBeGreaterThan(90);
  expect(p95).toBeLessThanOrEqual(1);

  const before = await Promise.all(schemas.map(replica));
  for (const rows of before) expect(rows).toHaveLength(writes);
  for (const schema of schemas) await asScope(database.ownerUrl, everyUnit, `delete from ${schema}.citizen`);
  expect(await rebuildReplicas({ ownerUrl: database.ownerUrl, identifierKey: key })).toMatchObject({ citizens: writes });
  expect(await Promise.all(schemas.map(replica))).toEqual(before);
});
