import { setImmediate as breath } from 'node:timers/promises';
import { cellsOf, type CsvFile, type FileRefusal, type TableRow } from '../csv-table.ts';
import type { Caller } from '../auth/principal.ts';
import type { Transaction } from '../db/database.ts';
import type { ImportFileKind, ImportFileState, RowEnd } from '../db/hub.entity.ts';
import { insertRows } from '../db/insert-rows.ts';
import type { Decisions, RowOutcome, RowProblem } from './import-kind.ts';

/* Files and their rows as they lie in schema hub, under both locks: whoever sees the unit of the sender. */

const locked = (units: string): string => `coalesce(unit_no <@ ${units}::int4multirange, false)`;

/** Every row of a file is exactly one of these: `total` is the sum of the five. */
export interface ImportSums {
  readonly total: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Differs from something confirmed, or belongs to a citizen who is not known yet. */
  readonly waiting: number;
  readonly refused: number;
}

/** Rows that were decided about. */
export function sumOf({ added, changed, unchanged, waiting, refused }: ImportSums): number {
  return added + changed + unchanged + waiting + refused;
}

export interface StagedFile {
  readonly id: string;
  readonly version: number;
  readonly kind: ImportFileKind;
  readonly unitNo: number;
  readonly sender: string;
  readonly state: ImportFileState;
  readonly separator: ',' | ';';
  readonly headings: readonly string[];
  readonly places: readonly (string | null)[];
  readonly decisions: Decisions;
  readonly planned: ImportSums | null;
  readonly total: number;
  /** Where its bytes lie in the store until they are staged. */
  readonly storedAs: string | null;
  /** The link to send it by is over. */
  readonly late: boolean;
}

export interface RefusedRow {
  readonly line: number;
  readonly cells: readonly string[];
  readonly problems: readonly RowProblem[];
}

export async function openFile(
  tx: Transaction,
  id: string,
  kind: ImportFileKind,
  { principal }: Caller,
  name: string | null,
): Promise<void> {
  await tx.query(
    `insert into hub.import_file (id, kind, unit_no, sender, sender_name, file_name, state) values ($1, $2, $3, $4, $5, $6, 'RECEIVED')`,
    [id, kind, principal.unitNo, principal.id, principal.name, name],
  );
}

export async function stageRows(tx: Transaction, id: string, unitNo: number, records: CsvFile['records']): Promise<void> {
  await insertRows(
    tx,
    'hub.import_row',
    { import_id: 'uuid', line: 'int', unit_no: 'int', cells: 'jsonb' },
    records.map(({ line, cells }) => ({ import_id: id, line, unit_no: unitNo, cells })),
  );
}

export async function fileIsStaged(
  tx: Transaction,
  id: string,
  file: Pick<StagedFile, 'separator' | 'headings' | 'places' | 'decisions' | 'total'>,
): Promise<void> {
  await tx.query(
    `update hub.import_file set state = 'STAGED', version = version + 1, separator = $2, headings = $3, places = $4, decisions = $5, total = $6
     where id = $1`,
    [id, file.separator, JSON.stringify(file.headings), JSON.stringify(file.places), JSON.stringify(file.decisions), file.total],
  );
}

/** `null`: there is none of this id among the caller's. Locked until the end of the transaction. */
export async function findFile(tx: Transaction, id: string, units: string): Promise<StagedFile | null> {
  const [file] = await tx.query<StagedFile>(
    `select id, version, kind, unit_no as "unitNo", sender, state, separator, headings, places, decisions, planned, total,
       stored_as as "storedAs", coalesce(expires_at < clock_timestamp(), false) as late
     from hub.import_file where id = $1 and ${locked('$2')} for update`,
    [id, units],
  );
  return file ?? null;
}

export async function setState(
  tx: Transaction,
  id: string,
  state: ImportFileState,
  planned: ImportSums | null = null,
): Promise<void> {
  await tx.query(
    'update hub.import_file set state = $2, planned = coalesce($3::jsonb, planned), version = version + 1 where id = $1',
    [id, state, planned === null ? null : JSON.stringify(planned)],
  );
}

export async function refuseFile(tx: Transaction, id: string, why: FileRefusal): Promise<void> {
  await tx.query(`update hub.import_file set state = 'REFUSED', refusal = $2, version = version + 1 where id = $1`, [
    id,
    JSON.stringify(why),
  ]);
}

