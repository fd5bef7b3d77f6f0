import type { RowScope } from '../auth/policy.ts';
import type { ReadDoor } from '../db/read-door.ts';
import { countLimit } from '../page.ts';
import type { Condition } from './conditions.ts';
import { countFrom, type Count } from './record-page.ts';
import { lockOne, lowestId, unitsInScope, type RecordTable, type Walk } from './record-table.ts';

/**
 * Lists with filters, by id, behind the row policy.
 *
 * Guarantee: no page looks at more than {@link lookedAt} records, whatever the filter and however few of them fit. An index that
 * finds few records (a number, a citizen, some days) is tried first; else the list walks along the ids, of the whole table or of
 * each unit in scope, and a page that was not filled within the limit says how far it came.
 */
export interface ListQuestion {
  readonly conditions: readonly Condition[];
  readonly after: string | null;
  /** One more than the page holds. */
  readonly limit: number;
}

export interface ListAnswer<Row> {
  readonly rows: readonly Row[];
  /** Not everything was looked at; go on behind this id. */
  readonly seenTo: string | null;
}

/** Records looked at for one page at most. */
const lookedAt = 10_000;
/** A range with more records than this is walked by id instead. */
const rangeLimit = 2_000;
/** Most pages are full after the first step. */
const steps = [600, lookedAt - 600] as const;

export class RecordList<Row extends { readonly id: string }> {
  readonly #record: RecordTable;
  readonly #columns: string;
  readonly #name: string;

  constructor(record: RecordTable, name: string, columns: string) {
    this.#record = record;
    this.#name = name;
    this.#columns = columns;
  }

  async page(door: ReadDoor, scope: RowScope, walk: Walk, question: ListQuestion): Promise<ListAnswer<Row>> {
    const driver = driverOf(question.conditions);
    if (driver !== null) {
      const found = await this.#found(door, scope, walk, driver, question);
      if (found !== null) return { rows: found, seenTo: null };
    }
    return this.#walked(door, scope, walk, question);
  }

  /** Exact up to the count limit, unless more records than that must be looked at. */
  async count(door: ReadDoor, scope: RowScope, walk: Walk, conditions: readonly Condition[]): Promise<Count> {
    const driver = driverOf(conditions);
    const text = new Statement(this.#record, conditions);
    const limit = text.value(countLimit + 1, 'int');
    const looked =
      driver === null
        ? text.streams(walk, (stream) => `${stream} limit ${limit}`)
        : text.streams(driver.index === 'few' ? 'whole' : walk, (stream) => `${stream} limit ${limit}`, driver);
    // A slip may come along its citizen's unit and along its facility: counted once.
    const twice = this.#record.unitColumns.length > 1 ? `${limit} * 2` : limit;
    const sql = `select count(*) filter (where n.hit)::int as count, count(*)::int as looked
      from (select distinct l.id, l.hit from (select * from (${looked}) s limit ${twice}) l) n`;
    const [row] = await door.rows<{ count: number; looked: number }>(`${this.#name}.count`, sql, scope, text.values(scope));
    return countFrom(row?.count ?? 0, (row?.looked ?? 0) > countLimit);
  }

  /** All records of an index that finds few, or null when they are too many. */
  async #found(
    door: ReadDoor,
    scope: RowScope,
    walk: Walk,
    driver: Condition,
    { conditions, after, limit }: ListQuestion,
  ): Promise<readonly Row[] | null> {
    const text = new Statement(this.#record, conditions);
    const most = driver.index === 'few' ? lookedAt : rangeLimit;
    const [behind, many, all] = [text.value(after ?? lowestId, 'uuid'), text.value(limit, 'int'), text.value(most + 1, 'int')];
    const found = text.streams(driver.index === 'few' ? 'whole' : walk, (stream) => `${stream} limit ${all}`, driver);
    const sql = `with found as materialized (select * from (${found}) s limit ${all}),
      page as (select distinct f.id from found f where f.hit and f.id > ${behind} order by f.id limit ${many})
      select (select count(*) from found) >= ${all} as "cut", x.* from (select) one left join (${text.read('page', this.#columns)}) x on true
      order by x.id`;
    const rows = await door.rows<Row & { readonly cut: boolean }>(`${this.#name}.found`, sql, scope, text.values(scope));
    return rows[0]?.cut === true ? null : present(rows);
  }

  async #walked(
    door: ReadDoor,
    scope: RowScope,
    walk: Walk,
    { conditions, after, limit }: ListQuestion,
  ): Promise<ListAnswer<Row>> {
    const streams = walk === 'whole' ? 1 : scope.unitCount * this.#record.unitColumns.length;
    const found: Row[] = [];
    let behind = after ?? lowestId;
    for (const step of steps) {
      const text = new Statement(this.#record, conditions);
      const [from, many, each] = [
        text.value(behind, 'uuid'),
        text.value(limit - found.length, 'int'),
        text.value(Math.ceil(step / streams), 'int'),
      ];
      const walked = text.streams(walk, (stream) => `${stream} and c.id > ${from} order by c.id limit ${each}`);
      // Behind the lowest id at which a stream was cut, other streams may hold records that come later: they wait for the next step.
      const sql = `with walk as materialized (${walked}),
        horizon as (select max(w.id::text collate "C")::uuid as id from walk w group by w.stream having count(*) >= ${each} order by 1 limit 1),
        page as (select distinct w.id from walk w
          where w.hit and w.id <= coalesce((select h.id from horizon h), 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
          order by w.id limit ${many})
        select (select h.id from horizon h) as "seenTo", x.* from (select) one left join (${text.read('page', this.#columns)}) x on true
        order by x.id`;
      const rows = await door.rows<Row & { readonly seenTo: string | null }>(
        `${this.#name}.walk`,
        sql,
        scope,
        text.values(scope),
      );
      found.push(...present(rows));
      const seenTo = rows[0]?.seenTo ?? null;
      if (seenTo === null || found.length >= limit) return { rows: found, seenTo: null };
      behind = seenTo;
    }
    return { rows: found, seenTo: behind };
  }
}

/** The condition whose index finds the fewest records. */
function driverOf(conditions: readonly Condition[]): Condition | null {
  return conditions.find(({ index }) => index === 'few') ?? conditions.find(({ index }) => index === 'range') ?? null;
}

/** A page without rows still brings one row, which tells of the search; its id is null. */
function present<Row extends { readonly id: string | null }>(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ id }) => id !== null);
}

