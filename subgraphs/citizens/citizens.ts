import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import type { Permission } from '#kernel/auth/permissions.ts';
import { inClear, lacksBasis, scopeOf, type RowScope } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Clock } from '#kernel/clock.ts';
import type { KeyedRead, ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid, parseUnitId } from '#kernel/domain/ids.ts';
import { parsePersonalId } from '#kernel/domain/personal-id.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import {
  countLimit,
  decodeCursor,
  encodeCursor,
  fingerprintOf,
  largestPage,
  parseFirst,
  type CursorBinding,
  type PageInfo,
} from '#kernel/page.ts';
import { instantArgument } from '#kernel/records/arguments.ts';
import { shownChange, shownState, type Change, type RecordState } from '#kernel/records/history.ts';
import type { Call } from '#kernel/subgraph.ts';
import { countOfUnits, narrowed, unitTreeSource, type UnitTree } from '#kernel/unit-scope.ts';
import {
  isPlain,
  keysOf,
  parseCitizenFilter,
  parseOrder,
  parsePlace,
  type CitizenFilterInput,
  type CitizenOrderInput,
} from './citizen-filter.ts';
import {
  askedNothing,
  changeCountOf,
  changesOf,
  citizensById,
  holdersOfNumber,
  identifiersOf,
  plainPage,
  shapeFor,
  stateOf,
  type Asked,
  type CitizenRow,
  type IdentifierRow,
  type Walk,
} from './citizen-reads.ts';
import { historyOfCitizen } from './citizen-history.ts';
import { CitizenSearch, type Count, type Listed } from './citizen-search.ts';
import {
  discrepanciesById,
  discrepancyCount,
  discrepancyPage,
  openDiscrepanciesOf,
  type DiscrepancyKind,
  type DiscrepancyQuestion,
  type DiscrepancyRow,
  type FoundBy,
  type WorkState,
} from './discrepancy-reads.ts';
import type { ListQuestion } from './list-question.ts';
import { fieldCounts, type FieldCount } from './field-counts.ts';

/** A person whose number was resolved by someone who may see nothing else of him. */
export interface ResolvedNumber {
  readonly id: string;
  readonly resolvedOnly: true;
}

/** A page of a list. Places and sums are made only when they are asked for. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: PageInfo;
  cursorOf(node: Node): string;
  count(): Promise<Count>;
}

export interface CitizensQuery {
  readonly filter?: CitizenFilterInput | null;
  readonly orderBy?: CitizenOrderInput | null;
  readonly first?: number | null;
  readonly after?: string | null;
  /** Only the sums are asked: nobody is read. */
  readonly countsOnly?: boolean;
}

export interface DiscrepanciesQuery {
  readonly filter?: {
    readonly state?: WorkState | null;
    readonly kind?: DiscrepancyKind | null;
    readonly field?: CitizenField | null;
    readonly foundBy?: FoundBy | null;
    readonly citizen?: string | null;
    readonly orgUnit?: string | null;
  } | null;
  readonly first?: number | null;
  readonly after?: string | null;
  /** Only the sums are asked: nothing is read. */
  readonly countsOnly?: boolean;
}

interface CitizensSource {
  readonly door: ReadDoor;
  readonly clock: Clock;
  readonly cursors: CursorBinding;
}

/** Merged records lead to the one that goes on; a chain longer than this is a circle. */
const mergeSteps = 8;

/** So many units are walked one by one; more (never all: those are walked at once) go along the whole index. */
const unitsWalked = 64;

const lowestId = '00000000-0000-0000-0000-000000000000';

/**
 * What can be asked about citizens, and who may: every read goes through {@link ReadDoor} with the scope that {@link scopeOf} gives for
 * its permission, and every person in an answer is noted for the audit.
 */
export class Citizens {
  readonly #door: ReadDoor;
  readonly #units: (scope: RowScope) => Promise<UnitTree>;
  readonly #cursors: CursorBinding;

  constructor({ door, clock, cursors }: CitizensSource) {
    this.#door = door;
    this.#cursors = cursors;
    this.#units = unitTreeSource(door, clock);
  }

