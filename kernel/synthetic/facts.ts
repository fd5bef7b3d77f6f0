import type { BhxhNumber } from '../domain/insurance-card-number.ts';
import type { PersonName } from '../domain/person-name.ts';
import type { OldIdNumber, PersonalId } from '../domain/personal-id.ts';
import type { PlainDate } from '../domain/plain-date.ts';
import { oldProvinces } from '../domain/province-codes.ts';
import type { PlaceList } from '../places/index.ts';
import { someName } from './names.ts';
import { Random, scattered } from './random.ts';
import { home, homeCommunes, type HomeCommune } from './units.ts';

export interface SyntheticAddress {
  readonly text: string;
  readonly code: string;
  readonly list: PlaceList;
}

/** What a source says of a person. */
export interface Facts {
  readonly personalId: PersonalId | null;
  readonly oldIdNumber: OldIdNumber | null;
  readonly fullName: PersonName;
  readonly dateOfBirth: PlainDate;
  readonly gender: 'MALE' | 'FEMALE';
  readonly ethnicity: string;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanent: SyntheticAddress;
  readonly current: SyntheticAddress | null;
}

/**
 * Numbers of the demonstration and of generated provinces never meet: each draws from ranges of its own. Two generated provinces
 * of different seeds may share personal numbers here and there.
 */
export type NumberSpace = 'demo' | 'large';

/** How many citizens one seed can have before numbers would repeat. */
export const mostCitizens = 7_000_000;

/* Every 900,000 citizens the free digits begin anew, with another set of places of birth: one frequent, some rare. */
const births: readonly string[] = [...home.oldProvinces, '51', '54', '49', '62', '56', '66'];
const placeSets = births.map((own, round) => ({
  own,
  others: Object.keys(oldProvinces)
    .filter((code) => !births.includes(code))
    .filter((_, i) => i % births.length === round),
}));

/** The six free digits, and the place codes that go with them, so that no two citizens of a seed share a personal number. */
function personalNumber(
  seed: number,
  space: NumberSpace,
  index: number,
  random: Random,
  centuryAndSex: number,
  year: number,
): string {
  const round = space === 'demo' ? 0 : Math.floor(index / 900_000);
  const free =
    space === 'demo' ? scattered(seed, index, 1_000, 99_000, 48_611) : scattered(seed, index, 100_000, 900_000, 524_287);
  const places = placeSets[round];
  if (places === undefined) throw new Error(`One seed has numbers for ${mostCitizens} citizens.`);
  const place = random.chance(0.9) ? places.own : random.pick(places.others);
  return `0${place}${centuryAndSex}${String(year % 100).padStart(2, '0')}${String(free).padStart(6, '0')}`;
}

export function bhxhNumber(seed: number, space: NumberSpace, index: number): BhxhNumber {
  const free =
    space === 'demo'
      ? scattered(seed, index, 10_000, 990_000, 486_119)
      : scattered(seed, index, 1_000_000 + (Math.abs(seed) % 11) * 9_000_000, 9_000_000, 4_861_193);
  return `52${String(free).padStart(8, '0')}` as BhxhNumber;
}

function oldNumber(seed: number, space: NumberSpace, index: number): OldIdNumber {
  const free =
    space === 'demo' ? scattered(seed, index, 10_000, 90_000, 48_619) : scattered(seed, index, 100_000, 9_900_000, 4_861_193);
  return `21${String(free).padStart(7, '0')}` as OldIdNumber;
}

function birthDate(random: Random, year: number): PlainDate {
  const day = `${year}-${String(random.between(1, 12)).padStart(2, '0')}-${String(random.between(1, 28)).padStart(2, '0')}`;
  const known = random.weighted([
    [10, year < 1965 ? 70 : 97],
    [7, 1],
    [4, year < 1965 ? 29 : 2],
  ] as const);
  return day.slice(0, known) as PlainDate;
}

export function addressIn(random: Random, commune: HomeCommune): SyntheticAddress {
  const old = commune.before.length > 0 && random.chance(0.25) ? random.pick(commune.before) : null;
  const place = old ?? commune;
  const urban = place.name.startsWith('Phường');
  const detail = urban ? `Tổ ${random.between(1, 40)}` : `Thôn ${random.between(1, 15)}`;
  const above = old === null ? home.name : `${old.district}, Tỉnh ${oldProvinces[old.provinceCode]?.name ?? ''}`;
  return { text: `${detail}, ${place.name}, ${above}`, code: place.code, list: old === null ? '2025' : '2024' };
}

function email(random: Random, name: PersonName): string {
  const plain = name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[đĐ]/g, 'd')
    .toLowerCase()
    .split(' ');
  return `${plain.at(-1) ?? 'x'}.${plain[0] ?? 'x'}${random.between(1, 9999)}@example.com`;
}

/** The truth about one person: what a population database without mistakes says. `mayLackNumber`: a newborn may have none yet. */
export function someFacts(seed: number, space: NumberSpace, index: number, commune: HomeCommune, mayLackNumber: boolean): Facts {
  const random = new Random(seed, `person ${space}`, index);
  const gender = random.chance(0.5) ? 'MALE' : 'FEMALE';
  const newborn = random.chance(0.004) && mayLackNumber;
  const year = newborn
    ? 2025
    : random.weighted([
        [random.between(2015, 2025), 17],
        [random.between(1990, 2014), 38],
        [random.between(1966, 1989), 29],
        [random.between(1930, 1965), 16],
      ]);
  const fullName = someName(random, gender);
  const centuryAndSex = (year >= 2000 ? 2 : 0) + (gender === 'FEMALE' ? 1 : 0);
  const number = personalNumber(seed, space, index, random, centuryAndSex, year) as PersonalId;
  const bornIn = random.chance(0.8) ? random.pick(homeCommunes()) : null;
  const place = oldProvinces[number.slice(1, 3)]?.name ?? '';
  const mobile = `0${random.pick(['32', '33', '35', '70', '79', '81', '86', '90', '91', '97', '98'])}${random.digits(7)}`;
  const permanent = addressIn(random, random.chance(0.9) ? commune : random.pick(homeCommunes()));
  return {
    personalId: newborn ? null : number,
    oldIdNumber: year < 2000 && random.chance(0.6) ? oldNumber(seed, space, index) : null,
    fullName,
    dateOfBirth: birthDate(random, year),
    gender,
    ethnicity: random.weighted([
      ['01', 76],
      ['10', 12],
      ['13', 9],
      ['17', 1],
      ['08', 1],
      ['02', 1],
    ]),
    phone: year < 2012 && random.chance(0.75) ? mobile : null,
    email: year < 2008 && random.chance(0.3) ? email(random, fullName) : null,
    birthplace: random.chance(0.85) ? (bornIn === null ? place : `${bornIn.name}, ${home.name}`) : null,
    nativePlace: random.chance(0.8) ? `${random.pick(homeCommunes()).name}, ${home.name}` : null,
    permanent,
    current: random.chance(0.5) ? permanent : random.chance(0.3) ? addressIn(random, commune) : null,
  };
}
