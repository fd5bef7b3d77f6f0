import type { AuditAction } from '../audit/actions.ts';
import type { Permission } from '../auth/permissions.ts';
import { inClear, lacksBasis, scopeOf, type RowScope } from '../auth/policy.ts';
import type { MaskedField } from '../auth/purposes.ts';
import type { KeyedRead, PageRead, ReadDoor } from '../db/read-door.ts';
import { isUuid, parseUnitId } from '../domain/ids.ts';
import { HubError, refusal } from '../errors/hub-error.ts';
import { cursorBinding, decodeCursor, parseFirst } from '../page.ts';
import type { Call } from '../subgraph.ts';
import { narrowed, type UnitTree } from '../unit-scope.ts';
import { citizenIs, type Condition } from './conditions.ts';
import { shownChange, type Change, type ChangeRow, type HistoryFields } from './history.ts';
import type { KeyedLoader } from './keyed-loader.ts';
import { RecordList } from './record-list.ts';
import { RecordPage, countFrom } from './record-page.ts';
import {
  byKey,
  citizensInScope,
  countOfCitizen,
  countOfHistory,
  historyOf,
  ofCitizen,
  plainPage,
  sizeFor,
  walkFor,
  type RecordTable,
  type Walk,
} from './record-table.ts';

/** What every row of a record holds beside the fields of its own. */
export interface RecordRow {
  readonly id: string;
  /** The citizen it belongs to, where he is in the caller's scope himself. */
  readonly citizenId: string | null;
  /** The citizen it belongs to, for the audit alone: never shown. */
  readonly ownerId: string | null;
  /** Its citizen's unit, where that is in the caller's scope. */
  readonly unitNo: number | null;
}

export interface RecordKind {
  /** Names the statements: `insurance.card`. */
  readonly name: string;
  readonly record: RecordTable;
  readonly permission: Permission;
  readonly action: AuditAction;
  /** The field that is masked unless role and purpose allow it in clear. */
  readonly masked: MaskedField | null;
  /** Select list on `c` (record) and `r` (its citizen in scope), named as the graph names the fields. */
  columns(clear: boolean): string;
  /** Order of a citizen's records and, where they are not paged, how many at most. */
  readonly ofCitizen: { readonly order: string; readonly most: number | null };
  readonly history: HistoryFields;
}

/** What the records of all operations share. */
export interface RecordSource {
  readonly door: ReadDoor;
  readonly units: (scope: RowScope) => Promise<UnitTree>;
}

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** The statements of one kind, in clear or masked: made once, since equal texts are one prepared statement. */
class Reads<Row extends RecordRow> {
  readonly byId: KeyedRead<Row>;
  readonly list: RecordList<Row>;
  readonly countOfCitizen: KeyedRead<{ readonly count: number }>;
  readonly countOfHistory: KeyedRead<{ readonly count: number }>;
  readonly inScope: KeyedRead<{ readonly known: boolean }>;
  readonly #made = new Map<string, KeyedRead<Row> | KeyedRead<ChangeRow> | PageRead<Row>>();
  readonly #kind: RecordKind;
  readonly #name: string;
  readonly #columns: string;

