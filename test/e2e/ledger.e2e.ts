import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, type Verdict } from '../kit/ledger.ts';
import { asAdministrator, hubKilled, killAll, postgresKilled, postgresPids, workerKilled } from '../kit/faults.ts';
import { LedgerRun, type Run } from '../kit/ledger-run.ts';
import { freshDataDir, startHub, type TestHub } from '../kit/hub.ts';

/*
 * Acknowledged is durable, and once: twenty writers while the hub, the worker and every process of PostgreSQL are killed in turn. The long run
 * (ledger.long.ts) is the same until 50,000 are acknowledged.
 */

let hub: TestHub;
let ledger: LedgerRun;
let run: Run;
const dataDir = freshDataDir();

beforeAll(async () => {
  hub = await startHub({ dataDir });
  ledger = await LedgerRun.open(hub);
}, 180_000);
afterAll(async () => {
  await hub.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

test('no acknowledged write is lost and none happens twice while every process is killed in turn [F09] [F26] [F27] [F28]', async () => {
  run = await ledger.run({
    writers: 20,
    milliseconds: 12_000,
    acknowledged: 500,
    strikeEvery: 2_500,
    faults: [hubKilled, postgresKilled, workerKilled],
  });
  const { lost, doubled, unexpected, contradicted, acknowledged } = await ledger.verdict();
  expect({ lost, doubled, unexpected, contradicted }).toEqual({ lost: [], doubled: [], unexpected: [], contradicted: [] });
  expect(acknowledged).toBeGreaterThanOrEqual(500);
  expect(new Set(run.struck)).toEqual(new Set(['hub', 'postgres', 'worker']));
  expect(run.repeated).toBeGreaterThan(0);
  expect(Math.max(...run.outages)).toBeLessThan(20_000);
  expect(await ledger.loose(30_000)).toEqual({
    audit: 0,
    answers: 0,
    messages: 0,
    versions: 0,
    insurance: 0,
    results: 0,
    slips: 0,
  });
}, 120_000);

describe('a server that acknowledges before it keeps', () => {
  /** Bare writers, one row per commit, killed with every process of PostgreSQL while they write. */
  async function crashed(table: string, setting: 'on' | 'off'): Promise<Verdict> {
    await asAdministrator(dataDir, async (sql) => {
      await sql.query(`create schema if not exists planted; create table planted.${table} (mark text)`);
      // Else the WAL is written within 0.2 s and a crash takes only what came since.
      await sql.query(`alter system set wal_writer_delay = '10s'`);
      await sql.query(`alter system set wal_writer_flush_after = '1GB'`);
      await sql.query('select pg_reload_conf()');
      await sql.query('checkpoint');
    });
    const judged = new Ledger();
    const writers = Array.from({ length: 10 }, (_, writer) =>
      asAdministrator(dataDir, async (sql) => {
        await sql.query(`set synchronous_commit = ${setting}`);
        for (let turn = 0; ; turn += 1) {
          const mark = `${String(writer)} ${String(turn)}`;
          judged.attempted(mark);
          await sql.query({ name: 'planted', text: `insert into planted.${table} values ($1)`, values: [mark] });
          judged.acknowledged(mark);
        }
      }).catch(() => undefined),
    );
    await sleep(700);
    killAll(postgresPids(hub));
    await Promise.all(writers);
    const effects = await again(() =>
      asAdministrator(dataDir, async (sql) => (await sql.query<{ mark: string }>(`select mark from planted.${table}`)).rows),
    );
    return judged.judge(effects.map(({ mark }) => mark));
  }

  test('loses what it acknowledged in a crash of PostgreSQL, and the ledger says so; with synchronous_commit on nothing is lost', async () => {
    const forgetful = await crashed('off', 'off');
    expect(forgetful.valid).toBe(false);
    expect(forgetful.lost.length).toBeGreaterThan(0);
    const durable = await crashed('durable', 'on');
    expect(durable).toMatchObject({ valid: true, lost: [], doubled: [], unexpected: [] });
    expect(durable.acknowledged).toBeGreaterThan(10);
  }, 60_000);
});

/** Until the supervisor has PostgreSQL back. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + 20_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(200);
    }
  }
}
