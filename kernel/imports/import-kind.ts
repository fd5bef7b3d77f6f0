import type { AuditAction } from '../audit/actions.ts';
import type { SubgraphName } from '../audit/audit.ts';
import type { Permission } from '../auth/permissions.ts';
import type { Caller } from '../auth/principal.ts';
import type { Headings, TableRow } from '../csv-table.ts';
import type { Transaction } from '../db/database.ts';
import type { ImportFileKind, RowEnd } from '../db/hub.entity.ts';
import type { PlainDay } from '../domain/plain-date.ts';
import type { Reason } from '../errors/catalogue.ts';

/* What a subgraph says about one kind of file; how files are staged, tried, applied in pages and reported is the same for all. */

/** What is wrong with one cell; `field` is the column, null for the row as a whole. Never holds a value. */
export interface RowProblem {
  readonly field: string | null;
  readonly reason: Reason;
}

export type RowProblems = readonly [RowProblem, ...RowProblem[]];

/** What became of one row. */
export type RowOutcome =
  | {
      readonly line: number;
      readonly end: Exclude<RowEnd, 'REFUSED'>;
      /** The citizen it is about; of a record that waits for its citizen, or has none, its own id. */
      readonly subject: string;
    }
  | { readonly line: number; readonly end: 'REFUSED'; readonly problems: RowProblems };

export function refusedRow(line: number, field: string | null, reason: Reason): RowOutcome {
  return { line, end: 'REFUSED', problems: [{ field, reason }] };
}

/** What was decided for the whole file, by name: `communeList`. */
export type Decisions = Readonly<Record<string, string>>;

/** One page: some hundred rows in one transaction, which also holds what is noted of them. */
export interface ImportPage<Column extends string = string> {
  readonly tx: Transaction;
  /** Id of the import and of its run: cause of every change. */
  readonly id: string;
  readonly caller: Caller;
  /** Units of the caller, as they stand at this page; int4multirange text. */
  readonly units: string;
  readonly identifierKey: Buffer;
  readonly columns: readonly Column[];
  readonly decisions: Decisions;
  readonly today: PlainDay;
  /** Takes back at the end: nothing may be handed over or sent that a rollback does not take back. */
  readonly dryRun: boolean;
  /** Handed to whoever started the import, once, with the report: first passwords. */
  hand(secret: { readonly line: number; readonly name: string; readonly value: string }): void;
}

export interface ImportKind<Column extends string = string> {
  readonly kind: ImportFileKind;
  /** Whose schema and role it works with. */
  readonly subgraph: SubgraphName;
  /** All of them are needed. */
  readonly permissions: readonly [Permission, ...Permission[]];
  /** How a page stands in the audit. */
  readonly action: AuditAction;
  /** `Citizen`: before the columns in the audit. */
  readonly type: string;
  readonly headings: Headings<Column>;
  /** Rows in one transaction; well below the two seconds that a writing transaction may take. */
  readonly pageSize: number;
  decide(rows: readonly TableRow<Column>[]): Decisions;
  /** Rows that can be about one record give the same text: a dry run tries them together. */
  sameAs(cells: Readonly<Partial<Record<Column, string>>>): string;
  /** One outcome for each row. The second time the same rows change nothing; an empty cell never erases. */
  page(page: ImportPage<Column>, rows: readonly TableRow<Column>[]): Promise<readonly RowOutcome[]>;
}

/** How many rows ended how, as a run tells it; the refused ones it counts by itself. */
export function countsOf(outcomes: readonly RowOutcome[]): Readonly<Record<string, number>> {
  const count = (end: RowOutcome['end']): number => outcomes.filter((outcome) => outcome.end === end).length;
  return { added: count('ADDED'), changed: count('CHANGED'), unchanged: count('UNCHANGED'), waiting: count('WAITING') };
}
