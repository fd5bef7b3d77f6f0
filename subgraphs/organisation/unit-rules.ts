import type { UnitLevel } from '#kernel/db/hub.entity.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import type { UnitRow, Units } from './units.ts';

/* Where a unit may stand. */

const height: Readonly<Record<UnitLevel, number>> = { PROVINCE: 3, CENTRE: 2, STATION: 1, FACILITY: 0 };

/** Each level stands below any higher one: a facility may be the province's own or a station's. */
export function mayStandBelow(level: UnitLevel, above: UnitLevel): boolean {
  return height[level] < height[above];
}

/** Why a unit may not become this below that parent; `null`: it may. Units that ended do not count. */
export function whyNotThere(
  units: Units,
  unit: { readonly number: number | null; readonly level: UnitLevel },
  parent: UnitRow,
): Extract<Reason, 'UNIT_CYCLE' | 'UNIT_LEVEL_ORDER'> | null {
  if (unit.number !== null && units.standsOver(unit.number, parent.number)) return 'UNIT_CYCLE';
  if (!mayStandBelow(unit.level, parent.level)) return 'UNIT_LEVEL_ORDER';
  const below = unit.number === null ? [] : units.childrenOf(unit.number);
  return below.every((child) => child.validTo !== null || mayStandBelow(child.level, unit.level)) ? null : 'UNIT_LEVEL_ORDER';
}

export function parseUnitCode(text: string): Parsed<string, 'UNIT_CODE_FORMAT'> {
  const value = text.trim();
  return /^[0-9A-Za-z][0-9A-Za-z._-]{0,29}$/.test(value) ? { ok: true, value } : { ok: false, reason: 'UNIT_CODE_FORMAT' };
}

export function parseUnitName(text: string): Parsed<string, 'UNIT_NAME_LENGTH'> {
  const value = text.normalize('NFC').trim().replace(/\s+/g, ' ');
  const good = value !== '' && value.length <= 200 && !/\p{Cc}/u.test(value);
  return good ? { ok: true, value } : { ok: false, reason: 'UNIT_NAME_LENGTH' };
}
