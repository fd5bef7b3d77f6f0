import { indexEntry, type UnitWalk } from './conditions.ts';
import type { RowScope } from '../auth/policy.ts';
import type { KeyedRead, PageRead } from '../db/read-door.ts';
import { countLimit } from '../page.ts';
import type { UnitTree } from '../unit-scope.ts';
import type { StateRow } from './history.ts';

/**
 * What insurance cards, digitized results and slips have in common: a record belongs to a citizen, is read by the number of a
 * unit, keeps its history, and is never read without lock one in the text. Here stand the texts of their reads.
 *
 * Aliases: `c` the record, `r` the replica of its citizen where he is in scope, `h` a change.
 */
export interface RecordTable {
  /** `insurance.card` */
  readonly table: string;
  /** `insurance.citizen`: where the citizen belongs now. */
  readonly replica: string;
  /** `insurance.change` */
  readonly change: string;
  /** Whoever has one of these units in his scope may read the record. Indexed as `(unit, id)`. */
  readonly unitColumns: readonly string[];
  /** Condition on `c` for what lists show when no status is asked for. */
  readonly live: string;
}

/** Rows a list of one citizen's records may ask for at once; few sizes, so that few statements are prepared. */
const sizes = [6, 21, 101] as const;

/** The smallest size that holds `first` rows and one more. */
export function sizeFor(first: number): number {
  return sizes.find((size) => size > first) ?? first + 1;
}

/** Lock one: a unit of the record lies in the scope `$1`. The `coalesce` keeps the planner from guessing that it hardly ever does. */
export function lockOne(alias: string, unitColumns: readonly string[]): string {
  return `coalesce(${unitColumns.map((column) => `${alias}.${column} <@ $1::int4multirange`).join(' or ')}, false)`;
}

/** A legal basis for one person; `coalesce` as in lock one. */
const ofBasis = (column: string, parameter: string): string =>
  `coalesce(${column} = ${parameter}::uuid, ${parameter}::uuid is null)`;

/** A select list, and whether it needs the citizen `r` of the record. */
export interface RecordColumns {
  readonly text: string;
  readonly citizen: boolean;
}

/** `from` the record, where asked with its citizen as far as he is in scope himself. */
export function recordFrom(record: RecordTable, { citizen }: RecordColumns): string {
  const replica = ` left join ${record.replica} r on r.id = c.citizen_id and ${lockOne('r', ['unit_no'])}`;
  return `${record.table} c${citizen ? replica : ''}`;
}

/** Records by a key of their own: an id, or a number that several may carry. */
export function byKey<Row>(
  record: RecordTable,
  name: string,
  columns: RecordColumns,
  key: { readonly column: string; readonly type: 'uuid' | 'text'; readonly and?: string },
): KeyedRead<Row> {
  return {
    name,
    text: `select c.${key.column} as key, ${columns.text} from ${recordFrom(record, columns)}
      where c.${key.column} = any($2::${key.type}[])${key.and === undefined ? '' : ` and ${key.and}`}
        and ${lockOne('c', record.unitColumns)} and ${ofBasis('c.citizen_id', '$3')}`,
  };
}

/**
 * Who is in scope among citizens, and his records with him: a citizen without records comes as one row of nulls, a citizen out of
 * scope not at all. The key is his id; with `after`, his id, a colon and the id of the record to go on behind.
 */
export function ofCitizen<Row>(
  record: RecordTable,
  name: string,
  columns: string,
  page: { readonly size: number; readonly order: string; readonly after: boolean },
): KeyedRead<Row> {
  const behind = page.after ? ' and c.id > right(k.key, 36)::uuid' : '';
  const from = page.after
    ? `unnest($2::text[]) k(key) join ${record.replica} r on r.id = left(k.key, 36)::uuid`
    : `${record.replica} r`;
  return {
    name: `${name}.${page.size}${page.after ? '.after' : ''}`,
    text: `select ${page.after ? 'k.key' : 'r.id as key'}, x.* from ${from}
      left join lateral (
        select ${columns} from ${record.table} c
        where c.citizen_id = r.id and ${lockOne('c', record.unitColumns)} and ${record.live}${behind}
        order by ${page.order} limit ${page.size}) x on true
      where ${page.after ? 'true' : 'r.id = any($2::uuid[])'} and ${lockOne('r', ['unit_no'])} and ${ofBasis('r.id', '$3')}`,
  };
}

/** How many records each citizen has; the key is his id. */
export function countOfCitizen(record: RecordTable, name: string): KeyedRead<{ readonly count: number }> {
  return {
    name,
    text: `select r.id as key, (select count(*) from (
        select 1 from ${record.table} c
        where c.citizen_id = r.id and ${lockOne('c', record.unitColumns)} and ${record.live}
        limit ${countLimit + 1}) n)::int as count
      from ${record.replica} r
      where r.id = any($2::uuid[]) and ${lockOne('r', ['unit_no'])} and ${ofBasis('r.id', '$3')}`,
  };
}

/** Which citizens are in scope, by the replica; the key is the id. */
export function citizensInScope(replica: string, name: string): KeyedRead<{ readonly known: boolean }> {
  return {
    name,
    text: `select r.id as key, true as known from ${replica} r
      where r.id = any($2::uuid[]) and ${lockOne('r', ['unit_no'])} and ${ofBasis('r.id', '$3')}`,
  };
}

