import type { CitizenField } from '../domain/citizen-field.ts';
import type { CitizenId } from '../domain/ids.ts';
import type { PersonalId } from '../domain/personal-id.ts';
import { addDays, isDay, yearOf, type PlainDate, type PlainDay } from '../domain/plain-date.ts';
import { currentPlace } from '../places/index.ts';
import { defects, plannedDefect, type Defect, type DefectName } from './defects.ts';
import { addressIn, bhxhNumber, someFacts, type Facts, type NumberSpace } from './facts.ts';
import { otherGivenName } from './names.ts';
import { Random, syntheticUuid } from './random.ts';
import {
  overlappingCard,
  someCards,
  someReexaminations,
  someReferrals,
  someResults,
  type RecordsOf,
  type SyntheticCard,
  type SyntheticReexamination,
  type SyntheticReferral,
  type SyntheticResult,
} from './records.ts';
import { homeCommunes, type HomeCommune, type SyntheticUnit } from './units.ts';

export interface SyntheticCitizen {
  readonly index: number;
  readonly id: CitizenId;
  readonly station: SyntheticUnit;
  readonly lifeStatus: 'ACTIVE' | 'MOVED_AWAY' | 'DECEASED';
  /** What the hub holds. */
  readonly ours: Facts;
  /** What the population database holds; `null`: it does not know the number, or he has none. */
  readonly theirs: Facts | null;
  /** Fields that the population database confirmed once, and when; none for a dirty citizen. */
  readonly confirmed: readonly CitizenField[];
  readonly confirmedOn: PlainDay | null;
  /** A number that was his and was cancelled. */
  readonly formerNumber: PersonalId | null;
  readonly defect: Defect | null;
  /** Whether the work item of the defect is there from the start. */
  readonly defectIsOpen: boolean;
  readonly registeredOn: PlainDay;
  readonly cards: readonly SyntheticCard[];
  readonly results: readonly SyntheticResult[];
  readonly referrals: readonly SyntheticReferral[];
  readonly reexaminations: readonly SyntheticReexamination[];
}

/** One synthetic world: everything that its citizens depend on. */
export interface WorldPlan {
  readonly seed: number;
  readonly space: NumberSpace;
  readonly citizens: number;
  /** Share of dirty citizens. */
  readonly dirty: number;
  readonly baseDay: PlainDay;
  readonly stations: readonly SyntheticUnit[];
  readonly facilities: readonly string[];
  /** Citizens below this index are fixed and made elsewhere. */
  readonly first: number;
}

/** Made-up times of ids: those of the demonstration come before all others, so that a list by id begins with it. */
const idBase: Readonly<Record<NumberSpace, number>> = { demo: Date.UTC(2026, 0, 1), large: Date.UTC(2026, 1, 1) };

type RecordKind =
  | 'identifier'
  | 'card'
  | 'card work'
  | 'result'
  | 'referral'
  | 'referral document'
  | 'reexamination'
  | 'reexamination document'
  | 'discrepancy'
  | 'work'
  | 'change';

/** The id of the n-th record of a kind of one citizen; at most 16 of a kind. */
export function syntheticId(
  plan: Pick<WorldPlan, 'seed' | 'space'>,
  kind: 'citizen' | RecordKind | `${RecordKind} change`,
  citizen: number,
  n = 0,
): string {
  const index = kind === 'citizen' ? citizen : citizen * 16 + n;
  return syntheticUuid(plan.seed, `${kind} ${plan.space}`, index, idBase[plan.space]);
}

export function communeOf(station: SyntheticUnit): HomeCommune {
  const found = homeCommunes().find(({ code }) => code === station.commune?.code);
  if (found === undefined) throw new Error(`The unit ${station.code} has no commune.`);
  return found;
}

const confirmable = ['FULL_NAME', 'OLD_ID_NUMBER', 'PERSONAL_ID', 'DATE_OF_BIRTH', 'GENDER', 'PERMANENT_ADDRESS'] as const;

/** Which of the fields that the population database can confirm have a value. */
export function confirmableIn(facts: Facts): readonly CitizenField[] {
  return confirmable.filter(
    (field) =>
      (field !== 'OLD_ID_NUMBER' || facts.oldIdNumber !== null) && (field !== 'PERSONAL_ID' || facts.personalId !== null),
  );
}

