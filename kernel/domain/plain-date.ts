import type { Brand, Parsed } from './brand.ts';

/**
 * A calendar date as far as it is known, without time and zone: `1990-03-15`, `1985-03` or `1985`. A year alone is never the
 * first of January: ask {@link firstDay} and {@link lastDay} for what it covers.
 */
export type PlainDate = Brand<string, 'PlainDate'>;
declare const knownDay: unique symbol;
/** A {@link PlainDate} known to the day. */
export type PlainDay = PlainDate & { readonly [knownDay]: true };
export type DatePrecision = 'DAY' | 'MONTH' | 'YEAR';

export type DateReason = 'DATE_FORMAT' | 'DATE_NOT_IN_CALENDAR';
export type DayReason = DateReason | 'DATE_DAY_NEEDED';
export type BirthDateReason = DateReason | 'BIRTH_DATE_FUTURE' | 'BIRTH_DATE_TOO_OLD';

const oldestAge = 130;

/** `yyyy-mm-dd`, `dd/mm/yyyy`, `yyyy-mm`, `mm/yyyy`, `yyyy`. */
export function parsePlainDate(text: string): Parsed<PlainDate, DateReason> {
  const iso = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  const written = iso === null ? /^(?:(?:(\d{1,2})[/])?(\d{1,2})[/])(\d{4})$/.exec(text) : null;
  if (iso === null && written === null) return { ok: false, reason: 'DATE_FORMAT' };
  const [year, month, day] = iso === null ? [written?.[3], written?.[2], written?.[1]] : [iso[1], iso[2], iso[3]];
  return checked(Number(year), month === undefined ? null : Number(month), day === undefined ? null : Number(day));
}

export function parsePlainDay(text: string): Parsed<PlainDay, DayReason> {
  const date = parsePlainDate(text);
  if (!date.ok) return date;
  return isDay(date.value) ? { ok: true, value: date.value } : { ok: false, reason: 'DATE_DAY_NEEDED' };
}

/** A birth date; `today` is the day in Việt Nam: {@link dayInVietnam}. */
export function parseBirthDate(text: string, today: PlainDay): Parsed<PlainDate, BirthDateReason> {
  const date = parsePlainDate(text);
  if (!date.ok) return date;
  if (firstDay(date.value) > today) return { ok: false, reason: 'BIRTH_DATE_FUTURE' };
  if (yearOf(date.value) < yearOf(today) - oldestAge) return { ok: false, reason: 'BIRTH_DATE_TOO_OLD' };
  return date;
}

function checked(year: number, month: number | null, day: number | null): Parsed<PlainDate, DateReason> {
  const possible = year >= 1000 && (month === null || (month >= 1 && month <= 12)) && (day === null || day >= 1);
  if (!possible || (month !== null && day !== null && day > daysIn(year, month)))
    return { ok: false, reason: 'DATE_NOT_IN_CALENDAR' };
  return { ok: true, value: textOf(year, month, day) as PlainDate };
}

function textOf(year: number, month: number | null, day: number | null): string {
  const months = month === null ? '' : `-${twoDigits(month)}`;
  return String(year).padStart(4, '0') + months + (day === null ? '' : `-${twoDigits(day)}`);
}

function twoDigits(value: number): string {
  return value < 10 ? `0${String(value)}` : String(value);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

export function isDay(date: PlainDate): date is PlainDay {
  return date.length === 10;
}

export function precisionOf(date: PlainDate): DatePrecision {
  if (date.length === 10) return 'DAY';
  return date.length === 7 ? 'MONTH' : 'YEAR';
}

export function yearOf(date: PlainDate): number {
  return Number(date.slice(0, 4));
}

/** First day that the date may mean. */
export function firstDay(date: PlainDate): PlainDay {
  return `${date}-01-01`.slice(0, 10) as PlainDay;
}

/** Last day that the date may mean. */
export function lastDay(date: PlainDate): PlainDay {
  if (isDay(date)) return date;
  const month = date.length === 7 ? Number(date.slice(5, 7)) : 12;
  return textOf(yearOf(date), month, daysIn(yearOf(date), month)) as PlainDay;
}

/** Whether two dates may be the same day; a year alone fits every day of it. */
export function mayBeSameDate(one: PlainDate, other: PlainDate): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

/** `15/03/1990`, `03/1985`, `1985`: as Vietnamese papers write it. */
export function writtenDate(date: PlainDate): string {
  return date.split('-').reverse().join('/');
}

/** The calendar day in Việt Nam (UTC+7, no summer time) at an instant. */
export function dayInVietnam(instant: Date): PlainDay {
  return new Date(instant.getTime() + 7 * 3_600_000).toISOString().slice(0, 10) as PlainDay;
}

/** So many days later, or earlier when negative. */
export function addDays(day: PlainDay, days: number): PlainDay {
  const then = new Date(Date.UTC(yearOf(day), Number(day.slice(5, 7)) - 1, Number(day.slice(8)) + days));
  return textOf(then.getUTCFullYear(), then.getUTCMonth() + 1, then.getUTCDate()) as PlainDay;
}
