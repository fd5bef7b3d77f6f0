import { CsvError, Parser, type Options } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { once } from 'node:events';
import { setImmediate as breath } from 'node:timers/promises';
import { refused, ok, type Result } from './result.ts';
import type { Reason } from './errors/catalogue.ts';
import { fold } from './domain/person-name.ts';

/*
 * Files that facilities send: CSV in UTF-8, with or without byte order mark, comma or semicolon, quoted after RFC 4180, columns in any
 * order under our names or those of the ministry's forms. Whatever makes the file as a whole unusable is told before anything is done;
 * what is wrong with one row is that row's own matter.
 */

export const mostRows = 100_000;
export const mostBytes = 20 * 2 ** 20;

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

/** A file as it stands, before anyone asked what its headings mean. */
export interface CsvFile {
  readonly separator: ',' | ';';
  readonly headings: readonly string[];
  /** Rows behind the headings, each cell as it was written. */
  readonly records: readonly CsvRecord[];
}

/** What each place of a row means: our column, or `null` for what means nothing here. */
export interface FileColumns<Column extends string> {
  readonly places: readonly (Column | null)[];
  readonly unknownColumns: readonly string[];
}

export function readCsv<Column extends string>(bytes: Uint8Array, headings: Headings<Column>): Result<CsvFile, FileRefusal> {
  if (bytes.length === 0) return unusable('FILE_EMPTY');
  if (bytes.length > mostBytes) return unusable('FILE_TOO_LARGE');
  if (isOtherType(bytes)) return unusable('FILE_TYPE');
  const text = decode(bytes);
  if (text === null) return unusable('FILE_ENCODING');
  return fileOf(text, headings, recordsOf(text, separatorOf(text, columnFinder(headings))));
}

/** The same for a process that others wait for: a file of any size is read in steps of some milliseconds. */
export async function readCsvInSteps<Column extends string>(
  bytes: Uint8Array,
  headings: Headings<Column>,
): Promise<Result<CsvFile, FileRefusal>> {
  // Whatever is refused by its first bytes or its size, and whatever is read in one step anyway.
  if (bytes.length < stepBytes || bytes.length > mostBytes || isOtherType(bytes)) return readCsv(bytes, headings);
  const text = await decodeInSteps(bytes);
  if (text === null) return unusable('FILE_ENCODING');
  return fileOf(text, headings, await recordsInSteps(text, separatorOf(text, columnFinder(headings))));
}

/** Bytes that are decoded, and characters that are parsed, before others have their turn on the event loop. */
const stepBytes = 32 * 1024;

function fileOf<Column extends string>(
  text: string,
  headings: Headings<Column>,
  parsed: Result<readonly CsvRecord[], FileRefusal>,
): Result<CsvFile, FileRefusal> {
  if (!/\S/.test(text)) return unusable('FILE_EMPTY');
  if (!parsed.ok) return parsed;
  const [header] = parsed.value;
  const records = parsed.value.slice(1);
  if (header === undefined || records.length === 0) return unusable('FILE_EMPTY');
  if (records.length > mostRows) return unusable('FILE_ROWS');
  return ok({ separator: separatorOf(text, columnFinder(headings)), headings: header.cells, records });
}

/** `mapping` says of a heading, as it stands in the file, what it means; without a column: nothing. It goes before our own names. */
export function columnsOf<Column extends string>(
  headings: Headings<Column>,
  found: readonly string[],
  mapping: ReadonlyMap<string, string | null> = new Map(),
): Result<FileColumns<Column>, FileRefusal> {
  const columnOf = columnFinder(headings);
  const columns = Object.keys(headings.names) as Column[];
  const stray = [...mapping.keys()].find((heading) => !found.includes(heading));
  if (stray !== undefined) return unusable('FILE_MAPPING', stray);
  const places: (Column | null)[] = [];
  for (const heading of found) {
    const meant = mapping.get(heading);
    const column = meant === undefined ? columnOf(heading) : (columns.find((known) => known === meant) ?? null);
    if (typeof meant === 'string' && column === null) return unusable('FILE_MAPPING', meant);
    places.push(column);
  }
  const twice = places.find((column, index) => column !== null && places.indexOf(column) !== index);
  if (twice !== undefined && twice !== null) return unusable('FILE_COLUMN_TWICE', twice);
  const missing = headings.required.find((column) => !places.includes(column));
  if (missing !== undefined) return unusable('FILE_COLUMN_MISSING', missing);
  return ok({ places, unknownColumns: found.filter((heading, index) => places[index] === null && heading.trim() !== '') });
}

