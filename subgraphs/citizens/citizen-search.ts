import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { countLimit } from '#kernel/page.ts';
import { candidateLimit, type Place } from './citizen-filter.ts';
import { accessesFor, countStatement, coveredBy, densePage, keyedPage, probe, sparsePage, walkedBy } from './citizen-list.ts';
import type { CitizenRow } from './citizen-reads.ts';
import type { Access, ListQuestion, Statement } from './list-question.ts';

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

/** Candidates that are opened before a walk is tried. */
const few = 4_000;

/** People who have a word that is rare: all of them are looked at for the other words. */
const rare = 3_000;

/** Rows of a walk: of the first, which finds most pages; of each further one. */
const nearWindow = 2_500;
const farWindow = candidateLimit;

/** Rows of a unit that are looked through at least, however many units there are. */
const leastShare = 150;

/** Windows of a walk that one page looks through before it says "nothing yet, go on from here". */
const windows = 20;

/** A row of a sparse page; without hits there is one that says only how many candidates there were. */
type CandidateRow = { readonly candidates: number; readonly goesOn?: boolean } & (ListedRow | { readonly id: null });
type WalkedRow = ListedRow & { readonly fits: boolean; readonly cut: boolean };
type Counts = Readonly<Partial<Record<Access, number>>>;
interface Best {
  readonly access: Access;
  readonly atLeast: number;
}

/** A question as it is answered, and which accesses may find its candidates. */
interface Settled {
  readonly question: ListQuestion;
  readonly accesses: readonly Access[];
}

/** One question in one scope; what is learnt of the candidates for its page serves its sum too. */
export class CitizenSearch {
  readonly #door: ReadDoor;
  readonly #question: ListQuestion;
  readonly #scope: RowScope;
  readonly #counts = new Map<string, Promise<Counts>>();

  constructor(door: ReadDoor, question: ListQuestion, scope: RowScope) {
    this.#door = door;
    this.#question = question;
    this.#scope = scope;
  }

  async page(place: Pick<ListQuestion, 'after' | 'limit'> = this.#question): Promise<Listed> {
    const settled = await this.#settled();
    const question = { ...settled.question, after: place.after, limit: place.limit };
    const tried = settled.accesses.filter((access) => !walkedBy(question, access));
    const at = await this.#atOnce(question, tried, settled);
    if (at !== null) return { rows: at, cutAt: null };
    const near = await this.#walked(question, nearWindow);
    if (isFull(near, question)) return near;
    const byFew = await this.#fewFound(question, tried);
    if (byFew !== null) return { rows: byFew, cutAt: null };
    // A walk that has found a quarter of the page in a fifth of the way is likely to find the rest; the keys may tell that they are too many.
    const promising = near.rows.length * 4 >= question.limit;
    const byName = promising ? null : await this.#named(question, tried);
    if (byName !== null) return { rows: byName, cutAt: null };
    // A page may be short, but it is not empty while there is anything within reach.
    let walked = near;
    for (let window = 1; ; window += 1) {
      const from = { ...question, after: walked.cutAt, limit: question.limit - walked.rows.length };
      const next = await this.#walked(from, farWindow);
      walked = { rows: [...walked.rows, ...next.rows], cutAt: next.cutAt };
      if (isFull(walked, question)) return walked;
      if (window === 1) {
        const names = promising ? await this.#named(question, tried) : null;
        if (names !== null) return { rows: names, cutAt: null };
        const byAny = await this.#opened(question, await this.#best(question, tried, candidateLimit), candidateLimit);
        if (byAny !== null) return { rows: byAny, cutAt: null };
      }
      if (walked.rows.length > 0 || window === windows) return walked;
    }
  }

