import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Caller } from '#kernel/auth/principal.ts';
import { changesOf, type Changes } from '#kernel/db/change.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { organisation } from './index.ts';
import { withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { caller, scopes, unit } from '../../test/kit/record-world.ts';

let database: TestDatabase;
let door: ReturnType<typeof openReadDoor>;
let changes: Changes;
let runtime: SubgraphRuntime;
let steward: Caller;
let centre: Caller;
let clerk: Caller;

beforeAll(async () => {
  database = await createTestDatabase();
  door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  const own = await changesOf(organisation, database.roles.organisation);
  if (own === null) throw new Error('organisation has no mutations');
  changes = own;
  const clock = { now: () => new Date() };
  runtime = openRuntime(
    organisation,
    { door, changes, clock, identifierKey: Buffer.alloc(32, 7) },
    { commit: () => Promise.resolve() },
  );
  await truth(
    `insert into hub.unit (number, code, name, level, parent_number, valid_from) values
       (1, 'p', 'Sở Y tế', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'),
       (3, 'c2', 'Trung tâm 2', 'CENTRE', 1, '2025-07-01'), (4, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01'),
       (5, 'x12', 'Trạm 12', 'STATION', 2, '2025-07-01'), (6, 'x21', 'Trạm 21', 'STATION', 3, '2025-07-01')`,
  );
  steward = await account('steward', unit.p, scopes.province);
  centre = await account('centre', unit.c1, scopes.centre1);
  clerk = await account('clerk', unit.x11, scopes.x11);
}, 60_000);
afterAll(async () => {
  await runtime.close();
  await changes.close();
  await door.close();
  await database.close();
});

async function truth<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return withClient(database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<Row>(text, [...values])).rows;
  });
}

async function account(role: 'steward' | 'centre' | 'clerk', unitNo: number, scope: string): Promise<Caller> {
  const known = caller(role, { scope });
  await truth('insert into organisation.account (id, login, name, unit_no, role) values ($1, $2, $3, $4, $5)', [
    known.principal.id,
    known.principal.id,
    role,
    unitNo,
    role,
  ]);
  return { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo } };
}

/** A run under way with pages in the given states. */
async function begun(kind: 'RECONCILE' | 'IMPORT', unitNo: number, ...pages: readonly string[]): Promise<string> {
  const id = randomUUID();
  await truth(
    `insert into hub.run (id, kind, state, unit_no, subgraph, started_by, definition, queue, planned, total, started_at)
     values ($1, $2, 'RUNNING', $3, 'citizens', 'schedule', 'some-work', 'internal', true, 100, clock_timestamp())`,
    [id, kind, unitNo],
  );
  for (const [index, state] of pages.entries())
    await truth('insert into hub.run_page (run_id, no, unit_no, size, state) values ($1, $2, $3, 50, $4)', [
      id,
      index + 1,
      unitNo,
      state,
    ]);
  return id;
}

interface Payload {
  readonly ok: { readonly run: { readonly state: string; readonly version: number } } | null;
  readonly error: { readonly code: string; readonly reason: string } | null;
}

async function ask(who: Caller, query: string, variables: object): Promise<Record<string, unknown>> {
  const answer = await runtime.execute({ query, variables: { ...variables }, caller: who, signal: AbortSignal.timeout(10_000) });
  await answer.audit();
  expect(answer.errors ?? []).toEqual([]);
  return JSON.parse(JSON.stringify(answer.data)) as Record<string, unknown>;
}

async function say(who: Caller, order: string, id: string, version: number, key: string = randomUUID()): Promise<Payload> {
  const data = await ask(
    { ...who, idempotencyKey: key },
    `mutation M($input: RunInput!) { done: ${order}(input: $input) { ok { run { state version } } error { code reason } } }`,
    { input: { id, version } },
  );
  return data.done as Payload;
}

test('a run rests, goes on and ends; each order is made on a version, once, and stands in the audit', async () => {
  const run = await begun('RECONCILE', unit.c1, 'WAITING');
  const key = randomUUID();
  expect((await say(centre, 'pauseRun', run, 1, key)).ok?.run).toEqual({ state: 'PAUSED', version: 2 });
  expect((await say(centre, 'pauseRun', run, 1, key)).ok?.run).toEqual({ state: 'PAUSED', version: 2 });
  expect((await say(centre, 'resumeRun', run, 1)).error).toEqual({ code: 'CONFLICT_VERSION', reason: 'VERSION_STALE' });
  expect((await say(centre, 'pauseRun', run, 2)).error).toEqual({ code: 'CONFLICT', reason: 'RUN_STATE' });
  expect((await say(centre, 'resumeRun', run, 2)).ok?.run).toEqual({ state: 'RUNNING', version: 3 });
  expect((await say(centre, 'cancelRun', run, 3)).ok?.run.state).toBe('CANCELLED');
  expect((await say(centre, 'resumeRun', run, 4)).error?.reason).toBe('RUN_STATE');
  const audited = await truth<{ fields: readonly string[] }>(
    `select fields from hub.audit_event where action = 'run.ordered' and $1 = any(subjects::text[]) order by id`,
    [run],
  );
  expect(audited.map(({ fields }) => fields)).toEqual([['Mutation.pauseRun'], ['Mutation.resumeRun'], ['Mutation.cancelRun']]);
});

