import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { asScope, unitsScope, withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { everyUnit, openDatabase, type Database } from './database.ts';
import { publish } from './outbox.ts';
import { lastStatement } from './preparing-client.ts';

let server: TestDatabase;
let cards: Database;
beforeAll(async () => {
  server = await createTestDatabase();
  // One connection: every transaction of this file follows another on the same one.
  cards = await openDatabase({ url: server.roles.insurance, entities: [], connections: 1, applicationName: 'test' });
});
afterAll(async () => {
  await cards.close();
  await server.close();
});

const insert = 'insert into insurance.citizen (id, unit_no, life_status, version) values ($1, $2, $3, 1)';
const seen = (units: string): Promise<number> =>
  cards.transaction({ units, principal: 'x' }, async (transaction) => {
    return (await transaction.query('select from insurance.citizen')).length;
  });

test('scope and principal last for one transaction, also after one that failed on the same connection [A18]', async () => {
  await cards.transaction({ units: unitsScope(1, 2), principal: 'a' }, async (transaction) => {
    await transaction.query(insert, [randomUUID(), 1, 'ACTIVE']);
    await transaction.query(insert, [randomUUID(), 2, 'ACTIVE']);
  });
  expect(await Promise.all([seen(unitsScope(1)), seen(unitsScope(1, 2)), seen('{}'), seen(unitsScope(3))])).toEqual([1, 2, 0, 0]);
  await expect(
    cards.transaction({ units: everyUnit, principal: 'a' }, (transaction) =>
      transaction.query(insert, [randomUUID(), 1, 'UNHEARD OF']),
    ),
  ).rejects.toThrow(/citizen_life_status/);
  expect(await seen(unitsScope(3))).toBe(0);
  expect(await seen(unitsScope(2))).toBe(1);
  const settings = await cards.transaction({ units: '{}', principal: '' }, (transaction) =>
    transaction.query(`select current_setting('hub.scope') as scope, current_setting('hub.principal') as principal`),
  );
  expect(settings).toEqual([{ scope: '{}', principal: '' }]);
});

test('a change and what it tells of it are one: neither is there when the other fails', async () => {
  const id = randomUUID();
  await expect(
    cards.transaction({ units: everyUnit, principal: 'a' }, async (transaction) => {
      await publish(transaction, [{ kind: 'CARD', subject: id, version: 1, unitBefore: null, unitAfter: 1, payload: {} }]);
      throw new Error('killed');
    }),
  ).rejects.toThrow('killed');
  const told = () =>
    withClient(server.roles.worker, (client) => client.query('select kind from hub.outbox where subject = $1', [id]));
  expect((await told()).rows).toEqual([]);
  await cards.transaction({ units: everyUnit, principal: 'a' }, (transaction) =>
    publish(transaction, [{ kind: 'CARD', subject: id, version: 1, unitBefore: null, unitAfter: 1, payload: {} }]),
  );
  expect((await told()).rows).toEqual([{ kind: 'CARD' }]);
});

test('answers kept for repeats are seen by the principal who asked alone', async () => {
  const keep = (principal: string, owner: string) =>
    cards.transaction({ units: everyUnit, principal }, (transaction) =>
      transaction.query(
        `insert into insurance.idempotency (principal, operation, key, body_hash, outcome) values ($1, 'updateInsuranceCard', 'key-00001', '\\x00', '{}')`,
        [owner],
      ),
    );
  await keep('a', 'a');
  await expect(keep('b', 'a')).rejects.toThrow(/row-level security/);
  await expect(keep('a', 'a')).rejects.toThrow(/idempotency_pkey/);
  const rows = (principal: string) =>
    cards.transaction({ units: everyUnit, principal }, (transaction) => transaction.query('select from insurance.idempotency'));
  expect([(await rows('a')).length, (await rows('b')).length, (await rows('')).length]).toEqual([1, 0, 0]);
});

test('a connection that is lost within a transaction, or while it is idle, gives its place in the pool back (P9)', async () => {
  const session = { units: everyUnit, principal: 'a' };
  const lose = (pid: number): Promise<unknown> =>
    withClient(server.ownerUrl, (client) => client.query('select pg_terminate_backend($1)', [pid]));
  const backend = async (): Promise<number> =>
    await cards.transaction(session, async (transaction) => {
      const [row] = await transaction.query<{ readonly pid: number }>('select pg_backend_pid() as pid');
      return row?.pid ?? 0;
    });
  for (let time = 0; time < 3; time += 1) {
    const lost = cards.transaction(session, async (transaction) => {
      const [row] = await transaction.query<{ readonly pid: number }>('select pg_backend_pid() as pid');
      await lose(row?.pid ?? 0);
      await transaction.query('select 1 as one');
    });
    await expect(lost).rejects.toThrow();
    expect(await backend()).toBeGreaterThan(0);
  }
  await lose(await backend());
  // The first may still meet the dead connection; the place is free for the next.
  await backend().catch(() => undefined);
  expect(await backend()).toBeGreaterThan(0);
});

test('what is older than the promise of repeats is open to maintenance, and to nobody else', async () => {
  await withClient(server.ownerUrl, async (client) => {
    await client.query('begin');
    await client.query(`select set_config('hub.principal', 'a', true)`);
    await client.query(`update insurance.idempotency set at = now() - interval '8 days'`);
    await client.query('commit');
  });
  expect(await asScope(server.ownerUrl, unitsScope(1), 'delete from insurance.idempotency returning key')).toHaveLength(0);
  expect(await asScope(server.ownerUrl, everyUnit, 'delete from insurance.idempotency returning key')).toHaveLength(1);
});

test('a server that would lose acknowledged changes is refused (P1)', async () => {
  const forgetful = await createTestDatabase();
  try {
    await withClient(forgetful.ownerUrl, (client) =>
      client.query(`alter database ${forgetful.name} set synchronous_commit = off`),
    );
    await expect(
      openDatabase({ url: forgetful.roles.insurance, entities: [], connections: 1, applicationName: 'test' }),
    ).rejects.toThrow(/synchronous_commit off/);
  } finally {
    await forgetful.close();
  }
});

describe('the last statement of a transaction, which is committed in the same breath', () => {
  const last = (text: string, status: string): Promise<void> =>
    cards.transaction({ units: everyUnit, principal: 'a' }, async (transaction) => {
      await transaction.query(insert, [randomUUID(), 7, 'ACTIVE']);
      await transaction.query(lastStatement + text, [randomUUID(), 7, status]);
    });

  test('stands with what was before it', async () => {
    const before = await seen(unitsScope(7));
    await last(insert, 'ACTIVE');
    expect(await seen(unitsScope(7))).toBe(before + 2);
  });

  test('takes all of it back where it fails, and the connection goes on', async () => {
    const before = await seen(unitsScope(7));
    await expect(last(insert, 'UNHEARD OF')).rejects.toThrow(/citizen_life_status/);
    expect(await seen(unitsScope(7))).toBe(before);
    await last(insert, 'ACTIVE');
    expect(await seen(unitsScope(7))).toBe(before + 2);
  });

  test('lets nothing be sent behind it', async () => {
    await expect(
      cards.transaction({ units: everyUnit, principal: 'a' }, async (transaction) => {
        await transaction.query(lastStatement + insert, [randomUUID(), 8, 'ACTIVE']);
        await transaction.query(insert, [randomUUID(), 8, 'ACTIVE']);
      }),
    ).rejects.toThrow('behind the last one');
    expect(await seen(unitsScope(8))).toBe(1);
  });
});
