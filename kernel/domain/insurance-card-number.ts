import type { Brand, Parsed } from './brand.ts';
import { cardObjectCodes } from './card-object-codes.ts';
import { holdsMask } from './masking.ts';

/**
 * Number of a health insurance card (mã thẻ BHYT), 15 characters: object code (2 letters), benefit level (1–5), place of issue
 * (2 digits), BHXH number (10 digits). Compared and stored in upper case without blanks and hyphens. No check digit is known.
 */
export type InsuranceCardNumber = Brand<string, 'InsuranceCardNumber'>;
/** Ten digits that stay with the person when the rest of the card number changes (mã số BHXH). */
export type BhxhNumber = Brand<string, 'BhxhNumber'>;

export type CardIssuer = 'BHXH_VN' | 'BHXH_CAND' | 'BHXH_BQP';

export type CardNumberReason =
  'MASKED_VALUE' | 'CARD_LENGTH' | 'CARD_FORMAT' | 'CARD_LETTER_O' | 'CARD_CATEGORY' | 'CARD_BENEFIT' | 'CARD_ISSUER';
export type BhxhNumberReason = 'MASKED_VALUE' | 'BHXH_NUMBER_FORMAT';

export interface CardNumberRules {
  /** Issuer as stated beside the number; characters 4–5 must fit it. */
  readonly issuer?: CardIssuer | null;
  /** The list of object codes is not closed: a number that the BHXH portal confirmed may carry one that we do not know. */
  readonly confirmedByPortal?: boolean;
}

export function parseInsuranceCardNumber(
  text: string,
  rules: CardNumberRules = {},
): Parsed<InsuranceCardNumber, CardNumberReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const number = text.replace(/[\s-]/g, '').toUpperCase();
  if (number.length !== 15) return { ok: false, reason: 'CARD_LENGTH' };
  if (/^[A-Z]{2}[0-9O]{13}$/.test(number) && number.includes('O', 2)) return { ok: false, reason: 'CARD_LETTER_O' };
  if (!/^[A-Z]{2}[0-9]{13}$/.test(number)) return { ok: false, reason: 'CARD_FORMAT' };
  if (!/[1-5]/.test(number.charAt(2))) return { ok: false, reason: 'CARD_BENEFIT' };
  if (rules.confirmedByPortal !== true && !Object.hasOwn(cardObjectCodes, number.slice(0, 2)))
    return { ok: false, reason: 'CARD_CATEGORY' };
  const issuer = issuerOfPlace(number.slice(3, 5));
  const stated = rules.issuer ?? null;
  if (issuer === null || (stated !== null && stated !== issuer)) return { ok: false, reason: 'CARD_ISSUER' };
  return { ok: true, value: number as InsuranceCardNumber };
}

/** The digit 0 in place of the letter O behind the object code: what to offer when the reason is `CARD_LETTER_O`. */
export function suggestedCardNumber(text: string): string {
  const number = text.replace(/[\s-]/g, '').toUpperCase();
  return number.slice(0, 2) + number.slice(2).replaceAll('O', '0');
}

/** Unit that issued the card by characters 4–5: 97 Ministry of Defence, 98 public security, 01–99 else Vietnam Social Security. */
export function issuerOf(number: InsuranceCardNumber): CardIssuer {
  return issuerOfPlace(number.slice(3, 5)) ?? 'BHXH_VN';
}

function issuerOfPlace(place: string): CardIssuer | null {
  switch (place) {
    case '00':
      return null;
    case '97':
      return 'BHXH_BQP';
    case '98':
      return 'BHXH_CAND';
    default:
      return 'BHXH_VN';
  }
}

export function bhxhNumberOf(number: InsuranceCardNumber): BhxhNumber {
  return number.slice(5) as BhxhNumber;
}

export function parseBhxhNumber(text: string): Parsed<BhxhNumber, BhxhNumberReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const number = text.replace(/[\s-]/g, '');
  return /^[0-9]{10}$/.test(number) ? { ok: true, value: number as BhxhNumber } : { ok: false, reason: 'BHXH_NUMBER_FORMAT' };
}

/** The level that the object code usually has; a card beside it is worth a warning only, levels follow the law of the issue date. */
export function usualLevel(number: InsuranceCardNumber): number | null {
  return cardObjectCodes[number.slice(0, 2)]?.usualLevel ?? null;
}