/** The cells of one row by column; `null`: more or fewer than the headings, so nobody knows which cell is what. */
export function cellsOf<Column extends string>(
  places: readonly (Column | null)[],
  cells: readonly string[],
): TableRow<Column>['cells'] {
  return cells.length === places.length ? named(places, cells) : null;
}

export function readTable<Column extends string>(
  bytes: Uint8Array,
  headings: Headings<Column>,
): Result<Table<Column>, FileRefusal> {
  const file = readCsv(bytes, headings);
  if (!file.ok) return file;
  const { separator, records } = file.value;
  const columns = columnsOf(headings, file.value.headings);
  if (!columns.ok) return columns;
  const { places, unknownColumns } = columns.value;
  return ok({
    columns: places.filter((column) => column !== null),
    unknownColumns,
    separator,
    rows: records.map(({ line, cells }) => ({ line, cells: cellsOf(places, cells) })),
  });
}

/** Archives and spreadsheets (zip, gzip), PDF, pictures, old Office files: by their first bytes, whatever the name says. */
function isOtherType(bytes: Uint8Array): boolean {
  const begins = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  return ['504b0304', '504b0506', '1f8b', '25504446', '89504e47', 'ffd8ff', 'd0cf11e0', '377abcaf', '52617221', '425a68'].some(
    (sign) => begins.startsWith(sign),
  );
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

async function decodeInSteps(bytes: Uint8Array): Promise<string | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for (let from = 0; from < bytes.length; from += stepBytes) {
      text += decoder.decode(bytes.subarray(from, from + stepBytes), { stream: true });
      await breath();
    }
    text += decoder.decode();
  } catch {
    return null;
  }
  return text.includes('\0') ? null : text;
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

export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

function recordsOf(text: string, separator: string): Result<readonly CsvRecord[], FileRefusal> {
  try {
    return ok((parse(text, reading(separator)) as unknown as readonly Parsed[]).map(recordOf));
  } catch (error) {
    return unreadable(error);
  }
}

async function recordsInSteps(text: string, separator: string): Promise<Result<readonly CsvRecord[], FileRefusal>> {
  const records: CsvRecord[] = [];
  const parser = new Parser(reading(separator));
  parser.on('data', (parsed: Parsed) => void records.push(recordOf(parsed)));
  const ended = once(parser, 'end');
  try {
    for (let from = 0; from < text.length && records.length <= mostRows + 1; from += stepBytes) {
      parser.write(text.slice(from, from + stepBytes));
      // An error of the parser is thrown by what awaits its end.
      await Promise.race([breath(), ended]);
    }
    parser.end();
    await ended;
    return ok(records);
  } catch (error) {
    parser.destroy();
    return unreadable(error);
  }
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function reading(delimiter: string): Options {
  return {
    delimiter,
    relax_column_count: true,
    // A quote inside a cell that does not begin with one is a sign like any other: `Thôn "Đông"`.
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
    info: true,
  };
}

function recordOf({ record, info }: Parsed): CsvRecord {
  return { line: info.lines - breaksIn(record), cells: record };
}

function unreadable(error: unknown): Result<never, FileRefusal> {
  if (error instanceof CsvError) return unusable('FILE_CSV', null, typeof error.lines === 'number' ? error.lines : null);
  throw error;
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
    const cell = (cells[index] ?? '').trim().replace(/^'(?='*[=+\-@\t\r])/, '');
    if (column !== null && cell !== '') row[column] = cell;
  }
  return row;
}
