import { randomUUIDv7 } from 'node:crypto';
import { auditRow } from '../audit/audit-row.ts';
import { scopeOf } from '../auth/policy.ts';
import type { Caller } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import { columnsOf, readCsvInSteps, type CsvFile, type FileRefusal } from '../csv-table.ts';
import { again } from '../db/again.ts';
import type { Database, Transaction } from '../db/database.ts';
import { dayInVietnam } from '../domain/plain-date.ts';
import { refusal } from '../errors/hub-error.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Json } from '../jobs/define-job.ts';
import { ok, type Result } from '../result.ts';
import { countsOf, type ImportKind, type ImportPage, type RowOutcome, type RowProblem } from './import-kind.ts';
import * as staged from './staging.ts';
import { trialPages, type KeyedRow } from './trial-pages.ts';
import { sumOf, type ImportSums, type StagedFile } from './staging.ts';

/*
 * A file comes in: staged as it was sent, tried, applied page by page, reported. A page is one transaction with history, audit, messages,
 * what became of each row, and the sums of the run; so an import that is killed at any moment and goes on later ends like one that was never
 * killed. Each page runs under the rights that whoever sent the file has at that moment.
 *
 * Runs twice: natural keys make the second time change nothing. Two at once on one file take turns page by page. Nothing is written
 * into a unit outside the sender's scope, and nobody there is found.
 */

export interface ImportDeps {
  /** Under the role of the kind's subgraph. */
  readonly database: Database;
  readonly clock: Clock;
  /** Secret of this installation for keyed hashes of identifiers. */
  readonly identifierKey: Buffer;
}

export interface Progressing {
  /** Aborted: the page under way is finished, then the import pauses. */
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

export interface Handed {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

export interface ImportReport extends ImportSums {
  /** Id of the import and of its run. */
  readonly run: string;
  /** The first refused ones. */
  readonly problems: readonly { readonly line: number; readonly problems: readonly RowProblem[] }[];
  readonly columns: readonly string[];
  readonly unknownColumns: readonly string[];
  readonly decisions: StagedFile['decisions'];
  /** False: stopped before the end; the rest was not decided about. */
  readonly complete: boolean;
  readonly dryRun: boolean;
  /** What is handed over once: first passwords. */
  readonly handed: readonly Handed[];
}

/** Refused rows that are told one by one. */
export const problemsTold = 100;
/** Rows staged or read in one transaction. */
const portion = 5_000;

/** Lines of a page, both included. */
export interface PageRange {
  readonly from: number;
  readonly to: number;
}

export interface NewFile {
  readonly bytes: Uint8Array;
  readonly name: string | null;
  /** Heading as it stands in the file → column; without a column: left out. */
  readonly mapping?: ReadonlyMap<string, string | null>;
}

/** One sender's imports of one kind. */
export class Importing {
  readonly #deps: ImportDeps;
  readonly #kind: ImportKind;
  readonly #caller: Caller;
  readonly #units: string;

  /** Refuses whoever lacks one of the rights. */
  constructor(deps: ImportDeps, kind: ImportKind, caller: Caller) {
    const scopes = kind.permissions.map((permission) => scopeOf(caller, permission));
    const [scope] = scopes;
    // A right lent for one person by a legal basis is a right to read.
    if (scope === undefined || scopes.some((one) => one?.citizenId !== null)) throw refusal('ROLE_LACKS_RIGHT');
    this.#deps = deps;
    this.#kind = kind;
    this.#caller = caller;
    this.#units = scope?.units ?? '{}';
  }

