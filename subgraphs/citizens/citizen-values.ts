import { fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import type { Gender } from '#kernel/domain/gender.ts';
import type { PersonalId } from '#kernel/domain/personal-id.ts';
import { fold, sortName, type PersonName } from '#kernel/domain/person-name.ts';
import { firstDay, lastDay, precisionOf, type PlainDate } from '#kernel/domain/plain-date.ts';
import { currentPlace } from '#kernel/places/index.ts';
import type { StatedFields } from './change-input.ts';
import type { Citizen } from './citizen.entity.ts';
import { flagsOf, identityInconsistent, placeCodeUnknown } from './import-file.ts';
import { valueNames, type ValueName } from './import-match.ts';

/* The values of a citizen by their names in the history, and the columns that hang on each. */

/** Values of one side of a change. */
export type Side = Record<string, string | null>;

/** The field of the identity sheet that a value belongs to. */
export const sheetFields: Readonly<Partial<Record<string, CitizenField>>> = {
  fullName: 'FULL_NAME',
  oldIdNumber: 'OLD_ID_NUMBER',
  personalId: 'PERSONAL_ID',
  dateOfBirth: 'DATE_OF_BIRTH',
  phone: 'PHONE',
  gender: 'GENDER',
  birthplace: 'BIRTHPLACE',
  email: 'EMAIL',
  nativePlace: 'NATIVE_PLACE',
  permanentAddress: 'PERMANENT_ADDRESS',
  permanentCommune: 'PERMANENT_ADDRESS',
};

/** Writes what differs, takes its confirmation back, and says what stood there. */
export function writeValues(citizen: Citizen, { values, lists }: StatedFields): { readonly before: Side; readonly after: Side } {
  const before: Side = {};
  const after: Side = {};
  for (const name of valueNames) {
    const value = values[name];
    if (value === undefined) continue;
    const old = read(citizen, name);
    if (old === value && sameList(citizen, name, lists)) continue;
    before[name] = old;
    after[name] = value;
    const which = name === 'permanentCommune' ? 'permanent' : name === 'currentCommune' ? 'current' : null;
    if (which !== null) {
      before[`${which}List`] = citizen[`${which}List`] ?? null;
      after[`${which}List`] = value === null ? null : lists[which];
    }
    const sheet = sheetFields[name];
    if (sheet !== undefined) citizen.confirmed = citizen.confirmed & ~fieldBits([sheet]);
    put(citizen, name, value, lists);
  }
  return { before, after };
}

function read(citizen: Citizen, name: ValueName): string | null {
  switch (name) {
    case 'permanentAddress':
      return citizen.permanentText ?? null;
    case 'permanentCommune':
      return citizen.permanentCode ?? null;
    case 'currentAddress':
      return citizen.currentText ?? null;
    case 'currentCommune':
      return citizen.currentCode ?? null;
    default:
      return citizen[name] ?? null;
  }
}

/** A code says nothing without its list: the same code of the other list is another value. */
function sameList(citizen: Citizen, name: ValueName, lists: StatedFields['lists']): boolean {
  if (name === 'permanentCommune') return (citizen.permanentList ?? null) === lists.permanent;
  if (name === 'currentCommune') return (citizen.currentList ?? null) === lists.current;
  return true;
}

function put(citizen: Citizen, name: ValueName, value: string | null, lists: StatedFields['lists']): void {
  switch (name) {
    case 'fullName': {
      const fullName = value as PersonName;
      citizen.fullName = fullName;
      citizen.nameFolded = fold(fullName);
      citizen.nameSort = sortName(fullName);
      return;
    }
    case 'dateOfBirth': {
      const date = value as PlainDate | null;
      citizen.dateOfBirth = date;
      citizen.birthPrecision = date === null ? null : precisionOf(date);
      citizen.bornFrom = date === null ? null : firstDay(date);
      citizen.bornTo = date === null ? null : lastDay(date);
      return;
    }
    case 'gender':
      citizen.gender = value as Gender | null;
      return;
    case 'permanentAddress':
      citizen.permanentText = value;
      return;
    case 'currentAddress':
      citizen.currentText = value;
      return;
    case 'permanentCommune': {
      const now = value === null || lists.permanent === null ? null : currentPlace(value, lists.permanent);
      citizen.permanentCode = value;
      citizen.permanentList = lists.permanent;
      citizen.permanentCurrentCode = now?.currentCode ?? null;
      citizen.permanentConfidence = now?.confidence ?? null;
      return;
    }
    case 'currentCommune': {
      const now = value === null || lists.current === null ? null : currentPlace(value, lists.current);
      citizen.currentCode = value;
      citizen.currentList = lists.current;
      citizen.currentCurrentCode = now?.currentCode ?? null;
      citizen.currentConfidence = now?.confidence ?? null;
      return;
    }
    default:
      citizen[name] = value;
  }
}

/** What an import or a reconciliation said stays, except for what the changed values decide themselves. */
export function flagsOfCitizen(citizen: Citizen): string[] {
  const derived = [identityInconsistent, placeCodeUnknown];
  const kept = citizen.flags.filter((flag) => !derived.includes(flag));
  // Only values that were parsed come into these columns.
  const personalId = (citizen.personalId ?? null) as PersonalId | null;
  const dateOfBirth = (citizen.dateOfBirth ?? null) as PlainDate | null;
  return [...kept, ...flagsOf({ personalId, dateOfBirth, gender: citizen.gender ?? null })];
}
