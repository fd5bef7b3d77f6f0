/*
 * What is being typed into a form, apart from how it is drawn. Values are texts as they stand in the fields; empty = not stated.
 * Where a draft waits until it is saved or thrown away: draft-store.ts.
 */

export type Values = Readonly<Record<string, string>>;

interface Attempt {
  readonly input: string;
  readonly key: string;
}

export interface Draft {
  /** The version of the record that was read; null for a new record. */
  readonly version: number | null;
  /** As it was read, numbers masked. */
  readonly base: Values;
  /** What a stated purpose showed in clear, over `base`. */
  readonly clear: Values;
  /** What was typed. */
  readonly mine: Values;
  /** Sent without a known outcome: the same input goes out again under the same key, so that it happens once. */
  readonly attempt: Attempt | null;
  /** When the last letter was typed, milliseconds. */
  readonly at: number;
}

export function freshDraft(version: number | null, base: Values): Draft {
  return { version, base, clear: {}, mine: {}, attempt: null, at: 0 };
}

function before({ base, clear }: Draft, key: string): string {
  return clear[key] ?? base[key] ?? '';
}

/** What stands in the field now. */
export function valueIn(draft: Draft, key: string): string {
  return draft.mine[key] ?? before(draft, key);
}

export function changedKeys(draft: Draft): readonly string[] {
  return Object.keys(draft.mine).filter((key) => draft.mine[key]?.trim() !== before(draft, key));
}

/** What the field held before it was typed into; null where it is as it was. */
export function valueBefore(draft: Draft, key: string): string | null {
  return changedKeys(draft).includes(key) ? before(draft, key) : null;
}

export function typed(draft: Draft, key: string, text: string, now: number): Draft {
  return { ...draft, mine: { ...draft.mine, [key]: text }, at: now };
}

/** The key under which this input is sent: the one it had when its outcome stayed unknown, else a new one. */
export function attemptOf(draft: Draft, input: object, newKey: () => string): Attempt {
  const text = JSON.stringify(input);
  return draft.attempt?.input === text ? draft.attempt : { input: text, key: newKey() };
}

/**
 * Who changed a field since it was read: `mine` I alone, `theirs` the other alone, `same` both to the same value, `clash` both to
 * different ones: only a person can choose there.
 */
export interface Difference {
  readonly key: string;
  readonly before: string;
  readonly mine: string;
  readonly theirs: string;
  readonly standing: 'mine' | 'theirs' | 'same' | 'clash';
}

/** My typing beside what was saved meanwhile. Their side is compared as both were read: masked with masked. */
export function differences(draft: Draft, theirs: Values): readonly Difference[] {
  const mineChanged = new Set(changedKeys(draft));
  const keys = new Set([...mineChanged, ...Object.keys(theirs)]);
  return [...keys].flatMap((key) => {
    const read = draft.base[key] ?? '';
    const now = theirs[key] ?? '';
    const mine = valueIn(draft, key).trim();
    const theirsChanged = now !== read;
    if (!mineChanged.has(key) && !theirsChanged) return [];
    const standing = !theirsChanged ? 'mine' : !mineChanged.has(key) ? 'theirs' : mine === now ? 'same' : 'clash';
    return [{ key, before: before(draft, key), mine, theirs: now, standing }];
  });
}

/** The draft on their version: of each difference that I changed too, `takeMine` says whose value goes on. */
export function rebased(draft: Draft, version: number, theirs: Values, takeMine: (difference: Difference) => boolean): Draft {
  const mine: Record<string, string> = {};
  for (const difference of differences(draft, theirs)) {
    const { key, standing } = difference;
    if (standing === 'mine' || (standing === 'clash' && takeMine(difference))) mine[key] = difference.mine;
  }
  // What was shown in clear before may have been changed by them since.
  const clear = Object.fromEntries(Object.entries(draft.clear).filter(([key]) => theirs[key] === draft.base[key]));
  return { version, base: theirs, clear, mine, attempt: null, at: draft.at };
}
