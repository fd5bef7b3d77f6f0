import type { DataProvider, GetListParams, GetListResult, GetOneParams, GetOneResult, RaRecord } from 'react-admin';
import { documents } from './documents.ts';
import { exportFile, startExport } from './exports.ts';
import { sendImportFile } from './import-files.ts';
import type { CitizenField, SettleDecision } from './generated/graph.ts';
import { askGraph, changeGraph, GraphRefusal, type Asked, type Changed, type Refused, type RevealPurpose } from './graph.ts';
import { undoOf, mutations, type RunAct, type UndoResource } from './mutations.ts';
import { exportDocuments, runActs, runDocuments, workDocuments, workMutations } from './work-documents.ts';
import type {
  AroundDiscrepancy,
  Card,
  Change,
  Connection,
  Count,
  DigitizedResult,
  Discrepancy,
  ImportFile,
  OrgUnit,
  PartialDate,
  Queue,
  SettingInForce,
  Reexamination,
  Referral,
  RevealedCitizen,
  Run,
  UnitRecord,
  UnitRef,
} from './records.ts';
import { sources, type Filter, type ResourceName, type Source } from './resources.ts';

/*
 * The admin's door to the graph, for the framework's hooks and, as methods with names, for what the framework has no word for.
 *
 * Pages are keyset pages: page n is reached from the cursor that page n − 1 ended with. Cursors belong to one filter, order and size
 * and are kept for those; a page whose cursor is not known begins again at the first.
 */

/** A short page with more behind it (rare filters) is filled up by so many requests at most. */
const roundsPerPage = 5;
const cursorListsKept = 200;
/** Of an export: more is a job of its own. */
export const exportLimit = 10_000;

export interface PersonFound {
  readonly id: string;
  readonly fullName: string;
  readonly personalId: string | null;
  readonly dateOfBirth: PartialDate | null;
  readonly orgUnit: UnitRef;
}
export type Found =
  | { readonly kind: 'person'; readonly person: PersonFound }
  | { readonly kind: 'card'; readonly card: Pick<Card, 'id' | 'number' | 'status' | 'validTo' | 'citizen'> }
  | { readonly kind: 'result'; readonly result: Pick<DigitizedResult, 'id' | 'code' | 'name' | 'citizen'> };

export interface WorkCount {
  readonly kind: string;
  /** By age in days: under 7, up to 30, more. */
  readonly week: number;
  readonly month: number;
  readonly older: number;
}

export interface FieldCount {
  readonly field: CitizenField;
  readonly verified: number;
  readonly declared: number;
  readonly missing: number;
}
/** Nodes of a list, and whether there were more than were read. */
export interface Sample<Node> {
  readonly nodes: readonly Node[];
  readonly more: boolean;
}
export interface Slips {
  readonly referralSlips: Connection<Referral> | null;
  readonly reexaminationSlips: Connection<Reexamination> | null;
}

export interface Settlement {
  readonly id: string;
  readonly version: number;
  readonly decision: SettleDecision;
  readonly orgUnitId?: string;
}
export type Settled =
  | {
      readonly ok: true;
      readonly changeId: string;
      /** Absent where he left one's units. */
      readonly citizenVersion: number | null;
    }
  | { readonly ok: false; readonly refused: Refused };
export type Undone =
  | { readonly ok: true }
  /** `newer`: what stands on the change that was to be undone. */
  | { readonly ok: false; readonly refused: Refused; readonly newer: { readonly who: string; readonly knownAt: string } | null };