export function syntheticCitizen(plan: WorldPlan, index: number): SyntheticCitizen {
  const { seed, space, baseDay, dirty, first } = plan;
  const random = new Random(seed, `citizen ${space}`, index);
  const station = random.pick(plan.stations);
  const planned = plannedDefect(seed, space, index, first, dirty);
  const truth = someFacts(seed, space, index, communeOf(station), planned === null);
  const stained = stain(planned, truth, random);
  const { defect, ours } = stained;

  const claimed = index + 1 < plan.citizens && plannedDefect(seed, space, index + 1, first, dirty) === 'duplicateCard';
  const owner = defect === 'duplicateCard' ? index - 1 : index;
  const of: RecordsOf = { facts: ours, bhxh: bhxhNumber(seed, space, owner), baseDay, facilities: plan.facilities };
  const records = new Random(seed, `records ${space}`, index);
  const cards = someCards(records, of, claimed || defect === 'duplicateCard' || defect === 'overlap' ? 1 : 0);
  const last = cards.at(-1);
  const found = defect === null ? null : defects[defect];
  const confirmed = found === null && ours.personalId !== null && random.chance(0.6) ? confirmableIn(ours) : [];
  return {
    index,
    id: syntheticId(plan, 'citizen', index) as CitizenId,
    station,
    lifeStatus: random.weighted([
      ['ACTIVE', 960],
      ['MOVED_AWAY', 25],
      ['DECEASED', 15],
    ] as const),
    ours,
    theirs: stained.theirs,
    confirmed,
    confirmedOn: confirmed.length === 0 ? null : addDays(baseDay, -random.between(100, 400)),
    formerNumber: formerNumber(random, ours.personalId, index),
    defect: found,
    // Cards are looked at as they come in, like the rows of a file; for the rest the population database must be asked.
    defectIsOpen: found !== null && found.foundBy !== 'RECONCILE',
    registeredOn: addDays(baseDay, -random.between(401, 900)),
    cards: defect === 'overlap' && last !== undefined ? overlapping(records, of, last) : cards,
    results: someResults(records, of),
    referrals: someReferrals(records, of),
    reexaminations: someReexaminations(records, of),
  };
}

/** Two cards in force beside one another. */
function overlapping(random: Random, of: RecordsOf, last: SyntheticCard): readonly SyntheticCard[] {
  const age = random.between(30, 300);
  const present: SyntheticCard = {
    ...last,
    status: 'ACTIVE',
    validFrom: addDays(of.baseDay, -age),
    validTo: addDays(of.baseDay, 365 - age),
  };
  return [overlappingCard(random, of, present), present];
}

/** One in a hundred had another number; only where the free digits are still given out once. */
function formerNumber(random: Random, number: PersonalId | null, index: number): PersonalId | null {
  if (!random.chance(0.01) || number === null || index >= 900_000) return null;
  const sex = Number(number.charAt(3)) ^ 1;
  return `${number.slice(0, 3)}${sex}${number.slice(4)}` as PersonalId;
}

interface Stained {
  readonly defect: DefectName | null;
  readonly ours: Facts;
  readonly theirs: Facts | null;
}

/** Makes the two sides differ in exactly what is planned; what does not fit the person becomes another defect that fits everyone. */
function stain(planned: DefectName | null, truth: Facts, random: Random): Stained {
  switch (planned) {
    case null:
    case 'duplicateCard':
    case 'overlap':
      return { defect: planned, ours: truth, theirs: truth.personalId === null ? null : truth };
    case 'name':
      return {
        defect: planned,
        ours: { ...truth, fullName: otherGivenName(random, truth.fullName, truth.gender) },
        theirs: truth,
      };
    case 'birth':
      if (!isDay(truth.dateOfBirth)) return stain('name', truth, random);
      return { defect: planned, ours: { ...truth, dateOfBirth: otherDay(truth.dateOfBirth) }, theirs: truth };
    case 'gender':
      return { defect: planned, ours: truth, theirs: { ...truth, gender: truth.gender === 'MALE' ? 'FEMALE' : 'MALE' } };
    case 'moved':
      return { defect: planned, ours: truth, theirs: { ...truth, permanent: elsewhere(random, truth) } };
    case 'oldNumber':
      if (truth.oldIdNumber === null) return stain('moved', truth, random);
      return { defect: planned, ours: { ...truth, oldIdNumber: null }, theirs: truth };
    case 'nativePlace':
      if (truth.nativePlace === null) return stain('moved', truth, random);
      return { defect: planned, ours: { ...truth, nativePlace: null }, theirs: truth };
    case 'birthplace':
      if (truth.birthplace === null) return stain('name', truth, random);
      return { defect: planned, ours: truth, theirs: { ...truth, birthplace: null } };
    case 'unknown':
      return { defect: planned, ours: truth, theirs: null };
    case 'inconsistent': {
      const { personalId } = truth;
      if (personalId === null) return stain('name', truth, random);
      const contradicting = `${personalId.slice(0, 3)}${Number(personalId.charAt(3)) ^ 1}${personalId.slice(4)}` as PersonalId;
      const both = { ...truth, personalId: contradicting };
      return { defect: planned, ours: both, theirs: both };
    }
  }
}

/** Another day of the same year, whatever the day. */
function otherDay(date: PlainDay): PlainDate {
  const later = addDays(date, 9);
  return yearOf(later) === yearOf(date) ? later : addDays(date, -9);
}

function elsewhere(random: Random, { permanent }: Facts): Facts['permanent'] {
  const here = currentPlace(permanent.code, permanent.list).currentCode;
  return addressIn(random, random.pick(homeCommunes().filter(({ code }) => code !== here)));
}
