/*
 * What kind of difference two values make, where it can be seen from the values alone: a hint for the eye, never a decision.
 */

export type Difference = 'dayMonth' | 'tones' | null;

const isoDay = /^(\d{4})-(\d{2})-(\d{2})$/;

function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .replace(/\s+/g, ' ')
    .trim();
}

export function differenceOf(ours: string | null, theirs: string | null): Difference {
  if (ours === null || theirs === null || ours === theirs || ours.includes('•')) return null;
  const [, year, month, day] = isoDay.exec(ours) ?? [];
  const [, otherYear, otherMonth, otherDay] = isoDay.exec(theirs) ?? [];
  if (year !== undefined) return year === otherYear && month === otherDay && day === otherMonth ? 'dayMonth' : null;
  return plain(ours) === plain(theirs) ? 'tones' : null;
}