  constructor(kind: RecordKind, clear: boolean) {
    this.#kind = kind;
    this.#name = clear ? kind.name : `${kind.name}.masked`;
    this.#columns = `${kind.columns(clear)}, c.citizen_id as "ownerId"`;
    this.byId = byKey(kind.record, `${this.#name}.by-id`, this.#columns, { column: 'id', type: 'uuid' });
    this.list = new RecordList(kind.record, `${this.#name}.list`, this.#columns);
    this.countOfCitizen = countOfCitizen(kind.record, `${kind.name}.of-citizen.count`);
    this.countOfHistory = countOfHistory(kind.record, kind.name);
    this.inScope = citizensInScope(kind.record.replica, `${kind.name}.citizen`);
  }

  byText(column: string): KeyedRead<Row> {
    return this.#once(`by-${column}`, (name) =>
      byKey(this.#kind.record, name, this.#columns, { column, type: 'text', and: this.#kind.record.live }),
    );
  }

  ofCitizen(size: number, after: boolean): KeyedRead<Row> {
    const { order } = this.#kind.ofCitizen;
    return this.#once(`of-citizen.${size}.${String(after)}`, () =>
      ofCitizen(this.#kind.record, `${this.#name}.of-citizen`, this.#columns, { size, order, after }),
    );
  }

  page(walk: Walk, size: number): PageRead<Row> {
    return this.#once(`page.${walk}.${size}`, (name) => plainPage(this.#kind.record, name, this.#columns, walk, size));
  }

  history(size: number, after: boolean): KeyedRead<ChangeRow> {
    return this.#once(`history.${size}.${String(after)}`, () => historyOf(this.#kind.record, this.#kind.name, { size, after }));
  }

  #once<Read extends KeyedRead<Row> | KeyedRead<ChangeRow> | PageRead<Row>>(which: string, make: (name: string) => Read): Read {
    const known = this.#made.get(which);
    if (known !== undefined) return known as Read;
    const read = make(`${this.#name}.${which}`);
    this.#made.set(which, read);
    return read;
  }
}

const readsOf = new WeakMap<RecordKind, { readonly clear: Reads<RecordRow>; readonly masked: Reads<RecordRow> }>();

function reads<Row extends RecordRow>(kind: RecordKind, clear: boolean): Reads<Row> {
  let known = readsOf.get(kind);
  if (known === undefined) {
    known = { clear: new Reads(kind, true), masked: new Reads(kind, false) };
    readsOf.set(kind, known);
  }
  return (clear ? known.clear : known.masked) as Reads<Row>;
}

/**
 * Records of one kind for one caller: every read stands under his scope, and whose data it brings is noted for the audit. What is
 * out of scope does not exist. Without the permission every method throws `FORBIDDEN`, {@link Records.knows} excepted.
 */
export class Records<Row extends RecordRow> {
  readonly #door: ReadDoor;
  readonly #units: RecordSource['units'];
  readonly #call: Call;
  readonly #loader: KeyedLoader;
  readonly #kind: RecordKind;
  readonly #reads: Reads<Row>;
  readonly clear: boolean;

  constructor({ door, units }: RecordSource, call: Call, loader: KeyedLoader, kind: RecordKind) {
    this.#door = door;
    this.#units = units;
    this.#call = call;
    this.#loader = loader;
    this.#kind = kind;
    this.clear = kind.masked === null || inClear(call.caller, kind.masked);
    this.#reads = reads(kind, this.clear);
  }

