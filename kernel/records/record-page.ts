import { countLimit, encodeCursor, type PageInfo } from '../page.ts';

export interface Count {
  readonly total: number;
  /** `total` is a lower bound. */
  readonly isEstimate: boolean;
}

/** A count that stopped at one more than the limit. */
export function countFrom(counted: number, cut = false): Count {
  return { total: Math.min(counted, countLimit), isEstimate: cut || counted > countLimit };
}

/**
 * One page of a connection by id. Most questions read nothing but `nodes`: cursors are made when asked for. The count is asked of
 * the database only then, once per page; as a promise it needs a resolver of its own.
 */
export class RecordPage<Row extends { readonly id: string }> {
  readonly nodes: readonly Row[];
  readonly #hasNext: boolean;
  readonly #hasPrevious: boolean;
  readonly #binding: () => string;
  readonly #seenTo: string | null;
  readonly #ask: () => Promise<Count>;
  #count: Promise<Count> | null = null;

  /**
   * `rows` holds one more than `first` where there is a next page. `seenTo`: the search stopped at this id before the page was
   * full; there may be more behind it.
   */
  constructor(
    rows: readonly Row[],
    page: {
      readonly first: number;
      readonly after: string | null;
      readonly binding: () => string;
      readonly seenTo?: string | null;
    },
    count: () => Promise<Count>,
  ) {
    const full = rows.length > page.first;
    this.nodes = full ? rows.slice(0, page.first) : rows;
    this.#seenTo = full ? null : (page.seenTo ?? null);
    this.#hasNext = full || this.#seenTo !== null;
    this.#hasPrevious = page.after !== null;
    this.#binding = page.binding;
    this.#ask = count;
  }

  get edges(): readonly { readonly cursor: string; readonly node: Row }[] {
    const binding = this.#binding();
    return this.nodes.map((node) => ({ cursor: encodeCursor(binding, [node.id]), node }));
  }

  get pageInfo(): PageInfo {
    const first = this.nodes[0];
    const last = this.#seenTo ?? this.nodes.at(-1)?.id;
    return {
      hasNextPage: this.#hasNext,
      hasPreviousPage: this.#hasPrevious,
      startCursor: first === undefined ? null : this.#cursor(first.id),
      endCursor: last === undefined ? null : this.#cursor(last),
    };
  }

  count(): Promise<Count> {
    this.#count ??= this.#ask();
    return this.#count;
  }

  #cursor(id: string): string {
    return encodeCursor(this.#binding(), [id]);
  }
}

/** Resolvers of a connection type's counts. */
export const countResolvers = {
  totalCount: async (page: { count(): Promise<Count> }): Promise<number> => (await page.count()).total,
  totalCountIsEstimate: async (page: { count(): Promise<Count> }): Promise<boolean> => (await page.count()).isEstimate,
};
