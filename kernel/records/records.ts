import type { AuditAction } from '../audit/actions.ts';
import type { Permission } from '../auth/permissions.ts';
import { inClear, lacksBasis, scopeOf, type RowScope } from '../auth/policy.ts';
import type { MaskedField } from '../auth/purposes.ts';
import type { KeyedRead, ReadDoor } from '../db/read-door.ts';
import { isUuid, parseUnitId } from '../domain/ids.ts';
import { HubError, refusal } from '../errors/hub-error.ts';
import type { Asked } from '../graph/asked.ts';
import { decodeCursor, fingerprintOf, largestPage, parseFirst, type CursorBinding } from '../page.ts';
import type { Call } from '../subgraph.ts';
import { narrowed, type UnitTree } from '../unit-scope.ts';
import { instantArgument } from './arguments.ts';
import { citizenIs, type Condition } from './conditions.ts';
import { shownChange, shownState, type Change, type HistoryFields, type RecordState } from './history.ts';
import type { KeyedLoader } from './keyed-loader.ts';
import type { ListAnswer } from './record-list.ts';
import { RecordPage, countFrom } from './record-page.ts';
import { Selections, type RecordReads, type RecordShape } from './record-reads.ts';
import { sizeFor, walkFor } from './record-table.ts';

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

/** What is special about one kind of record. */
export interface RecordKind<Row extends RecordRow> extends RecordShape {
  readonly selections: Selections<Row>;
  readonly permission: Permission;
  readonly action: AuditAction;
  /** The field that is masked unless role and purpose allow it in clear. */
  readonly masked: MaskedField | null;
  /** A citizen's records that are not paged: how many at most. */
  readonly most: number;
  readonly history: HistoryFields;
}

export function recordKind<Row extends RecordRow>(kind: Omit<RecordKind<Row>, 'selections'>): RecordKind<Row> {
  return { ...kind, selections: new Selections<Row>(kind) };
}

/** What the records of all operations share. */
export interface RecordSource {
  readonly door: ReadDoor;
  readonly units: (scope: RowScope) => Promise<UnitTree>;
  readonly cursors: CursorBinding;
}

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  /** Only the sums of the list are asked: its records are not read. */
  readonly countsOnly?: boolean;
}

/** What a citizen is to other subgraphs. */
export interface Reference {
  readonly id: string;
}

/** Reads under way that tell whether a citizen is in scope. */
export interface Wanted {
  /** `null`: they are done. */
  readonly arrival: Promise<void> | null;
  /** Once they have arrived. */
  readonly reference: () => Reference | null;
}

interface Page {
  readonly first: number;
  readonly after: string | null;
  readonly binding: () => string;
}

const ignored = (): void => undefined;

/** A promise only where something must be waited for: most of what a page asks is there by then. */
export type Soon<Value> = Value | Promise<Value>;

/**
 * Records of one kind for one caller and operation: every read stands under his scope, takes the columns that are asked, and whose
 * data it brings is noted for the audit. What is out of scope does not exist. Without the permission every method throws
 * `FORBIDDEN`, save those that only say whether a citizen is in scope.
 */
export class Records<Row extends RecordRow> {
  readonly #source: RecordSource;
  readonly #call: Call;
  readonly #loader: KeyedLoader;
  readonly #kind: RecordKind<Row>;
  readonly #scope: RowScope | null;
  readonly clear: boolean;
  #asked: Asked | null = null;
  #known: RecordReads<Row> | null = null;

  constructor(source: RecordSource, call: Call, loader: KeyedLoader, kind: RecordKind<Row>) {
    this.#source = source;
    this.#call = call;
    this.#loader = loader;
    this.#kind = kind;
    this.#scope = scopeOf(call.caller, kind.permission);
    this.clear = kind.masked === null || inClear(call.caller, kind.masked);
  }

  /** What the operation asks; told before its first read, else all columns are read. */
  asking(asked: Asked): void {
    if (this.#asked === asked) return;
    this.#asked = asked;
    this.#known = null;
  }

  get #reads(): RecordReads<Row> {
    this.#known ??= this.#kind.selections.for(this.#asked, this.clear);
    return this.#known;
  }

