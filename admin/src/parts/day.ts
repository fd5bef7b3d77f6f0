/** `24/11/2026`, `24.11.2026`, `24112026` or `2026-11-24` as an ISO day; null where it is no day of the calendar. */
export function isoDayOf(typed: string): string | null {
  const text = typed.trim();
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  const [, dd, mm, yyyy] = /^(\d{1,2})[/.\s-]?(\d{1,2})[/.\s-]?(\d{4})$/.exec(text) ?? [];
  const iso = `${year ?? yyyy ?? ''}-${(month ?? mm ?? '').padStart(2, '0')}-${(day ?? dd ?? '').padStart(2, '0')}`;
  const time = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== iso ? null : iso;
}