  scope(): RowScope {
    const scope = scopeOf(this.#call.caller, this.#kind.permission);
    if (scope === null) throw refusal('ROLE_LACKS_RIGHT');
    return scope;
  }

  /** The same for the records of one citizen in scope; he sees among the accesses to his record who lacked a legal basis. */
  #scopeFor(citizenId: string): RowScope {
    if (lacksBasis(this.#call.caller, this.#kind.permission)) this.#call.note('basis.refused', citizenId);
    return this.scope();
  }

  note(row: Row): Row {
    this.#call.note(this.#kind.action, row.ownerId ?? row.id);
    return row;
  }

  noteCitizen(id: string): void {
    this.#call.note(this.#kind.action, id);
  }

  /**
   * Whether a citizen lies in the caller's scope. Who may not read these records at all is told by each field, and only for
   * citizens whom his scope covers.
   */
  async knows(citizenId: string): Promise<boolean> {
    if (!isUuid(citizenId)) return false;
    const { principal } = this.#call.caller;
    const scope = scopeOf(this.#call.caller, this.#kind.permission) ?? {
      units: principal.scope,
      unitCount: principal.scopeUnits,
      citizenId: null,
    };
    return (await this.#loader.load(this.#reads.inScope, scope, citizenId)) !== null;
  }

  get permitted(): boolean {
    return scopeOf(this.#call.caller, this.#kind.permission) !== null;
  }

  /**
   * The citizen of a record, for who may read citizens at all: a right to his records is none to him. Where the two rights reach
   * differently far, the replica is asked about the narrower one.
   */
  async citizenOf(row: Row): Promise<{ readonly id: string } | null> {
    const { citizenId } = row;
    const { caller } = this.#call;
    const scope = scopeOf(caller, 'citizen:read');
    if (scope === null) {
      if (citizenId !== null && lacksBasis(caller, 'citizen:read')) this.#call.note('basis.refused', citizenId);
      throw refusal('ROLE_LACKS_RIGHT');
    }
    if (citizenId === null) return null;
    const same = scope.citizenId === null && scope.units === this.scope().units;
    const known = same || (await this.#loader.load(this.#reads.inScope, scope, citizenId)) !== null;
    return known ? { id: citizenId } : null;
  }

  async find(id: string): Promise<Row | null> {
    const scope = this.scope();
    if (!isUuid(id)) return null;
    const row = (await this.#loader.load(this.#reads.byId, scope, id))?.[0];
    return row === undefined ? null : this.note(row);
  }

  /** Live records that carry this text in a column; not noted, since the caller of this chooses. */
  async carrying(column: string, text: string): Promise<readonly Row[]> {
    return (await this.#loader.load(this.#reads.byText(column), this.scope(), text)) ?? [];
  }

  /** All live records of a citizen up to the kind's bound; `null`: he is not in scope. Not noted. */
  async allOf(citizenId: string): Promise<readonly Row[] | null> {
    const scope = this.#scopeFor(citizenId);
    if (!isUuid(citizenId)) return null;
    const most = this.#kind.ofCitizen.most ?? sizeFor(1);
    const rows = await this.#loader.load(this.#reads.ofCitizen(most, false), scope, citizenId);
    return rows === null ? null : present(rows);
  }

  /** A page of a citizen's records; `null`: he is not in scope. */
  async #rowsOf(citizenId: string, first: number, after: string | null): Promise<readonly Row[] | null> {
    const scope = this.#scopeFor(citizenId);
    if (!isUuid(citizenId)) return null;
    const read = this.#reads.ofCitizen(sizeFor(first), after !== null);
    const rows = await this.#loader.load(read, scope, after === null ? citizenId : `${citizenId}:${after}`);
    return rows === null ? null : present(rows);
  }

  /**
   * Whether a citizen lies in scope, told by the reads of the pages that his fields will ask (which find them done); by the replica
   * alone where no page is asked, or where its arguments are wrong and its field will say so.
   */
  async knowsByPages(citizenId: string, pages: readonly PageArguments[]): Promise<boolean> {
    if (!this.permitted || pages.length === 0) return this.knows(citizenId);
    const told = await Promise.all(pages.map((args) => this.#hasPageOf(citizenId, args)));
    const answers = told.filter((answer) => answer !== null);
    return answers.length === 0 ? this.knows(citizenId) : answers.every(Boolean);
  }

  async #hasPageOf(citizenId: string, args: PageArguments): Promise<boolean | null> {
    let page;
    try {
      page = this.#page(`Citizen.${this.#kind.name}`, citizenId, args);
    } catch (error) {
      if (error instanceof HubError && error.code === 'BAD_INPUT') return null;
      throw error;
    }
    return (await this.#rowsOf(citizenId, page.first, page.after)) !== null;
  }

  async pageOf(citizenId: string, args: PageArguments): Promise<RecordPage<Row> | null> {
    const { first, after, binding } = this.#page(`Citizen.${this.#kind.name}`, citizenId, args);
    const rows = await this.#rowsOf(citizenId, first, after);
    if (rows === null) return null;
    this.noteCitizen(citizenId);
    return new RecordPage(rows.slice(0, first + 1), { first, after, binding }, async () => {
      const counted = await this.#loader.load(this.#reads.countOfCitizen, this.scope(), citizenId);
      return countFrom(counted?.[0]?.count ?? 0);
    });
  }

  /**
   * A list by id. `filter` binds the cursors; `conditions` are what it means, `null` when nothing can fit it. `orgUnit` narrows the
   * list to a unit and all below it, as far as they lie in scope. Withdrawn records are left out unless asked for.
   */
  async list(
    filter: unknown,
    conditions: readonly Condition[] | null,
    args: PageArguments,
    options: { readonly withdrawn: boolean; readonly orgUnit?: string | null },
  ): Promise<RecordPage<Row>> {
    const { first, after, binding } = this.#page(this.#kind.name, filter, args);
    const wide = this.scope();
    const units = await this.#units(wide);
    const scope = options.orgUnit === null || options.orgUnit === undefined ? wide : narrowedTo(wide, units, options.orgUnit);
    if (conditions === null || scope.unitCount === 0) {
      return new RecordPage<Row>([], { first, after, binding }, () => Promise.resolve(countFrom(0)));
    }
    const walk = walkFor(scope, units);
    const given = scope.citizenId === null ? conditions : [...conditions, citizenIs(scope.citizenId)];
    const all = options.withdrawn ? given : [...given, this.#live];
    const answer =
      given.length === 0
        ? { rows: await this.#door.page(this.#reads.page(walk, sizeFor(first)), scope, after, first + 1), seenTo: null }
        : await this.#reads.list.page(this.#door, scope, walk, { conditions: all, after, limit: first + 1 });
    const page = new RecordPage(answer.rows, { first, after, binding, seenTo: answer.seenTo }, () =>
      this.#reads.list.count(this.#door, scope, walk, all),
    );
    for (const row of page.nodes) this.note(row);
    return page;
  }

  get #live(): Condition {
    return { values: [], index: null, sql: () => this.#kind.record.live };
  }

  async history(row: Row, args: PageArguments): Promise<RecordPage<Change>> {
    const { first, after, binding } = this.#page(`${this.#kind.name}.history`, row.id, args);
    const scope = this.scope();
    const read = this.#reads.history(sizeFor(first), after !== null);
    const rows = (await this.#loader.load(read, scope, after === null ? row.id : `${row.id}:${after}`)) ?? [];
    this.note(row);
    const changes = present(rows).map((change) =>
      shownChange(change, this.#kind.history, (field) => inClear(this.#call.caller, field)),
    );
    return new RecordPage(changes.slice(0, first + 1), { first, after, binding }, async () => {
      const counted = await this.#loader.load(this.#reads.countOfHistory, scope, row.id);
      return countFrom(counted?.[0]?.count ?? 0);
    });
  }

  #page(list: string, filter: unknown, args: PageArguments): { first: number; after: string | null; binding: () => string } {
    const first = parseFirst(args.first);
    const binding = (): string => cursorBinding(list, filter, 'id');
    if (args.after === null || args.after === undefined) return { first, after: null, binding };
    const [id] = decodeCursor(binding(), args.after, 1);
    if (typeof id !== 'string' || !isUuid(id)) throw refusal('CURSOR_INVALID', { field: 'after' });
    return { first, after: id, binding };
  }
}

/** A unit that does not exist and one out of scope leave nothing. */
function narrowedTo(scope: RowScope, units: UnitTree, orgUnit: string): RowScope {
  const unit = parseUnitId(orgUnit);
  return unit.ok ? narrowed(scope, units, unit.value) : { ...scope, units: '{}', unitCount: 0 };
}

/** A citizen without records comes as one row of nulls. */
function present<Row extends { readonly id: string | null }>(rows: readonly Row[]): readonly Row[] {
  return rows.length === 1 && rows[0]?.id === null ? [] : rows;
}
