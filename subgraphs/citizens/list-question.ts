import type { CitizenFilter, CitizenOrder, OrderBy, Place } from './citizen-filter.ts';
import type { Walk } from './citizen-reads.ts';

/* What a list of citizens is asked, its orders, and how a page begins behind a place. */

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface ListQuestion {
  readonly filter: CitizenFilter;
  readonly order: CitizenOrder;
  readonly after: Place | null;
  /** Rows wanted: one more than the page holds. */
  readonly limit: number;
  readonly walk: Walk;
  /** A legal basis for one person. */
  readonly basis: string | null;
  readonly columns: { readonly name: string; readonly columns: string };
}

/** Filters with an index of their own. */
export const accesses = ['basis', 'number', 'name', 'first', 'life', 'updated', 'birth', 'states'] as const;
/** `basis`: the one person of a legal basis. `name`, `first`: by the last word that was typed, by the first of several. */
export type Access = (typeof accesses)[number];

/** Values of a statement from `$2` on; `$1` is the scope. */
export class Values {
  readonly list: unknown[] = [];

  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${String(this.list.length + 1)}::${type}`;
  }
}

interface SortColumn {
  /** Name of the column of citizens.citizen. */
  readonly column: string;
  readonly type: string;
  /** How the cursor writes it, without loss. */
  readonly text: (column: string) => string;
}

const sortColumns: Readonly<Record<Exclude<OrderBy, 'id'>, SortColumn>> = {
  fullName: { column: 'name_sort', type: 'text', text: (column) => column },
  dateOfBirth: { column: 'birth_sort', type: 'date', text: (column) => `${column}::text` },
  updatedAt: {
    column: 'updated_at',
    type: 'timestamptz',
    text: (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  },
};

export function sortOf(order: CitizenOrder): SortColumn | null {
  return order.by === 'id' ? null : sortColumns[order.by];
}

export function orderBy(order: CitizenOrder, alias: string): string {
  const direction = order.descending ? ' desc' : '';
  const sort = sortOf(order);
  return `${sort === null ? '' : `${alias}.${sort.column}${direction}, `}${alias}.id${direction}`;
}

export function behind({ order, after }: ListQuestion, alias: string, values: Values): string {
  if (after === null) return 'true';
  const sign = order.descending ? '<' : '>';
  const sort = sortOf(order);
  const id = values.add(after.id, 'uuid');
  return sort === null
    ? `${alias}.id ${sign} ${id}`
    : `(${alias}.${sort.column}, ${alias}.id) ${sign} (${values.add(after.sort, sort.type)}, ${id})`;
}
