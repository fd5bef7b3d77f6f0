import type { RowScope } from '../auth/policy.ts';
import type { ReadDoor } from '../db/read-door.ts';
import { countLimit } from '../page.ts';
import { indexEntry, lowestId, type Condition, type UnitWalk } from './conditions.ts';
import { countFrom, type Count } from './record-page.ts';
import { lockOne, recordFrom, unitsInScope, type RecordColumns, type RecordTable, type Walk } from './record-table.ts';

/*
 * Lists with filters, by id, behind the row policy.
 *
 * Guarantee: no page looks at more than 10,000 records, whatever the filter and however few of them fit. An index that finds
 * few records (a number, a citizen, some days, a rare status) is tried first; else the list walks by id, along the whole table or
 * along each unit in scope, and a page that was not filled within the limit says how far it came.
 *
 * The planner cannot know how few rows behind a policy fit. So each stream of records is tied to one index by its order, and its
 * limit stands in the text as a number.
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

/** Records looked at for one page at most; more would take longer than a page may. */
const lookedAt = 5_000;
/** An index that finds more records than this is not worth sorting them; the list is walked by id instead. */
const sorted = 2_000;
/** Most pages are full after the first step. */
const steps = [600, lookedAt - 600] as const;

export class RecordList<Row extends { readonly id: string }> {
  readonly #record: RecordTable;
  readonly #columns: RecordColumns;
  readonly #name: string;

  constructor(record: RecordTable, name: string, columns: RecordColumns) {
    this.#record = record;
    this.#name = name;
    this.#columns = columns;
  }

  async page(door: ReadDoor, scope: RowScope, walk: Walk, question: ListQuestion): Promise<ListAnswer<Row>> {
    const drivers = driversOf(question.conditions, walk);
    const along = drivers.find(({ index }) => index?.kind === 'ordered') ?? null;
    // What one index gives in the order of the list needs no search: its walk meets nothing but hits.
    if (drivers.length > 1 || along === null) {
      for (const driver of drivers) {
        const found = await this.#found(door, scope, walk, driver, question);
        if (found !== null) return { rows: found, seenTo: null };
      }
    }
    return this.#walked(door, scope, walk, along, question);
  }