  /** One citizen by id or by any number he ever had; null when there is none in scope. */
  async find(
    call: Call,
    key: { readonly id?: string | null; readonly personalId?: string | null },
    asked: Asked,
  ): Promise<CitizenRow | ResolvedNumber | null> {
    const { id, personalId } = key;
    const byId = typeof id === 'string';
    if (byId === (typeof personalId === 'string')) throw refusal('LOOKUP_ONE_KEY');
    const scope = scopeOf(call.caller, 'citizen:read');
    if (scope !== null) {
      const row = byId
        ? await this.#survivor(call.caller, scope, id, asked)
        : await this.#holder(call, 'citizen.read', scope, personalId ?? '', asked);
      if (row !== null) call.note('citizen.read', row.id);
      return row;
    }
    if (byId) required(call, 'citizen:read', id.toLowerCase());
    const resolving = scopeOf(call.caller, 'citizen:resolve-number');
    if (resolving === null) return this.#refuse(call, personalId ?? '');
    const row = await this.#holder(call, 'citizen.number-resolved', resolving, personalId ?? '', askedNothing);
    if (row === null) return null;
    call.note('citizen.number-resolved', row.id);
    return { id: row.id, resolvedOnly: true };
  }

  /** A search by number without a right; where a legal basis would give it, the attempt is noted at whom it was about. */
  async #refuse(call: Call, personalId: string): Promise<never> {
    const { caller } = call;
    if (lacksBasis(caller, 'citizen:read')) {
      const own = { units: caller.principal.scope, unitCount: caller.principal.scopeUnits, citizenId: null };
      const row = await this.#holder(call, 'basis.refused', own, personalId, askedNothing);
      if (row !== null) call.note('basis.refused', row.id);
    }
    throw refusal('ROLE_LACKS_RIGHT');
  }

  /** A citizen that another subgraph, or another record of this one, refers to. */
  async referred(call: Call, id: string, asked: Asked): Promise<CitizenRow | null> {
    const row = await this.#survivor(call.caller, required(call, 'citizen:read', id.toLowerCase()), id, asked);
    if (row !== null) call.note('citizen.read', row.id);
    return row;
  }

  async #survivor(caller: Caller, scope: RowScope, id: string, asked: Asked): Promise<CitizenRow | null> {
    let wanted = id.toLowerCase();
    if (!isUuid(wanted)) return null;
    const read = citizensById(caller, asked);
    for (let step = 0; step < mergeSteps; step += 1) {
      const row = (await this.#door.byKeys(read, scope, [wanted])).get(wanted)?.[0] ?? null;
      if (row?.lifeStatus !== 'MERGED' || row.mergedInto === null) return row;
      wanted = row.mergedInto;
    }
    return null;
  }

  async #holder(
    call: Call,
    action: 'citizen.read' | 'citizen.number-resolved' | 'basis.refused',
    scope: RowScope,
    text: string,
    asked: Asked,
  ): Promise<CitizenRow | null> {
    const { caller } = call;
    const number = valueOf(parsePersonalId(text), 'personalId');
    const rows = (await this.#door.byKeys(holdersOfNumber(caller, asked), scope, [number])).get(number) ?? [];
    const holders = new Map<string, { readonly row: CitizenRow; readonly confirmed: boolean }>();
    for (const row of rows) {
      const survivor = row.mergedInto === null ? row : await this.#survivor(caller, scope, row.mergedInto, asked);
      if (survivor === null) continue;
      holders.set(survivor.id, { row: survivor, confirmed: row.confirmed || holders.get(survivor.id)?.confirmed === true });
    }
    const all = [...holders.values()];
    const chosen = all.length > 1 ? all.filter(({ confirmed }) => confirmed) : all;
    if (all.length > 0 && chosen.length !== 1) {
      // That there are two says of each of them that he is here.
      for (const { row } of all) call.note(action, row.id);
      throw refusal('NUMBER_OF_TWO', { field: 'personalId' });
    }
    return chosen[0]?.row ?? null;
  }

  async list(call: Call, query: CitizensQuery, asked: Asked): Promise<Page<CitizenRow>> {
    const { caller } = call;
    const scope = required(call, 'citizen:read');
    const first = parseFirst(query.first);
    const input = query.filter ?? {};
    const filter = parseCitizenFilter(input);
    const order = parseOrder(query.orderBy);
    const binding = this.#cursors('citizens', input, `${order.by}${order.descending ? '-' : '+'}`);
    const after = parsePlace(binding, query.after, order);
    const units = await this.#within(scope, input.orgUnit);
    const question: ListQuestion = {
      filter,
      order,
      after,
      limit: first + 1,
      walk: units.walk,
      basis: scope.citizenId,
      columns: shapeFor(caller, asked),
    };
    const search = new CitizenSearch(this.#door, question, units.scope);
    const plain = isPlain(filter) && scope.citizenId === null && order.by === 'id' && !order.descending;
    const { countsOnly = false } = query;
    const { rows, cutAt }: Listed =
      countsOnly || units.scope.unitCount === 0 || filter.text?.kind === 'nothing'
        ? { rows: [], cutAt: null }
        : plain
          ? {
              rows: await this.#door.page(plainPage(caller, asked, units.walk), units.scope, after?.id ?? null, first + 1),
              cutAt: null,
            }
          : await search.page();
    const cursorOf = (row: { readonly id: string; readonly sort?: string | null }): string =>
      encodeCursor(binding, keysOf({ id: row.id, sort: row.sort ?? null }));
    const nodes = rows.length > first ? rows.slice(0, first) : rows;
    for (const row of nodes) call.note('citizen.read', row.id);
    return {
      nodes,
      cursorOf,
      pageInfo: pageInfo(
        nodes,
        rows.length > first || cutAt !== null,
        after !== null,
        cursorOf,
        cutAt === null ? null : cursorOf(cutAt),
      ),
      count: async () => {
        if (units.scope.unitCount === 0 || filter.text?.kind === 'nothing') return none;
        const ofOne = filter.text?.kind === 'number' || scope.citizenId !== null;
        const count = await counted(call, search, ofOne && (countsOnly || after !== null || rows.length > first));
        if (countsOnly) call.counted('citizen.read', fingerprintOf(binding), count.total);
        return count;
      },
    };
  }

  async fieldCounts(call: Call, orgUnit: string | null | undefined): Promise<readonly FieldCount[]> {
    const counts = await fieldCounts(this.#door, await this.#within(required(call, 'citizen:read'), orgUnit));
    const people = counts[0] === undefined ? 0 : counts[0].verified + counts[0].declared + counts[0].missing;
    call.counted('citizen.read', fingerprintOf(this.#cursors('fieldCounts', orgUnit ?? null, 'FIELD')), people);
    return counts;
  }

  /** The scope narrowed to the unit of a filter, and how it is walked. */
  async #within(scope: RowScope, orgUnit: string | null | undefined): Promise<{ readonly scope: RowScope; readonly walk: Walk }> {
    const tree = await this.#units(scope);
    let within: RowScope = { ...scope, unitCount: countOfUnits(scope.units) };
    if (orgUnit !== null && orgUnit !== undefined) {
      const unit = parseUnitId(orgUnit);
      // A unit that nobody knows has no rows, and what is no id names no unit.
      within = unit.ok ? narrowed(scope, tree, unit.value) : { ...scope, units: '{}', unitCount: 0 };
    }
    const whole = within.unitCount > unitsWalked || tree.coveredBy(within.units);
    return { scope: within, walk: whole ? 'whole' : 'units' };
  }

  async identifiers(call: Call, citizenId: string): Promise<readonly IdentifierRow[]> {
    return this.#rowsOf(identifiersOf(call.caller), required(call, 'citizen:read'), citizenId);
  }

  async openDiscrepancies(call: Call, citizenId: string): Promise<readonly DiscrepancyRow[]> {
    return this.#rowsOf(openDiscrepanciesOf(call.caller), required(call, 'discrepancy:read'), citizenId);
  }

  async #rowsOf<Row>(read: KeyedRead<Row>, scope: RowScope, key: string): Promise<readonly Row[]> {
    return (await this.#door.byKeys(read, scope, [key])).get(key) ?? [];
  }

  async history(
    call: Call,
    citizenId: string,
    query: { readonly first?: number | null; readonly after?: string | null },
  ): Promise<Page<Change>> {
    const scope = required(call, 'citizen:read');
    const first = parseFirst(query.first);
    const binding = this.#cursors('citizen.history', citizenId, 'id');
    const after = placeOf(binding, query.after);
    const key = `${citizenId} ${after ?? lowestId} ${String(first + 1)}`;
    const rows = await this.#rowsOf(changesOf, scope, key);
    const nodes = rows.slice(0, first).map((row) => shownChange(row, historyOfCitizen, (field) => inClear(call.caller, field)));
    const cursorOf = ({ id }: { readonly id: string }): string => encodeCursor(binding, [id]);
    return {
      nodes,
      cursorOf,
      pageInfo: pageInfo(nodes, rows.length > first, after !== null, cursorOf, null),
      count: async () => upToLimit((await this.#rowsOf(changeCountOf, scope, citizenId))[0]?.count ?? 0),
    };
  }

  /** He as the hub knew him at an instant; `null`: it did not know him yet. */
  async asOf(call: Call, citizenId: string, at: unknown): Promise<RecordState | null> {
    const scope = required(call, 'citizen:read');
    const instant = instantArgument(at, 'at');
    if (instant === null) throw refusal('INSTANT_FORMAT', { field: 'at' });
    const [state] = await this.#rowsOf(stateOf, scope, `${citizenId} ${instant.toISOString()}`);
    return state === undefined ? null : shownState(state, historyOfCitizen, (field) => inClear(call.caller, field));
  }

  async discrepancy(call: Call, id: string): Promise<DiscrepancyRow | null> {
    const scope = required(call, 'discrepancy:read');
    const [row] = await this.#rowsOf(discrepanciesById(call.caller), scope, id.toLowerCase());
    if (row === undefined) return null;
    call.note('work.read', row.citizenId);
    return row;
  }

  async discrepancies(call: Call, query: DiscrepanciesQuery): Promise<Page<DiscrepancyRow>> {
    const { caller } = call;
    const scope = required(call, 'discrepancy:read');
    const first = parseFirst(query.first);
    const input = query.filter ?? {};
    const binding = this.#cursors('discrepancies', input, 'id');
    const after = placeOf(binding, query.after);
    const units = await this.#within(scope, input.orgUnit);
    const citizen = input.citizen?.toLowerCase() ?? null;
    const question: DiscrepancyQuestion = {
      filter: {
        state: input.state ?? 'OPEN',
        kind: input.kind ?? null,
        field: input.field ?? null,
        foundBy: input.foundBy ?? null,
        citizen,
      },
      after,
      limit: first + 1,
      walk: units.walk,
      basis: scope.citizenId,
    };
    const empty = units.scope.unitCount === 0 || (citizen !== null && !isUuid(citizen));
    const { countsOnly = false } = query;
    const { name, text, values } = discrepancyPage(caller, question);
    const rows = empty || countsOnly ? [] : await this.#door.rows<DiscrepancyRow>(name, text, units.scope, values);
    const nodes = rows.slice(0, first);
    for (const { citizenId } of nodes) call.note('work.read', citizenId);
    const cursorOf = ({ id }: { readonly id: string }): string => encodeCursor(binding, [id]);
    return {
      nodes,
      cursorOf,
      pageInfo: pageInfo(nodes, rows.length > first, after !== null, cursorOf, null),
      count: async () => {
        if (empty) return none;
        const statement = discrepancyCount(question);
        const [row] = await this.#door.rows<{ readonly count: number }>(
          statement.name,
          statement.text,
          units.scope,
          statement.values,
        );
        const count = row?.count ?? 0;
        const person = citizen ?? scope.citizenId;
        if (person !== null && count > 0) call.note('work.read', person);
        if (countsOnly) call.counted('work.read', fingerprintOf(binding), upToLimit(count).total);
        return upToLimit(count);
      },
    };
  }
}

const none: Count = { total: 0, isEstimate: false };

/** The sum for one number says whether its holder is here: where the page may not show him, he is noted all the same. */
async function counted(call: Call, search: CitizenSearch, holders: boolean): Promise<Count> {
  if (holders) {
    for (const { id } of (await search.page({ after: null, limit: largestPage })).rows) call.note('citizen.read', id);
  }
  return await search.count();
}

function upToLimit(found: number): Count {
  return { total: Math.min(found, countLimit), isEstimate: found > countLimit };
}

/**
 * No rule means no: a role that never has the right is told so on the field. Who would need a legal basis and has none leaves a trace at
 * the person he asked about.
 */
function required(call: Call, permission: Permission, person: string | null = null): RowScope {
  const scope = scopeOf(call.caller, permission);
  if (scope !== null) return scope;
  if (person !== null && isUuid(person) && lacksBasis(call.caller, permission)) call.note('basis.refused', person);
  throw refusal('ROLE_LACKS_RIGHT');
}

function placeOf(binding: string, after: string | null | undefined): string | null {
  if (after === null || after === undefined) return null;
  const [id] = decodeCursor(binding, after, 1);
  if (typeof id !== 'string' || !isUuid(id)) throw refusal('CURSOR_INVALID', { field: 'after' });
  return id;
}

function pageInfo<Node>(
  nodes: readonly Node[],
  hasNextPage: boolean,
  hasPreviousPage: boolean,
  cursorOf: (node: Node) => string,
  cutAt: string | null,
): PageInfo {
  const [first] = nodes;
  const last = nodes.at(-1);
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: first === undefined ? null : cursorOf(first),
    endCursor: cutAt ?? (last === undefined ? null : cursorOf(last)),
  };
}
