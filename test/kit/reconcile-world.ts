import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openPopulation, type PopulationDatabase } from '#connectors/population/index.ts';
import { startSimulator, type Simulator } from '#connectors/population/simulator.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { askPage, writePage, type Reconciling } from '../../subgraphs/citizens/reconcile.ts';
import type { PageEffect } from '../../subgraphs/citizens/reconcile-page.ts';
import { dueAfter, type DueRange } from '../../subgraphs/citizens/reconcile-reads.ts';
import { seedDemoWorld } from '../../subgraphs/seed.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { caller as callerOf } from './record-world.ts';

const clock = { now: () => new Date('2026-11-24T03:00:00Z') };
const access = { user: 'so-y-te', secret: 'of this test' };
const asker = { officer: 'CB01', account: 'schedule', unit: 'H52', procedure: '1.012345' };
const pageSize = 200;

/** The demo world of one seed in a database of its own, with the population database that knows the same people. */
export interface Province {
  readonly database: TestDatabase;
  readonly writing: Database;
  readonly owner: Client;
  readonly simulator: Simulator;
  readonly population: PopulationDatabase;
  readonly planted: readonly string[];
  close(): Promise<void>;
}

export async function openProvince(seed: number): Promise<Province> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'lien-thong-reconcile-'));
  await seedDemoWorld({ ownerUrl: database.ownerUrl, dataDir, seed, identifierKey: Buffer.alloc(32, 7), clock });
  const simulator = await startSimulator({ seed, dataDir, ...access });
  const population = openPopulation({
    ...access,
    url: simulator.url,
    client: null,
    apiKey: null,
    callsPerSecond: 5_000,
    callsAtOnce: 16,
    patience: { call: 500, backoff: 5, longestBackoff: 20, open: 100 },
  });
  const writing = await openDatabase({
    url: database.roles.citizens,
    entities: [],
    connections: 2,
    applicationName: 'reconcile test',
  });
  const owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`set hub.scope = '{(,)}'`);
  const planted = readFileSync(join(dataDir, 'demo-defects.csv'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line.endsWith(',reconcile'))
    .map((line) => line.replace(/,reconcile$/, ''));
  return {
    database,
    writing,
    owner,
    simulator,
    population,
    planted: planted.sort(),
    async close() {
      await Promise.all([owner.end(), writing.close(), population.close(), simulator.stop()]);
      await database.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

const steward: Caller = { ...callerOf('cli', { scope: everyUnit }), operation: 'reconcile' };

export function reconciling(province: Province, more: Partial<Reconciling> = {}): Reconciling {
  return {
    population: province.population,
    asker,
    caller: steward,
    units: everyUnit,
    run: randomUUID(),
    atOnce: 16,
    afterDays: 90,
    signal: new AbortController().signal,
    transaction: (body) => province.writing.transaction({ units: everyUnit, principal: 'cli' }, body),
    ...more,
  };
}

/** One run over everyone who is due, as the definition of the run does it. */
export async function run(
  province: Province,
  of = reconciling(province),
): Promise<Record<keyof PageEffect | 'asked' | 'busy' | 'refused', number>> {
  const sums: Record<string, number> = { asked: 0, busy: 0, refused: 0 };
  const next = (after: string | null): Promise<readonly DueRange[]> =>
    of.transaction((tx) => dueAfter(tx, { units: of.units, after, days: 90, pageSize, pages: 3 }));
  for (let ranges = await next(null); ranges.length > 0; ranges = await next(ranges.at(-1)?.to ?? null)) {
    for (const range of ranges) await one(range);
  }
  async function one(range: DueRange): Promise<void> {
    const page = await askPage(of, range);
    const effect = await of.transaction((tx) => writePage(tx, of, page));
    sums.asked = (sums.asked ?? 0) + page.asked;
    sums.busy = (sums.busy ?? 0) + page.busy.length;
    sums.refused = (sums.refused ?? 0) + page.refused.length;
    for (const [name, value] of Object.entries(effect)) sums[name] = (sums[name] ?? 0) + Number(value);
  }
  return sums;
}

export async function openWork({ owner }: Province): Promise<readonly string[]> {
  const { rows } = await owner.query<{ readonly item: string }>(
    `select concat_ws(',', citizen_id, kind, field) as item from citizens.discrepancy where state = 'OPEN' and found_by = 'RECONCILE'`,
  );
  return rows.map(({ item }) => item).sort();
}
