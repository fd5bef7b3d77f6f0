import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Keep } from '#kernel/config.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { pruneOnce, type Removed } from './retention.ts';

const keep: Keep = {
  outboxDays: 7,
  answersDays: 7,
  stagingDays: 1,
  runsDays: 30,
  securityDays: 90,
  verificationsDays: 30,
  auditMonths: 120,
  historyYears: null,
  logMib: 32,
};
const never = new AbortController().signal;

let test0: TestDatabase;
let owner: Client;
let worker: Database;

beforeAll(async () => {
  test0 = await createTestDatabase();
  owner = new Client({ connectionString: test0.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', $1, false), set_config('hub.principal', 'clerk11', false)`, [everyUnit]);
  await owner.query(
    `insert into hub.unit (number, code, name, level, valid_from) values (1, '52', 'Tỉnh', 'PROVINCE', '2025-07-01')`,
  );
  worker = await openDatabase({ url: test0.roles.worker, entities: [], connections: 1, applicationName: 'test' });
});
afterAll(async () => {
  await worker.close();
  await owner.end();
  await test0.close();
});

/** What becomes of the rows of each table. A table without a rule fails: nothing may grow without somebody having thought of it. */
const rules: Readonly<Record<string, { readonly pruned: string } | { readonly kept: string }>> = {
  'hub.outbox': { pruned: 'outbox' },
  'hub.outbox_done': { pruned: 'outbox' },
  'citizens.idempotency': { pruned: 'answers' },
  'insurance.idempotency': { pruned: 'answers' },
  'results.idempotency': { pruned: 'answers' },
  'slips.idempotency': { pruned: 'answers' },
  'organisation.idempotency': { pruned: 'answers' },
  'hub.import_file': { pruned: 'staging' },
  'hub.import_row': { pruned: 'staging' },
  'hub.run_page': { pruned: 'pages' },
  'hub.run': { pruned: 'runs' },
  'hub.export_file': { pruned: 'runs' },
  'organisation.session': { pruned: 'sessions' },
  'organisation.oidc_payload': { pruned: 'sessions' },
  'organisation.security_event': { pruned: 'security' },
  'citizens.verification': { pruned: 'verifications' },
  'hub.audit_event': { kept: 'whole months, dropped by the sealer under a signed head' },
  'hub.audit_seal': { kept: 'goes with the month of its events' },
  'hub.audit_head': { kept: 'the proof of what was dropped; at most one per 10,000 rows or 10 seconds' },
  'hub.audit_sealer': { kept: 'one row' },
  'hub.used_link': { kept: 'a day past the end of the link; organisation removes them hourly' },
  'organisation.draft': { kept: 'some per account, some days; organisation removes them hourly' },
  'organisation.signing_key': { kept: 'those that may still sign or be asked for' },
  'hub.unit': { kept: 'the tree of units' },
  'hub.outbox_consumer': { kept: 'one row per consumer' },
  'hub.schedule': { kept: 'one row per schedule' },
  'hub.queue_seen': { kept: 'one row per queue' },
  'citizens.outside_calls': { kept: 'one row per outside system' },
  ...Object.fromEntries(
    [
      ...['citizens.citizen', 'citizens.identifier', 'citizens.name_key', 'citizens.discrepancy'],
      ...['insurance.card', 'results.result', 'slips.document', 'slips.referral_slip', 'slips.reexamination_slip'],
      ...['organisation.account', 'organisation.client', 'organisation.legal_basis'],
    ].map((table) => [table, { kept: 'the records themselves' }]),
  ),
  ...Object.fromEntries(
    ['insurance', 'results', 'slips'].flatMap((schema) => [
      [`${schema}.citizen`, { kept: 'as many as there are citizens' }],
      [`${schema}.citizen_hash`, { kept: 'as many as there are identifiers' }],
      [`${schema}.work`, { kept: 'what people decided about records' }],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...['dedup', 'dedup_next', 'event', 'job', 'job_dependency', 'job_log', 'meta', 'metrics', 'rate_limit', 'scheduler'],
      ...['relay_inbox', 'relay_node', 'relay_retained', 'relay_subscription'],
    ].map((table) => [`bullmq.${table}`, { kept: 'the queue’s own: a job goes when it ends, its library trims the events' }]),
  ),
  'organisation.work_item': { kept: 'what people decided about records' },
  ...Object.fromEntries(
    ['citizens', 'insurance', 'results', 'slips', 'organisation'].map((schema) => [
      `${schema}.change`,
      { kept: 'the history, for ever unless a setting ends it' },
    ]),
  ),
};

/** When a row of a pruned table was written or ends; `null`: it goes with another. */
const ages: Readonly<Record<string, string | null>> = {
  'hub.outbox': 'at',
  'hub.outbox_done': null,
  'citizens.idempotency': 'at',
  'insurance.idempotency': 'at',
  'results.idempotency': 'at',
  'slips.idempotency': 'at',
  'organisation.idempotency': 'at',
  'hub.import_file': 'created_at',
  'hub.import_row': null,
  'hub.run_page': null,
  'hub.run': 'ended_at',
  'hub.export_file': null,
  'organisation.session': 'expires_at',
  'organisation.oidc_payload': 'expires_at',
  'organisation.security_event': 'at',
  'citizens.verification': 'checked_at',
};

/** Something into each of them, all of it done with. */
const someOfEverything = `
  insert into hub.unit (number, code, name, level, valid_from) values (1, '52', 'Tỉnh', 'PROVINCE', '2025-07-01');
  insert into hub.outbox (kind, subject, version, unit_after) select 'CITIZEN', uuidv7(), 1, 1 from generate_series(1, 5);
  insert into hub.outbox_done (consumer, event_id, xid) select c.consumer, o.id, o.xid from hub.outbox o, hub.outbox_consumer c;
  ${['citizens', 'insurance', 'results', 'slips', 'organisation']
    .map(
      (schema) =>
        `insert into ${schema}.idempotency (principal, operation, key, body_hash, outcome) values ('clerk11', 'act', 'key', '\\x00', '{}');`,
    )
    .join('\n')}
  insert into hub.run (id, kind, state, unit_no, subgraph, started_by, ended_at) values (uuidv7(), 'IMPORT', 'DONE', 1, 'citizens', 'clerk11', now());
  insert into hub.import_file (id, kind, unit_no, sender, sender_name, state, run_id) select id, 'CITIZENS', 1, 'clerk11', 'clerk11', 'APPLIED', id from hub.run;
  insert into hub.import_row (import_id, line, unit_no, cells) select id, n, 1, '[]' from hub.run, generate_series(1, 5) n;
  insert into hub.run_page (run_id, no, unit_no, state) select id, n, 1, 'DONE' from hub.run, generate_series(1, 5) n;
  insert into hub.export_file (id, kind, format, unit_no, sender, sender_name, run_id) select uuidv7(), 'CITIZENS', 'CSV', 1, 'clerk11', 'clerk11', id from hub.run;
  insert into organisation.account (id, login, name, role, unit_no) values (uuidv7(), 'clerk11', 'Clerk', 'clerk', 1);
  insert into organisation.session (key, account_id, agent, expires_at) select 'k', id, 'a', now() from organisation.account;
  insert into organisation.oidc_payload (model, id, payload, expires_at) values ('Grant', 'g', '{}', now());
  insert into organisation.security_event (kind) values ('request.refused');
  insert into citizens.citizen (id, unit_no, full_name, name_folded, name_sort) values (uuidv7(), 1, 'Lê An', 'le an', 'An Lê');
  insert into citizens.verification (id, citizen_id, unit_no, field, outcome, source, checked_at)
    select uuidv7(), id, 1, 'GENDER', 'MATCH', 'POPULATION', now() - make_interval(secs => n) from citizens.citizen, generate_series(1, 3) n;`;

const growing = {
  outbox: ['hub.outbox', 'at'],
  answers: ['citizens.idempotency', 'at'],
  staging: ['hub.import_row', null],
  runs: ['hub.run', 'ended_at'],
  sessions: ['organisation.oidc_payload', 'expires_at'],
  security: ['organisation.security_event', 'at'],
  history: ['citizens.change', 'at'],
} as const;

async function count(table: string, client = owner): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table} where true`);
  return rows[0]?.n ?? 0;
}

/** What a hub of this size writes in a day; every consumer of the outbox has done it. */
async function oneDay(day: number, rows: number): Promise<void> {
  await owner.query(
    `insert into hub.outbox (kind, subject, version, unit_after) select 'CITIZEN', uuidv7(), 1, 1 from generate_series(1, ${rows})`,
  );
  await owner.query(
    `update hub.outbox_consumer set mark_xid = (select max(xid::text::bigint)::text::xid8 from hub.outbox), mark_id = (select max(id) from hub.outbox)`,
  );
  await owner.query(
    `insert into citizens.idempotency (principal, operation, key, body_hash, outcome)
     select 'clerk11', 'createCitizen', 'day-${day}-' || n, '\\x00', '{}' from generate_series(1, ${rows}) n`,
  );
  await owner.query(
    `with run as (insert into hub.run (id, kind, state, unit_no, subgraph, started_by, ended_at)
       values (uuidv7(), 'IMPORT', 'DONE', 1, 'citizens', 'clerk11', now()) returning id),
     file as (insert into hub.import_file (id, kind, unit_no, sender, sender_name, state, run_id)
       select id, 'CITIZENS', 1, 'clerk11', 'clerk11', 'APPLIED', id from run returning id)
     insert into hub.import_row (import_id, line, unit_no, cells) select id, n, 1, '[]' from file, generate_series(1, ${rows}) n`,
  );
  await owner.query(
    `insert into organisation.oidc_payload (model, id, payload, expires_at)
     select 'AuthorizationCode', 'day-${day}-' || n, '{}', now() + interval '1 minute' from generate_series(1, ${rows}) n`,
  );
  await owner.query(`insert into organisation.security_event (kind) select 'request.refused' from generate_series(1, ${rows})`);
  await owner.query(
    `insert into citizens.change (citizen_id, unit_no, version, principal, principal_name, cause, action)
     select uuidv7(), 1, 1, 'clerk11', 'Clerk', 'MUTATION', 'created' from generate_series(1, ${rows})`,
  );
}

/** A day goes by. Answers are older only for their owner: the policy of the table asks for a principal. */
async function dayGoesBy(): Promise<void> {
  for (const [table, column] of Object.values(growing)) {
    if (column !== null) await owner.query(`update ${table} set ${column} = ${column} - interval '1 day'`);
  }
}

test('over months of compressed time nothing grows without a bound; the history alone stays whole', async () => {
  const rows = 20;
  const days = 100;
  const most: Record<string, number> = {};
  const removed: Record<string, number> = {};
  for (let day = 1; day <= days; day += 1) {
    await oneDay(day, rows);
    await dayGoesBy();
    const round: Removed = await pruneOnce(worker, keep, never);
    for (const [thing, gone] of Object.entries(round)) removed[thing] = (removed[thing] ?? 0) + gone;
    if (day < 95) continue;
    for (const [thing, [table]] of Object.entries(growing)) most[thing] = Math.max(most[thing] ?? 0, await count(table));
  }
  const { runs = 0, ...others } = most;
  // Runs of imports, and of the sweeps themselves.
  expect(runs).toBeLessThanOrEqual(2 * 31);
  // A day's rows are a day old when the round comes.
  expect(others).toEqual({
    outbox: 6 * rows,
    answers: 6 * rows,
    staging: 0,
    sessions: 0,
    security: 89 * rows,
    history: days * rows,
  });
  expect(removed).toMatchObject({
    outbox: 94 * rows,
    answers: 94 * rows,
    staging: days * rows,
    sessions: days * rows,
    security: 11 * rows,
  });
}, 120_000);

test('every table has a rule; what has a term is gone within a day of compressed time after it', async () => {
  const { rows } = await owner.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information_schema)' and c.relname <> 'migration' order by 1`,
  );
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(rules).sort());
  const pruned = Object.keys(rules).filter((table) => 'pruned' in (rules[table] ?? {}));
  expect(Object.keys(ages).sort()).toEqual(pruned.sort());

  const database = await createTestDatabase();
  const own = new Client({ connectionString: database.ownerUrl });
  await own.connect();
  const sweeper = await openDatabase({ url: database.roles.worker, entities: [], connections: 1, applicationName: 'test' });
  try {
    await own.query(`select set_config('hub.scope', $1, false), set_config('hub.principal', 'clerk11', false)`, [everyUnit]);
    await own.query(someOfEverything);
    const empty: string[] = [];
    for (const table of pruned) if ((await count(table, own)) === 0) empty.push(table);
    expect(empty).toEqual([]);
    for (const [table, column] of Object.entries(ages)) {
      if (column !== null) await own.query(`update ${table} set ${column} = ${column} - interval '100 days'`);
    }
    await pruneOnce(sweeper, keep, never);
    const left: Record<string, number> = {};
    for (const table of pruned) if ((await count(table, own)) > 0) left[table] = await count(table, own);
    // The newest answer of a field stays; the sweep is a run itself.
    expect(left).toEqual({ 'citizens.verification': 1, 'hub.run': 1 });
  } finally {
    await sweeper.close();
    await own.end();
    await database.close();
  }
}, 60_000);

