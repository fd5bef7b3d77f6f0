/*
 * Fills an empty hub with the demonstration of the contract, or adds a generated province of any size. Written as the owner of
 * the tables, whom the row policies bind too, one page of citizens per transaction: each is in all subgraphs or in none.
 *
 * The replicas and the joint queue are written together with the citizens, so generated data put nothing into the outbox: there
 * is nobody who would still have to hear of it.
 *
 * Killed half-way, a run that is begun again writes the pages that are missing: a citizen is the same whoever was made before him.
 */
import { join } from 'node:path';
import { Client, type ClientBase } from 'pg';
import type { Clock } from '#kernel/clock.ts';
import { everyUnit } from '#kernel/db/database.ts';
import { syntheticUuid } from '#kernel/synthetic/random.ts';
import { morningOf, seedCitizen, type SeedPage } from '#kernel/synthetic/page.ts';
import { defectsCsv, demoWorld, largeWorld, plantedDefects, type SyntheticCitizen, type World } from '#kernel/synthetic/world.ts';
import { baseDayOf, noteGenerated, writeWhole } from '#kernel/synthetic/world-files.ts';
import { seedCitizens } from './citizens/seed.ts';
import { seedCards } from './insurance/seed.ts';
import { seedPrincipals, seedUnits, seedWorkItems } from './organisation/seed.ts';
import { seedResults } from './results/seed.ts';
import { seedSlips } from './slips/seed.ts';

