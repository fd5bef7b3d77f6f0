import { countFrom, type Count } from '#kernel/records/record-page.ts';
import { encodeCursor, type CursorBinding, type PageInfo } from '#kernel/page.ts';
import type { PageArguments } from '#kernel/records/records.ts';

/** What a caller asks of a list, and how its cursors are bound. */
export interface BoundPage extends PageArguments {
  readonly cursors: CursorBinding;
  /** Where only the sums are asked, told of each: the question's binding, and the number. */
  readonly counted?: (binding: string, count: Count) => void;
}

/** Ids between which all others lie: where a list begins and ends. */
export const lowestId = '00000000-0000-0000-0000-000000000000';
export const highestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface KeysetRow {
  readonly id: string;
  /** What the list is ordered by, as the cursor carries it; the id itself is its last part. */
  readonly key: readonly string[];
}

/**
 * One page of a list that begins with the latest. Edges and the count are made only when they are asked for; the count as a promise
 * needs a resolver of its own (`countResolvers`).
 */
export class LatestPage<Row extends KeysetRow> {
  readonly nodes: readonly Row[];
  readonly pageInfo: PageInfo;
  readonly #binding: string;
  readonly #ask: () => Promise<Count>;
  #count: Promise<Count> | null = null;

  /**
   * `rows` holds one more than `first` where there is a next page. `seenTo`: the search stopped at this key before the page was
   * full; there may be more behind it.
   */
  constructor(
    rows: readonly Row[],
    page: {
      readonly first: number;
      readonly continued: boolean;
      readonly binding: string;
      readonly seenTo: readonly string[] | null;
    },
    count: () => Promise<Count>,
    counted?: BoundPage['counted'],
  ) {
    const full = rows.length > page.first;
    this.nodes = full ? rows.slice(0, page.first) : rows;
    this.#binding = page.binding;
    this.#ask = async () => {
      const found = await count();
      counted?.(page.binding, found);
      return found;
    };
    const seenTo = full ? null : page.seenTo;
    const last = seenTo ?? this.nodes.at(-1)?.key ?? null;
    const [first] = this.nodes;
    this.pageInfo = {
      hasNextPage: full || seenTo !== null,
      hasPreviousPage: page.continued,
      startCursor: first === undefined ? null : encodeCursor(this.#binding, first.key),
      endCursor: last === null ? null : encodeCursor(this.#binding, last),
    };
  }

  get edges(): readonly { readonly cursor: string; readonly node: Row }[] {
    return this.nodes.map((node) => ({ cursor: encodeCursor(this.#binding, node.key), node }));
  }

  count(): Promise<Count> {
    this.#count ??= this.#ask();
    return this.#count;
  }
}

/** A list of which nothing can be in it. */
export function emptyPage(binding: string): LatestPage<never> {
  return new LatestPage<never>([], { first: 1, continued: false, binding, seenTo: null }, () => Promise.resolve(countFrom(0)));
}
