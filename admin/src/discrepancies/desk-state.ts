import type { SettleDecision } from '../api/generated/graph.ts';
import type { Discrepancy } from '../api/records.ts';

/*
 * A desk of discrepancies: which of them one is at, and what became of those already decided. A decided one stays in its place, so that
 * the eye keeps its bearings; the next one that waits is the one at hand.
 */

export type Standing =
  /** Sent, and not answered yet. */
  | { readonly is: 'sending'; readonly decision: SettleDecision }
  | {
      readonly is: 'decided';
      readonly decision: SettleDecision;
      readonly changeId: string;
      readonly citizenVersion: number | null;
    }
  | { readonly is: 'refused'; readonly message: string }
  | { readonly is: 'undoing' }
  | { readonly is: 'undone' };

export interface Desk {
  readonly items: readonly Discrepancy[];
  readonly standing: ReadonlyMap<string, Standing>;
  /** Id of the one at hand. */
  readonly at: string | null;
}

export const emptyDesk: Desk = { items: [], standing: new Map(), at: null };

/** It can be decided: nobody did here, or what was tried was refused or undone. */
export function waits(desk: Desk, id: string): boolean {
  const standing = desk.standing.get(id);
  return standing === undefined || standing.is === 'refused' || standing.is === 'undone';
}

export function withItems(desk: Desk, more: readonly Discrepancy[]): Desk {
  const known = new Set(desk.items.map(({ id }) => id));
  const items = [...desk.items, ...more.filter(({ id }) => !known.has(id))];
  return { ...desk, items, at: desk.at ?? items[0]?.id ?? null };
}

/** The next one after `id` that waits, then those before it; null when all is done. */
function nextWaiting(desk: Desk, id: string): string | null {
  const here = desk.items.findIndex((item) => item.id === id);
  const around = [...desk.items.slice(here + 1), ...desk.items.slice(0, here)];
  // What was refused or undone has been looked at: it is come back to by hand.
  return around.find((item) => desk.standing.get(item.id) === undefined)?.id ?? null;
}

function stands(desk: Desk, id: string, standing: Standing): Desk {
  return { ...desk, standing: new Map(desk.standing).set(id, standing) };
}

/** Sent: one goes on to the next at once, and the answer comes to the row it belongs to. */
export function sent(desk: Desk, id: string, decision: SettleDecision): Desk {
  const next = stands(desk, id, { is: 'sending', decision });
  return { ...next, at: desk.at === id ? (nextWaiting(next, id) ?? id) : desk.at };
}

export function answered(desk: Desk, id: string, standing: Standing): Desk {
  return stands(desk, id, standing);
}

/** Undone, with the version the item has now: it can be decided anew, and is at hand again. */
export function undone(desk: Desk, id: string, version: number): Desk {
  const items = desk.items.map((item) => (item.id === id ? { ...item, version } : item));
  return { ...stands({ ...desk, items }, id, { is: 'undone' }), at: id };
}

/** The decision made last, for `u`. */
export function lastDecided(desk: Desk): string | null {
  const decided = [...desk.standing].filter(([, standing]) => standing.is === 'decided');
  return decided.at(-1)?.[0] ?? null;
}

/** Only where the other side has a value that could be taken. */
export function mayTake({ kind, theirs }: Pick<Discrepancy, 'kind' | 'theirs'>): boolean {
  return theirs !== null && (kind === 'DIFFERENT' || kind === 'ONLY_THEIRS');
}

export const decisionKeys: Readonly<Record<string, SettleDecision>> = { 1: 'KEEP', 2: 'TAKE', 3: 'ASK_AGAIN', 4: 'HAND_OVER' };
