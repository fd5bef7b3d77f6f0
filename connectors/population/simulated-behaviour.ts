import { z } from 'zod';

/*
 * How the simulated population database misbehaves, and what it remembers of the calls. Which calls are hit is drawn from a seed, so that
 * a fault plan gives the same faults again.
 */

export const behaviourSchema = z.strictObject({
  mode: z
    .enum(['well', 'slow', 'silent', 'status', 'garbage', 'twice', 'out-of-order', 'foreign', 'moved', 'dead'])
    .default('well'),
  /** Before each answer, milliseconds; of `slow` the time it takes instead. */
  delay: z.int().min(0).max(600_000).default(0),
  slowDelay: z.int().min(0).max(600_000).default(30_000),
  /** Share of the calls that are hit. */
  share: z.number().min(0).max(1).default(1),
  /** So many calls are hit, then all is well; 0: no end. */
  count: z.int().min(0).default(0),
  seed: z.int().min(0).default(1),
  status: z.int().min(400).max(599).default(500),
  /** Seconds; 0: no header. */
  retryAfter: z.int().min(0).default(0),
  garbage: z.enum(['html', 'truncated', 'null', 'wrong-type', 'utf8', 'huge', 'doctype', 'empty']).default('html'),
  /** Where `moved` sends the caller. */
  location: z.string().default('http://127.0.0.1:1/'),
  /** Calls in one second above this get 429; 0: no limit. */
  callsPerSecond: z.int().min(0).default(0),
});
export type Behaviour = z.output<typeof behaviourSchema>;
export const wellBehaved: Behaviour = behaviourSchema.parse({});

/** One call as the other side saw it: never a number or name of a person. */
export interface CallNote {
  /** Milliseconds since the simulator began. */
  readonly at: number;
  readonly operation: string;
  /** MaYeuCau. */
  readonly requestId: string;
  readonly officer: string;
  readonly unit: string;
  readonly procedure: string;
  /** What was done with it. */
  readonly outcome: string;
}

export interface CallLog {
  /** Written down when the call arrives; what is done with it is told to the function that comes back. */
  note(note: Omit<CallNote, 'at'>): (outcome: string) => void;
  calls(): readonly CallNote[];
  clear(): void;
}

/** The newest are kept. */
const mostNotes = 200_000;

export function callLog(): CallLog {
  let notes: (CallNote & { outcome: string })[] = [];
  const began = performance.now();
  return {
    note(note) {
      if (notes.length >= 2 * mostNotes) notes = notes.slice(-mostNotes);
      const kept = { at: performance.now() - began, ...note };
      notes.push(kept);
      return (outcome) => void (kept.outcome = outcome);
    },
    calls: () => notes,
    clear() {
      notes = [];
    },
  };
}

/** Most calls that came within any one second. */
export function busiestSecond(calls: readonly { readonly at: number }[]): number {
  let most = 0;
  let from = 0;
  calls.forEach(({ at }, index) => {
    while ((calls[from]?.at ?? at) <= at - 1_000) from += 1;
    most = Math.max(most, index - from + 1);
  });
  return most;
}
