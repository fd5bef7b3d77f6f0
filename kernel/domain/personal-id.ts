import type { Brand, Parsed } from './brand.ts';
import type { Gender } from './gender.ts';
import { holdsMask } from './masking.ts';
import { oldProvinces } from './province-codes.ts';

/**
 * Twelve digits issued by the population database (số định danh cá nhân), kept as text: numbers lose the leading zero.
 * Never put one in a log, a URL or a job; use the hub's citizen id, or `mask('personalId', id)`.
 */
export type PersonalId = Brand<string, 'PersonalId'>;
export type PersonalIdReason = 'PERSONAL_ID_FORMAT' | 'PERSONAL_ID_RESERVED' | 'MASKED_VALUE';

/** Nothing is trimmed or guessed: a blank or a full-width digit means that the sender's field is not what it says. */
export function parsePersonalId(text: string): Parsed<PersonalId, PersonalIdReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  if (!/^[0-9]{12}$/.test(text)) return { ok: false, reason: 'PERSONAL_ID_FORMAT' };
  if (text.startsWith('000')) return { ok: false, reason: 'PERSONAL_ID_RESERVED' };
  return { ok: true, value: text as PersonalId };
}

/** What the digits say. There is no check digit in law, and numbers can be set anew: grounds for a warning, never for a refusal. */
export interface PersonalIdContent {
  readonly placeCode: string;
  /** Old province where the birth was registered; `null`: abroad, or a code nobody gave out. */
  readonly province: string | null;
  readonly gender: Exclude<Gender, 'UNDETERMINED'>;
  readonly birthYear: number;
}

export function readPersonalId(id: PersonalId): PersonalIdContent {
  const placeCode = id.slice(0, 3);
  const centuryAndSex = Number(id[3]);
  return {
    placeCode,
    province: placeCode.startsWith('0') ? (oldProvinces[placeCode.slice(1)]?.name ?? null) : null,
    gender: centuryAndSex % 2 === 0 ? 'MALE' : 'FEMALE',
    birthYear: 1900 + 100 * Math.floor(centuryAndSex / 2) + Number(id.slice(4, 6)),
  };
}

/** Which stated facts the digits contradict; both are grounds for a work item, never for a refusal. */
export function contradictionsOf(
  id: PersonalId,
  stated: { readonly gender: Gender | null; readonly birthYear: number | null },
): readonly ('GENDER' | 'BIRTH_YEAR')[] {
  const content = readPersonalId(id);
  const found: ('GENDER' | 'BIRTH_YEAR')[] = [];
  if (stated.gender !== null && stated.gender !== 'UNDETERMINED' && stated.gender !== content.gender) found.push('GENDER');
  if (stated.birthYear !== null && stated.birthYear !== content.birthYear) found.push('BIRTH_YEAR');
  return found;
}

/** Number of the identity paper before the personal number (CMND, 9 digits): searchable, no proof of identity since 01/01/2025. */
export type OldIdNumber = Brand<string, 'OldIdNumber'>;
export type OldIdNumberReason = 'OLD_ID_NUMBER_FORMAT' | 'MASKED_VALUE';

export function parseOldIdNumber(text: string): Parsed<OldIdNumber, OldIdNumberReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  if (!/^[0-9]{9}$/.test(text) || text === '000000000') return { ok: false, reason: 'OLD_ID_NUMBER_FORMAT' };
  return { ok: true, value: text as OldIdNumber };
}