test('what failed runs again or is left; where nothing failed that is said', async () => {
  const failed = await begun('RECONCILE', unit.c1, 'DONE', 'REFUSED');
  expect((await say(steward, 'rerunFailed', failed, 1)).ok?.run).toEqual({ state: 'RUNNING', version: 2 });
  expect(await truth('select state from hub.run_page where run_id = $1 order by no', [failed])).toEqual([
    { state: 'DONE' },
    { state: 'WAITING' },
  ]);
  expect((await say(steward, 'rerunFailed', failed, 2)).error).toEqual({ code: 'CONFLICT', reason: 'RUN_NOTHING_FAILED' });
  const poisoned = await begun('RECONCILE', unit.c1, 'POISON');
  expect((await say(steward, 'dropFailed', poisoned, 1)).ok?.run.version).toBe(2);
  expect(
    await truth(`select payload ->> 'state' as state from hub.outbox where kind = 'WORK' and subject = $1`, [poisoned]),
  ).toEqual([{ state: 'SETTLED' }]);
});

test('people of a comparison who got no answer are asked again, and counted anew; refused rows of a file are not', async () => {
  for (const kind of ['RECONCILE', 'IMPORT'] as const) {
    const run = await begun(kind, unit.c1, 'DONE', 'DONE');
    await truth(
      `update hub.run_page set done = 50, refused = 4 * no - 4, counts = '{"matched": 40, "differing": 6}' where run_id = $1`,
      [run],
    );
    await truth(
      `update hub.run set done = 96, refused = 4, counts = '{"matched": 80, "differing": 12}', state = 'DONE' where id = $1`,
      [run],
    );
    const { ok, error } = await say(steward, 'rerunFailed', run, 1);
    if (kind === 'IMPORT') expect(error?.reason).toBe('RUN_NOTHING_FAILED');
    else {
      expect(ok?.run.state).toBe('RUNNING');
      expect(await truth('select done, refused, counts from hub.run where id = $1', [run])).toEqual([
        { done: 50, refused: 0, counts: { matched: 40, differing: 6 } },
      ]);
      expect(await truth('select no, state, done, refused from hub.run_page where run_id = $1 order by no', [run])).toEqual([
        { no: 1, state: 'DONE', done: 50, refused: 0 },
        { no: 2, state: 'WAITING', done: 0, refused: 0 },
      ]);
    }
  }
});

test('a run of others does not exist; whoever only sends files speaks to imports alone', async () => {
  const other = await begun('RECONCILE', unit.c2, 'WAITING');
  expect((await say(centre, 'cancelRun', other, 1)).error).toEqual({ code: 'NOT_FOUND', reason: 'RECORD_UNKNOWN' });
  expect(await ask(centre, 'query R($id: ID!) { run(id: $id) { state } }', { id: other })).toEqual({ run: null });
  const own = await begun('RECONCILE', unit.x11, 'WAITING');
  expect((await say(clerk, 'pauseRun', own, 1)).error?.code).toBe('FORBIDDEN');
  const file = await begun('IMPORT', unit.x11, 'WAITING');
  expect((await say(clerk, 'pauseRun', file, 1)).ok?.run.state).toBe('PAUSED');
  expect(await ask(clerk, 'query R($id: ID!) { run(id: $id) { state version } }', { id: file })).toEqual({
    run: { state: 'PAUSED', version: 2 },
  });
});

test('the queues are numbers for whoever stands over the whole province', async () => {
  await begun('RECONCILE', unit.x21, 'POISON', 'WAITING');
  const query = 'query Q { queues { name waiting poison } }';
  const { queues } = (await ask(steward, query, {})) as { queues: readonly { name: string; waiting: number; poison: number }[] };
  expect(queues.find(({ name }) => name === 'internal')?.poison).toBeGreaterThanOrEqual(1);
  expect(await ask(centre, query, {})).toEqual({ queues: null });
});
