import { fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { fold, type PersonName } from '#kernel/domain/person-name.ts';
import { mayBeSameDate, type PlainDate } from '#kernel/domain/plain-date.ts';
import { currentPlace } from '#kernel/places/index.ts';
import {
  identityInconsistent,
  placeCodeUnknown,
  unmatchedImport,
  flagsOf,
  type ImportedAddress,
  type ImportedCitizen,
} from './import-file.ts';

/*
 * Our records beside one row of a file: who it is, and what of it is new. Pure. Guarantees: a confirmed value is never replaced and an
 * empty cell never erases; what differs from a confirmed value becomes work; the same row a second time changes nothing.
 */

interface KnownAddress {
  readonly text: string | null;
  readonly code: string | null;
  readonly list: '2024' | '2025' | null;
  readonly currentCode: string | null;
}

/** A citizen of ours as far as an import compares him. */
export interface KnownCitizen {
  readonly id: string;
  readonly unitNo: number;
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly fullName: string;
  readonly dateOfBirth: string | null;
  readonly gender: string | null;
  readonly ethnicity: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanent: KnownAddress;
  readonly current: KnownAddress;
  readonly confirmed: number;
  readonly flags: readonly string[];
  /** The sender's own key for him, if this sender gave one. */
  readonly sourceKey: string | null;
  /** Some sender gave a key; another one's key is not kept. */
  readonly hasSourceKey: boolean;
  /** Every personal number he has or had. */
  readonly numbers: readonly string[];
}

/** People who could be meant by a row, each list within the importer's scope. */
export interface Candidates {
  readonly bySourceKey: readonly KnownCitizen[];
  readonly byNumber: readonly KnownCitizen[];
  /** Equal in folded name, birth date and unit. */
  readonly byName: readonly KnownCitizen[];
}

export type Identity =
  | { readonly kind: 'known'; readonly citizen: KnownCitizen }
  /** `unmatched`: the row has no key of its own and does not fit exactly one person. */
  | { readonly kind: 'new'; readonly unmatched: boolean }
  | { readonly kind: 'ambiguous' };

/**
 * Who a row is. The sender's key names him; else the number, among those who share name or birth date with the row: a number
 * that belongs to someone of another name and another birth date has two holders, and both come in. Without either: the one person of
 * equal name, birth date, commune and unit.
 */
export function identify(row: ImportedCitizen, candidates: Candidates): Identity {
  if (row.sourceKey !== null) {
    const [own] = candidates.bySourceKey;
    if (own !== undefined) return { kind: 'known', citizen: own };
  }
  if (row.personalId !== null) {
    // Whom this sender knows under another key is another person to him.
    const holders = candidates.byNumber.filter(({ sourceKey }) => sourceKey === null || row.sourceKey === null);
    return among(
      holders.filter((holder) => mayBe(row, holder)),
      row,
    );
  }
  if (row.sourceKey !== null) return { kind: 'new', unmatched: false };
  const equal = candidates.byName.filter((person) => communeOf(person) === communeOfRow(row));
  const [only] = equal;
  if (only !== undefined && equal.length === 1) return { kind: 'known', citizen: only };
  // Several fit: whoever came by such a row before is this row again.
  const before = equal.find(({ flags }) => flags.includes(unmatchedImport));
  return before === undefined ? { kind: 'new', unmatched: true } : { kind: 'known', citizen: before };
}

function among(holders: readonly KnownCitizen[], row: ImportedCitizen): Identity {
  const [only, second] = holders;
  if (only === undefined) return { kind: 'new', unmatched: false };
  if (second === undefined) return { kind: 'known', citizen: only };
  const exact = holders.filter(
    (holder) => sameName(row.fullName, holder.fullName) && sameBirth(row.dateOfBirth, holder.dateOfBirth),
  );
  const [best] = exact;
  return best !== undefined && exact.length === 1 ? { kind: 'known', citizen: best } : { kind: 'ambiguous' };
}

/** A number whose place nobody gave out proves less: then name and birth date must both fit. */
function mayBe(row: ImportedCitizen, holder: KnownCitizen): boolean {
  const name = sameName(row.fullName, holder.fullName);
  const birth = sameBirth(row.dateOfBirth, holder.dateOfBirth);
  return flagsOf(row).includes(placeCodeUnknown) ? name && birth : name || birth;
}

/** Tones, case and blanks do not make another person. */
function sameName(one: string, other: string): boolean {
  return fold(one) === fold(other);
}

function sameBirth(one: PlainDate, other: string | null): boolean {
  return other !== null && mayBeSameDate(one, other as PlainDate);
}

function communeOf({ permanent, current }: KnownCitizen): string | null {
  return permanent.currentCode ?? permanent.code ?? current.currentCode ?? current.code;
}

function communeOfRow({ permanent, current }: ImportedCitizen): string | null {
  return permanent.current?.currentCode ?? permanent.code ?? current.current?.currentCode ?? current.code;
}

/** Fields that an import writes; `permanentAddress` and `currentAddress` are the text, the communes the code. */
export interface Values {
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly fullName: string;
  readonly dateOfBirth: string | null;
  readonly gender: string | null;
  readonly ethnicity: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanentAddress: string | null;
  readonly permanentCommune: string | null;
  readonly currentAddress: string | null;
  readonly currentCommune: string | null;
}
export type ValueName = keyof Values;

const fieldOf: Readonly<Partial<Record<ValueName, CitizenField>>> = {
  personalId: 'PERSONAL_ID',
  oldIdNumber: 'OLD_ID_NUMBER',
  fullName: 'FULL_NAME',
  dateOfBirth: 'DATE_OF_BIRTH',
  gender: 'GENDER',
  phone: 'PHONE',
  email: 'EMAIL',
  birthplace: 'BIRTHPLACE',
  nativePlace: 'NATIVE_PLACE',
  permanentAddress: 'PERMANENT_ADDRESS',
  permanentCommune: 'PERMANENT_ADDRESS',
};

export interface Difference {
  readonly field: CitizenField;
  readonly kind: 'DIFFERENT' | 'INCONSISTENT';
  readonly ours: string | null;
  readonly theirs: string | null;
}

export interface Outcome {
  /** What is written over what stood there (or over nothing). */
  readonly changes: Readonly<Partial<Values>>;
  /** The list of each commune code that is written. */
  readonly lists: { readonly permanent: '2024' | '2025' | null; readonly current: '2024' | '2025' | null };
  /** What an operator must decide. */
  readonly differences: readonly Difference[];
  /** The sender's key is written down. */
  readonly sourceKey: string | null;
  readonly flags: readonly string[];
}

export function statedValues(row: ImportedCitizen): Values {
  return {
    personalId: row.personalId,
    oldIdNumber: row.oldIdNumber,
    fullName: row.fullName,
    dateOfBirth: row.dateOfBirth,
    gender: row.gender,
    ethnicity: row.ethnicity,
    phone: row.phone,
    email: row.email,
    birthplace: row.birthplace,
    nativePlace: row.nativePlace,
    permanentAddress: row.permanent.text,
    permanentCommune: row.permanent.code,
    currentAddress: row.current.text,
    currentCommune: row.current.code,
  };
}

function knownValues(citizen: KnownCitizen): Values {
  return {
    ...citizen,
    permanentAddress: citizen.permanent.text,
    permanentCommune: citizen.permanent.code,
    currentAddress: citizen.current.text,
    currentCommune: citizen.current.code,
  };
}

export const valueNames = Object.keys({
  personalId: null,
  oldIdNumber: null,
  fullName: '',
  dateOfBirth: null,
  gender: null,
  ethnicity: null,
  phone: null,
  email: null,
  birthplace: null,
  nativePlace: null,
  permanentAddress: null,
  permanentCommune: null,
  currentAddress: null,
  currentCommune: null,
} satisfies Values) as readonly ValueName[];

/** What a row changes in someone who is known. */
export function compare(row: ImportedCitizen, citizen: KnownCitizen): Outcome {
  const stated = statedValues(row);
  const known = knownValues(citizen);
  const changes: Partial<Record<ValueName, string>> = {};
  const differences: Difference[] = [];
  for (const name of valueNames) {
    const theirs = stated[name];
    const ours = known[name];
    if (theirs === null || agrees(name, ours, theirs, row, citizen)) continue;
    const field = fieldOf[name];
    if (ours === null || field === undefined || (citizen.confirmed & fieldBits([field])) === 0) changes[name] = theirs;
    else if (!differences.some((difference) => difference.field === field))
      differences.push({ field, kind: 'DIFFERENT', ours, theirs });
  }
  // A confirmed address is one fact: what is missing of it is not filled from a file that contradicts the rest.
  if (differences.some(({ field }) => field === 'PERMANENT_ADDRESS')) {
    delete changes.permanentAddress;
    delete changes.permanentCommune;
  }
  const flags = flagsAfter(row, citizen, changes);
  if (flags.includes(identityInconsistent) && !citizen.flags.includes(identityInconsistent)) {
    differences.push({
      field: 'PERSONAL_ID',
      kind: 'INCONSISTENT',
      ours: changes.personalId ?? citizen.personalId,
      theirs: null,
    });
  }
  return {
    changes,
    lists: listsOf(row),
    differences,
    sourceKey: row.sourceKey !== null && !citizen.hasSourceKey ? row.sourceKey : null,
    flags,
  };
}

/** What a row says about someone nobody knew. */
export function introduce(row: ImportedCitizen, unmatched: boolean): Outcome {
  const changes: Partial<Record<ValueName, string>> = {};
  for (const name of valueNames) {
    const value = statedValues(row)[name];
    if (value !== null) changes[name] = value;
  }
  const flags = [...flagsOf(row), ...(unmatched ? [unmatchedImport] : [])];
  const inconsistent = flags.includes(identityInconsistent);
  return {
    changes,
    lists: listsOf(row),
    differences: inconsistent ? [{ field: 'PERSONAL_ID', kind: 'INCONSISTENT', ours: row.personalId, theirs: null }] : [],
    sourceKey: row.sourceKey,
    flags,
  };
}

function listsOf({ permanent, current }: ImportedCitizen): Outcome['lists'] {
  return { permanent: permanent.list, current: current.list };
}

/** Whether what the row states is what we have, or less than we know. */
function agrees(name: ValueName, ours: string | null, theirs: string, row: ImportedCitizen, citizen: KnownCitizen): boolean {
  if (ours === theirs) return true;
  switch (name) {
    case 'fullName':
      // Lists are often written in capitals.
      return ours?.toLowerCase() === theirs.toLowerCase();
    case 'dateOfBirth':
      // A year beside the day we know says nothing new; a day beside a confirmed year contradicts nothing.
      return (
        ours !== null &&
        (ours.startsWith(theirs) || (theirs.startsWith(ours) && (citizen.confirmed & fieldBits(['DATE_OF_BIRTH'])) !== 0))
      );
    case 'personalId':
      // A number he had before: the file is older than what we know.
      return ours !== null && citizen.numbers.includes(theirs);
    case 'permanentCommune':
      return samePlace(row.permanent, citizen.permanent);
    case 'currentCommune':
      return samePlace(row.current, citizen.current);
    case 'oldIdNumber':
    case 'gender':
    case 'ethnicity':
    case 'phone':
    case 'email':
    case 'birthplace':
    case 'nativePlace':
    case 'permanentAddress':
    case 'currentAddress':
      return false;
  }
}

/** A code of before the reform and its successor are one place, where the step is certain. */
function samePlace(stated: ImportedAddress, known: KnownAddress): boolean {
  if (stated.code === null || known.code === null) return false;
  if (stated.list === known.list) return stated.code === known.code;
  const now = stated.current;
  const before = known.list === null ? null : currentPlace(known.code, known.list);
  return now?.confidence === 'EXACT' && before?.confidence === 'EXACT' && now.currentCode === before.currentCode;
}

function flagsAfter(row: ImportedCitizen, citizen: KnownCitizen, changes: Partial<Record<ValueName, string>>): readonly string[] {
  if (changes.personalId === undefined && changes.gender === undefined && changes.dateOfBirth === undefined) return citizen.flags;
  const flags = flagsOf({
    personalId: row.personalId ?? (citizen.personalId as ImportedCitizen['personalId']),
    gender: (changes.gender ?? citizen.gender ?? 'UNDETERMINED') as ImportedCitizen['gender'],
    dateOfBirth: (changes.dateOfBirth ?? citizen.dateOfBirth ?? row.dateOfBirth) as PlainDate,
  });
  return [...citizen.flags.filter((flag) => flag !== placeCodeUnknown && flag !== identityInconsistent), ...flags];
}

/** The citizen as he stands after an outcome: the next row of the file may mean him. */
export function after(citizen: KnownCitizen, { changes, lists, sourceKey, flags }: Outcome): KnownCitizen {
  const address = (
    known: KnownAddress,
    text: string | undefined,
    code: string | undefined,
    list: '2024' | '2025' | null,
  ): KnownAddress => {
    const place = code === undefined || list === null ? null : currentPlace(code, list);
    return {
      text: text ?? known.text,
      code: code ?? known.code,
      list: code === undefined ? known.list : list,
      currentCode: place === null ? known.currentCode : place.currentCode,
    };
  };
  const { permanentAddress, permanentCommune, currentAddress, currentCommune, ...values } = changes;
  return {
    ...citizen,
    ...values,
    permanent: address(citizen.permanent, permanentAddress ?? undefined, permanentCommune ?? undefined, lists.permanent),
    current: address(citizen.current, currentAddress ?? undefined, currentCommune ?? undefined, lists.current),
    flags,
    sourceKey: sourceKey ?? citizen.sourceKey,
    hasSourceKey: citizen.hasSourceKey || sourceKey !== null,
    numbers:
      values.personalId === undefined || values.personalId === null || citizen.numbers.includes(values.personalId)
        ? citizen.numbers
        : [...citizen.numbers, values.personalId],
  };
}

/** Nobody yet: {@link after} makes the newcomer of it. */
export function blank(id: string, unitNo: number, fullName: PersonName): KnownCitizen {
  const nowhere: KnownAddress = { text: null, code: null, list: null, currentCode: null };
  return {
    id,
    unitNo,
    personalId: null,
    oldIdNumber: null,
    fullName,
    dateOfBirth: null,
    gender: null,
    ethnicity: null,
    phone: null,
    email: null,
    birthplace: null,
    nativePlace: null,
    permanent: nowhere,
    current: nowhere,
    confirmed: 0,
    flags: [],
    sourceKey: null,
    hasSourceKey: false,
    numbers: [],
  };
}
