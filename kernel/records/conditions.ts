/** One condition of a list, with what an index can do for it. */
export interface Condition {
  readonly values: readonly unknown[];
  /** SQL on the record `c`; `parameter(0)` stands for the first of `values`. Only leakproof operators reach an index. */
  sql(parameter: (index: number) => string): string;
  /**
   * How an index serves it. `few`: `(column)`, a handful of rows whatever the scope. `range`: `(column)` and `(unit, column)`.
   * `ordered`: equality with `(column, id)` and `(unit, column, id)`, so that rows come by id. `none`: looked at row by row.
   */
  readonly index: 'few' | 'range' | 'ordered' | 'none';
}

export function citizenIs(id: string): Condition {
  return { values: [id], index: 'few', sql: (parameter) => `c.citizen_id = ${parameter(0)}::uuid` };
}

/** One of a closed list of words; the word stands in the text, so that the planner knows how common it is. */
export function wordIs(column: string, word: string, index: Condition['index']): Condition {
  if (!/^[A-Z_]+$/.test(word)) throw new Error('a word of a closed list is written in capitals');
  return { values: [], index, sql: () => `c.${column} = '${word}'` };
}

export function textIs(column: string, text: string, index: Condition['index']): Condition {
  return { values: [text], index, sql: (parameter) => `c.${column} = ${parameter(0)}::text` };
}

/** Text that begins so, in "C" order: a range, which reaches an index behind the row policy. */
export function textBegins(column: string, start: string): Condition {
  return {
    values: [start, `${start}\u{10FFFF}`],
    index: 'range',
    sql: (parameter) => `c.${column} >= ${parameter(0)}::text and c.${column} < ${parameter(1)}::text`,
  };
}

/** Days from … to, both included; at least one is given. */
export function daysBetween(column: string, from: string | null, to: string | null): Condition {
  const bounds = [from === null ? null : ['>=', from], to === null ? null : ['<=', to]].filter((bound) => bound !== null);
  return {
    values: bounds.map(([, day]) => day),
    index: 'range',
    sql: (parameter) => bounds.map(([sign], place) => `c.${column} ${sign ?? '='} ${parameter(place)}::date`).join(' and '),
  };
}
