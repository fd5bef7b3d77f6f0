import type { Brand, Parsed } from './brand.ts';

/** The hub's own id of a citizen: opaque UUIDv7. Personal numbers are corrected, missing and shared, hence never a key. */
export type CitizenId = Brand<string, 'CitizenId'>;

export function parseCitizenId(text: string): Parsed<CitizenId, 'ID_FORMAT'> {
  const id = text.toLowerCase();
  return isUuid(id) && id.charAt(14) === '7' ? { ok: true, value: id as CitizenId } : { ok: false, reason: 'ID_FORMAT' };
}

/** Whether a text is a UUID in lower case: whatever else comes as an id names nothing, and must not reach PostgreSQL as uuid. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}

/**
 * The number of a unit, given once and never reused: rows carry it, scopes are ranges of it. A code is no key, since units are
 * renamed, merged and moved. `OrgUnit.id` is `u` and the number.
 */
export type UnitNumber = Brand<number, 'UnitNumber'>;

export function parseUnitId(text: string): Parsed<UnitNumber, 'UNIT_ID_FORMAT'> {
  const number = /^u([1-9][0-9]{0,8})$/.exec(text)?.[1];
  return number === undefined ? { ok: false, reason: 'UNIT_ID_FORMAT' } : { ok: true, value: Number(number) as UnitNumber };
}

/** The number of a unit where an id has the form of a UUID: in the audit and in messages. Version 8, so that it is nobody else's. */
export function unitSubject(number: number): string {
  return `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`;
}

export function unitId(number: number): string {
  return `u${String(number)}`;
}
