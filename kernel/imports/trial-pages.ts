import type { WaitingRow } from './staging.ts';

/** A row with what it can be about; rows of one key are tried together. */
export interface KeyedRow {
  readonly key: string;
  readonly row: WaitingRow;
}

/** Pages of a dry run: at least `size` rows each, but the last, and never cut within one key. Rows of a key stay in the order of the file. */
export function* trialPages(rows: readonly KeyedRow[], size: number): Generator<readonly WaitingRow[]> {
  const keyed = [...rows].sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  let page: WaitingRow[] = [];
  for (const [index, { key, row }] of keyed.entries()) {
    if (page.length >= size && keyed[index - 1]?.key !== key) {
      yield page;
      page = [];
    }
    page.push(row);
  }
  if (page.length > 0) yield page;
}
