import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { countLimit } from '#kernel/page.ts';
import { candidateLimit, type Place } from './citizen-filter.ts';
import {
  accessesFor,
  countStatement,
  coveredBy,
  densePage,
  probe,
  sparsePage,
  walkedBy,
  windowEnd,
  type Access,
  type ListQuestion,
} from './citizen-list.ts';
import type { CitizenRow } from './citizen-reads.ts';

/*
 * How a filtered list of citizens is found behind the row policy: by the index with the fewest candidates where there are few, else along
 * the order of the list, window by window.
 */

export interface Count {
  readonly total: number;
  readonly isEstimate: boolean;
}

export type ListedRow = CitizenRow & { readonly sort?: string | null };

/** `cutAt`: the list goes on behind this place, although the page is not full. */
export interface Listed {
  readonly rows: readonly ListedRow[];
  readonly cutAt: Place | null;
}

/** Windows of a walk that one page looks through before it says "nothing yet, go on from here". */
const windows = 20;

/** A row of a sparse page; without hits there is one that says only how many candidates there were. */
type CandidateRow = { readonly candidates: number } & (ListedRow | { readonly id: null });
type Counts = Readonly<Partial<Record<Access, number>>>;

/** One question in one scope; what is learnt of the candidates for its page serves its sum too. */
export class CitizenSearch {
  readonly #door: ReadDoor;
  readonly #question: ListQuestion;
  readonly #scope: RowScope;
  readonly #accesses: readonly Access[];
  #counts: Promise<Counts> | null = null;

  constructor(door: ReadDoor, question: ListQuestion, scope: RowScope) {
    this.#door = door;
    this.#question = question;
    this.#scope = scope;
    this.#accesses = accessesFor(question);
  }

  async page(place: Pick<ListQuestion, 'after' | 'limit'> = this.#question): Promise<Listed> {
    const question = { ...this.#question, after: place.after, limit: place.limit };
    const best = await this.#best(this.#accesses.filter((tried) => !walkedBy(question, tried)));
    if (best !== null && best.atLeast <= candidateLimit) {
      const { name, text, values } = sparsePage(question, best.access);
      const rows = await this.#door.rows<CandidateRow>(name, text, this.#scope, values);
      if ((rows[0]?.candidates ?? 0) <= candidateLimit) return { rows: rows.filter(isHit), cutAt: null };
    }
    // A page may be short, but it is not empty while there is anything within reach.
    let from: ListQuestion = question;
    for (let window = 1; ; window += 1) {
      const { name, text, values } = densePage(from);
      const rows = await this.#door.rows<ListedRow>(name, text, this.#scope, values);
      if (rows.length >= question.limit || question.walk === 'units') return { rows, cutAt: null };
      const end = windowEnd(from);
      const [last] = await this.#door.rows<Place>(end.name, end.text, this.#scope, end.values);
      if (last === undefined) return { rows, cutAt: null };
      if (rows.length > 0 || window === windows) return { rows, cutAt: last };
      from = { ...question, after: last };
    }
  }

  async count(): Promise<Count> {
    const question = this.#question;
    const access = (await this.#best(this.#accesses))?.access ?? null;
    const { name, text, values } = countStatement({ ...question, after: null }, access);
    const [row] = await this.#door.rows<{ readonly looked: number; readonly found: number }>(name, text, this.#scope, values);
    const { looked, found } = row ?? { looked: 0, found: 0 };
    const isEstimate = looked > candidateLimit;
    const all = isEstimate && access !== null && coveredBy(question, access);
    return { total: all ? countLimit : Math.min(found, countLimit), isEstimate };
  }

  /** The access with the fewest candidates. A single one is tried without asking how many it has; several are counted once. */
  async #best(tried: readonly Access[]): Promise<{ readonly access: Access; readonly atLeast: number } | null> {
    const [only] = tried;
    if (only === undefined) return null;
    if (this.#accesses.length === 1) return { access: only, atLeast: 0 };
    this.#counts ??= this.#count();
    const counts = await this.#counts;
    const found = (access: Access): number => counts[access] ?? Infinity;
    const best = tried.reduce((one, other) => (found(other) < found(one) ? other : one));
    return { access: best, atLeast: found(best) };
  }

  async #count(): Promise<Counts> {
    const { name, text, values } = probe(this.#question, this.#accesses);
    return (await this.#door.rows<Counts>(name, text, this.#scope, values))[0] ?? {};
  }
}

function isHit(row: CandidateRow): row is { readonly candidates: number } & ListedRow {
  return row.id !== null;
}
