import { LRUCache } from 'lru-cache';
import { networkOf } from '#kernel/auth/network.ts';
import type { Clock } from '#kernel/clock.ts';

/*
 * Guessing is limited: five wrong secrets in a minute per client and address, and a hundred per address whatever the client.
 * From then on the right secret is refused as well, until the minute is over: who guesses learns nothing from the refusal.
 *
 * Attempts of one client from one address go one after the other, so that twenty guesses sent at once are not all looked at
 * before the first has failed. Clients that do not exist are counted like those that do.
 */

const windowLength = 60_000;
const perClientAndAddress = 5;
const perAddress = 100;
const windowsKept = 10_000;
/** Attempts of one client from one address that may wait for the one under way. */
const waitingAtOnce = 100;
/** Attempts of everybody together; each may cost some 40 ms of processor time, so a flood is turned away at the door. */
const everybodyAtOnce = 128;

interface Window {
  failures: number;
  endsAt: number;
}

export type Attempt = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

export class Attempts {
  readonly #clock: Clock;
  readonly #windows = new LRUCache<string, Window>({ max: windowsKept });
  #underWay = 0;
  readonly #lines = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `attempt` unless too many have failed; it says whether the secret was wrong. */
  async run(client: string, address: string, attempt: () => Promise<'wrong' | 'other'>): Promise<Attempt> {
    const from = networkOf(address);
    const key = `${from} ${client}`;
    const line = this.#lines.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= waitingAtOnce || this.#underWay >= everybodyAtOnce) return { allowed: false, retryAfter: 1 };
    line.waiting += 1;
    this.#underWay += 1;
    const mine = line.last.then(() => this.#one(key, from, attempt));
    line.last = mine.catch(() => undefined);
    this.#lines.set(key, line);
    try {
      return await mine;
    } finally {
      line.waiting -= 1;
      this.#underWay -= 1;
      if (line.waiting === 0) this.#lines.delete(key);
    }
  }

  async #one(key: string, from: string, attempt: () => Promise<'wrong' | 'other'>): Promise<Attempt> {
    const limits = [
      { key, limit: perClientAndAddress },
      { key: from, limit: perAddress },
    ];
    const now = this.#clock.now().getTime();
    for (const { key: name, limit } of limits) {
      const window = this.#windows.get(name);
      if (window !== undefined && window.endsAt > now && window.failures >= limit) {
        return { allowed: false, retryAfter: Math.max(1, Math.ceil((window.endsAt - now) / 1000)) };
      }
    }
    if ((await attempt()) === 'wrong') for (const { key: name } of limits) this.#count(name);
    return { allowed: true };
  }

  #count(name: string): void {
    const now = this.#clock.now().getTime();
    const window = this.#windows.get(name);
    if (window !== undefined && window.endsAt > now) window.failures += 1;
    else this.#windows.set(name, { failures: 1, endsAt: now + windowLength });
  }
}
