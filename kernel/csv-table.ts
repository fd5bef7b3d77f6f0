import { CsvError, parse } from 'csv-parse/sync';
import { refused, ok, type Result } from './result.ts';
import type { Reason } from './errors/catalogue.ts';
import { fold } from './domain/person-name.ts';

/*
 * Files that facilities send: CSV in UTF-8, with or without byte order mark, comma or semicolon, quoted after RFC 4180, columns in any
 * order under our names or those of the ministry's forms. Whatever makes the file as a whole unusable is told before anything is done;
 * what is wrong with one row is that row's own matter.
 */

export const mostRows = 100_000;
/** 100,000 rows with every column filled stay below it. */
const mostBytes = 64 * 2 ** 20;

export interface TableRow<Column extends string> {
  /** Where the row begins in the file, from 1, as an editor shows it; the header is a line too. */
  readonly line: number;
  /** `null`: the row has more or fewer cells than the header, so nobody knows which cell is what. */
  readonly cells: Readonly<Partial<Record<Column, string>>> | null;
}

export interface Table<Column extends string> {
  readonly columns: readonly Column[];
  /** Headings that mean nothing here, as they stand in the file; their cells are left out. */
  readonly unknownColumns: readonly string[];
  readonly separator: ',' | ';';
  readonly rows: readonly TableRow<Column>[];
}

/** Why a whole file is refused; `field` names the column it lacks or has twice, `line` where reading ended. */
export interface FileRefusal {
  readonly reason: Reason;
  readonly field: string | null;
  readonly line: number | null;
}

export interface Headings<Column extends string> {
  readonly required: readonly Column[];
  /** Other names of a column, beside its own; compared without tones, case and signs. */
  readonly names: Readonly<Record<Column, readonly string[]>>;
}

export function readTable<Column extends string>(
  bytes: Uint8Array,
  headings: Headings<Column>,
): Result<Table<Column>, FileRefusal> {
  if (bytes.length === 0) return unusable('FILE_EMPTY');
  if (bytes.length > mostBytes) return unusable('FILE_TOO_LARGE');
  const text = decode(bytes);
  if (text === null) return unusable('FILE_ENCODING');
  if (text.trim() === '') return unusable('FILE_EMPTY');
  const columnOf = columnFinder(headings);
  const separator = separatorOf(text, columnOf);
  const records = recordsOf(text, separator);
  if (!records.ok) return records;
  const [header, ...body] = records.value;
  if (header === undefined) return unusable('FILE_EMPTY');
  const found = header.cells.map(columnOf);
  const twice = found.find((column, index) => column !== null && found.indexOf(column) !== index);
  if (twice !== undefined) return unusable('FILE_COLUMN_TWICE', twice);
  const missing = headings.required.find((column) => !found.includes(column));
  if (missing !== undefined) return unusable('FILE_COLUMN_MISSING', missing);
  if (body.length === 0) return unusable('FILE_EMPTY');
  if (body.length > mostRows) return unusable('FILE_ROWS');
  return ok({
    columns: found.filter((column) => column !== null),
    unknownColumns: header.cells.filter((heading, index) => found[index] === null && heading.trim() !== ''),
    separator,
    rows: body.map(({ line, cells }) => ({ line, cells: cells.length === found.length ? named(found, cells) : null })),
  });
}

function unusable(reason: Reason, field: string | null = null, line: number | null = null): Result<never, FileRefusal> {
  return refused({ reason, field, line });
}

/** UTF-8 only: a file in an old Vietnamese code page would come in as other names. */
function decode(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

function columnFinder<Column extends string>({ names }: Headings<Column>): (heading: string) => Column | null {
  const known = new Map<string, Column>();
  for (const column of Object.keys(names) as Column[]) {
    for (const name of [column, ...names[column]]) known.set(plain(name), column);
  }
  return (heading) => known.get(plain(heading)) ?? null;
}

/** `Họ và tên (*)`, `HO_VA_TEN` and `ho va ten` are one heading. */
function plain(heading: string): string {
  return fold(heading)
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

/** The one under which more headings make sense; a line without either is one column. */
function separatorOf(text: string, columnOf: (heading: string) => unknown): ',' | ';' {
  const end = text.search(/\r?\n|\r/);
  const line = end === -1 ? text : text.slice(0, end);
  const sense = (separator: string): number =>
    line.split(separator).filter((heading) => columnOf(heading.replaceAll('"', '')) !== null).length;
  return sense(';') > sense(',') ? ';' : ',';
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

function recordsOf(text: string, separator: string): Result<readonly CsvRecord[], FileRefusal> {
  try {
    const parsed = parse(text, {
      delimiter: separator,
      relax_column_count: true,
      // A quote inside a cell that does not begin with one is a sign like any other: `Thôn "Đông"`.
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      info: true,
    }) as unknown as readonly { readonly record: readonly string[]; readonly info: { readonly lines: number } }[];
    return ok(parsed.map(({ record, info }) => ({ line: info.lines - breaksIn(record), cells: record })));
  } catch (error) {
    if (error instanceof CsvError) return unusable('FILE_CSV', null, typeof error.lines === 'number' ? error.lines : null);
    throw error;
  }
}

/** A cell may hold line breaks; the parser counts to the line where the row ends. */
function breaksIn(cells: readonly string[]): number {
  return cells.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

/** Cells without blanks around them; empty ones are not stated. Exports put `'` before what a spreadsheet would run as a formula. */
function named<Column extends string>(
  columns: readonly (Column | null)[],
  cells: readonly string[],
): Partial<Record<Column, string>> {
  const row: Partial<Record<Column, string>> = {};
  for (const [index, column] of columns.entries()) {
    const cell = (cells[index] ?? '').replace(/^'(?=[=+\-@\t\r])/, '').trim();
    if (column !== null && cell !== '') row[column] = cell;
  }
  return row;
}
