import { isDay, parsePlainDate, type PlainDay } from '../domain/plain-date.ts';
import { refusal, valueOf } from '../errors/hub-error.ts';

export function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

/** An argument of type `Date`; `null` when it is absent. */
export function dayArgument(value: unknown, field: string): PlainDay | null {
  if (!isGiven(value)) return null;
  if (typeof value !== 'string') throw refusal('DATE_FORMAT', { field });
  const date = valueOf(parsePlainDate(value), field);
  if (!isDay(date)) throw refusal('DATE_DAY_NEEDED', { field });
  return date;
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** An argument of type `DateTime`; `null` when it is absent. */
export function instantArgument(value: unknown, field: string): Date | null {
  if (!isGiven(value)) return null;
  if (value instanceof Date) return value;
  const at = typeof value === 'string' && instant.test(value) ? new Date(value) : null;
  if (at === null || Number.isNaN(at.getTime())) throw refusal('INSTANT_FORMAT', { field });
  return at;
}
