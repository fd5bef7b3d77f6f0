import type { PartialDate } from './api/records.ts';
import { language } from './shell/preferences.ts';

/*
 * Dates, numbers and ages as they are read here: `dd/MM/yyyy`, `HH:mm`, Vietnamese time whatever the machine's clock says, `1.234.567`
 * (in English `1,234,567`).
 */

const zone = 'Asia/Ho_Chi_Minh';
const instantParts = new Intl.DateTimeFormat('en-GB', {
  timeZone: zone,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const numbers = { vi: new Intl.NumberFormat('vi-VN'), en: new Intl.NumberFormat('en-GB') } as const;

/** `2026-11-24`, `2026-11` or `2026` as `24/11/2026`, `11/2026`, `2026`. */
export function day(iso: string | null | undefined): string {
  return iso === null || iso === undefined ? '' : iso.slice(0, 10).split('-').reverse().join('/');
}

export function partialDay(date: PartialDate | null): string {
  return day(date?.value);
}

export function instant(iso: string | null | undefined): string {
  if (iso === null || iso === undefined) return '';
  const part = Object.fromEntries(instantParts.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]));
  return `${part.day ?? ''}/${part.month ?? ''}/${part.year ?? ''} ${part.hour ?? ''}:${part.minute ?? ''}`;
}

/** The day of an instant in Vietnam, as ISO text. */
export function dayOf(time: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(time);
}

export function instantDay(iso: string | null | undefined): string {
  return instant(iso).slice(0, 10);
}

export function amount(value: number): string {
  return numbers[language()].format(value);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const text = ((100 * part) / whole).toFixed(1).replace(/\.0$/, '');
  return `${language() === 'vi' ? text.replace('.', ',') : text} %`;
}

const dayLength = 86_400_000;

export interface Age {
  readonly unit: 'today' | 'days' | 'weeks' | 'months' | 'years';
  readonly value: number;
}

/** How long ago, in the one unit that a person would use. */
export function ageOf(iso: string, now: number): Age {
  const days = Math.floor((now - Date.parse(iso)) / dayLength);
  if (days < 1) return { unit: 'today', value: 0 };
  if (days < 14) return { unit: 'days', value: days };
  if (days < 61) return { unit: 'weeks', value: Math.floor(days / 7) };
  if (days < 730) return { unit: 'months', value: Math.floor(days / 30.4) };
  return { unit: 'years', value: Math.floor(days / 365) };
}