test('what a round removed is a run that the province sees', async () => {
  const { rows } = await owner.query<{ state: string; counts: Record<string, number> }>(
    `select state, counts from hub.run where kind = 'SWEEP' order by id desc limit 1`,
  );
  expect(rows[0]).toEqual({
    state: 'DONE',
    counts: { outbox: 20, answers: 20, staging: 20, sessions: 20, security: 20, runs: 2 },
  });
});

test('an event that one consumer has not done stays, whatever its age', async () => {
  await oneDay(1_000, 5);
  await owner.query(`update hub.outbox_consumer set mark_xid = '0', mark_id = 0 where consumer = 'slips'`);
  await owner.query(`update hub.outbox set at = now() - interval '400 days'`);
  const before = await count('hub.outbox');
  expect((await pruneOnce(worker, keep, never)).outbox ?? 0).toBe(0);
  expect(await count('hub.outbox')).toBe(before);
  await owner.query(
    `insert into hub.outbox_done (consumer, event_id, xid) select 'slips', id, xid from hub.outbox order by id limit 3`,
  );
  expect((await pruneOnce(worker, keep, never)).outbox).toBe(3);
  expect(await count('hub.outbox_done')).toBe(0);
});

test('of the answers of the population database the newest of each field stays, whatever its age', async () => {
  const { rows } = await owner.query<{ id: string }>(
    `insert into citizens.citizen (id, unit_no, full_name, name_folded, name_sort) values (uuidv7(), 1, 'Lê An', 'le an', 'An Lê') returning id`,
  );
  const citizen = rows[0]?.id;
  for (const [field, age] of [
    ['FULL_NAME', 500],
    ['FULL_NAME', 400],
    ['GENDER', 500],
  ] as const) {
    await owner.query(
      `insert into citizens.verification (id, citizen_id, unit_no, field, outcome, source, checked_at)
       values (uuidv7(), $1, 1, $2, 'MATCH', 'POPULATION', now() - make_interval(days => $3))`,
      [citizen, field, age],
    );
  }
  expect((await pruneOnce(worker, keep, never)).verifications).toBe(1);
  const { rows: left } = await owner.query(
    `select field, (now()::date - checked_at::date) as age from citizens.verification order by field`,
  );
  expect(left).toEqual([
    { field: 'FULL_NAME', age: 400 },
    { field: 'GENDER', age: 500 },
  ]);
});

test('nobody can make the database forget earlier than it allows, and only the worker may ask', async () => {
  const client = new Client({ connectionString: test0.roles.worker });
  await client.connect();
  try {
    await expect(client.query(`select hub.prune('answers', 6)`)).rejects.toThrow('answers are kept at least 7 days');
    await expect(client.query(`select hub.prune('history', 365)`)).rejects.toThrow('history are kept at least 3650 days');
    await expect(client.query(`select hub.prune('citizen', 1)`)).rejects.toThrow('nothing is called citizen');
    await expect(client.query(`delete from hub.outbox`)).rejects.toThrow('permission denied');
  } finally {
    await client.end();
  }
  const other = new Client({ connectionString: test0.roles.citizens });
  await other.connect();
  await expect(other.query(`select hub.prune('runs', 400)`)).rejects.toThrow('permission denied');
  await other.end();
});