  /** Exact up to the count limit, unless every index has more records than that to be looked at. */
  async count(door: ReadDoor, scope: RowScope, walk: Walk, conditions: readonly Condition[]): Promise<Count> {
    let most = 0;
    const drivers = driversOf(conditions, walk);
    for (const driver of drivers.length === 0 ? [null] : drivers) {
      const text = new Statement(this.#record, conditions);
      // A slip may come along its citizen's unit and along its facility: counted once.
      const sql = `select count(*) filter (where n.hit)::int as count, count(*)::int as looked
        from (select distinct l.id, l.hit from (${text.unordered(walk, driver, countLimit + 1)}) l) n`;
      const [row] = await door.rows<{ count: number; looked: number }>(`${this.#name}.count`, sql, scope, text.values(scope));
      const { count, looked: seen } = row ?? { count: 0, looked: 0 };
      if (seen <= countLimit) return countFrom(count);
      most = Math.max(most, count);
      if (most > countLimit) break;
    }
    return countFrom(most, true);
  }

  /** The page out of all records that an index finds, or null when they are too many to sort. */
  async #found(
    door: ReadDoor,
    scope: RowScope,
    walk: Walk,
    driver: Condition,
    { conditions, after, limit }: ListQuestion,
  ): Promise<readonly Row[] | null> {
    const text = new Statement(this.#record, conditions);
    const most = driver.index?.kind === 'few' ? lookedAt : sorted;
    const [behind, many] = [text.value(after ?? lowestId, 'uuid'), text.value(limit, 'int')];
    const sql = `with found as materialized (select * from (${text.streams(walk, driver, most + 1)}) s limit ${most + 1}),
      page as (select distinct f.id from found f where f.hit and f.id > ${behind} order by f.id limit ${many})
      select (select count(*) from found) > ${most} as "cut", x.* from (select) one left join (${text.read('page', this.#columns)}) x on true
      order by x.id`;
    const rows = await door.rows<Row & { readonly cut: boolean }>(`${this.#name}.found`, sql, scope, text.values(scope));
    return rows[0]?.cut === true ? null : present(rows);
  }

  async #walked(
    door: ReadDoor,
    scope: RowScope,
    walk: Walk,
    along: Condition | null,
    { conditions, after, limit }: ListQuestion,
  ): Promise<ListAnswer<Row>> {
    const streams = walk === 'whole' ? 1 : scope.unitCount * this.#record.unitColumns.length;
    const found: Row[] = [];
    let behind = after ?? lowestId;
    for (const step of steps) {
      const text = new Statement(this.#record, conditions);
      const [from, many] = [text.value(behind, 'uuid'), text.value(limit - found.length, 'int')];
      const each = walk === 'whole' ? step : powerOfTwo(step / streams);
      // Behind the lowest id at which a stream was cut, other streams may hold records that come later: they wait for the next step.
      const sql = `with walk as materialized (${text.streams(walk, along, each, from)}),
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

const kinds = ['few', 'range', 'ordered'] as const;

/** Conditions with an index for this walk, the most selective kind first. */
function driversOf(conditions: readonly Condition[], walk: Walk): readonly Condition[] {
  return kinds.flatMap((kind) =>
    conditions.filter(({ index }) => index?.kind === kind && !(index.kind === 'ordered' && index.whole && walk === 'units')),
  );
}

/** Few numbers, since each stands in a text of its own. */
function powerOfTwo(limit: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(limit)));
}

/** A page without rows still brings one row, which tells of the search; its id is null. */
function present<Row extends { readonly id: string | null }>(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ id }) => id !== null);
}

/** One statement under way: its values are numbered from `$2`, the citizen of a legal basis comes first. */
class Statement {
  readonly #record: RecordTable;
  readonly #conditions: readonly { readonly condition: Condition; readonly parameter: (place: number) => string }[];
  readonly #values: unknown[] = [null];

  constructor(record: RecordTable, conditions: readonly Condition[]) {
    this.#record = record;
    this.#conditions = conditions.map((condition) => {
      const at = this.#values.length + 2;
      this.#values.push(...condition.values);
      return { condition, parameter: (place) => `$${at + place}` };
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
    return `${lockOne('c', this.#record.unitColumns)} and coalesce(c.citizen_id = $2::uuid, $2::uuid is null)`;
  }

  /**
   * Records to be looked at, as `stream, id, hit`: one stream of the whole table, or one per unit and unit column, each of at most
   * `limit` records along the index of `along` (`null`: by id). `hit` says whether the other conditions hold.
   */
  streams(walk: Walk, along: Condition | null, limit: number, behind?: string): string {
    const stream = (unit: UnitWalk | null): string => {
      const { condition, order } = indexEntry(along, this.#parameterOf(along), unit, behind);
      return `${this.#looked(along)} where ${condition} and ${this.#locks} ${order === null ? '' : `order by ${order} `}limit ${limit}`;
    };
    if (walk === 'whole' || along?.index?.kind === 'few') return `select 0 as stream, w.* from (${stream(null)}) w`;
    return this.#record.unitColumns
      .map(
        (column, place, { length }) => `select u.no * ${length} + ${place} as stream, w.id, w.hit
          from ${unitsInScope} cross join lateral (${stream({ column, number: 'u.no' })}) w`,
      )
      .join(' union all ');
  }

  /** The same for counting: in no order, `limit` records of all units together. */
  unordered(walk: Walk, along: Condition | null, limit: number): string {
    const found = along?.sql(this.#parameterOf(along)) ?? 'true';
    const stream = (ofUnit: string): string => `${this.#looked(along)} where ${ofUnit}${found} and ${this.#locks} limit ${limit}`;
    if (walk === 'whole' || along?.index?.kind === 'few') return stream('');
    return this.#record.unitColumns
      .map((column) => {
        const ofUnits = `select w.id, w.hit from ${unitsInScope} cross join lateral (${stream(`c.${column} = u.no and `)}) w`;
        return `(${ofUnits} limit ${limit})`;
      })
      .join(' union all ');
  }

  #looked(along: Condition | null): string {
    const others = this.#conditions.filter(({ condition }) => condition !== along);
    const hits = others.map(({ condition, parameter }) => `(${condition.sql(parameter)})`);
    return `select c.id, ${hits.length === 0 ? 'true' : `coalesce(${hits.join(' and ')}, false)`} as hit from ${this.#record.table} c`;
  }

  #parameterOf(along: Condition | null): (place: number) => string {
    return this.#conditions.find(({ condition }) => condition === along)?.parameter ?? noParameter;
  }

  /** The records whose ids stand in `page`, in full. */
  read(page: string, columns: RecordColumns): string {
    return `select y.* from ${page} p cross join lateral (
      select ${columns.text} from ${recordFrom(this.#record, columns)}
      where c.id = p.id and ${this.#locks} limit 1) y`;
  }
}

const noParameter = (): string => 'null';