/** One statement under way: its values are numbered from `$2`, the citizen of a legal basis comes first. */
class Statement {
  readonly #record: RecordTable;
  readonly #conditions: readonly { readonly condition: Condition; readonly sql: string }[];
  readonly #values: unknown[] = [null];

  constructor(record: RecordTable, conditions: readonly Condition[]) {
    this.#record = record;
    this.#conditions = conditions.map((condition) => {
      const at = this.#values.length + 2;
      this.#values.push(...condition.values);
      return { condition, sql: condition.sql((index) => `$${at + index}`) };
    });
  }

  value(value: unknown, type: 'uuid' | 'int'): string {
    this.#values.push(value);
    return `$${this.#values.length + 1}::${type}`;
  }

  values(scope: RowScope): readonly unknown[] {
    return [scope.citizenId, ...this.#values.slice(1)];
  }

  /** Lock one, and the citizen of a legal basis. */
  get #locks(): string {
    return `${lockOne('c', this.#record.unitColumns)} and ($2::uuid is null or c.citizen_id = $2::uuid)`;
  }

  /**
   * Records to be looked at, as `stream, id, hit`: one stream of the whole table or one per unit and unit column, each ended by
   * `end`. An index finds the `driver` and what is ordered; `hit` says whether the other conditions hold.
   */
  streams(walk: Walk, end: (stream: string) => string, driver: Condition | null = null): string {
    const found: string[] = [];
    const looked: string[] = [];
    for (const { condition, sql } of this.#conditions) {
      (condition === driver || (driver === null && condition.index === 'ordered') ? found : looked).push(sql);
    }
    const hit = looked.length === 0 ? 'true' : `coalesce(${looked.map((sql) => `(${sql})`).join(' and ')}, false)`;
    const { table, unitColumns } = this.#record;
    const conditions = [this.#locks, ...found].join(' and ');
    if (walk === 'whole') return `(${end(`select 0 as stream, c.id, ${hit} as hit from ${table} c where ${conditions}`)})`;
    return unitColumns
      .map((column, place) => {
        const stream = end(`select c.id, ${hit} as hit from ${table} c where c.${column} = u.no and ${conditions}`);
        return `select u.no * ${unitColumns.length} + ${place} as stream, w.id, w.hit from ${unitsInScope} cross join lateral (${stream}) w`;
      })
      .join(' union all ');
  }

  /** The records whose ids stand in `page`, in full. */
  read(page: string, columns: string): string {
    const { table, replica } = this.#record;
    return `select y.* from ${page} p cross join lateral (
      select ${columns} from ${table} c left join ${replica} r on r.id = c.citizen_id and ${lockOne('r', ['unit_no'])}
      where c.id = p.id and ${this.#locks} limit 1) y`;
  }
}
