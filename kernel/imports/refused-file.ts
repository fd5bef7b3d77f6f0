import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { byteOrderMark, cellOf, csvLine, sameCell } from '../csv-writer.ts';
import { catalogue } from '../errors/catalogue.ts';
import type { Importing } from './import-run.ts';

/** What stands behind the columns of the sender; a file that is mended and sent again brings them along, and they mean nothing. */
const ours = ['refused_reason', 'refused_remedy'];

export interface RefusedFileOptions {
  readonly of: 'state' | 'planned';
  readonly language: 'vi' | 'en';
}

/** The refused rows as they came, under the sender's own headings, with what is wrong and what to do; to be mended and sent again. */
export async function* refusedFile(
  importing: Importing,
  id: string,
  { of, language }: RefusedFileOptions,
): AsyncGenerator<string> {
  const { headings, separator } = await importing.file(id);
  const kept = headings.map((heading, place) => ({ heading, place })).filter(({ heading }) => !ours.includes(heading));
  yield (
    byteOrderMark +
    csvLine(
      [...kept.map(({ heading }) => sameCell(heading, separator)), ...ours.map((name) => cellOf(name, separator))],
      separator,
    )
  );
  for await (const { cells, problems } of importing.refused(id, of)) {
    const reasons = problems.map(({ field, reason }) => (field === null ? reason : `${field}: ${reason}`)).join(' | ');
    const remedies = problems
      .map(({ field, reason }) => (field === null ? catalogue[reason][language] : `${field}: ${catalogue[reason][language]}`))
      .join(' | ');
    // A row of more or fewer cells than the headings stays as it is, else nobody would find its mistake.
    const own = cells.length === headings.length ? kept.map(({ place }) => cells[place] ?? '') : cells;
    yield csvLine(
      [...own.map((cell) => sameCell(cell, separator)), cellOf(reasons, separator), cellOf(remedies, separator)],
      separator,
    );
  }
}

/** To a place of the operator's own choice, readable by him alone; how many rows it holds. */
export async function writeRefused(
  importing: Importing,
  id: string,
  { path, ...options }: RefusedFileOptions & { readonly path: string },
): Promise<number> {
  let lines = -1;
  const counted = async function* (): AsyncGenerator<string> {
    for await (const line of refusedFile(importing, id, options)) {
      lines += 1;
      yield line;
    }
  };
  await pipeline(Readable.from(counted()), createWriteStream(path, { mode: 0o600 }));
  return lines;
}
