import type { PopulationPerson, PopulationPlace, StatedPerson } from '#connectors/population/index.ts';
import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import type { Gender } from '#kernel/domain/gender.ts';
import { fold } from '#kernel/domain/person-name.ts';
import { mayBeSameDate, type PlainDate } from '#kernel/domain/plain-date.ts';
import { currentPlace, findCommune, type PlaceList } from '#kernel/places/index.ts';
import { provinces } from '#kernel/places/provinces.ts';
import { oldProvinces } from '#kernel/domain/province-codes.ts';
import { detailBefore, samePlace, type WrittenPlace } from './place-matching.ts';

/*
 * Our record beside an answer of the population database. Pure. A difference is one of the matter: tone marks, where they stand, case,
 * blanks, forms of Unicode, abbreviations of places, how much of a date is known and whether a place is named by the list of before or
 * after 01/07/2025 are writing, and never a difference.
 */

/** What both sides keep of a person, as the hub holds it. */
export interface Sheet {
  readonly personalId: string;
  readonly oldIdNumber: string | null;
  readonly fullName: string;
  readonly dateOfBirth: string | null;
  readonly gender: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanentText: string | null;
  readonly permanentCode: string | null;
  readonly permanentList: PlaceList | null;
}

export type DifferenceKind = 'DIFFERENT' | 'ONLY_THEIRS' | 'ONLY_OURS' | 'UNKNOWN_PERSON';

/** What came of one field; a field that neither side knows is not among them. */
export type Finding =
  | { readonly field: CitizenField; readonly outcome: 'MATCH' }
  | {
      readonly field: CitizenField;
      readonly outcome: 'MISMATCH' | 'UNKNOWN_PERSON';
      readonly kind: DifferenceKind;
      readonly ours: string | null;
      /** As our column would hold it. */
      readonly theirs: string | null;
    };

/** The fields that the population database keeps too. */
export const comparedFields = [
  'FULL_NAME',
  'OLD_ID_NUMBER',
  'PERSONAL_ID',
  'DATE_OF_BIRTH',
  'GENDER',
  'BIRTHPLACE',
  'NATIVE_PLACE',
  'PERMANENT_ADDRESS',
] as const satisfies readonly CitizenField[];

/** What we state of him when we ask. */
export function statementOf(sheet: Sheet): StatedPerson {
  const inWords = (text: string | null): PopulationPlace | null =>
    text === null ? null : { detail: text, code: null, list: null, provinceCode: null };
  return {
    personalId: sheet.personalId,
    oldIdNumber: sheet.oldIdNumber,
    fullName: sheet.fullName,
    dateOfBirth: sheet.dateOfBirth as PlainDate | null,
    gender: sheet.gender as Gender | null,
    birthplace: inWords(sheet.birthplace),
    nativePlace: inWords(sheet.nativePlace),
    permanentAddress: statedAddress(sheet),
  };
}

/** Today's commune and what stands before it; without a code the words as they are. */
function statedAddress({ permanentText: text, permanentCode: code, permanentList: list }: Sheet): PopulationPlace | null {
  if (text === null && code === null) return null;
  const now = code === null || list === null ? null : currentPlace(code, list).currentCode;
  if (now === null) return { detail: text, code: null, list: null, provinceCode: null };
  const detail = text === null ? null : detailBefore(text, code, list);
  return { detail, code: now, list: '2025', provinceCode: findCommune(now, '2025')?.provinceCode ?? null };
}

/** They said yes to the whole sheet. */
export function confirmedFindings(sheet: Sheet): readonly Finding[] {
  return comparedFields.filter((field) => oursOf(sheet, field) !== null).map((field) => ({ field, outcome: 'MATCH' }));
}

/** They do not know the number. */
export function unknownFindings(sheet: Sheet): readonly Finding[] {
  return [{ field: 'PERSONAL_ID', outcome: 'UNKNOWN_PERSON', kind: 'UNKNOWN_PERSON', ours: sheet.personalId, theirs: null }];
}

/** Their record beside ours. */
export function compareRecord(sheet: Sheet, person: PopulationPerson): readonly Finding[] {
  return comparedFields.flatMap((field): Finding[] => {
    const ours = oursOf(sheet, field);
    const theirs = theirsOf(person, field);
    if (ours === null && theirs === null) return [];
    if (ours === null) return [{ field, outcome: 'MISMATCH', kind: 'ONLY_THEIRS', ours, theirs }];
    if (theirs === null) return [{ field, outcome: 'MISMATCH', kind: 'ONLY_OURS', ours, theirs }];
    if (agrees(field, sheet, person)) return [{ field, outcome: 'MATCH' }];
    return [{ field, outcome: 'MISMATCH', kind: 'DIFFERENT', ours, theirs }];
  });
}

