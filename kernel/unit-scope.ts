import { LRUCache } from 'lru-cache';
import type { RowScope } from './auth/policy.ts';
import type { Clock } from './clock.ts';
import type { ReadDoor } from './db/read-door.ts';

/** Unit numbers as PostgreSQL writes a set of them: `{[1,4),[7,8)}`. */
type UnitRanges = string;

interface Range {
  readonly from: number;
  /** The first number behind the range. */
  readonly to: number;
}

/** Numbers without bound, as maintenance has them (`{(,)}`), are no scope of a caller: they count as everything. */
const boundless = '{(,)}';

/** Scopes are as many as there are units and roles, and asked about for every row of some answers. */
const parsed = new LRUCache<UnitRanges, readonly Range[]>({ max: 1_000 });

function parse(units: UnitRanges): readonly Range[] {
  const known = parsed.get(units);
  if (known !== undefined) return known;
  const ranges = [...units.matchAll(/\[(\d+),(\d+)\)/g)].map(([, from, to]) => ({ from: Number(from), to: Number(to) }));
  parsed.set(units, ranges);
  return ranges;
}

/** How many units a scope covers. */
export function countOfUnits(units: UnitRanges): number {
  if (units === boundless) return Infinity;
  return parse(units).reduce((sum, { from, to }) => sum + to - from, 0);
}

export function coversUnit(units: UnitRanges, unit: number): boolean {
  return units === boundless || parse(units).some(({ from, to }) => from <= unit && unit < to);
}

/** The scope of exactly these units. */
export function rangesOf(numbers: Iterable<number>): UnitRanges {
  const ranges: { from: number; to: number }[] = [];
  for (const number of [...new Set(numbers)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last?.to === number) last.to = number + 1;
    else ranges.push({ from: number, to: number + 1 });
  }
  return `{${ranges.map(({ from, to }) => `[${String(from)},${String(to)})`).join(',')}}`;
}

/** Which unit lies below which, at one moment. */
export interface UnitTree {
  readonly size: number;
  /** The unit and all below it; empty for a unit that does not exist. */
  below(unit: number): readonly number[];
  /** Whether a scope leaves no unit out. */
  coveredBy(units: UnitRanges): boolean;
}

export function unitTree(units: readonly { readonly number: number; readonly parent: number | null }[]): UnitTree {
  const numbers = new Set(units.map(({ number }) => number));
  const children = Map.groupBy(units, ({ parent }) => parent);
  const covered = new Map<UnitRanges, boolean>(); // as few entries as principals have scopes; dropped with the tree
  return {
    size: units.length,
    below(unit) {
      const found = new Set(numbers.has(unit) ? [unit] : []);
      // A set that grows is walked to its new end, and to no number twice.
      for (const number of found) for (const child of children.get(number) ?? []) found.add(child.number);
      return [...found];
    },
    coveredBy(ranges) {
      const known = covered.get(ranges);
      if (known !== undefined) return known;
      const all = countOfUnits(ranges) >= numbers.size && [...numbers].every((number) => coversUnit(ranges, number));
      covered.set(ranges, all);
      return all;
    },
  };
}

const heldFor = 5_000;

/** The tree of units as organisation has it, at most five seconds old. Units are no personal data: every role reads them. */
export function unitTreeSource(door: ReadDoor, clock: Clock): (scope: RowScope) => Promise<UnitTree> {
  let held: { readonly until: number; readonly tree: Promise<UnitTree> } | null = null;
  return (scope) => {
    const now = clock.now().getTime();
    if (held !== null && now < held.until) return held.tree;
    const tree = door
      .rows<{ number: number; parent: number | null }>(
        'units',
        'select number, parent_number as parent from hub.unit where $1::int4multirange is not null order by number',
        { ...scope, citizenId: null },
        [],
      )
      .then(unitTree);
    const taken = { until: now + heldFor, tree };
    held = taken;
    tree.catch(() => {
      if (held === taken) held = null;
    });
    return tree;
  };
}

/**
 * A scope narrowed to one unit and all below it. A unit out of scope is a unit that does not exist: nothing is left.
 */
export function narrowed(scope: RowScope, tree: UnitTree, unit: number): RowScope {
  const numbers = tree.below(unit).filter((number) => coversUnit(scope.units, number));
  return { ...scope, units: rangesOf(numbers), unitCount: numbers.length };
}