/** How a page finds its rows: along the whole table, or along each unit of the scope and merged. */
export type Walk = 'whole' | 'units';

/** Up to so many units are walked one by one; beyond, much of what the whole walk meets is in scope anyway. */
const unitsWalked = 32;

export function walkFor(scope: RowScope, units: UnitTree): Walk {
  return scope.unitCount > unitsWalked || units.coveredBy(scope.units) ? 'whole' : 'units';
}

/** Numbers of the units in scope, as rows `u(no)`; only for a walk by units, whose scope is bounded. */
export const unitsInScope =
  'unnest($1::int4multirange) g(span) cross join lateral generate_series(lower(g.span), upper(g.span) - 1) u(no)';

/**
 * A plain page by id: all live records in scope. `size` is at least the limit that is asked: as a number in the text it tells the
 * planner to walk an index in order instead of sorting a unit's records.
 */
export function plainPage<Row>(
  record: RecordTable,
  name: string,
  columns: RecordColumns,
  walk: Walk,
  size: number,
): PageRead<Row> {
  const conditions = `${lockOne('c', record.unitColumns)} and ${ofBasis('c.citizen_id', '$4')}`;
  const ids = (unit: UnitWalk | null): string => {
    const entry = indexEntry(null, () => 'null', unit, 'k.after');
    return `select c.id from ${record.table} c where ${entry.condition} and ${conditions} and ${record.live} order by ${entry.order ?? ''} limit ${size}`;
  };
  const streams =
    walk === 'whole'
      ? ids(null)
      : record.unitColumns
          .map((column) => `select w.id from ${unitsInScope} cross join lateral (${ids({ column, number: 'u.no' })}) w`)
          .join(' union ');
  // Ids first, then only those of the page in full. The inner `limit 1` holds the planner to one look-up by id each: it cannot
  // know how few rows a page has.
  return {
    name,
    text: `select k.ord, x.* from unnest($2::uuid[]) with ordinality k(after, ord) cross join lateral (
        select i.id from (${streams}) i order by i.id limit $3) p cross join lateral (
        select ${columns.text} from ${recordFrom(record, columns)} where c.id = p.id and ${conditions} limit 1) x`,
  };
}

/** Changes of records, oldest first; the key is the record's id, with `after` followed by a colon and the change's id. */
export function historyOf<Row>(
  record: RecordTable,
  name: string,
  page: { readonly size: number; readonly after: boolean },
): KeyedRead<Row> {
  const lock = lockOne('c', record.unitColumns);
  const from = page.after
    ? `unnest($2::text[]) k(key) join ${record.table} c on c.id = left(k.key, 36)::uuid`
    : `${record.table} c`;
  return {
    name: `${name}.history.${page.size}${page.after ? '.after' : ''}`,
    text: `select ${page.after ? 'k.key' : 'c.id as key'}, x.* from ${from}
      left join lateral (
        select h.id, h.version, h.principal_name as "who", h.cause, h.cause_id as "causeId", h.at as "knownAt",
          h.effective_from as "trueFrom", h.action, h.before, h.after
        from ${record.change} h
        where h.record_id = c.id and ${lockOne('h', record.unitColumns)}${page.after ? ' and h.id > right(k.key, 36)::uuid' : ''}
        order by h.id limit ${page.size}) x on true
      where ${page.after ? 'true' : 'c.id = any($2::uuid[])'} and ${lock} and ${ofBasis('c.citizen_id', '$3')}`,
  };
}

export function countOfHistory(record: RecordTable, name: string): KeyedRead<{ readonly count: number }> {
  return {
    name: `${name}.history.count`,
    text: `select c.id as key, (select count(*) from (
        select 1 from ${record.change} h where h.record_id = c.id and ${lockOne('h', record.unitColumns)}
        limit ${countLimit + 1}) n)::int as count
      from ${record.table} c
      where c.id = any($2::uuid[]) and ${lockOne('c', record.unitColumns)} and ${ofBasis('c.citizen_id', '$3')}`,
  };
}

/**
 * The last value of every field at an instant; the key is the record's id, a blank and the instant. What the hub learned in that very
 * millisecond counts: the graph shows no more of an instant. What stands in `after` alone is said of the change, not of the record.
 */
export function stateOf(record: RecordTable, name: string): KeyedRead<StateRow> {
  return {
    name: `${name}.state`,
    text: `select k.key, x.* from unnest($2::text[]) k(key) join ${record.table} c on c.id = split_part(k.key, ' ', 1)::uuid
      cross join lateral (
        select max(h.version) as version, jsonb_object_agg(e.key, e.value order by h.version, h.at, h.id)
            filter (where e.key is not null and (h.before is null or jsonb_exists(h.before, e.key))) as values
        from ${record.change} h left join lateral jsonb_each(h.after) e on true
        where h.record_id = c.id and ${lockOne('h', record.unitColumns)}
          and date_trunc('milliseconds', h.at) <= split_part(k.key, ' ', 2)::timestamptz) x
      where ${lockOne('c', record.unitColumns)} and ${ofBasis('c.citizen_id', '$3')}`,
  };
}