  /**
   * Several words may have others between them where one of their first and last is rare enough to look at everybody who has it; else they
   * are neighbours, which are found by one range. What is settled depends on words and scope alone, so that all pages and the sum agree.
   */
  async #settled(): Promise<Settled> {
    const question = this.#question;
    const accesses = accessesFor(question);
    const sure = accesses.filter(isSure);
    if (sure.length > 0) return { question, accesses: sure };
    const { text } = question.filter;
    if (text?.kind !== 'name' || text.words.length === 1) return { question, accesses };
    const best = await this.#best(question, accesses.filter(isName), rare);
    if (best !== null && best.atLeast <= rare)
      return { question, accesses: [best.access, ...accesses.filter((access) => !isName(access))] };
    const neighbours: ListQuestion = {
      ...question,
      filter: { ...question.filter, text: { kind: 'name', words: [text.words.join(' ')] } },
    };
    return { question: neighbours, accesses: accessesFor(neighbours) };
  }

  /** The page by an access that is known to find no more than may be looked at. */
  async #atOnce(question: ListQuestion, tried: readonly Access[], { accesses }: Settled): Promise<readonly ListedRow[] | null> {
    const [only] = tried;
    if (only !== undefined && isSure(only)) return this.#opened(question, { access: only, atLeast: 0 }, candidateLimit);
    const { text } = question.filter;
    if (text?.kind === 'name') return text.words.length > 1 ? this.#named(question, tried) : null;
    return accesses.length > 1 || only === undefined ? null : this.#opened(question, { access: only, atLeast: 0 }, few);
  }

  /** The page where one access finds few people; those of a name are not even opened, unless it is asked when they were changed. */
  async #fewFound(question: ListQuestion, tried: readonly Access[]): Promise<readonly ListedRow[] | null> {
    // The keys of names say themselves when they are too many; what stands alone has been tried.
    if (tried.every(isName) && question.order.by !== 'updatedAt') return null;
    if (tried.length === 1 && !tried.every(isName)) return null;
    const best = await this.#best(question, tried, few);
    if (best === null || best.atLeast > few) return null;
    return (await this.#named(question, [best.access])) ?? (await this.#opened(question, best, few));
  }

  /** The page among what the best access found; `null`: there are more than `most`, or there is no access. */
  async #opened(question: ListQuestion, best: Best | null, most: number): Promise<readonly ListedRow[] | null> {
    if (best === null || best.atLeast > most) return null;
    return this.#among(sparsePage(question, best.access, most), most, question.limit);
  }

  /** The page as the keys of names tell it; `null`: they find too many, or nobody is sought by name or nothing sorted by what they know. */
  async #named(question: ListQuestion, tried: readonly Access[]): Promise<readonly ListedRow[] | null> {
    if (question.order.by === 'updatedAt') return null;
    for (const access of tried) {
      if (!isName(access)) continue;
      const rows = await this.#among(keyedPage(question, access), candidateLimit, question.limit);
      if (rows !== null) return rows;
    }
    return null;
  }

  async #among({ name, text, values }: Statement, most: number, limit: number): Promise<readonly ListedRow[] | null> {
    const rows = await this.#door.rows<CandidateRow>(name, text, this.#scope, values);
    const hits = rows.filter(isHit);
    const { candidates, goesOn = false } = rows[0] ?? { candidates: 0 };
    return candidates > most || (goesOn && hits.length < limit) ? null : hits;
  }

  /** One window along the order: what is certain in it, and where it ended if the list goes on behind. */
  async #walked(from: ListQuestion, window: number): Promise<Listed> {
    const share = Math.max(leastShare, Math.floor(window / Math.max(1, this.#scope.unitCount)));
    const { name, text, values } = densePage(from, window, share);
    const rows = await this.#door.rows<WalkedRow>(name, text, this.#scope, values);
    const cut = rows.findIndex((row) => row.cut);
    const last = rows[cut];
    if (last === undefined) return { rows, cutAt: null };
    return { rows: rows.slice(0, cut + 1).filter(({ fits }) => fits), cutAt: { id: last.id, sort: last.sort ?? null } };
  }

  async count(): Promise<Count> {
    const { question, accesses } = await this.#settled();
    const access = (await this.#best(question, accesses, candidateLimit))?.access ?? null;
    const { name, text, values } = countStatement({ ...question, after: null }, access);
    const [row] = await this.#door.rows<{ readonly looked: number; readonly found: number }>(name, text, this.#scope, values);
    const { looked, found } = row ?? { looked: 0, found: 0 };
    const isEstimate = looked > candidateLimit;
    const all = isEstimate && access !== null && coveredBy(question, access);
    return { total: all ? countLimit : Math.min(found, countLimit), isEstimate };
  }

  /**
   * The access with the fewest candidates, counted up to one beyond `most`. A single one is tried without asking how many it has; several
   * are counted once.
   */
  async #best(question: ListQuestion, tried: readonly Access[], most: number): Promise<Best | null> {
    const [only] = tried;
    if (only === undefined) return null;
    if (tried.length === 1) return { access: only, atLeast: 0 };
    const key = `${String(most)} ${tried.join(' ')}`;
    const asked = this.#counts.get(key) ?? this.#count(question, tried, most);
    this.#counts.set(key, asked);
    const counts = await asked;
    const found = (access: Access): number => counts[access] ?? Infinity;
    const best = tried.reduce((one, other) => (found(other) < found(one) ? other : one));
    return { access: best, atLeast: found(best) };
  }

  async #count(question: ListQuestion, tried: readonly Access[], most: number): Promise<Counts> {
    const { name, text, values } = probe(question, tried, most);
    return (await this.#door.rows<Counts>(name, text, this.#scope, values))[0] ?? {};
  }
}

/** One person, or the holders of one number: never too many to be opened, and no walk knows a number. */
function isSure(access: Access): boolean {
  return access === 'basis' || access === 'number';
}

function isName(access: Access): access is 'name' | 'first' {
  return access === 'name' || access === 'first';
}

function isFull({ rows, cutAt }: Listed, { limit }: ListQuestion): boolean {
  return cutAt === null || rows.length >= limit;
}

function isHit(row: CandidateRow): row is CandidateRow & ListedRow {
  return row.id !== null;
}
