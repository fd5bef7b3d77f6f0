import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Principal } from './principal.ts';

/*
 * Quotas by points: what a principal may ask for in a minute, and his organisation ten times that.
 *
 * A window is a minute from its first request. The organisation's window counts shares of a minute, not points: a client with
 * a larger setting of its own uses up no more of its unit's ten shares than any other, so it starves nobody.
 */

/** Points of one operation; the gateway adds up what a document asks for. */
export const pointsOf = { read: 1, list: 5, search: 20, write: 10 } as const;

/** Points per minute of an account; a client has a setting of its own (60,000 unless said otherwise). */
export const operatorPointsPerMinute = 6_000;
export const clientPointsPerMinute = 60_000;
/** An organisation may use this many full minutes of its members in one minute. */
const organisationShares = 10;
/** Resolution of a share: parts of one full minute's quota. */
const share = 1_000_000;
const windowSeconds = 60;
const windowsKept = 10_000;

/** What a window stands at after taking from it. */
interface RateWindow {
  readonly consumed: number;
  /** Milliseconds until the window ends. */
  readonly endsIn: number;
}

/**
 * Where windows are counted. One process counts in memory; several gateways share a store, and fall back to memory with their
 * part of the quota when it is gone.
 */
export interface RateStore {
  take(key: string, points: number): Promise<RateWindow>;
}

export interface RateAnswer {
  readonly allowed: boolean;
  /** Seconds after which a retry makes sense; 0 when allowed. */
  readonly retryAfter: number;
  /** Headers of draft-ietf-httpapi-ratelimit-headers, in lower case, ready to be sent with every answer. */
  readonly headers: Readonly<Record<'ratelimit' | 'ratelimit-policy', string>>;
}

export interface RateLimiter {
  take(principal: Principal, points: number): Promise<RateAnswer>;
}

/** Windows of this process, at most 10,000; beyond that the one unused for longest is forgotten. */
export function memoryRateStore(): RateStore & { readonly size: () => number } {
  // The limiter only counts here: limits differ by client, so they are compared below.
  const counter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: windowSeconds, keyPrefix: '' });
  const known = new LRUCache<string, true>({
    max: windowsKept,
    dispose: (_, key, reason) => {
      if (reason === 'evict') void counter.delete(key);
    },
  });
  return {
    async take(key, points) {
      known.set(key, true);
      const window = await counter.consume(key, points);
      return { consumed: window.consumedPoints, endsIn: window.msBeforeNext };
    },
    size: () => known.size,
  };
}

export function createRateLimiter(store: RateStore): RateLimiter {
  return {
    async take(principal, points) {
      const limit = Math.max(1, principal.pointsPerMinute);
      const [own, organisation] = await Promise.all([
        store.take(`p:${principal.kind}:${principal.id}`, points),
        store.take(`o:${String(principal.unitNo)}`, Math.ceil((points * share) / limit)),
      ]);
      const withinOwn = own.consumed <= limit;
      const withinOrganisation = organisation.consumed <= organisationShares * share;
      const blocking = withinOwn ? organisation : own;
      const allowed = withinOwn && withinOrganisation;
      const remaining = withinOrganisation ? Math.max(0, limit - own.consumed) : 0;
      return {
        allowed,
        retryAfter: allowed ? 0 : seconds(blocking.endsIn),
        headers: {
          ratelimit: `"minute";r=${String(remaining)};t=${String(seconds(withinOrganisation ? own.endsIn : organisation.endsIn))}`,
          'ratelimit-policy': `"minute";q=${String(limit)};w=${String(windowSeconds)}`,
        },
      };
    },
  };
}

function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}