export interface SeedOptions {
  readonly ownerUrl: string;
  readonly dataDir: string;
  readonly seed: number;
  /** Key of the hashes of identifiers of this installation. */
  readonly identifierKey: Buffer;
  readonly clock?: Clock;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Citizens per transaction: well below the two seconds that a writing transaction may take. */
const pageSize = 500;

/** The demonstration into a hub without units; one transaction, so a killed start leaves nothing. Does nothing where units are. */
export async function seedDemoWorld(options: SeedOptions): Promise<void> {
  const { dataDir, seed } = options;
  const baseDay = await baseDayOf(dataDir, options.clock);
  const world = demoWorld(seed, baseDay);
  await asOwner(options.ownerUrl, async (client) => {
    const loaded = await inTransaction(client, async () => {
      await client.query(`select pg_advisory_xact_lock(hashtextextended('hub.seed', 0))`);
      const { rows } = await client.query(`select from hub.unit limit 1`);
      if (rows.length > 0) return false;
      await writeWhole(join(dataDir, 'demo-defects.csv'), defectsCsv(plantedDefects(world)));
      const numbers = await seedUnits(client, world.units, null);
      const numberOf = (code: string): number => numberByCode(world, numbers, code);
      await seedPrincipals(client, seed, numberOf, morningOf(baseDay));
      for (let from = 0; from < world.plan.citizens; from += pageSize) {
        options.signal?.throwIfAborted();
        await writePage(client, pageOf(world, { numbers, province: numberOf('p') }, from, options.identifierKey));
        options.progress?.(Math.min(from + pageSize, world.plan.citizens), world.plan.citizens);
      }
      await openRun(client, {
        id: runId(seed, 'demo'),
        unitNo: numberOf('p'),
        plan: { seed, citizens: world.plan.citizens, demo: true },
        total: world.plan.citizens,
      });
      await client.query(`update hub.run set state = 'DONE', done = total, ended_at = clock_timestamp() where id = $1`, [
        runId(seed, 'demo'),
      ]);
      return true;
    });
    if (loaded) await analyse(client);
  });
}

export interface GenerateOptions extends SeedOptions {
  readonly citizens: number;
  /** Share of citizens with a planted defect. */
  readonly dirty: number;
}

export interface Generated {
  /** Citizens that this run added; the others were there from an earlier run of the same seed and size. */
  readonly added: number;
  readonly total: number;
  readonly units: number;
  /** Citizens with a planted defect, of the whole. */
  readonly dirty: number;
  /** Personal numbers that another generated province holds too. */
  readonly secondHolders: number;
  /** Whether the signal stopped it before the end. */
  readonly stopped: boolean;
}

/** Adds a province of many centres and stations below the one that is there (an empty hub gets one). */
export async function generateProvince(options: GenerateOptions): Promise<Generated> {
  const { ownerUrl, seed, citizens, dirty, dataDir } = options;
  const world = largeWorld(seed, citizens, dirty, await baseDayOf(dataDir, options.clock));
  const id = runId(seed, `large ${citizens} ${dirty}`);
  return await asOwner(ownerUrl, async (client) => {
    const { done, numbers, province } = await inTransaction(client, async () => ({
      ...(await beginOrResume(client, world, id)),
      province: await provinceNumber(client),
    }));
    await noteGenerated(dataDir, { seed, citizens, dirty });
    const written =
      done < citizens ? await writeCitizens(options, { world, id, numbers, province, done }) : { done, secondHolders: 0 };
    const stopped = written.done < citizens;
    if (!stopped && done < citizens) {
      await inTransaction(client, () =>
        client.query(`update hub.run set state = 'DONE', ended_at = clock_timestamp() where id = $1`, [id]),
      );
      await analyse(client);
    }
    return {
      added: written.done - done,
      total: citizens,
      units: world.units.length,
      dirty: plantedDefects(world).length,
      secondHolders: written.secondHolders,
      stopped,
    };
  });
}

interface RunUnderWay {
  readonly world: World;
  readonly id: string;
  /** Of the units, by index. */
  readonly numbers: readonly number[];
  /** Number of the unit above them all. */
  readonly province: number;
  readonly done: number;
}

/** While PostgreSQL writes one page, the next is made: two of them keep two processors busy, more would only wait. */
const lanes = 2;

/** Writes what is missing, page by page; which pages are in is asked of the tables, since lanes finish in any order. */
async function writeCitizens(
  options: GenerateOptions,
  run: RunUnderWay,
): Promise<{ readonly done: number; readonly secondHolders: number }> {
  const { world, id } = run;
  const total = world.plan.citizens;
  let next = 0;
  let done = run.done;
  let secondHolders = 0;
  let failed = false;
  const lane = async (client: Client): Promise<void> => {
    while (next < total && !failed && options.signal?.aborted !== true) {
      const page = pageOf(world, run, next, options.identifierKey);
      next += page.citizens.length;
      await inTransaction(client, async () => {
        if (run.done > 0 && (await isWritten(client, page))) return;
        secondHolders += await writePage(client, page);
        await client.query(`update hub.run set done = done + $2, heartbeat_at = clock_timestamp() where id = $1`, [
          id,
          page.citizens.length,
        ]);
        done += page.citizens.length;
      });
      options.progress?.(done, total);
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: lanes }, () =>
      asOwner(options.ownerUrl, lane).catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { done, secondHolders };
}

async function isWritten(client: ClientBase, page: SeedPage): Promise<boolean> {
  const { rows } = await client.query(`select from citizens.citizen where id = $1`, [page.citizens[0]?.person.id]);
  return rows.length > 0;
}

/** The hub has another province of this seed: its people would come a second time under the same ids. */
export class SeedTaken extends Error {
  /** How many citizens the province has that is there. */
  readonly citizens: number;

  constructor(citizens: number) {
    super(
      `A province of ${citizens} citizens was generated from this seed. Take another seed, or the same numbers to finish it.`,
    );
    this.name = 'SeedTaken';
    this.citizens = citizens;
  }
}

/** Units and run of a new province, or how far an earlier run with the same plan came. */
async function beginOrResume(
  client: ClientBase,
  world: World,
  id: string,
): Promise<{ done: number; numbers: readonly number[] }> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('hub.seed', 0))`);
  const { seed, citizens, dirty } = world.plan;
  const { rows } = await client.query<{ id: string; total: number; done: number; numbers: number[] }>(
    `select id, total, done, array(select jsonb_array_elements_text(plan -> 'units')::int) as numbers
     from hub.run where kind = 'GENERATE' and plan -> 'seed' = to_jsonb($1::bigint) and plan ? 'units'`,
    [seed],
  );
  const earlier = rows[0];
  if (earlier?.id === id) return earlier;
  if (earlier !== undefined) throw new SeedTaken(earlier.total);
  const province = await provinceNumber(client);
  const numbers = await seedUnits(client, world.units, province);
  await openRun(client, { id, unitNo: province, plan: { seed, citizens, dirty, units: numbers }, total: citizens });
  return { done: 0, numbers };
}

async function provinceNumber(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ number: number }>(
    `select number from hub.unit where level = 'PROVINCE' and valid_to is null order by number limit 1`,
  );
  if (rows[0] !== undefined) return rows[0].number;
  const [number] = await seedUnits(
    client,
    [{ index: 0, code: 'p', name: 'Sở Y tế tỉnh mẫu', level: 'PROVINCE', parent: null, commune: null }],
    null,
  );
  if (number === undefined) throw new Error('The province got no number.');
  return number;
}

interface NewRun {
  readonly id: string;
  readonly unitNo: number;
  readonly plan: Readonly<Record<string, unknown>>;
  readonly total: number;
}

async function openRun(client: ClientBase, { id, unitNo, plan, total }: NewRun): Promise<void> {
  await client.query(`select hub.run_open($1, 'GENERATE', 'citizens', $2, 'cli', $3, $4)`, [
    id,
    unitNo,
    JSON.stringify(plan),
    total,
  ]);
}

function runId(seed: number, label: string): string {
  return syntheticUuid(seed, `run ${label}`, 0, Date.UTC(2026, 0, 1));
}

function pageOf(world: World, units: Pick<RunUnderWay, 'numbers' | 'province'>, from: number, identifierKey: Buffer): SeedPage {
  const { numbers } = units;
  const facilities = new Map(
    world.units.filter(({ level }) => level === 'FACILITY').map(({ code, index }) => [code, numbers[index] ?? null]),
  );
  const length = Math.min(pageSize, world.plan.citizens - from);
  const citizens = Array.from({ length }, (_, n) => {
    const person = world.citizen(from + n);
    const unitNo = numbers[person.station.index];
    if (unitNo === undefined) throw new Error(`The unit ${person.station.code} has no number.`);
    const workUnitNo =
      person.defect?.kind === 'DUPLICATE_CARD' ? unitAbove(world, units, person, world.citizen(from + n - 1)) : unitNo;
    return seedCitizen(person, { unitNo, workUnitNo }, identifierKey);
  });
  return { plan: world.plan, citizens, facilityNo: (code) => facilities.get(code) ?? null };
}

/** The lowest unit above two citizens: who decides about what concerns them both. */
function unitAbove(
  { units }: World,
  { numbers, province }: Pick<RunUnderWay, 'numbers' | 'province'>,
  one: SyntheticCitizen,
  other: SyntheticCitizen,
): number {
  const way = (at: number | null): readonly number[] => (at === null ? [] : [at, ...way(units[at]?.parent ?? null)]);
  const others = way(other.station.index);
  const shared = way(one.station.index).find((index) => others.includes(index));
  return shared === undefined ? province : (numbers[shared] ?? province);
}

/** Returns how many personal numbers got a second holder. */
async function writePage(client: ClientBase, page: SeedPage): Promise<number> {
  const { secondHolders } = await seedCitizens(client, page);
  await seedCards(client, page);
  await seedResults(client, page);
  await seedSlips(client, page);
  await seedWorkItems(client, page);
  return secondHolders;
}

function numberByCode({ units }: World, numbers: readonly number[], code: string): number {
  const number = numbers[units.findIndex((unit) => unit.code === code)];
  if (number === undefined) throw new Error(`The demonstration has no unit ${code}.`);
  return number;
}

async function asOwner<T>(ownerUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: ownerUrl, application_name: 'hub generate' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function inTransaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    await client.query(`select set_config('hub.scope', $1, true)`, [everyUnit]);
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/** Fresh statistics at once: the first questions come before autovacuum does. */
async function analyse(client: ClientBase): Promise<void> {
  await client.query(`vacuum (analyze) hub.unit, citizens.citizen, citizens.identifier, citizens.name_key, citizens.discrepancy, citizens.change,
    insurance.citizen, insurance.card, insurance.change, results.citizen, results.result, results.change,
    slips.citizen, slips.referral_slip, slips.reexamination_slip, slips.change, organisation.work_item`);
}