  scope(): RowScope {
    if (this.#scope === null) throw refusal('ROLE_LACKS_RIGHT');
    return this.#scope;
  }

  /** The same for the records of one citizen in scope; he sees among the accesses to his record who lacked a legal basis. */
  #scopeFor(citizenId: string): RowScope {
    if (this.#scope === null && lacksBasis(this.#call.caller, this.#kind.permission)) this.#call.note('basis.refused', citizenId);
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
    const { principal } = this.#call.caller;
    const scope = this.#scope ?? { units: principal.scope, unitCount: principal.scopeUnits, citizenId: null };
    return (await this.#loader.load(this.#reads.inScope, scope, citizenId)) !== null;
  }

  /**
   * The citizen of a record, for who may read citizens at all: a right to his records is none to him. Where the two rights reach
   * differently far, the replica is asked about the narrower one.
   */
  async citizenOf(row: Row): Promise<Reference | null> {
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
    const row = (await this.#loader.load(this.#reads.byId, this.scope(), id))?.[0];
    return row === undefined ? null : this.note(row);
  }

  /** Live records that carry this text in a column; not noted, since the caller of this chooses. */
  async carrying(column: string, text: string): Promise<readonly Row[]> {
    return (await this.#loader.load(this.#reads.byText(column), this.scope(), text)) ?? [];
  }

  /**
   * A citizen as a reference, where he lies in scope, told by the reads that his fields will ask (which then find them done):
   * `pages` are the arguments of his pages, `all` stands for the records that are not paged. By the replica alone where nothing is
   * asked of them, or where arguments are wrong and their field will say so.
   */
  reference(citizenId: string, pages: readonly PageArguments[] | 'all'): Soon<Reference | null> {
    const wanted = this.wanted(citizenId, pages);
    if (wanted === null) return this.knows(citizenId).then((known) => (known ? { id: citizenId } : null));
    const { arrival } = wanted;
    return arrival === null ? wanted.reference() : arrival.then(wanted.reference);
  }

  /** The reads of {@link reference}, begun; `null` when none of them can tell. */
  wanted(citizenId: string, pages: readonly PageArguments[] | 'all'): Wanted | null {
    const scope = this.#scope;
    if (scope === null) return null;
    if (pages === 'all') return this.#want(this.#reads.ofCitizen(this.#kind.most, false), scope, citizenId, citizenId);
    for (const [place, args] of pages.entries()) {
      const page = this.#pageOrNull(citizenId, args);
      if (page === null) continue;
      const { read, key } = this.#pageRead(citizenId, page);
      const wanted = this.#want(read, scope, key, citizenId);
      for (const more of pages.slice(place + 1)) {
        const further = this.#pageOrNull(citizenId, more);
        if (further === null) continue;
        const beside = this.#pageRead(citizenId, further);
        void this.#loader.want(beside.read, scope, beside.key)?.catch(ignored); // its field waits for it and tells
      }
      return wanted;
    }
    return null;
  }

  #want(read: KeyedRead<Row>, scope: RowScope, key: string, citizenId: string): Wanted {
    const arrival = this.#loader.want(read, scope, key);
    return {
      arrival,
      reference: () => ((this.#loader.arrived(read, scope, key) ?? null) === null ? null : { id: citizenId }),
    };
  }

  #pageRead(citizenId: string, { first, after }: Page): { readonly read: KeyedRead<Row>; readonly key: string } {
    return {
      read: this.#reads.ofCitizen(sizeFor(first), after !== null),
      key: after === null ? citizenId : `${citizenId}:${after}`,
    };
  }

  #pageOrNull(citizenId: string, args: PageArguments): Page | null {
    try {
      return this.#page('of-citizen', citizenId, args);
    } catch (error) {
      if (error instanceof HubError && error.code === 'BAD_INPUT') return null;
      throw error;
    }
  }

  /** All live records of a citizen up to the kind's bound; `null`: he is not in scope. */
  allOf(citizenId: string): Soon<readonly Row[] | null> {
    const scope = this.#scopeFor(citizenId);
    return this.#rows(this.#reads.ofCitizen(this.#kind.most, false), scope, citizenId, (rows) => {
      if (rows !== null) this.noteCitizen(citizenId);
      return rows;
    });
  }

  /** A page of a citizen's records; `null`: he is not in scope. */
  pageOf(citizenId: string, args: PageArguments): Soon<RecordPage<Row> | null> {
    const page = this.#page('of-citizen', citizenId, args);
    const scope = this.#scopeFor(citizenId);
    const { read, key } = this.#pageRead(citizenId, page);
    return this.#rows(read, scope, key, (rows) => {
      if (rows === null) return null;
      this.noteCitizen(citizenId);
      return new RecordPage(rows.length > page.first + 1 ? rows.slice(0, page.first + 1) : rows, page, async () => {
        const counted = await this.#loader.load(this.#reads.countOfCitizen, scope, citizenId);
        return countFrom(counted?.[0]?.count ?? 0);
      });
    });
  }

  #rows<Answer>(
    read: KeyedRead<Row>,
    scope: RowScope,
    key: string,
    answer: (rows: readonly Row[] | null) => Answer,
  ): Soon<Answer> {
    const arrived = this.#loader.arrived(read, scope, key);
    if (arrived !== undefined) return answer(arrived === null ? null : present(arrived));
    return this.#loader.load(read, scope, key).then((rows) => answer(rows === null ? null : present(rows)));
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
    const { first, after, binding } = this.#page('list', filter, args);
    const wide = this.scope();
    const units = await this.#source.units(wide);
    const scope = options.orgUnit === null || options.orgUnit === undefined ? wide : narrowedTo(wide, units, options.orgUnit);
    if (conditions === null || scope.unitCount === 0) {
      return new RecordPage<Row>([], { first, after, binding }, () => Promise.resolve(countFrom(0)));
    }
    const walk = walkFor(scope, units);
    const given = scope.citizenId === null ? conditions : [...conditions, citizenIs(scope.citizenId)];
    const all = options.withdrawn ? given : [...given, this.#live];
    const { countsOnly = false } = args;
    const answer: ListAnswer<Row> = countsOnly
      ? { rows: [], seenTo: null }
      : given.length === 0
        ? { rows: await this.#source.door.page(this.#reads.page(walk, sizeFor(first)), scope, after, first + 1), seenTo: null }
        : await this.#reads.list.page(this.#source.door, scope, walk, { conditions: all, after, limit: first + 1 });
    const page = new RecordPage(answer.rows, { first, after, binding, seenTo: answer.seenTo }, async () => {
      // A sum for one person or one number speaks of records that this page may not show.
      if ((countsOnly || after !== null || answer.rows.length > first) && given.some(({ index }) => index?.kind === 'few')) {
        const counted = { conditions: all, after: null, limit: largestPage };
        for (const row of (await this.#reads.list.page(this.#source.door, scope, walk, counted)).rows) this.note(row);
      }
      const count = await this.#reads.list.count(this.#source.door, scope, walk, all);
      if (countsOnly) this.#call.counted(this.#kind.action, fingerprintOf(binding()), count.total);
      return count;
    });
    for (const row of page.nodes) this.note(row);
    return page;
  }

  get #live(): Condition {
    return { values: [], index: null, sql: () => this.#kind.record.live };
  }

  async history(row: Row, args: PageArguments): Promise<RecordPage<Change>> {
    const { first, after, binding } = this.#page('history', row.id, args);
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

  /** The record as it stood at an instant; `null`: the hub did not know it yet. */
  async asOf(row: Row, at: unknown): Promise<RecordState | null> {
    const instant = instantArgument(at, 'at');
    if (instant === null) throw refusal('INSTANT_FORMAT', { field: 'at' });
    const [state] = (await this.#loader.load(this.#reads.state, this.scope(), `${row.id} ${instant.toISOString()}`)) ?? [];
    this.note(row);
    return state === undefined ? null : shownState(state, this.#kind.history, (field) => inClear(this.#call.caller, field));
  }

  #page(list: string, filter: unknown, args: PageArguments): Page {
    const first = parseFirst(args.first);
    const binding = (): string => this.#source.cursors(`${this.#kind.name}.${list}`, filter, 'id');
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
