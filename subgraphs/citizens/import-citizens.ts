import { randomUUIDv7 } from 'node:crypto';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Clock } from '#kernel/clock.ts';
import { readTable, type FileRefusal } from '#kernel/csv-table.ts';
import type { Database, Transaction } from '#kernel/db/database.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { ok, type Result } from '#kernel/result.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import {
  decideFile,
  importHeadings,
  parseRow,
  type FileDecisions,
  type ImportedCitizen,
  type RefusedRow,
} from './import-file.ts';
import { importPage, type ImportTally } from './import-page.ts';

/*
 * Import of a facility's file of citizens: read, checked and applied page by page, each page one transaction with history, audit, messages
 * and the sums of the run.
 *
 * Runs twice: natural keys make the second time change nothing. Stops half-way (signal, crash): pages that were done stay done and
 * are counted in the run; the same file again does the rest. At once with another import of the same sender: page by page in
 * turn. Nothing is written into a unit outside the importer's scope, and a person there is never found.
 */

interface ImportDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** Secret of this installation for keyed hashes of identifiers. */
  readonly identifierKey: Buffer;
}

interface ImportQuestion {
  readonly caller: Caller;
  readonly bytes: Uint8Array;
  /** Aborted: the page under way is finished, then the import ends as cancelled. */
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

export interface ImportReport extends ImportTally {
  readonly run: string;
  readonly total: number;
  readonly refused: number;
  readonly problems: readonly RefusedRow[];
  readonly unknownColumns: readonly string[];
  readonly decisions: FileDecisions;
  /** False: stopped before the end; the rest of the file was not looked at. */
  readonly complete: boolean;
}

/** Rows per transaction: some hundred milliseconds each, well below the two seconds that a writing transaction may take. */
const pageSize = 500;
/** Refused rows that are told one by one; the rest is counted. */
const problemsTold = 100;

const nothingDone: ImportTally = { added: 0, changed: 0, unchanged: 0, waiting: 0 };

/** Refuses a file as a whole, before anything is written, or imports what can be imported. */
export async function importCitizens(deps: ImportDeps, question: ImportQuestion): Promise<Result<ImportReport, FileRefusal>> {
  const { caller, signal } = question;
  const scope = scopeOf(caller, 'import:send');
  if (scope === null || scopeOf(caller, 'citizen:write') === null) throw refusal('ROLE_LACKS_RIGHT');
  const table = readTable(question.bytes, importHeadings);
  if (!table.ok) return table;
  const { rows, columns, unknownColumns } = table.value;
  const decisions = decideFile(table.value);
  const run = randomUUIDv7();
  const session = { units: scope.units, principal: caller.principal.id };
  const transaction = <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => deps.database.transaction(session, body);
  const units = await transaction(async (tx) => {
    await tx.query('select hub.run_open($1, $2, $3, $4, $5, $6, $7)', [
      run,
      'IMPORT',
      'citizens',
      caller.principal.unitNo,
      caller.principal.name,
      JSON.stringify({ kind: 'citizens', columns, unknownColumns, ...decisions }),
      rows.length,
    ]);
    const known = await tx.query<{ readonly number: number; readonly code: string }>(
      'select number, code from hub.unit where valid_to is null',
    );
    return new Map(known.filter(({ number }) => coversUnit(scope.units, number)).map(({ number, code }) => [code, number]));
  });
  const today = dayInVietnam(deps.clock.now());
  const problems: RefusedRow[] = [];
  let tally = nothingDone;
  let refusedRows = 0;
  let done = 0;
  const report = (complete: boolean): ImportReport => ({
    run,
    ...tally,
    total: rows.length,
    refused: refusedRows,
    problems,
    unknownColumns,
    decisions,
    complete,
  });
  const close = (state: 'DONE' | 'FAILED' | 'CANCELLED'): Promise<unknown> => {
    const { problems: told, ...sums } = report(state === 'DONE');
    return transaction((tx) =>
      tx.query('select hub.run_close($1, $2, $3)', [run, state, JSON.stringify({ ...sums, rows: told.slice(0, problemsTold) })]),
    );
  };
  try {
    for (let from = 0; from < rows.length; from += pageSize) {
      if (signal.aborted) {
        await close('CANCELLED');
        return ok(report(false));
      }
      const page = rows.slice(from, from + pageSize);
      const citizens: (ImportedCitizen & { readonly unitNo: number })[] = [];
      const wrong: RefusedRow[] = [];
      for (const row of page) {
        const parsed = parseRow(row, decisions, today);
        if (!parsed.ok) {
          wrong.push(parsed.error);
          continue;
        }
        const unitNo = units.get(parsed.value.unitCode);
        // A unit of someone else is a unit that does not exist.
        if (unitNo === undefined) wrong.push({ line: row.line, problems: [{ field: 'unit_code', reason: 'UNIT_UNKNOWN' }] });
        else citizens.push({ ...parsed.value, unitNo });
      }
      const applied = await transaction(async (tx) => {
        const result = await importPage(
          tx,
          { run, caller, units: scope.units, identifierKey: deps.identifierKey, columns },
          citizens,
        );
        const next = add(tally, result.tally);
        const [progress] = await tx.query<{ readonly running: boolean }>('select hub.run_progress($1, $2, $3, $4) as running', [
          run,
          page.length,
          wrong.length + result.refused.length,
          JSON.stringify(next),
        ]);
        // Someone cancelled the run: this page is undone with it.
        return progress?.running === true ? { ...result, next } : null;
      });
      if (applied === null) return ok(report(false));
      tally = applied.next;
      wrong.push(...applied.refused);
      refusedRows += wrong.length;
      problems.push(...wrong.sort((one, other) => one.line - other.line).slice(0, problemsTold - problems.length));
      done += page.length;
      question.progress(done, rows.length);
    }
    await close('DONE');
    return ok(report(true));
  } catch (error) {
    // The pages before are committed; the run says how far it came. What cannot be said now, the sweeper of runs finds by its heartbeat.
    await close('FAILED').catch(() => undefined);
    throw error;
  }
}

function add(one: ImportTally, other: ImportTally): ImportTally {
  return {
    added: one.added + other.added,
    changed: one.changed + other.changed,
    unchanged: one.unchanged + other.unchanged,
    waiting: one.waiting + other.waiting,
  };
}
