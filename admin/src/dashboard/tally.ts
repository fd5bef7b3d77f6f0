import type { Run, WorkItem } from '../api/records.ts';
import { dayOf } from '../format.ts';

/** Ages of waiting work, days: younger than a week, within the month, older. */
const week = 7;
const month = 30;
const dayLength = 86_400_000;

export type AgeGroup = 'young' | 'middle' | 'old';
export const ageGroups: readonly AgeGroup[] = ['young', 'middle', 'old'];

export interface KindTally {
  readonly kind: string;
  readonly ages: Readonly<Record<AgeGroup, number>>;
  readonly total: number;
}

/** Waiting work by kind and age, the most first. */
export function tallyOf(items: readonly Pick<WorkItem, 'kind' | 'raisedAt'>[], now: number): readonly KindTally[] {
  const kinds = new Map<string, Record<AgeGroup, number>>();
  for (const { kind, raisedAt } of items) {
    const days = (now - Date.parse(raisedAt)) / dayLength;
    const ages = kinds.get(kind) ?? { young: 0, middle: 0, old: 0 };
    ages[days < week ? 'young' : days <= month ? 'middle' : 'old'] += 1;
    kinds.set(kind, ages);
  }
  return [...kinds]
    .map(([kind, ages]) => ({ kind, ages, total: ages.young + ages.middle + ages.old }))
    .sort((one, other) => other.total - one.total || one.kind.localeCompare(other.kind));
}

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