export interface HubDataProvider extends DataProvider {
  count(resource: ResourceName, filter: Filter, asked?: Asked): Promise<Count>;
  /** All rows of a list, as far as `limit`. */
  everything<Row>(
    resource: ResourceName,
    filter: Filter,
    order: Order | null,
    limit?: number,
    asked?: Asked,
  ): Promise<Sample<Row>>;
  findNames(text: string, asked?: Asked): Promise<readonly PersonFound[]>;
  findPerson(number: string, asked?: Asked): Promise<PersonFound | null>;
  /** Who an id is, for the form of what will be his. */
  personOf(id: string, asked?: Asked): Promise<PersonFound | null>;
  findCard(number: string, asked?: Asked): Promise<Extract<Found, { kind: 'card' }>['card'] | null>;
  findResult(code: string, asked?: Asked): Promise<Extract<Found, { kind: 'result' }>['result'] | null>;
  /** For whoever may turn a number into an id and see no field of the person. */
  idOfNumber(number: string, asked?: Asked): Promise<string | null>;
  cardsOf(citizen: string, asked?: Asked): Promise<{ readonly cards: readonly Card[]; readonly inForce: string | null }>;
  resultsOf(citizen: string, asked?: Asked): Promise<Connection<DigitizedResult> | null>;
  slipsOf(citizen: string, asked?: Asked): Promise<Slips>;
  discrepanciesOf(citizen: string, asked?: Asked): Promise<readonly Discrepancy[]>;
  /** Open discrepancies after a cursor. */
  openDiscrepancies(filter: Filter, after: string | null, asked?: Asked): Promise<Connection<Discrepancy>>;
  /** What one looks at before deciding about a person. */
  aroundDiscrepancy(citizen: string, asked?: Asked): Promise<AroundDiscrepancy | null>;
  settle(input: Settlement, key: string): Promise<Settled>;
  undo(resource: UndoResource, input: { readonly changeId: string; readonly version: number }, key: string): Promise<Undone>;
  historyOf(citizen: string, after: string | null, asked?: Asked): Promise<Connection<Change> | null>;
  reveal(citizen: string, purpose: RevealPurpose): Promise<RevealedCitizen | null>;
  revealNumber(resource: 'cards' | 'results', id: string, purpose: RevealPurpose): Promise<string | null>;
  units(asked?: Asked): Promise<readonly OrgUnit[]>;
  /** What is open, by kind and age, the most first. */
  workCounts(asked?: Asked): Promise<readonly WorkCount[]>;
  /** Of the unit and all below it, in the order of the sheet. */
  fieldCounts(unit: string, asked?: Asked): Promise<readonly FieldCount[]>;
  running(asked?: Asked): Promise<readonly Run[]>;
  run(id: string, asked?: Asked): Promise<Run | null>;
  /** Null where one does not stand over the whole province. */
  queues(asked?: Asked): Promise<readonly Queue[] | null>;
  settings(asked?: Asked): Promise<readonly SettingInForce[] | null>;
  actOnRun(act: RunAct, input: { readonly id: string; readonly version: number }, key: string): Promise<Changed>;
  /** Opens a reconciliation; its id. */
  startReconcile(key: string): Promise<Changed>;
  importFile(id: string, asked?: Asked): Promise<ImportFile | null>;
  /** A link to its refused rows, good once; `null`: not for this person. */
  refusedFile(id: string): Promise<string | null>;
  /** Opens an import and sends the bytes to its own link, once. */
  startExport: typeof startExport;
  exportFile: typeof exportFile;
  sendFile(
    file: File,
    kind: ImportFile['kind'],
    key: string,
  ): Promise<{ readonly ok: true; readonly id: string } | { readonly ok: false; readonly refused: Refused }>;
  applyImport(
    input: { readonly id: string; readonly version: number; readonly mapping: Readonly<Record<string, string>> },
    key: string,
  ): Promise<Changed>;
  /** One change; the key makes a repeat of it the same change. */
  change(mutation: string, input: Readonly<Record<string, unknown>>, key: string): Promise<Changed>;
}

export interface Order {
  readonly field: string;
  readonly order: 'ASC' | 'DESC';
}

type Page<Node> = Connection<Node>;
interface PageData<Node> {
  readonly page: Page<Node> | null;
}
interface RecordData<Node> {
  readonly record: Node | null;
}
interface CountNode {
  readonly totalCount: number | null;
  readonly totalCountIsEstimate: boolean | null;
}

