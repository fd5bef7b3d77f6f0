/*
 * A synthetic world from a seed: the same seed gives the same people, numbers and defects on every machine; the dates of their
 * records hang on the base day. Citizens are made one by one, each without those before him, so that a page can be made anew
 * after a crash. For seeds, simulators and tests only.
 */
import type { CitizenField } from '../domain/citizen-field.ts';
import { bhxhNumberOf } from '../domain/insurance-card-number.ts';
import type { PlainDay } from '../domain/plain-date.ts';
import { syntheticCitizen, type SyntheticCitizen, type WorldPlan } from './citizen.ts';
import { fixedCitizens } from './demo.ts';
import type { DefectFinder } from './defects.ts';
import type { Facts } from './facts.ts';
import { demoUnits, facilityA, largeUnits, type SyntheticUnit } from './units.ts';

export interface World {
  readonly plan: WorldPlan;
  readonly units: readonly SyntheticUnit[];
  citizen(index: number): SyntheticCitizen;
}

const demoCitizens = 2_000;
const demoDirty = 0.02;

/** The world of the contract: seven units, An, Bình, Chi, and 1,997 others. */
export function demoWorld(seed: number, baseDay: PlainDay): World {
  const units = demoUnits();
  const stations = units.filter(({ level }) => level === 'STATION');
  const plan: WorldPlan = {
    seed,
    space: 'demo',
    citizens: demoCitizens,
    dirty: demoDirty,
    baseDay,
    stations,
    facilities: [facilityA],
    first: 3,
  };
  const fixed = fixedCitizens(plan);
  return { plan, units, citizen: (index) => fixed[index] ?? syntheticCitizen(plan, index) };
}

/** Any number of citizens over many centres and stations. */
export function largeWorld(seed: number, citizens: number, dirty: number, baseDay: PlainDay): World {
  const units = largeUnits(seed, citizens);
  const stations = units.filter(({ level }) => level === 'STATION');
  const facilities = units.filter(({ level }) => level === 'FACILITY').map(({ code }) => code);
  const plan: WorldPlan = { seed, space: 'large', citizens, dirty, baseDay, stations, facilities, first: 0 };
  return { plan, units, citizen: (index) => syntheticCitizen(plan, index) };
}

export function* citizensOf(world: World): Generator<SyntheticCitizen> {
  for (let index = 0; index < world.plan.citizens; index++) yield world.citizen(index);
}

/** One planted defect, as a row of `demo-defects.csv` has it: exactly one work item of that citizen and field. */
export interface PlantedDefect {
  readonly citizenId: string;
  readonly kind: string;
  readonly field: CitizenField | null;
  readonly foundBy: DefectFinder;
}

export function plantedDefects(world: World): readonly PlantedDefect[] {
  return [...citizensOf(world)].flatMap(({ id, defect }) =>
    defect === null ? [] : [{ citizenId: id, kind: defect.kind, field: defect.field, foundBy: defect.foundBy }],
  );
}

/** `demo-defects.csv`: header first; no comments, quotes or commas inside values. An empty field: the item is about a card, its `field` is null. */
export function defectsCsv(planted: readonly PlantedDefect[]): string {
  const rows = planted.map(({ citizenId, kind, field, foundBy }) =>
    [citizenId, kind, field ?? '', foundBy.toLowerCase()].join(','),
  );
  return ['citizen_id,kind,field,found_by', ...rows, ''].join('\n');
}

/** Everyone the population database of this world knows, as it knows him; whom it does not know is not there. */
export function* populationOf(world: World): Generator<Facts> {
  for (const { theirs } of citizensOf(world)) if (theirs !== null) yield theirs;
}

/** Ten last characters of each card of a citizen. */
export function bhxhNumbersOf(citizen: SyntheticCitizen): readonly string[] {
  return citizen.cards.map(({ number }) => bhxhNumberOf(number));
}

export type { SyntheticCitizen };
