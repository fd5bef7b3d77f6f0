import { changedKeys, type Draft } from './draft.ts';

/*
 * Drafts wait with the hub, under the account: a closed tab, a reload, another desk find them again. Nothing of them lies in the browser's
 * storage. Each is sent a moment after the last letter; while the hub does not take it, it stays in this tab and is sent again.
 */

export type DraftOutcome = 'kept' | 'too-large' | 'away';

/** The hub, as far as drafts go. */
export interface DraftHub {
  /** `null`: it did not answer, or nobody is logged in. */
  list(): Promise<ReadonlyMap<string, Draft> | null>;
  /** `null` throws the draft away. `leaving`: the page is about to go. */
  put(place: string, draft: Draft | null, leaving: boolean): Promise<DraftOutcome>;
}

/** How a draft stands; `null`: there is none, or it is on its way. */
export type DraftState = 'kept' | 'too-large' | 'away' | null;

/** From the last letter, and between tries while the hub is away. Milliseconds. */
const pauses = { typing: 700, away: 10_000 } as const;

export class DraftStore {
  readonly #hub: DraftHub;
  readonly #drafts = new Map<string, Draft>();
  /** What the hub has not heard of yet; `null`: thrown away. */
  readonly #unsent = new Map<string, Draft | null>();
  readonly #states = new Map<string, DraftState>();
  readonly #watchers = new Set<() => void>();
  #places: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending = false;
  #reading: Promise<void> | null = null;

  constructor(hub: DraftHub) {
    this.#hub = hub;
  }

  at(place: string): Draft | undefined {
    return this.#drafts.get(place);
  }

  stateOf(place: string): DraftState {
    return this.#states.get(place) ?? null;
  }

  /** Places of all drafts, the one typed in last first; the same list until something changes. */
  places(): readonly string[] {
    return this.#places;
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  keep(place: string, draft: Draft): void {
    if (changedKeys(draft).length === 0) {
      this.drop(place);
      return;
    }
    const kept = { ...draft, clear: {} };
    this.#drafts.set(place, kept);
    this.#unsent.set(place, kept);
    this.#soon(pauses.typing);
    this.#tell();
  }

  drop(place: string): void {
    if (!this.#drafts.delete(place)) return;
    this.#states.delete(place);
    this.#unsent.set(place, null);
    this.#soon(0);
    this.#tell();
  }

  /** Somebody would lose what he typed if the tab closed now. */
  atRisk(): boolean {
    return [...this.#drafts.keys()].some((place) => this.#unsent.has(place) || this.#states.get(place) === 'too-large');
  }

  /** What was typed elsewhere meanwhile; resolves also when the hub does not answer. */
  async refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    await this.#reading;
  }

  /** The page is about to go: what waits is sent as far as the browser lets it. */
  leave(): void {
    for (const [place, draft] of this.#unsent) void this.#hub.put(place, draft, true);
  }

  async #read(): Promise<void> {
    const found = await this.#hub.list();
    if (found === null) return;
    for (const place of [...this.#drafts.keys()]) {
      if (this.#unsent.has(place) || this.#states.get(place) === 'too-large' || found.has(place)) continue;
      this.#drafts.delete(place);
      this.#states.delete(place);
    }
    for (const [place, draft] of found) {
      if (this.#unsent.has(place)) continue;
      this.#drafts.set(place, draft);
      this.#states.set(place, 'kept');
    }
    this.#tell();
  }

  #soon(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), milliseconds);
  }

  /** One after the other, so that a later letter never arrives before an earlier one. */
  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    let away = false;
    for (const [place, draft] of [...this.#unsent]) {
      const outcome = await this.#hub.put(place, draft, false);
      away ||= outcome === 'away';
      const newer = this.#unsent.get(place) !== draft;
      if (outcome !== 'away' && !newer) this.#unsent.delete(place);
      if (this.#drafts.has(place) && !(newer && outcome === 'kept')) this.#states.set(place, outcome);
    }
    this.#sending = false;
    if (this.#unsent.size > 0) this.#soon(away ? pauses.away : pauses.typing);
    this.#tell();
  }

  #tell(): void {
    this.#places = [...this.#drafts.entries()].sort(([, a], [, b]) => b.at - a.at).map(([place]) => place);
    for (const watcher of this.#watchers) watcher();
  }
}
