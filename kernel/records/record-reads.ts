import type { MaskedField } from '../auth/purposes.ts';
import type { KeyedRead, PageRead } from '../db/read-door.ts';
import { maskSql } from '../domain/masking.ts';
import type { Asked } from '../graph/asked.ts';
import type { ChangeRow, StateRow } from './history.ts';
import { RecordList } from './record-list.ts';
import {
  byKey,
  citizensInScope,
  countOfCitizen,
  countOfHistory,
  historyOf,
  ofCitizen,
  plainPage,
  stateOf,
  type RecordColumns,
  type RecordTable,
  type Walk,
} from './record-table.ts';

/** Columns of one kind of record, by the fields of the graph that need them. */
export interface RecordShape {
  /** Names the statements: `insurance.card`. */
  readonly name: string;
  readonly record: RecordTable;
  /** Type of the graph whose fields these are. */
  readonly type: string;
  /**
   * What each field selects on `c` (record) and `r` (its citizen in scope), named as the row names it. A masked field selects its
   * column in clear where role and purpose allow, else masked by PostgreSQL. `null`: a field with a read of its own.
   */
  readonly fields: Readonly<Record<string, string | { readonly masked: MaskedField; readonly column: string } | null>>;
  /** Fields that the service needs to answer other fields: `Citizen.cardInForce` → what decides it. */
  readonly implied: Readonly<Record<string, readonly string[]>>;
  /** Order of a citizen's records. */
  readonly order: string;
}

const owner = 'c.citizen_id as "ownerId"';
/** Different selections of one kind that get statements of their own; beyond, everybody shares the one of all columns. */
const selectionLimit = 64;

/** The statements of one kind for one selection, in clear or masked: made once, since equal texts are one prepared statement. */
export class RecordReads<Row extends { readonly id: string }> {
  readonly byId: KeyedRead<Row>;
  readonly list: RecordList<Row>;
  readonly countOfCitizen: KeyedRead<{ readonly count: number }>;
  readonly countOfHistory: KeyedRead<{ readonly count: number }>;
  readonly state: KeyedRead<StateRow>;
  readonly inScope: KeyedRead<{ readonly known: boolean }>;
  readonly #made = new Map<string, KeyedRead<Row> | PageRead<Row>>();
  readonly #histories = new Map<string, KeyedRead<ChangeRow>>();
  readonly #shape: RecordShape;
  readonly #name: string;
  readonly #columns: RecordColumns;
  readonly #ofCitizen: string;
  readonly #ofCitizens = new Map<number, KeyedRead<Row>>();
  readonly #ofCitizensAfter = new Map<number, KeyedRead<Row>>();

  constructor(shape: RecordShape, selection: string, fields: ReadonlySet<string>, clear: boolean) {
    const { record } = shape;
    const columns = ['c.id'];
    for (const [field, column] of Object.entries(shape.fields)) {
      if (column === null || !fields.has(field)) continue;
      if (typeof column === 'string') columns.push(column);
      else columns.push(`${clear ? column.column : maskSql(column.masked, column.column)} as "${field}"`);
    }
    this.#shape = shape;
    this.#name = `${shape.name}.${selection}`;
    // Who reads a record without knowing its citizen must be able to tell the audit whose it is.
    this.#ofCitizen = (fields.has('history') || fields.has('asOf') ? [...columns, owner] : columns).join(', ');
    this.#columns = { text: [...columns, owner].join(', '), citizen: fields.has('citizen') };
    this.byId = byKey(record, `${this.#name}.by-id`, this.#columns, { column: 'id', type: 'uuid' });
    this.list = new RecordList(record, `${this.#name}.list`, this.#columns);
    this.countOfCitizen = countOfCitizen(record, `${shape.name}.of-citizen.count`);
    this.countOfHistory = countOfHistory(record, shape.name);
    this.state = stateOf(record, shape.name);
    this.inScope = citizensInScope(record.replica, `${shape.name}.citizen`);
  }

  byText(column: string): KeyedRead<Row> {
    const { record } = this.#shape;
    return this.#once(`by-${column}`, (name) => byKey(record, name, this.#columns, { column, type: 'text', and: record.live }));
  }

  ofCitizen(size: number, after: boolean): KeyedRead<Row> {
    const made = after ? this.#ofCitizensAfter : this.#ofCitizens;
    const known = made.get(size);
    if (known !== undefined) return known;
    const { record, order } = this.#shape;
    const read = ofCitizen<Row>(record, `${this.#name}.of-citizen`, this.#ofCitizen, { size, order, after });
    made.set(size, read);
    return read;
  }

  page(walk: Walk, size: number): PageRead<Row> {
    return this.#once(`page.${walk}.${size}`, (name) => plainPage(this.#shape.record, name, this.#columns, walk, size));
  }

  history(size: number, after: boolean): KeyedRead<ChangeRow> {
    const { name, record } = this.#shape;
    const which = `${size}.${String(after)}`;
    const known = this.#histories.get(which);
    if (known !== undefined) return known;
    const read = historyOf<ChangeRow>(record, name, { size, after });
    this.#histories.set(which, read);
    return read;
  }

  #once<Read extends KeyedRead<Row> | PageRead<Row>>(which: string, make: (name: string) => Read): Read {
    const known = this.#made.get(which);
    if (known !== undefined) return known as Read;
    const read = make(`${this.#name}.${which}`);
    this.#made.set(which, read);
    return read;
  }
}

/** The statements of one kind of record for whatever is asked of it. */
export class Selections<Row extends { readonly id: string }> {
  readonly #shape: RecordShape;
  readonly #bySelection = new Map<string, RecordReads<Row>>();
  readonly #byAsked = { clear: new WeakMap<Asked, RecordReads<Row>>(), masked: new WeakMap<Asked, RecordReads<Row>>() };

  constructor(shape: RecordShape) {
    this.#shape = shape;
  }

  /** `null`: everything. */
  for(asked: Asked | null, clear: boolean): RecordReads<Row> {
    if (asked === null) return this.#of(new Set(Object.keys(this.#shape.fields)), clear);
    const known = this.#byAsked[clear ? 'clear' : 'masked'];
    const before = known.get(asked);
    if (before !== undefined) return before;
    const { type, implied } = this.#shape;
    const fields = new Set(asked.get(type));
    for (const [coordinate, needed] of Object.entries(implied)) {
      const [parent = '', field = ''] = coordinate.split('.');
      if (asked.get(parent)?.has(field) === true) for (const one of needed) fields.add(one);
    }
    const reads = this.#of(fields, clear);
    known.set(asked, reads);
    return reads;
  }

  #of(fields: ReadonlySet<string>, clear: boolean): RecordReads<Row> {
    const names = Object.keys(this.#shape.fields);
    const bits = names.map((name) => (fields.has(name) ? '1' : '0')).join('');
    const key = `${parseInt(bits, 2).toString(36)}${clear ? '' : '.masked'}`;
    const known = this.#bySelection.get(key);
    if (known !== undefined) return known;
    if (this.#bySelection.size >= selectionLimit && bits.includes('0')) return this.#of(new Set(names), clear);
    const reads = new RecordReads<Row>(this.#shape, key, fields, clear);
    this.#bySelection.set(key, reads);
    return reads;
  }
}
