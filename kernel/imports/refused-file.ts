import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { byteOrderMark, cellOf, csvLine, sameCell } from '../csv-writer.ts';
import { catalogue } from '../errors/catalogue.ts';
import type { Importing } from './import-run.ts';
import type { RefusedRow } from './staging.ts';

/** What stands behind the columns of the sender; a file that is mended and sent again brings them along, and they mean nothing. */
const ours = ['refused_line', 'refused_field', 'refused_reason', 'refused_remedy'];

/** A file as it was sent. */
export interface SentFile {
  readonly headings: readonly string[];
  readonly separator: ',' | ';';
}

/**
 * The refused rows as they came, under the sender's own headings; behind them where the row began, which columns are wrong, why, and what to
 * do. To be mended and sent again.
 */
export async function* refusedCsv(
  { headings, separator }: SentFile,
  rows: AsyncIterable<RefusedRow>,
  language: 'vi' | 'en',
): AsyncGenerator<string> {
  const kept = headings.map((heading, place) => ({ heading, place })).filter(({ heading }) => !ours.includes(heading));
  const cell = (text: string): string => cellOf(text, separator);
  yield byteOrderMark + csvLine([...kept.map(({ heading }) => sameCell(heading, separator)), ...ours.map(cell)], separator);
  for await (const { line, cells, problems } of rows) {
    const fields = problems.map(({ field }) => field).filter((field) => field !== null);
    const remedies = problems.map(({ field, reason }) =>
      field === null ? catalogue[reason][language] : `${field}: ${catalogue[reason][language]}`,
    );
    // A row of more or fewer cells than the headings stays as it is, else nobody would find its mistake.
    const own = cells.length === headings.length ? kept.map(({ place }) => cells[place] ?? '') : cells;
    const told = [String(line), fields.join(' | '), problems.map(({ reason }) => reason).join(' | '), remedies.join(' | ')];
    yield csvLine([...own.map((text) => sameCell(text, separator)), ...told.map(cell)], separator);
  }
}

export interface RefusedFileOptions {
  readonly path: string;
  readonly of: 'state' | 'planned';
  readonly language: 'vi' | 'en';
}

/** To a place of the operator's own choice, readable by him alone; how many rows it holds. */
export async function writeRefused(
  importing: Importing,
  id: string,
  { path, of, language }: RefusedFileOptions,
): Promise<number> {
  const file = await importing.file(id);
  let lines = -1;
  const counted = async function* (): AsyncGenerator<string> {
    for await (const line of refusedCsv(file, importing.refused(id, of), language)) {
      lines += 1;
      yield line;
    }
  };
  await pipeline(Readable.from(counted()), createWriteStream(path, { mode: 0o600 }));
  return lines;
}