  /** Reads and stages a file, or refuses it as a whole before anything is written. The id of the import. */
  async open(file: NewFile): Promise<Result<string, FileRefusal>> {
    const read = await readCsvInSteps(file.bytes, this.#kind.headings);
    if (!read.ok) return read;
    const columns = columnsOf(this.#kind.headings, read.value.headings, file.mapping);
    if (!columns.ok) return columns;
    const id = randomUUIDv7();
    await this.#transaction((tx) => staged.openFile(tx, id, this.#kind.kind, this.#caller, file.name));
    await this.#stage(id, read.value, columns.value.places);
    return ok(id);
  }

  /** Stages the bytes that came by a link, once they are there; `awaited`: not yet. Cut off, it goes on where it stood. */
  async receive(id: string, store: FileStore): Promise<'awaited' | 'refused' | 'staged'> {
    const file = await this.#transaction((tx) => this.#own(tx, id, ['AWAITED', 'RECEIVED', 'STAGED', 'CHECKED', 'REFUSED']));
    if (file.state === 'STAGED' || file.state === 'CHECKED') return 'staged';
    if (file.state === 'REFUSED') return 'refused';
    const refuse = async (why: FileRefusal): Promise<'refused'> => {
      await this.#transaction((tx) => staged.refuseFile(tx, id, why));
      if (file.storedAs !== null) await store.remove(file.storedAs);
      return 'refused';
    };
    if (file.state === 'AWAITED') return file.late ? await refuse({ reason: 'LINK_DEAD', field: null, line: null }) : 'awaited';
    if (file.storedAs === null) throw new Error('a file was received and lies nowhere');
    const read = await readCsvInSteps(await store.read(file.storedAs), this.#kind.headings);
    if (!read.ok) return await refuse(read.error);
    const columns = columnsOf(this.#kind.headings, read.value.headings);
    if (!columns.ok) return await refuse(columns.error);
    await this.#stage(id, read.value, columns.value.places);
    await store.remove(file.storedAs);
    return 'staged';
  }

  async #stage(id: string, { headings, separator, records }: CsvFile, places: StagedFile['places']): Promise<void> {
    const decisions = this.#kind.decide(await staged.asTableRows(records, places));
    const last = await this.#transaction((tx) => staged.lastLine(tx, id, this.#units));
    const left = records.filter(({ line }) => line > last);
    for (let from = 0; from < left.length; from += portion) {
      await this.#transaction((tx) => staged.stageRows(tx, id, this.#caller.principal.unitNo, left.slice(from, from + portion)));
    }
    await this.#transaction((tx) =>
      staged.fileIsStaged(tx, id, { separator, headings, places, decisions, total: records.length }),
    );
  }

  /** Another meaning of the headings than was recognised. Throws the refusal of one that makes no sense. */
  async remap(id: string, mapping: readonly { readonly heading: string; readonly column: string | null }[]): Promise<void> {
    await this.#transaction(async (tx) => {
      const file = await this.#own(tx, id, ['APPLIED']);
      const columns = columnsOf(
        this.#kind.headings,
        file.headings,
        new Map(mapping.map(({ heading, column }) => [heading, column])),
      );
      if (!columns.ok) throw refusal(columns.error.reason, { field: columns.error.field ?? 'mapping' });
      await staged.setPlaces(tx, id, columns.value.places, file.decisions);
    });
  }

  /** Pages of a staged file behind a line, in portions. */
  async *pages(id: string, behind: number): AsyncGenerator<readonly { readonly page: PageRange; readonly size: number }[]> {
    for (let after = behind; ;) {
      const rows = await this.#transaction((tx) => staged.rowsAfter(tx, id, this.#units, after, portion));
      const found: { readonly page: PageRange; readonly size: number }[] = [];
      for (let from = 0; from < rows.length; from += this.#kind.pageSize) {
        const page = rows.slice(from, from + this.#kind.pageSize);
        found.push({ page: { from: page[0]?.line ?? 0, to: page.at(-1)?.line ?? 0 }, size: page.length });
      }
      const last = rows.at(-1);
      if (last === undefined) return;
      yield found;
      after = last.line;
    }
  }

  /** The effect of one page, in the transaction that also ends it. */
  async range(
    tx: Transaction,
    id: string,
    range: PageRange,
  ): Promise<{ readonly done: number; readonly refused: number; readonly counts: Readonly<Record<string, number>> }> {
    const file = await this.#own(tx, id, ['APPLIED']);
    const rows = await staged.rowsBetween(tx, id, this.#units, range);
    const outcomes = rows.length === 0 ? [] : await this.#page(tx, file, rows, { dryRun: false, hand: () => undefined });
    if (rows.length > 0) {
      await staged.noteOutcomes(tx, id, outcomes, 'state');
      await this.#audit(tx, file, outcomes, false);
    }
    return { done: rows.length, refused: outcomes.filter(({ end }) => end === 'REFUSED').length, counts: countsOf(outcomes) };
  }

  async summary(id: string): Promise<Json> {
    const file = await this.#transaction((tx) => this.#own(tx, id, ['APPLIED']));
    const { problems, columns, unknownColumns, decisions, ...report } = await this.#report(file, 'state', {
      complete: true,
      handed: [],
    });
    const rows = problems.map(({ line, problems: told }) => ({
      line,
      problems: told.map(({ field, reason }) => ({ field, reason })),
    }));
    return { ...report, handed: 0, columns, unknownColumns, ...decisions, rows };
  }

