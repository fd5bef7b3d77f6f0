/** The lowest id: where a first page begins. */
export const lowestId = '00000000-0000-0000-0000-000000000000';

/**
 * One condition of a list, with what an index can do for it. Behind a row policy only leakproof operators reach an index:
 * equality and order of text, dates and ids, never a pattern.
 */
export interface Condition {
  readonly values: readonly unknown[];
  /** SQL on the record `c`; `parameter(0)` stands for the first of `values`. */
  sql(parameter: (index: number) => string): string;
  /** `null`: no index, looked at row by row. */
  readonly index: ConditionIndex | null;
}

/**
 * `few`: equality on a column whose values few records share. `range`: indexes `(column)` and `(unit, column)`. `ordered`:
 * equality, with indexes `(column, id)` and, unless `whole`, `(unit, column, id)`, so that the records come by id.
 */
export type ConditionIndex =
  | { readonly kind: 'few' }
  | { readonly kind: 'range'; readonly column: string }
  | { readonly kind: 'ordered'; readonly column: string; readonly whole: boolean };

export function citizenIs(id: string): Condition {
  return { values: [id], index: { kind: 'few' }, sql: (parameter) => `c.citizen_id = ${parameter(0)}::uuid` };
}

export function textIs(column: string, text: string, index: ConditionIndex | null): Condition {
  return { values: [text], index, sql: (parameter) => `c.${column} = ${parameter(0)}::text` };
}

/** One of a closed list of words, each of which many records may share. */
export function wordIs(column: string, word: string, index: ConditionIndex | null = null): Condition {
  return textIs(column, word, index);
}

/** Text that begins so, in "C" order. */
export function textBegins(column: string, start: string): Condition {
  return {
    values: [start, `${start}\u{10FFFF}`],
    index: { kind: 'range', column },
    sql: (parameter) => `c.${column} >= ${parameter(0)}::text and c.${column} < ${parameter(1)}::text`,
  };
}

/** Days from … to, both included; an end that is null is open, at least one is given. */
export function daysBetween(column: string, from: string | null, to: string | null): Condition {
  const bounds = [from === null ? null : ['>=', from], to === null ? null : ['<=', to]].filter((bound) => bound !== null);
  return {
    values: bounds.map(([, day]) => day),
    index: { kind: 'range', column },
    sql: (parameter) => bounds.map(([sign], place) => `c.${column} ${sign ?? '='} ${parameter(place)}::date`).join(' and '),
  };
}

const lowest = `'${lowestId}'::uuid`;
const highest = `'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid`;

/** A walk along the index of one unit: the column that holds its number, and the number. */
export interface UnitWalk {
  readonly column: string;
  readonly number: string;
}

/**
 * Where an index is entered, and the order in which it gives the records; `condition` null: the ids themselves.
 *
 * Without a unit an equality is written as a range of pairs `(column, id)`: given as an equality the planner drops the column from
 * the order, walks all ids instead, and meets a rare status once in ten thousand.
 */
export function indexEntry(
  condition: Condition | null,
  parameter: (place: number) => string,
  unit: UnitWalk | null,
  behind: string = lowest,
): { readonly condition: string; readonly order: string | null } {
  const index = condition?.index ?? null;
  const ofUnit = unit === null ? '' : `c.${unit.column} = ${unit.number} and `;
  if (condition === null || index === null) return { condition: `${ofUnit}c.id > ${behind}`, order: 'c.id' };
  switch (index.kind) {
    case 'few':
      return { condition: condition.sql(parameter), order: null };
    case 'range':
      return { condition: ofUnit + condition.sql(parameter), order: `c.${index.column}` };
    case 'ordered': {
      if (unit !== null) return { condition: `${ofUnit}${condition.sql(parameter)} and c.id > ${behind}`, order: 'c.id' };
      const [pair, value] = [`(c.${index.column}, c.id)`, `${parameter(0)}::text`];
      return {
        condition: `${pair} > (${value}, ${behind}) and ${pair} <= (${value}, ${highest})`,
        order: `c.${index.column}, c.id`,
      };
    }
  }
}