const countOf = (node: CountNode | null): Count => ({
  value: node?.totalCount ?? 0,
  atLeast: node?.totalCountIsEstimate ?? node === null,
});

function sourceOf(resource: string): Source {
  const source = (sources as Readonly<Record<string, Source>>)[resource];
  if (source === undefined) throw new Error(`${resource} has no list`);
  return source;
}

/** Cursors by list; the list unused for longest is forgotten. */
class Cursors {
  readonly #lists = new Map<string, (string | null)[]>();

  of(key: string): (string | null)[] {
    const known = this.#lists.get(key) ?? [null];
    this.#lists.delete(key);
    this.#lists.set(key, known);
    const oldest = this.#lists.keys().next();
    if (this.#lists.size > cursorListsKept && oldest.done !== true) this.#lists.delete(oldest.value);
    return known;
  }
}

async function readPage<Node>(
  source: Source,
  filter: Filter,
  order: Order | null,
  first: number,
  after: string | null,
  asked: Asked,
): Promise<Page<Node>> {
  const nodes: Node[] = [];
  let cursor = after;
  for (let round = 0; round < roundsPerPage; round += 1) {
    const { data } = await askGraph<PageData<Node>>(
      source.list,
      {
        filter: source.filter(filter),
        ...(order !== null && source === sources.citizens && { orderBy: { [order.field]: order.order } }),
        first: first - nodes.length,
        after: cursor,
      },
      asked,
    );
    if (data.page === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
    nodes.push(...data.page.nodes);
    cursor = data.page.pageInfo.endCursor;
    if (!data.page.pageInfo.hasNextPage) return { nodes, pageInfo: { hasNextPage: false, endCursor: cursor } };
    if (nodes.length >= first) break;
  }
  return { nodes, pageInfo: { hasNextPage: true, endCursor: cursor } };
}

interface UnitLine {
  readonly id: string;
  readonly children?: readonly UnitLine[] | null;
}

/** The graph gives units by their parent: the parent is looked up in the tree first. */
async function readUnit(id: string, asked: Asked): Promise<UnitRecord> {
  const { data } = await askGraph<{ orgUnits: readonly UnitLine[] | null }>(documents.UnitLines, {}, asked);
  const parentOf = (units: readonly UnitLine[], parent: string | null): string | null | undefined => {
    for (const unit of units) {
      if (unit.id === id) return parent;
      const found = parentOf(unit.children ?? [], unit.id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const parent = parentOf(data.orgUnits ?? [], null);
  if (parent === undefined) throw new GraphRefusal('', 404, 'NOT_FOUND', null);
  const below = await askGraph<{ orgUnits: readonly UnitRecord[] | null }>(documents.UnitBelow, { parent }, asked);
  const unit = below.data.orgUnits?.find((one) => one.id === id);
  if (unit === undefined) throw new GraphRefusal('', 404, 'NOT_FOUND', null);
  return unit;
}

/** The framework may ask for what the graph does not do; no screen of ours does. */
function notOffered(): Promise<never> {
  return Promise.reject(new Error('The graph does not offer this.'));
}

async function record<Node>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  asked: Asked = {},
): Promise<Node | null> {
  const { data } = await askGraph<RecordData<Node>>(query, variables, asked);
  return data.record;
}

export function hubDataProvider(): HubDataProvider {
  const cursors = new Cursors();
  return {
    supportAbortSignal: true,

    async getList<R extends RaRecord>(resource: string, params: GetListParams): Promise<GetListResult<R>> {
      const source = sourceOf(resource);
      const { page, perPage } = params.pagination ?? { page: 1, perPage: 25 };
      const filter = (params.filter ?? {}) as Filter;
      const order = params.sort === undefined ? null : { field: params.sort.field, order: params.sort.order };
      const known = cursors.of(JSON.stringify([resource, filter, order, perPage]));
      const after = known[page - 1];
      const { nodes, pageInfo } = await readPage<R>(source, filter, order, perPage, after ?? null, { signal: params.signal });
      if (after !== undefined) known[page] = pageInfo.endCursor;
      return { data: [...nodes], pageInfo: { hasNextPage: pageInfo.hasNextPage, hasPreviousPage: page > 1 } };
    },

    async getOne<R extends RaRecord>(resource: string, { id, signal }: GetOneParams<R>): Promise<GetOneResult<R>> {
      if (resource === 'units') return { data: (await readUnit(String(id), { signal })) as unknown as R };
      const { one } = sourceOf(resource);
      if (one === null) return notOffered();
      const found = await record<R>(one, { id }, { signal });
      // A record out of one's units answers like one that does not exist.
      if (found === null) throw new GraphRefusal('', 404, 'NOT_FOUND', null);
      return { data: found };
    },

    getMany: notOffered,
    getManyReference: notOffered,
    create: notOffered,
    update: notOffered,
    updateMany: notOffered,
    delete: notOffered,
    deleteMany: notOffered,

    async count(resource, filter, asked) {
      const source = sourceOf(resource);
      const { data } = await askGraph<{ page: CountNode | null }>(source.count, { filter: source.filter(filter) }, asked);
      return countOf(data.page);
    },

    async everything<R>(
      resource: ResourceName,
      filter: Filter,
      order: Order | null,
      limit = exportLimit,
      asked: Asked = {},
    ): Promise<Sample<R>> {
      const nodes: R[] = [];
      let after: string | null = null;
      for (;;) {
        const page: Page<R> = await readPage<R>(sourceOf(resource), filter, order, 100, after, asked);
        nodes.push(...page.nodes);
        after = page.pageInfo.endCursor;
        if (!page.pageInfo.hasNextPage || nodes.length >= limit) return { nodes, more: page.pageInfo.hasNextPage };
      }
    },

    async findNames(text, asked) {
      const { data } = await askGraph<PageData<PersonFound>>(documents.FindNames, { filter: { text } }, asked);
      return data.page?.nodes ?? [];
    },
    findPerson: (number, asked) => record<PersonFound>(documents.FindPerson, { number }, asked),
    personOf: (id, asked) => record<PersonFound>(documents.PersonOf, { id }, asked),
    findCard: (number, asked) => record(documents.FindCard, { number }, asked),
    findResult: (code, asked) => record(documents.FindResult, { code }, asked),
    async idOfNumber(number, asked) {
      return (await record<{ id: string }>(documents.FindByNumber, { number }, asked))?.id ?? null;
    },

    async cardsOf(id, asked) {
      const found = await record<{ insuranceCards: readonly Card[] | null; cardInForce: { id: string } | null }>(
        documents.CitizenCards,
        { id },
        asked,
      );
      return { cards: found?.insuranceCards ?? [], inForce: found?.cardInForce?.id ?? null };
    },
    async resultsOf(id, asked) {
      return (
        (await record<{ digitizedResults: Connection<DigitizedResult> | null }>(documents.CitizenResults, { id }, asked))
          ?.digitizedResults ?? null
      );
    },
    async slipsOf(id, asked) {
      return (await record<Slips>(documents.CitizenSlips, { id }, asked)) ?? { referralSlips: null, reexaminationSlips: null };
    },
    async discrepanciesOf(id, asked) {
      return (
        (await record<{ discrepancies: readonly Discrepancy[] | null }>(documents.CitizenWork, { id }, asked))?.discrepancies ??
        []
      );
    },
    async openDiscrepancies(filter, after, asked) {
      return readPage<Discrepancy>(sources.discrepancies, { ...filter, state: 'OPEN' }, null, 25, after, asked ?? {});
    },
    aroundDiscrepancy: (id, asked) => record<AroundDiscrepancy>(documents.AroundDiscrepancy, { id }, asked),
    async settle(input, idempotencyKey) {
      const { data } = await askGraph<{
        done: { ok: { changeId: string; citizen: { version: number } | null } | null; error: Refused | null } | null;
      }>(mutations.SettleDiscrepancy, { input }, { idempotencyKey });
      const { ok = null, error = null } = data.done ?? {};
      if (error !== null) return { ok: false, refused: error };
      if (ok === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
      return { ok: true, changeId: ok.changeId, citizenVersion: ok.citizen?.version ?? null };
    },
    async undo(resource, input, idempotencyKey) {
      const { data } = await askGraph<{
        done: {
          ok: { record: { version: number } | null } | null;
          error: Refused | null;
          newer: { who: string; knownAt: string } | null;
        } | null;
      }>(undoOf[resource], { input }, { idempotencyKey });
      const { ok = null, error = null, newer = null } = data.done ?? {};
      if (error !== null) return { ok: false, refused: error, newer };
      if (ok === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
      return { ok: true };
    },
    async historyOf(id, after, asked) {
      return (
        (await record<{ history: Connection<Change> | null }>(documents.CitizenHistory, { id, first: 20, after }, asked))
          ?.history ?? null
      );
    },

    reveal: (id, purpose) => record<RevealedCitizen>(documents.CitizenReveal, { id }, { purpose }),
    async revealNumber(resource, id, purpose) {
      if (resource === 'cards')
        return (await record<{ number: string | null }>(documents.CardReveal, { id }, { purpose }))?.number ?? null;
      return (await record<{ code: string | null }>(documents.ResultReveal, { id }, { purpose }))?.code ?? null;
    },

    async units(asked) {
      const { data } = await askGraph<{ orgUnits: readonly OrgUnit[] | null }>(documents.Units, {}, asked);
      return data.orgUnits ?? [];
    },

    async workCounts(asked) {
      return (await askGraph<{ workCounts: readonly WorkCount[] | null }>(documents.WorkCounts, {}, asked)).data.workCounts ?? [];
    },

    async fieldCounts(unit, asked) {
      const { data } = await askGraph<{ fieldCounts: readonly FieldCount[] | null }>(documents.FieldCounts, { unit }, asked);
      return data.fieldCounts ?? [];
    },

    change: changeGraph,
    run: (id, asked) => record<Run>(runDocuments.Run, { id }, asked),
    settings: async (asked) =>
      (await askGraph<{ settings: readonly SettingInForce[] | null }>(runDocuments.Settings, {}, asked)).data.settings,
    queues: async (asked) => (await askGraph<{ queues: readonly Queue[] | null }>(runDocuments.Queues, {}, asked)).data.queues,
    actOnRun: (act, input, key) => changeGraph(runActs[act], input, key),
    async startReconcile(idempotencyKey) {
      const { data } = await askGraph<{ done: { ok: { runId: string } | null; error: Refused | null } | null }>(
        mutations.StartReconcile,
        { input: {} },
        { idempotencyKey },
      );
      const { ok = null, error = null } = data.done ?? {};
      if (error !== null) return { ok: false, refused: error };
      if (ok === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
      return { ok: true, id: ok.runId };
    },
    importFile: (id, asked) => record<ImportFile>(workDocuments.Import, { id }, asked),
    refusedFile: async (id) => {
      const found = await record<{ id: string; refusedFile: { url: string } | null }>(workDocuments.RefusedFile, { id });
      return found?.refusedFile?.url ?? null;
    },
    startExport,
    exportFile,
    sendFile: sendImportFile,
    applyImport: ({ id, version, mapping }, key) => {
      const said = Object.entries(mapping).map(([heading, column]) => ({ heading, column: column === '' ? null : column }));
      return changeGraph(workMutations.ApplyImport, { id, version, ...(said.length > 0 && { mapping: said }) }, key);
    },

    async running(asked) {
      const [runs, imports, exports] = await Promise.all(
        [documents.Runs, documents.Imports, exportDocuments.Exports].map((query) =>
          askGraph<PageData<Run>>(query, { first: 5, after: null }, asked),
        ),
      );
      return [
        ...(runs?.data.page?.nodes ?? []),
        ...(imports?.data.page?.nodes ?? []),
        ...(exports?.data.page?.nodes ?? []),
      ].filter(({ state }) => state === 'RUNNING' || state === 'PAUSED');
    },
  };
}
