/*
 * What writers tried, what was acknowledged to them, and what is there in the end, compared as Jepsen does. An effect is named by the mark that
 * its writer put into it; one attempt is one key, however often it was sent.
 */

interface Attempt {
  acknowledged: boolean;
  /** Answers to it, in the order they came: of one key all must be equal. */
  readonly answers: Set<string>;
}

export interface Verdict {
  readonly attempted: number;
  readonly acknowledged: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** There more often than tried. */
  readonly doubled: readonly string[];
  /** There, and never tried. */
  readonly unexpected: readonly string[];
  /** One key, and answers that differ. */
  readonly contradicted: readonly string[];
  /** There although nobody was told: allowed. */
  readonly recovered: number;
  readonly valid: boolean;
}

export class Ledger {
  readonly #attempts = new Map<string, Attempt>();

  /** Before it is sent for the first time. */
  attempted(mark: string): void {
    if (this.#attempts.has(mark)) throw new Error('A mark stands for one attempt.');
    this.#attempts.set(mark, { acknowledged: false, answers: new Set() });
  }

  acknowledged(mark: string, answer = ''): void {
    const attempt = this.#attempts.get(mark);
    if (attempt === undefined) throw new Error('Acknowledged without an attempt.');
    attempt.acknowledged = true;
    attempt.answers.add(answer);
  }

  get size(): number {
    return this.#attempts.size;
  }

  get acknowledgements(): number {
    return [...this.#attempts.values()].filter(({ acknowledged }) => acknowledged).length;
  }

  /** `effects`: the mark of each effect that is there, once per effect, after everything under way has ended. */
  judge(effects: readonly string[]): Verdict {
    const found = new Map<string, number>();
    for (const mark of effects) found.set(mark, (found.get(mark) ?? 0) + 1);
    const attempts = [...this.#attempts];
    const lost = attempts.filter(([mark, { acknowledged }]) => acknowledged && !found.has(mark)).map(([mark]) => mark);
    const contradicted = attempts.filter(([, { answers }]) => answers.size > 1).map(([mark]) => mark);
    const unexpected = [...found.keys()].filter((mark) => !this.#attempts.has(mark));
    const doubled = [...found].filter(([mark, times]) => times > 1 && this.#attempts.has(mark)).map(([mark]) => mark);
    return {
      attempted: attempts.length,
      acknowledged: this.acknowledgements,
      lost,
      doubled,
      unexpected,
      contradicted,
      recovered: attempts.filter(([mark, { acknowledged }]) => !acknowledged && found.has(mark)).length,
      valid: [lost, doubled, unexpected, contradicted].every(({ length }) => length === 0),
    };
  }
}
