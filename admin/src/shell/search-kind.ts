/*
 * What was typed into the one search box. Numbers are read without blanks, dots and hyphens; the QR code of an identity card is text
 * with `|` between its parts (number, old number, name, birth date, sex, address, date of issue), typed by the scanner.
 */

export type Wanted =
  | { readonly kind: 'nothing' }
  /** One letter finds half the province. */
  | { readonly kind: 'short' }
  | { readonly kind: 'masked' }
  /** Digits, but not as many as any number has. */
  | { readonly kind: 'odd'; readonly digits: number }
  | { readonly kind: 'person'; readonly number: string; readonly scanned: boolean }
  | { readonly kind: 'card'; readonly number: string }
  | { readonly kind: 'result'; readonly code: string }
  | { readonly kind: 'name'; readonly text: string };

const personalNumber = /^\d{12}$/;
const oldNumber = /^\d{9}$/;
const wholeCard = /^[A-Z]{2}\d{13}$/;
const beginOfCard = /^[A-Z]{2}\d+$/;
const resultCode = /^(?:\S+\.)?KQ[.\d-]/;

export function whatIsWanted(typed: string): Wanted {
  const text = typed.normalize('NFC').trim().replace(/\s+/g, ' ');
  if (text === '') return { kind: 'nothing' };
  if (text.includes('•')) return { kind: 'masked' };
  if (text.includes('|')) return scanned(text);
  const upper = text.toUpperCase();
  if (resultCode.test(upper)) return { kind: 'result', code: upper };
  const packed = upper.replace(/[\s.-]/g, '');
  if (/^\d+$/.test(packed)) return byDigits(packed);
  if (wholeCard.test(packed)) return { kind: 'card', number: packed };
  if (beginOfCard.test(packed)) return { kind: 'odd', digits: packed.length };
  if (Array.from(packed).length < 2) return { kind: 'short' };
  return { kind: 'name', text };
}

function byDigits(digits: string): Wanted {
  if (personalNumber.test(digits) || oldNumber.test(digits)) return { kind: 'person', number: digits, scanned: false };
  if (digits.length === 10 || digits.length === 15) return { kind: 'card', number: digits };
  return { kind: 'odd', digits: digits.length };
}

function scanned(text: string): Wanted {
  const parts = text.split('|').map((part) => part.trim());
  const number = parts.find((part) => personalNumber.test(part)) ?? parts.slice(0, 2).find((part) => oldNumber.test(part));
  if (number !== undefined) return { kind: 'person', number, scanned: true };
  return { kind: 'odd', digits: (parts[0] ?? '').replace(/\D/g, '').length };
}