function agrees(field: (typeof comparedFields)[number], sheet: Sheet, person: PopulationPerson): boolean {
  switch (field) {
    case 'FULL_NAME':
      return sameName(sheet.fullName, person.fullName);
    case 'OLD_ID_NUMBER':
      return sheet.oldIdNumber === person.oldIdNumber;
    case 'PERSONAL_ID':
      return sheet.personalId === person.personalId;
    case 'DATE_OF_BIRTH':
      return person.dateOfBirth !== null && mayBeSameDate(sheet.dateOfBirth as PlainDate, person.dateOfBirth);
    case 'GENDER':
      return sheet.gender === person.gender;
    case 'BIRTHPLACE':
      return samePlace(inWords(sheet.birthplace), writtenOf(person.birthplace));
    case 'NATIVE_PLACE':
      return samePlace(inWords(sheet.nativePlace), writtenOf(person.nativePlace));
    case 'PERMANENT_ADDRESS':
      return samePlace(
        { text: sheet.permanentText, code: sheet.permanentCode, list: sheet.permanentList },
        writtenOf(person.permanentAddress),
      );
  }
}

/** Without tones and blanks, as clients of the population database compare them. */
export function sameName(one: string, other: string): boolean {
  const letters = (name: string): string => fold(name).replace(/[^a-z]/g, '');
  return letters(one) === letters(other);
}

function inWords(text: string | null): WrittenPlace {
  return { text, code: null, list: null };
}

function writtenOf(place: PopulationPlace | null): WrittenPlace {
  if (place === null) return inWords(null);
  const { code, list } = place;
  return code !== null && list !== null ? { text: place.detail, code, list } : inWords(textOf(place));
}

function oursOf(sheet: Sheet, field: (typeof comparedFields)[number]): string | null {
  switch (field) {
    case 'FULL_NAME':
      return sheet.fullName;
    case 'OLD_ID_NUMBER':
      return sheet.oldIdNumber;
    case 'PERSONAL_ID':
      return sheet.personalId;
    case 'DATE_OF_BIRTH':
      return sheet.dateOfBirth;
    case 'GENDER':
      return sheet.gender;
    case 'BIRTHPLACE':
      return sheet.birthplace;
    case 'NATIVE_PLACE':
      return sheet.nativePlace;
    case 'PERMANENT_ADDRESS':
      return sheet.permanentText ?? sheet.permanentCode;
  }
}

function theirsOf(person: PopulationPerson, field: (typeof comparedFields)[number]): string | null {
  switch (field) {
    case 'FULL_NAME':
      return titleCase(person.fullName);
    case 'OLD_ID_NUMBER':
      return person.oldIdNumber;
    case 'PERSONAL_ID':
      return person.personalId;
    case 'DATE_OF_BIRTH':
      return person.dateOfBirth;
    case 'GENDER':
      return person.gender;
    case 'BIRTHPLACE':
      return textOf(person.birthplace);
    case 'NATIVE_PLACE':
      return textOf(person.nativePlace);
    case 'PERMANENT_ADDRESS':
      return textOf(person.permanentAddress);
  }
}

/** They write in capitals; whoever takes their name over wants it as papers write it. */
function titleCase(name: string): string {
  const squeezed = name.normalize('NFC').replace(/\s+/g, ' ').trim();
  if (squeezed !== squeezed.toUpperCase()) return squeezed;
  return squeezed.toLowerCase().replace(/(?<=^|[ '-])\p{L}/gu, (letter) => letter.toUpperCase());
}

/** A place of theirs in words: detail, commune, district of before the reform, province. */
function textOf(place: PopulationPlace | null): string | null {
  if (place === null) return null;
  const { detail, code, list, provinceCode } = place;
  const commune = code === null || list === null ? null : findCommune(code, list);
  const home = commune?.provinceCode ?? provinceCode;
  const province = home === null ? null : list === '2024' ? (oldProvinces[home]?.name ?? null) : (provinces[home] ?? null);
  const parts = [detail, commune?.name ?? code, province].filter((part) => part !== null);
  const distinct = parts.filter((part, index) => index === 0 || !fold(detail ?? '').includes(fold(part)));
  return distinct.length === 0 ? null : distinct.join(', ');
}
