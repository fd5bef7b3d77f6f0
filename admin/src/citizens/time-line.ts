import type { Card } from '../api/records.ts';

/*
 * Cards on one line of time. A card without a first day never counts and has no bar; one without a last day runs to the edge.
 */

export interface Bar {
  /** Percent of the whole line. */
  readonly from: number;
  readonly width: number;
  readonly open: boolean;
}
export interface TimeLine {
  readonly bars: ReadonlyMap<string, Bar>;
  readonly today: number;
  readonly years: readonly { readonly year: number; readonly at: number }[];
}

const dayLength = 86_400_000;
/** So much of the line lies ahead of today at least, days. */
const ahead = 120;
/** The narrowest bar that can still be seen, percent. */
const narrowest = 1.5;

export function timeLineOf(cards: readonly Pick<Card, 'id' | 'validFrom' | 'validTo'>[], now: number): TimeLine {
  const dated = cards.flatMap(({ id, validFrom, validTo }) =>
    validFrom === null
      ? []
      : [{ id, from: Date.parse(validFrom), to: validTo === null ? null : Date.parse(validTo) + dayLength }],
  );
  const start = Math.min(now - 365 * dayLength, ...dated.map(({ from }) => from));
  const end = Math.max(now + ahead * dayLength, ...dated.map(({ from, to }) => Math.max(from + ahead * dayLength, to ?? from)));
  const place = (time: number): number => (100 * (time - start)) / (end - start);
  const years: { year: number; at: number }[] = [];
  for (let year = new Date(start).getUTCFullYear() + 1; Date.UTC(year, 0, 1) < end; year += 1) {
    years.push({ year, at: place(Date.UTC(year, 0, 1)) });
  }
  // More names than fit would run into each other.
  const every = Math.ceil(years.length / 6);
  return {
    today: place(now),
    years: years.filter((_, index) => index % every === 0),
    bars: new Map(
      dated.map(({ id, from, to }) => [
        id,
        { from: place(from), width: Math.max(narrowest, place(to ?? end) - place(from)), open: to === null },
      ]),
    ),
  };
}
