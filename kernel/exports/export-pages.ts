import type { Caller } from '../auth/principal.ts';
import { byteOrderMark, cellOf, csvLine } from '../csv-writer.ts';
import type { Transaction } from '../db/database.ts';
import type { ExportFormat } from '../db/hub.entity.ts';
import { unitId } from '../domain/ids.ts';
import { catalogue, type Reason } from '../errors/catalogue.ts';
import { refusal } from '../errors/hub-error.ts';
import type { SubgraphDoor, SubgraphError } from '../graph/subgraph-call.ts';
import type { Cells, ExportKind, Node } from './export-kind.ts';

/*
 * Records are read like any other answer of the graph, a hundred at a time: within the scope of whoever asks, masked as his role and purpose
 * say, and written down with everyone whose data are in it before anything of it goes on.
 */

export interface Exporting {
  readonly kind: ExportKind;
  readonly graph: SubgraphDoor;
  readonly caller: Caller;
  readonly filter: object | null;
  readonly signal: AbortSignal;
}

export interface ListPage {
  readonly nodes: readonly Node[];
  readonly endCursor: string | null;
  readonly more: boolean;
}

/** The audit holds a page's subjects in one row. */
const pageSize = 100;

/** One page of the list, durably written down. */
export async function readPage(exporting: Exporting, after: string | null): Promise<ListPage> {
  return await ask(exporting, after, exporting.kind.selection, true);
}

/** Where a page ends and which ids it has: what is planned by. Nobody is given anything of it, so nothing is written down. */
export async function lookAhead(exporting: Exporting, after: string | null): Promise<ListPage> {
  return await ask(exporting, after, 'id', false);
}

async function ask(
  { kind, graph, caller, filter, signal }: Exporting,
  after: string | null,
  selection: string,
  audited: boolean,
): Promise<ListPage> {
  const query = `query Export($after: String, $filter: ${kind.filterType}) {
    page: ${kind.list}(first: ${String(pageSize)}, after: $after, filter: $filter) {
      nodes { ${selection} } pageInfo { endCursor hasNextPage } } }`;
  const answer = await graph.execute({ query, variables: { after, filter }, caller, signal });
  const [error] = answer.errors ?? [];
  const page = answer.data?.page;
  if (error !== undefined || typeof page !== 'object' || page === null) throw problemIn(error);
  if (audited) await answer.audit();
  const { nodes, pageInfo } = page as {
    readonly nodes: readonly Node[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
  return { nodes, endCursor: pageInfo.endCursor, more: pageInfo.hasNextPage };
}

function problemIn(error: SubgraphError | undefined): Error {
  const { code, reason } = error?.extensions ?? {};
  if (typeof reason === 'string' && Object.hasOwn(catalogue, reason)) return refusal(reason as Reason);
  return code === 'DEGRADED' ? refusal('DATABASE_BUSY') : new Error(error?.message ?? 'a list did not answer');
}

export async function unitCodesOf(tx: Pick<Transaction, 'query'>): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ readonly number: number; readonly code: string }>('select number, code from hub.unit');
  return new Map(rows.map(({ number, code }) => [unitId(number), code]));
}

/** Before the first record. */
export function headOf(kind: ExportKind, format: ExportFormat): string {
  return format === 'JSONL' ? '' : byteOrderMark + csvLine(Object.keys(kind.cells({}, new Map())));
}

export function lineOf(cells: Cells, format: ExportFormat): string {
  return format === 'JSONL' ? `${JSON.stringify(cells)}\n` : csvLine(Object.values(cells).map((cell) => cellOf(cell)));
}
