import type { Brand, Parsed } from './brand.ts';
import { oldProvinces } from './province-codes.ts';

/**
 * Code of a health facility (mã CSKCB, QĐ 384/QĐ-BYT 2019): five characters, the first two being the province code of before
 * 01/07/2025, or 97/98 for the two forces. Province and `000` stands for "no facility" on temporary cards.
 */
export type FacilityCode = Brand<string, 'FacilityCode'>;

export function parseFacilityCode(text: string): Parsed<FacilityCode, 'FACILITY_CODE_FORMAT'> {
  const code = text.toUpperCase();
  const place = code.slice(0, 2);
  const known = Object.hasOwn(oldProvinces, place) || place === '97' || place === '98';
  if (!/^[0-9]{2}[0-9A-Z]{3}$/.test(code) || !known) return { ok: false, reason: 'FACILITY_CODE_FORMAT' };
  return { ok: true, value: code as FacilityCode };
}
