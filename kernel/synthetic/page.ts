import { hashIdentifier } from '../identifier-hash.ts';
import type { SyntheticCitizen, WorldPlan } from './citizen.ts';

/** Citizens on their way into the tables, with what the hub gives them: numbers of units and keyed hashes of their numbers. */
export interface SeedPage {
  readonly plan: WorldPlan;
  readonly citizens: readonly SeedCitizen[];
  /** Number of the unit that is this hospital; `null`: the hub has no such unit. */
  facilityNo(code: string): number | null;
}

export interface SeedCitizen {
  readonly person: SyntheticCitizen;
  readonly unitNo: number;
  /** Unit that decides about his planted defect: the lowest above all whom it is about. */
  readonly workUnitNo: number;
  /** Of all his numbers, as bytea text. */
  readonly hashes: readonly string[];
}

export function seedCitizen(
  person: SyntheticCitizen,
  { unitNo, workUnitNo }: Pick<SeedCitizen, 'unitNo' | 'workUnitNo'>,
  identifierKey: Buffer,
): SeedCitizen {
  const { personalId, oldIdNumber } = person.ours;
  const numbers = [personalId, oldIdNumber, person.formerNumber].filter((number) => number !== null);
  return {
    person,
    unitNo,
    workUnitNo,
    hashes: numbers.map((number) => `\\x${hashIdentifier(identifierKey, number).toString('hex')}`),
  };
}

/** What insurance, results and slips keep of each citizen. */
export function replicasOf({ citizens }: SeedPage) {
  return citizens.map(({ person, unitNo, hashes }) => ({
    id: person.id,
    unit_no: unitNo,
    life_status: person.lifeStatus,
    identifier_hashes: hashes,
  }));
}

export const replicaColumns = {
  id: 'uuid',
  unit_no: 'int',
  life_status: 'text',
  identifier_hashes: 'bytea[]',
} as const;
export const firstVersion = { version: '1' } as const;

/** A day of the world as an instant: nine in the morning in Việt Nam. */
export function morningOf(day: string): string {
  return `${day}T02:00:00Z`;
}

/** Who made the record, and why: what all first rows of histories have in common. */
export const generated = {
  version: '1',
  principal: 'cli',
  principal_name: 'hub generate',
  cause: 'GENERATE',
  action: 'created',
} as const;
export const citizenChangeColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  at: 'timestamptz',
  after: 'jsonb',
} as const;
export const recordChangeColumns = { ...citizenChangeColumns, record_id: 'uuid' } as const;

/** Values of a history row: by the graph's names, nothing that is not there. */
export function known(values: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}