  /** What would happen: every page is done and taken back. Rows that can be about one record are tried together. */
  async check(id: string, { signal, progress }: Progressing): Promise<ImportReport> {
    const file = await this.#transaction((tx) => this.#own(tx, id, ['STAGED', 'CHECKED']));
    const groups = await this.#groups(file);
    let done = 0;
    for (let page = groups.next(); page.done !== true && !signal.aborted; page = groups.next()) {
      const rows = page.value;
      await this.#transaction(async (tx) => {
        await tx.query('savepoint tried');
        const outcomes = await this.#page(tx, file, rows, { dryRun: true, hand: () => undefined });
        await tx.query('rollback to savepoint tried');
        await staged.noteOutcomes(tx, id, outcomes, 'planned');
        await this.#audit(tx, file, outcomes, true);
      });
      done += rows.length;
      progress(done, file.total);
    }
    const complete = !signal.aborted;
    await this.#transaction(async (tx) => {
      if (complete) await staged.setState(tx, id, 'CHECKED', await staged.sumsOf(tx, id, this.#units, 'planned'));
    });
    return await this.#report(file, 'planned', { complete, handed: [] });
  }

  /** Begins an import that was staged, or goes on with one that was stopped, paused or killed. */
  async apply(id: string, { signal, progress }: Progressing): Promise<ImportReport> {
    const file = await this.#transaction(async (tx) => {
      const found = await this.#own(tx, id, ['STAGED', 'CHECKED', 'APPLIED']);
      if (found.state !== 'APPLIED') {
        await tx.query('select hub.run_open($1, $2, $3, $4, $5, $6, $7)', [
          id,
          'IMPORT',
          this.#kind.subgraph,
          found.unitNo,
          found.sender,
          JSON.stringify({ kind: found.kind, columns: found.places, ...found.decisions }),
          found.total,
        ]);
        await staged.setState(tx, id, 'APPLIED');
      } else {
        const [gone] = await tx.query<{ readonly on: boolean }>('select hub.run_go_on($1) as on', [id]);
        // One that has ended well, or was cancelled, is only reported once more.
        if (gone?.on !== true) return { ...found, ended: true };
      }
      return { ...found, ended: false };
    });
    if (file.ended) {
      const report = await this.#report(file, 'state', { complete: true, handed: [] });
      return { ...report, complete: sumOf(report) === report.total };
    }
    const handed: Handed[] = [];
    // Whatever lies before it is decided about, by this process or another one.
    let behind = 0;
    let done = sumOf(await this.#transaction((tx) => staged.sumsOf(tx, id, this.#units, 'state')));
    try {
      for (;;) {
        if (signal.aborted) {
          await this.#transaction((tx) => tx.query('select hub.run_pause($1)', [id]));
          return await this.#report(file, 'state', { complete: false, handed });
        }
        const applied = await again(() => this.#applyPage(file, behind), undone);
        if (applied === 'stopped') return await this.#report(file, 'state', { complete: false, handed });
        if (applied.rows === 0) break;
        handed.push(...applied.handed);
        done += applied.rows;
        behind = applied.last;
        progress(done, file.total);
      }
      const report = await this.#report(file, 'state', { complete: true, handed });
      await this.#close(id, 'DONE', report);
      return report;
    } catch (error) {
      // The pages before are committed; the run says how far it came, and goes on when it is asked to.
      await this.#close(id, 'FAILED', await this.#report(file, 'state', { complete: false, handed })).catch(() => undefined);
      throw error;
    }
  }

  /** Rows that were refused, in the order of the file, with their cells as they came. */
  async *refused(id: string, of: 'state' | 'planned'): AsyncGenerator<staged.RefusedRow> {
    let after = 0;
    for (;;) {
      const page = await this.#transaction((tx) => staged.refusedRows(tx, id, this.#units, { of, after, limit: portion }));
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.line;
    }
  }

  async file(id: string): Promise<StagedFile> {
    return await this.#transaction((tx) => this.#own(tx, id, ['STAGED', 'CHECKED', 'APPLIED']));
  }

  /** `stopped`: the run is paused or cancelled; the page is undone with it. */
  #applyPage(
    file: StagedFile,
    behind: number,
  ): Promise<'stopped' | { readonly rows: number; readonly last: number; readonly handed: readonly Handed[] }> {
    return this.#transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtextextended('hub.import ' || $1, 0)) is null as locked`, [file.id]);
      const rows = await staged.rowsToApply(tx, file.id, this.#units, { behind, limit: this.#kind.pageSize });
      const handed: Handed[] = [];
      if (rows.length === 0) return { rows: 0, last: behind, handed };
      const outcomes = await this.#page(tx, file, rows, { dryRun: false, hand: (secret) => void handed.push(secret) });
      await staged.noteOutcomes(tx, file.id, outcomes, 'state');
      await this.#audit(tx, file, outcomes, false);
      const [run] = await tx.query<{ readonly running: boolean }>('select hub.run_add($1, $2, $3, $4) as running', [
        file.id,
        rows.length,
        outcomes.filter(({ end }) => end === 'REFUSED').length,
        JSON.stringify(countsOf(outcomes)),
      ]);
      if (run?.running !== true) throw new Stopped();
      return { rows: rows.length, last: rows.at(-1)?.line ?? behind, handed };
    }).catch((error: unknown) => {
      if (error instanceof Stopped) return 'stopped' as const;
      throw error;
    });
  }

  async #page(
    tx: Transaction,
    file: StagedFile,
    rows: readonly staged.WaitingRow[],
    how: Pick<ImportPage, 'dryRun' | 'hand'>,
  ): Promise<readonly RowOutcome[]> {
    const caller = this.#caller;
    const { principal } = caller;
    const [standing] = await tx.query<{ readonly stands: boolean; readonly overdue: boolean }>(
      'select hub.principal_stands($1, $2, $3, $4) as stands, hub.sealing_overdue() as overdue',
      [principal.kind, principal.id, principal.role, principal.unitNo],
    );
    if (standing?.stands !== true) throw refusal('ROLE_LACKS_RIGHT');
    // What cannot be proved any more must not be changed any more: the page waits until the sealer is back.
    if (standing.overdue && !how.dryRun) throw refusal('AUDIT_UNSEALED', { retryAfter: 60 });
    const read = rows.map((row) => staged.asTableRow(row, file.places));
    const whole = read.filter(({ cells }) => cells !== null);
    const outcomes: RowOutcome[] = read
      .filter(({ cells }) => cells === null)
      .map(({ line }) => ({ line, end: 'REFUSED', problems: [{ field: null, reason: 'ROW_CELLS' }] }));
    if (whole.length > 0) {
      outcomes.push(
        ...(await this.#kind.page(
          {
            tx,
            id: file.id,
            caller,
            units: this.#units,
            identifierKey: this.#deps.identifierKey,
            columns: file.places.filter((column) => column !== null),
            decisions: file.decisions,
            today: dayInVietnam(this.#deps.clock.now()),
            ...how,
          },
          whole,
        )),
      );
    }
    const told = new Set(outcomes.map(({ line }) => line));
    if (told.size !== rows.length || outcomes.length !== rows.length || rows.some(({ line }) => !told.has(line))) {
      throw new Error(`an import of ${this.#kind.kind} did not tell of each row what became of it`);
    }
    return outcomes;
  }

  /** Whom a page compared, whatever came of it: the sums of an import tell something of everyone. */
  async #audit(tx: Transaction, file: StagedFile, outcomes: readonly RowOutcome[], dryRun: boolean): Promise<void> {
    // What a dry run would add is nobody.
    const subjects = outcomes.flatMap((outcome) =>
      outcome.end === 'REFUSED' || (dryRun && outcome.end === 'ADDED') ? [] : [outcome.subject],
    );
    if (subjects.length === 0) return;
    const { text, values } = auditRow(this.#kind.subgraph, this.#caller, {
      action: this.#kind.action,
      subjects: [...new Set(subjects)],
      fields: file.places.filter((column) => column !== null),
      detail: dryRun ? { run: file.id, dryRun } : { run: file.id },
    });
    await tx.query(text, values);
  }

  async #report(
    file: StagedFile,
    of: 'state' | 'planned',
    ended: Pick<ImportReport, 'complete' | 'handed'>,
  ): Promise<ImportReport> {
    return await this.#transaction(async (tx) => {
      const sums = await staged.sumsOf(tx, file.id, this.#units, of);
      const told = await staged.refusedRows(tx, file.id, this.#units, { of, after: 0, limit: problemsTold });
      return {
        ...sums,
        run: file.id,
        problems: told.map(({ line, problems }) => ({ line, problems })),
        columns: file.places.filter((column) => column !== null),
        unknownColumns: file.headings.filter((heading, place) => file.places[place] === null && heading.trim() !== ''),
        decisions: file.decisions,
        dryRun: of === 'planned',
        ...ended,
      };
    });
  }

  async #close(id: string, state: 'DONE' | 'FAILED', { handed, problems, ...report }: ImportReport): Promise<void> {
    const told = { ...report, rows: problems, handed: handed.length };
    await this.#transaction((tx) => tx.query('select hub.run_close($1, $2, $3)', [id, state, JSON.stringify(told)]));
  }

  async #own(tx: Transaction, id: string, states: readonly StagedFile['state'][]): Promise<StagedFile> {
    const file = await staged.findFile(tx, id, this.#units);
    if (file?.kind !== this.#kind.kind) throw refusal('IMPORT_UNKNOWN', { field: 'id' });
    if (file.sender !== this.#caller.principal.id) throw refusal('IMPORT_OF_ANOTHER', { field: 'id' });
    if (!states.includes(file.state)) throw refusal('IMPORT_STATE', { field: 'id' });
    return file;
  }

  /** Pages for a dry run: rows by what they can be about, never cut within. */
  async #groups(file: StagedFile): Promise<Iterator<readonly staged.WaitingRow[]>> {
    const keyed: KeyedRow[] = [];
    for (let after = 0; ;) {
      const rows = await this.#transaction((tx) => staged.rowsAfter(tx, file.id, this.#units, after, portion));
      for (const row of rows) {
        const { cells } = staged.asTableRow(row, file.places);
        keyed.push({ key: cells === null ? '' : this.#kind.sameAs(cells), row });
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.line;
    }
    return trialPages(keyed, this.#kind.pageSize);
  }

  #transaction<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#deps.database.transaction({ units: this.#units, principal: this.#caller.principal.id }, body);
  }
}

/** Undoes the page of a run that somebody stopped meanwhile. */
class Stopped extends Error {}

/** Deadlock, a lock held too long: PostgreSQL undid the page. */
function undone(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' && ['40001', '40P01', '55P03'].includes(code);
}
