import type { Parsed } from '../domain/brand.ts';
import { holdsMask } from '../domain/masking.ts';
import { parsePlainDay } from '../domain/plain-date.ts';
import type { Reason } from '../errors/catalogue.ts';
import { refusal, valueOf } from '../errors/hub-error.ts';

/* Fields as a mutation states them: absent keeps what is stored, null erases it, a masked value is refused. */

/** `{}` where the field is absent; else its value. Throws the refusal that names the field. */
export function stated<Name extends string, Value>(
  field: Name,
  text: string | null | undefined,
  parse: (text: string) => Parsed<Value, Reason>,
): Partial<Record<Name, Value | null>> {
  if (text === undefined) return {};
  if (text !== null && holdsMask(text)) throw refusal('MASKED_VALUE', { field });
  const value = text === null ? null : valueOf(parse(text), field);
  return { [field]: value } as Partial<Record<Name, Value | null>>;
}

/** Free text, 1 to 500 characters. */
export function parseWritten(text: string): Parsed<string, 'TEXT_EMPTY' | 'TEXT_LENGTH'> {
  const value = text.normalize('NFC').trim();
  if (value === '') return { ok: false, reason: 'TEXT_EMPTY' };
  return value.length > 500 ? { ok: false, reason: 'TEXT_LENGTH' } : { ok: true, value };
}

/** Why a record is withdrawn; stands in its history. */
export function parseReason(text: string): Parsed<string, 'REASON_NEEDED'> {
  const parsed = parseWritten(text);
  return parsed.ok ? parsed : { ok: false, reason: 'REASON_NEEDED' };
}

/** An enum of the schema was checked before it came here. */
export function knownWord<Word extends string>(text: string): Parsed<Word, never> {
  return { ok: true, value: text as Word };
}

/** From when a change is true in life. */
export function trueFromOf(text: string | null | undefined): string | null {
  return typeof text === 'string' ? valueOf(parsePlainDay(text), 'trueFrom') : null;
}
