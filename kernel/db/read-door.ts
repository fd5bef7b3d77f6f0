import type { RowScope } from '../auth/policy.ts';

/**
 * A read by keys, run once per tick for the union of all keys that equal callers ask for.
 *
 * `text` takes `$1` = int4multirange of the scope (lock one stands in the text: `coalesce(unit_no <@ $1::int4multirange, false)`),
 * `$2` = array of keys (`$2::uuid[]` or `$2::text[]`), `$3` = citizen id of a legal basis or null. The first column is the key;
 * the others are named as the graph names them. `name` is unique and stable: it names the prepared statement.
 */
export interface KeyedRead<Row> {
  readonly name: string;
  readonly text: string;
  /** Only for the type: what a row holds without its key. */
  readonly row?: Row;
}

/**
 * A plain page by id, many pages in one execution. `text` takes `$1` scope, `$2` array of cursors (uuid[], the lowest uuid for
 * the first page), `$3` limit, `$4` citizen id of a legal basis or null; first column is the ordinality of the cursor.
 */
export interface PageRead<Row> {
  readonly name: string;
  readonly text: string;
  readonly row?: Row;
}

/**
 * The one door through which a serving process reads. Lock two (`set_config('hub.scope', …, true)`) is set by the door in the
 * same implicit transaction as the reads; who passes no scope gets no rows.
 *
 * Rows are plain objects in text form: uuid, date and numeric as text, timestamptz as ISO 8601 text in UTC, int4, float8 and bool as such,
 * int8 as number, arrays and jsonb parsed. They are fresh for each caller that asks alone, shared between fields of one tick: never change one.
 * Errors: `DEGRADED` when the waiting line is full or PostgreSQL is away, `LIMIT` when a statement passes its time.
 */
export interface ReadDoor {
  /** Keyed reads and plain pages: few connections, batched by tick. */
  byKeys<Row>(read: KeyedRead<Row>, scope: RowScope, keys: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>>;
  page<Row>(read: PageRead<Row>, scope: RowScope, after: string | null, limit: number): Promise<readonly Row[]>;
  /** Filters, search, counts, exports: a second, capped pool. `$1` is the scope; `values` start at `$2`. */
  rows<Row>(name: string, text: string, scope: RowScope, values: readonly unknown[]): Promise<readonly Row[]>;
}