export async function setPlaces(tx: Transaction, id: string, places: StagedFile['places'], decisions: Decisions): Promise<void> {
  await tx.query('update hub.import_file set places = $2, decisions = $3, version = version + 1 where id = $1', [
    id,
    JSON.stringify(places),
    JSON.stringify(decisions),
  ]);
}

/** Line of the last row that is staged; 0: none. */
export async function lastLine(tx: Transaction, id: string, units: string): Promise<number> {
  const [last] = await tx.query<{ readonly line: number }>(
    `select coalesce(max(line), 0) as line from hub.import_row where import_id = $1 and ${locked('$2')}`,
    [id, units],
  );
  return last?.line ?? 0;
}

/** Rows of a page that nobody has decided about yet. */
export function rowsBetween(
  tx: Transaction,
  id: string,
  units: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly WaitingRow[]> {
  return tx.query<WaitingRow>(
    `select line, cells from hub.import_row
     where import_id = $1 and line between $3 and $4 and state = 'STAGED' and ${locked('$2')} order by line`,
    [id, units, from, to],
  );
}

export interface WaitingRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows behind a line that nobody has decided about yet, in the order of the file. */
export function rowsToApply(
  tx: Transaction,
  id: string,
  units: string,
  { behind, limit }: { readonly behind: number; readonly limit: number },
): Promise<readonly WaitingRow[]> {
  return tx.query<WaitingRow>(
    `select line, cells from hub.import_row
     where import_id = $1 and line > $3 and state = 'STAGED' and ${locked('$2')} order by line limit $4`,
    [id, units, behind, limit],
  );
}

export function rowsAfter(
  tx: Transaction,
  id: string,
  units: string,
  line: number,
  limit: number,
): Promise<readonly WaitingRow[]> {
  return tx.query<WaitingRow>(
    `select line, cells from hub.import_row where import_id = $1 and line > $3 and ${locked('$2')} order by line limit $4`,
    [id, units, line, limit],
  );
}

export function asTableRow({ line, cells }: WaitingRow, places: readonly (string | null)[]): TableRow<string> {
  return { line, cells: cellsOf(places, cells) };
}

/** The rows of a whole file, in steps: others have their turn on the event loop between them. */
export async function asTableRows(
  rows: readonly WaitingRow[],
  places: readonly (string | null)[],
): Promise<readonly TableRow<string>[]> {
  const found: TableRow<string>[] = [];
  for (let from = 0; from < rows.length; from += 1_000) {
    found.push(...rows.slice(from, from + 1_000).map((row) => asTableRow(row, places)));
    await breath();
  }
  return found;
}

export async function noteOutcomes(
  tx: Transaction,
  id: string,
  outcomes: readonly RowOutcome[],
  as: 'state' | 'planned',
): Promise<void> {
  await tx.query(
    `update hub.import_row r set ${as} = o.end, problem = o.problem
     from json_to_recordset($2::json) as o (line int, "end" text, problem jsonb) where r.import_id = $1 and r.line = o.line`,
    [
      id,
      JSON.stringify(
        outcomes.map((outcome) => ({
          line: outcome.line,
          end: outcome.end,
          problem: outcome.end === 'REFUSED' ? outcome.problems : null,
        })),
      ),
    ],
  );
}

/** Rows without an end are in `total` alone. */
export async function sumsOf(tx: Transaction, id: string, units: string, of: 'state' | 'planned'): Promise<ImportSums> {
  const found = await tx.query<{ readonly end: RowEnd | null; readonly count: number }>(
    `select ${of} as "end", count(*)::int as count from hub.import_row where import_id = $1 and ${locked('$2')} group by 1`,
    [id, units],
  );
  const count = (end: RowEnd): number => found.find((one) => one.end === end)?.count ?? 0;
  return {
    total: found.reduce((sum, one) => sum + one.count, 0),
    added: count('ADDED'),
    changed: count('CHANGED'),
    unchanged: count('UNCHANGED'),
    waiting: count('WAITING'),
    refused: count('REFUSED'),
  };
}

export async function refusedRows(
  tx: Pick<Transaction, 'query'>,
  id: string,
  units: string,
  page: { readonly of: 'state' | 'planned'; readonly after: number; readonly limit: number },
): Promise<readonly RefusedRow[]> {
  return await tx.query<RefusedRow>(
    `select line, cells, problem as problems from hub.import_row
     where import_id = $1 and ${page.of} = 'REFUSED' and line > $3 and ${locked('$2')} order by line limit $4`,
    [id, units, page.after, page.limit],
  );
}
