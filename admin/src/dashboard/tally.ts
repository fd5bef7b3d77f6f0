import type { Run } from '../api/records.ts';
import { dayOf } from '../format.ts';

/** Days shown. */
const month = 30;
const dayLength = 86_400_000;

export interface RunDay {
  /** ISO day in Vietnam. */
  readonly day: string;
  readonly done: number;
  readonly refused: number;
  readonly differing: number;
}

/** The last thirty days, oldest first, days without a run as zero: a gap in the bars is a night without a run. */
export function runDays(runs: readonly Pick<Run, 'startedAt' | 'done' | 'refused' | 'counts'>[], now: number): readonly RunDay[] {
  const days = new Map<string, { done: number; refused: number; differing: number }>();
  for (let ago = month - 1; ago >= 0; ago -= 1)
    days.set(dayOf(new Date(now - ago * dayLength)), { done: 0, refused: 0, differing: 0 });
  for (const { startedAt, done, refused, counts } of runs) {
    const of = startedAt === null ? undefined : days.get(dayOf(new Date(startedAt)));
    if (of === undefined) continue;
    of.done += done ?? 0;
    of.refused += refused ?? 0;
    of.differing += counts.find(({ name }) => name === 'differing' || name === 'mismatch')?.value ?? 0;
  }
  return [...days].map(([day, of]) => ({ day, ...of }));
}
