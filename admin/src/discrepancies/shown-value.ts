import type { CitizenField } from '../api/generated/graph.ts';
import { day } from '../format.ts';
import { word, type Say } from '../i18n/words.ts';

const isoDay = /^\d{4}(?:-\d{2}){0,2}$/;

/** Values of a discrepancy are texts; dates and closed lists among them are shown as they are elsewhere. */
export function shownValue(say: Say, field: CitizenField, value: string | null): string | null {
  if (value === null) return null;
  if (field === 'DATE_OF_BIRTH' && isoDay.test(value)) return day(value);
  return field === 'GENDER' ? word(say, 'gender', value) : value;
}
