import { SystemBusy, SystemRefused, type Asker, type PopulationDatabase } from '#connectors/population/index.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Transaction } from '#kernel/db/database.ts';
import { comparedFields, statementOf } from './matching.ts';
import { coordinateOf, noteAudit, writeAnswers, type Answered, type PageEffect } from './reconcile-page.ts';
import { askedOf, type AskedCitizen, type DueRange } from './reconcile-reads.ts';

/*
 * Comparison of citizens with the population database, a page at a time.
 *
 * At least once. What was answered is committed together with the mark of its page; after a crash the page is asked again, but for those
 * whose answer is in, under the same names of its questions. The same answer twice changes nothing, an older one neither. Identity is
 * never overwritten: a difference becomes work for an operator. Numbers and answers are never logged.
 */

/** Whom the answers are for, and where they are written. */
export interface Reconciling {
  readonly population: PopulationDatabase;
  readonly asker: Asker;
  readonly caller: Caller;
  readonly units: string;
  readonly run: string;
  /** Questions under way at once. */
  readonly atOnce: number;
  /** A citizen is due after so many days. */
  readonly afterDays: number;
  readonly signal: AbortSignal;
  transaction<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface AskedPage {
  /** When the citizens were read: by the database's clock, and by this process's own that nobody sets. */
  readonly now: Date;
  readonly readAt: number;
  readonly asked: number;
  readonly answered: readonly Answered[];
  /** Who was not answered, since the system is busy; and how long it wants to be left alone, in milliseconds. */
  readonly busy: readonly string[];
  readonly retryAfter: number | null;
  /** Who was not answered, since it refuses. */
  readonly refused: readonly string[];
  /** It refuses everybody: rights, address or certificate are wrong. */
  readonly refusedAll: SystemRefused['kind'] | null;
}

/** Reads a page and asks about everybody in it; that their data go out is written down before they do. */
export async function askPage(of: Reconciling, range: DueRange): Promise<AskedPage> {
  const { now, citizens } = await of.transaction(async (tx) => {
    const page = await askedOf(tx, { units: of.units, range, days: of.afterDays, run: of.run });
    await noteAudit(
      tx,
      of,
      'citizen.asked',
      page.citizens.map(({ id }) => id),
      comparedFields.map(coordinateOf),
    );
    return page;
  });
  const readAt = performance.now();
  const answered: Answered[] = [];
  const busy: string[] = [];
  const refused: string[] = [];
  let retryAfter: number | null = null;
  let refusedAll: SystemRefused['kind'] | null = null;
  /** Set when nobody is to be asked any more: the rest gets the same outcome unasked. */
  let over: 'busy' | 'refused' | null = null;
  const waiting = [...citizens];

  const ask = async (citizen: AskedCitizen): Promise<void> => {
    try {
      const answer = await of.population.ask({
        person: statementOf(citizen.sheet),
        asker: of.asker,
        // A new version of ours is another question.
        key: `${of.run} ${citizen.id} ${String(citizen.version)}`,
        signal: of.signal,
      });
      answered.push({ citizen, answer });
    } catch (error) {
      if (error instanceof SystemBusy) {
        busy.push(citizen.id);
        retryAfter = error.retryAfter === null ? retryAfter : Math.max(retryAfter ?? 0, error.retryAfter);
        if (error.kind === 'held' || error.kind === 'breaker' || error.retryAfter !== null) over ??= 'busy';
      } else if (error instanceof SystemRefused) {
        refused.push(citizen.id);
        if (error.kind !== 'request') {
          refusedAll = error.kind;
          over ??= 'refused';
        }
      } else throw error;
    }
  };
  const lane = async (): Promise<void> => {
    for (let citizen = waiting.shift(); citizen !== undefined; citizen = waiting.shift()) {
      of.signal.throwIfAborted();
      if (over === null) await ask(citizen);
      else (over === 'busy' ? busy : refused).push(citizen.id);
    }
  };
  await Promise.all(Array.from({ length: of.atOnce }, lane));
  return { now, readAt, asked: citizens.length, answered, busy, retryAfter, refused, refusedAll };
}

/** Writes what came of a page, in the transaction of the caller. */
export function writePage(tx: Transaction, of: Reconciling, page: AskedPage): Promise<PageEffect> {
  const latest = new Date(page.now.getTime() + performance.now() - page.readAt);
  return writeAnswers(tx, { run: of.run, caller: of.caller, units: of.units, now: page.now, latest }, page.answered);
}
