import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addDays,
  dayInVietnam,
  firstDay,
  lastDay,
  mayBeSameDate,
  parseBirthDate,
  parsePlainDate,
  parsePlainDay,
  precisionOf,
  writtenDate,
  type PlainDate,
  type PlainDay,
} from './plain-date.ts';

const today = '2026-11-24' as PlainDay;
const born = (text: string): string => {
  const parsed = parseBirthDate(text, today);
  return parsed.ok ? parsed.value : parsed.reason;
};
const dateOf = (text: string): PlainDate => {
  const parsed = parsePlainDate(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

describe('birth date', () => {
  test('a day that the calendar lacks, tomorrow and 1850 are refused [B54, B55, B56]', () => {
    expect(born('2023-02-29')).toBe('DATE_NOT_IN_CALENDAR');
    expect(born('29/02/2023')).toBe('DATE_NOT_IN_CALENDAR');
    expect(born('29/02/2024')).toBe('2024-02-29');
    expect(born('2026-11-25')).toBe('BIRTH_DATE_FUTURE');
    expect(born('2026-11-24')).toBe('2026-11-24');
    expect(born('2027')).toBe('BIRTH_DATE_FUTURE');
    expect(born('1850-01-01')).toBe('BIRTH_DATE_TOO_OLD');
  });

  test('a year alone stays a year and is no first of January [B57]', () => {
    const year = dateOf('1948');
    expect(precisionOf(year)).toBe('YEAR');
    expect(year).toBe('1948');
    expect([firstDay(year), lastDay(year)]).toEqual(['1948-01-01', '1948-12-31']);
    expect(parsePlainDay('1948')).toEqual({ ok: false, reason: 'DATE_DAY_NEEDED' });
    expect(mayBeSameDate(year, dateOf('1948-07-05'))).toBe(true);
    expect(mayBeSameDate(dateOf('1948-01-01'), dateOf('1948-02'))).toBe(false);
  });
});

describe('plain date', () => {
  test('is written in four ways and read as one', () => {
    expect(['15/03/1990', '1990-03-15', '03/1985', '3/1985', '1985-03', '1985', '5/3/1990'].map((text) => dateOf(text))).toEqual([
      '1990-03-15',
      '1990-03-15',
      '1985-03',
      '1985-03',
      '1985-03',
      '1985',
      '1990-03-05',
    ]);
    for (const text of [
      '',
      '15-03-1990',
      '1990/03/15',
      '90',
      '1990-3-5',
      '00/1990',
      ' 1985',
      '１９８５',
      '1990-03-15T00:00:00Z',
    ]) {
      expect(parsePlainDate(text).ok).toBe(false);
    }
  });

  test('agrees with the calendar of the platform, and reads what it writes', () => {
    const day = fc.tuple(fc.integer({ min: 1900, max: 2100 }), fc.integer({ min: 0, max: 13 }), fc.integer({ min: 0, max: 32 }));
    fc.assert(
      fc.property(day, ([y, m, d]) => {
        const text = [String(y), String(m).padStart(2, '0'), String(d).padStart(2, '0')].join('-');
        const instant = new Date(Date.UTC(y, m - 1, d));
        const exists = instant.getUTCMonth() === m - 1 && instant.getUTCDate() === d;
        const parsed = parsePlainDate(text);
        expect(parsed.ok).toBe(exists);
        if (!parsed.ok) return;
        expect(dateOf(writtenDate(parsed.value))).toBe(parsed.value);
        expect(firstDay(parsed.value)).toBe(lastDay(parsed.value));
        const month = dateOf(text.slice(0, 7));
        expect(firstDay(month) <= parsed.value && parsed.value <= lastDay(month)).toBe(true);
        expect(addDays(lastDay(month), 1).slice(8)).toBe('01');
        expect(dateOf(writtenDate(month))).toBe(month);
      }),
    );
  });

  test('the day in Việt Nam begins at 17:00 UTC', () => {
    expect(dayInVietnam(new Date('2026-11-24T16:59:59.999Z'))).toBe('2026-11-24');
    expect(dayInVietnam(new Date('2026-11-24T17:00:00Z'))).toBe('2026-11-25');
  });
});
