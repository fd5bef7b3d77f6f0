import { createHash, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  DelegateBackoff,
  ExponentialBackoff,
  handleType,
  type IBreaker,
} from 'cockatiel';
import { Pool } from 'undici';
import { SystemBusy, SystemRefused } from '../outcomes.ts';
import { bodyOf, envelopeOf, soapAction, violated, type Call, type Operation } from './wire.ts';

/*
 * The wire to the population database, and the manners on it: 5 seconds and 1 MiB per answer, certificates checked, redirects not followed,
 * never more calls than agreed, silence while it asks for silence, and a breaker that leaves it alone when it fails. Nothing that was
 * sent or received is ever logged or put into an error.
 */

export interface PopulationAccess {
  readonly url: string;
  /** Name and secret by which each call is signed. */
  readonly user: string;
  readonly secret: string;
  /** X-Road-Client, ApiKey; `null`: not sent. */
  readonly client: string | null;
  readonly apiKey: string | null;
  /** Calls at most in a second, by contract. */
  readonly callsPerSecond: number;
  /** Calls at once, at most. */
  readonly callsAtOnce: number;
  /** PEM of the authority that signed their certificate, where it is not a public one. */
  readonly authority?: string;
}

/** What the operators' numbers are made of: no person, no value. */
export type CallEvent =
  | { readonly kind: 'answered'; readonly operation: Operation; readonly milliseconds: number }
  | { readonly kind: 'busy'; readonly operation: Operation; readonly error: SystemBusy }
  | { readonly kind: 'refused'; readonly operation: Operation; readonly error: SystemRefused }
  | { readonly kind: 'breaker'; readonly state: 'open' | 'half-open' | 'closed' };

export interface ClientOptions extends PopulationAccess {
  readonly observe?: (event: CallEvent) => void;
  /** When so many calls may leave: shared by every process that asks. Unset: this process alone, evenly spaced. */
  readonly allowance?: Allowance;
  /** Milliseconds; tests shorten them. */
  readonly patience?: Partial<Patience>;
}

/** Gives out places for calls: no more in a second than agreed, whoever asks. */
export interface Allowance {
  /** Reserves `count` places: the first in so many milliseconds, the others evenly behind it. */
  reserve(count: number): Promise<{ readonly startsIn: number; readonly spacing: number }>;
}

interface Patience {
  /** For one whole call. */
  readonly call: number;
  /** Failures are counted over this long. */
  readonly window: number;
  /** How long the breaker stays open at first, and at most. */
  readonly open: number;
  readonly longestOpen: number;
  /** First and longest wait before a call is tried again. */
  readonly backoff: number;
  readonly longestBackoff: number;
}

const usualPatience: Patience = {
  call: 5_000,
  window: 30_000,
  open: 5_000,
  longestOpen: 60_000,
  backoff: 200,
  longestBackoff: 5_000,
};
/** So many failures within the window open the breaker. */
const failuresAllowed = 10;
/** A call is made so often at most before the caller is told that the system is busy. */
const triesPerCall = 3;
const largestAnswer = 1024 * 1024;
/** A wait that somebody else asks for is believed up to an hour. */
const longestHold = 3_600_000;

export interface PopulationClient {
  /** `read` takes the answer out of the body of the envelope, and throws a violation where it is none. */
  call<T>(call: Call, read: (body: unknown) => T, signal?: AbortSignal): Promise<T>;
  /** Milliseconds for which nobody is asked, since it asked for silence or failed too often; 0: ask. */
  waits(): number;
  close(): Promise<void>;
}

export function openClient(options: ClientOptions): PopulationClient {
  const patience = { ...usualPatience, ...options.patience };
  const target = new URL(options.url);
  const observe = options.observe ?? (() => undefined);
  const pool = new Pool(target.origin, {
    connections: options.callsAtOnce,
    pipelining: 1,
    headersTimeout: patience.call,
    bodyTimeout: patience.call,
    keepAliveTimeout: 10_000,
    maxResponseSize: largestAnswer,
    connect: {
      timeout: patience.call,
      rejectUnauthorized: true,
      ...(options.authority !== undefined && { ca: options.authority }),
    },
  });
  const pace = pacer(options.allowance ?? evenly(options.callsPerSecond), options.callsPerSecond);
  /** Until when the breaker stays open, and until when they asked for silence; on the clock of `performance`. */
  let openUntil = 0;
  let heldUntil = 0;
  const breaker = circuitBreaker(handleType(SystemBusy), {
    breaker: failureWindow(patience.window),
    // Twice as long each time, a little earlier or later than others who began at the same moment.
    halfOpenAfter: new DelegateBackoff(({ attempt }: { readonly attempt: number }) => {
      const open = Math.min(patience.open * 2 ** (attempt - 1), patience.longestOpen) * (0.9 + randomInt(1_000) / 5_000);
      openUntil = performance.now() + open;
      return open;
    }),
  });
  breaker.onStateChange((state) => {
    const name = state === CircuitState.Open ? 'open' : state === CircuitState.HalfOpen ? 'half-open' : 'closed';
    observe({ kind: 'breaker', state: name });
  });

  /** One exchange. Rejects with one of the two outcomes alone. */
  async function exchange<T>(call: Call, read: (body: unknown) => T, signal: AbortSignal | undefined): Promise<T> {
    const limit = AbortSignal.timeout(patience.call);
    const began = performance.now();
    try {
      const answer = await pool.request({
        path: target.pathname + target.search,
        method: 'POST',
        headers: headersOf(options, call.operation),
        body: envelopeOf(call),
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
      const { statusCode, headers, body } = answer;
      if (statusCode !== 200 && !isFault(statusCode, headers['content-type'])) {
        await body.dump({ limit: 64 * 1024 }).catch(() => undefined);
        throw statusError(statusCode, headers['retry-after']);
      }
      if (Number(headers['content-length'] ?? 0) > largestAnswer) {
        body.destroy();
        throw violated('too-large');
      }
      const content = read(bodyOf(new Uint8Array(await body.arrayBuffer())));
      // A fault throws; whatever else comes with a status of failure is no answer.
      if (statusCode !== 200) throw statusError(statusCode, headers['retry-after']);
      observe({ kind: 'answered', operation: call.operation, milliseconds: performance.now() - began });
      return content;
    } catch (error) {
      signal?.throwIfAborted();
      throw outcomeOf(error);
    }
  }

  /** Through the breaker: a refusal is an answer to it, since their system works. */
  async function guarded<T>(call: Call, read: (body: unknown) => T, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await breaker.execute(() => exchange(call, read, signal));
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      throw new SystemBusy('breaker', { retryAfter: Math.max(Math.ceil(openUntil - performance.now()), 100) });
    }
  }

  return {
    async call(call, read, signal) {
      const backoff = new ExponentialBackoff({ initialDelay: patience.backoff, maxDelay: patience.longestBackoff });
      let wait = backoff.next();
      for (let tries = 1; ; tries += 1) {
        refuseHeld();
        await pace(signal);
        // Others may have been told to wait meanwhile.
        refuseHeld();
        try {
          return await guarded(call, read, signal);
        } catch (error) {
          if (error instanceof SystemRefused) {
            observe({ kind: 'refused', operation: call.operation, error });
            throw error;
          }
          if (!(error instanceof SystemBusy)) throw error;
          observe({ kind: 'busy', operation: call.operation, error });
          if (error.kind === 'status' && error.retryAfter !== null) {
            heldUntil = Math.max(heldUntil, performance.now() + Math.min(error.retryAfter, longestHold));
            throw error;
          }
          // Whoever talks nonsense talks it again; and nobody is asked while the breaker is open.
          if (error.kind === 'violation' || breaker.state !== CircuitState.Closed || tries >= triesPerCall) throw error;
          wait = wait.next(undefined);
          await sleep(wait.duration, undefined, { signal });
        }
      }
    },
    waits() {
      const until = Math.max(heldUntil, breaker.state === CircuitState.Open ? openUntil : 0);
      return Math.max(Math.ceil(until - performance.now()), 0);
    },
    close: () => pool.destroy(),
  };

  function refuseHeld(): void {
    const left = heldUntil - performance.now();
    if (left > 0) throw new SystemBusy('held', { retryAfter: Math.ceil(left) });
  }
}

/** Counts what failed within the window; a success forgets nothing, or one answer in ten would keep a dead system asked. */
function failureWindow(window: number): IBreaker {
  let times: number[] = [];
  return {
    state: undefined,
    success(state) {
      if (state === CircuitState.HalfOpen) times = [];
    },
    failure(state) {
      const now = performance.now();
      times = times.filter((time) => now - time < window);
      times.push(now);
      return state !== CircuitState.Closed || times.length >= failuresAllowed;
    },
  };
}

function headersOf(access: PopulationAccess, operation: Operation): Record<string, string> {
  const timestamp = String(Date.now());
  const { user, secret, client, apiKey, url } = access;
  return {
    'content-type': 'text/xml; charset=utf-8',
    accept: 'text/xml',
    soapaction: soapAction(operation),
    timestamp,
    authorization: `Basic ${Buffer.from(`${user}:${signatureOf(url, user, timestamp, secret)}`).toString('base64')}`,
    username: user,
    ...(client !== null && { 'x-road-client': client }),
    ...(apiKey !== null && { apikey: apiKey }),
  };
}

/** SHA-256 over endpoint, user, time and secret: the secret itself never travels. */
export function signatureOf(endpoint: string, user: string, timestamp: string, secret: string): string {
  return createHash('sha256')
    .update(endpoint + user + timestamp + secret)
    .digest('hex');
}

/** SOAP 1.1 sends its faults with status 500. */
function isFault(status: number, contentType: string | string[] | undefined): boolean {
  return status === 500 && String(contentType).startsWith('text/xml');
}

function statusError(status: number, retryAfter: string | string[] | undefined): SystemBusy | SystemRefused {
  if (status >= 300 && status < 400) return new SystemRefused('moved');
  if (status === 401 || status === 403) return new SystemRefused('rights');
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new SystemBusy('status', { retryAfter: millisecondsOf(retryAfter) });
  if (status >= 400) return new SystemRefused('request');
  return violated('wrong-type');
}

/** Seconds, or a date. */
function millisecondsOf(retryAfter: string | string[] | undefined): number | null {
  if (typeof retryAfter !== 'string') return null;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const until = Date.parse(retryAfter);
  return Number.isNaN(until) ? null : Math.max(until - Date.now(), 0);
}

/** What undici and the sockets below it say, as one of the two outcomes; a mistake of our own stays what it is. */
function outcomeOf(error: unknown): unknown {
  if (error instanceof SystemBusy || error instanceof SystemRefused) return error;
  for (let at = error, step = 0; typeof at === 'object' && at !== null && step < 5; step += 1) {
    if ('name' in at && at.name === 'TimeoutError') return new SystemBusy('timeout');
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    if (/^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code)) return new SystemRefused('certificate');
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return violated('too-large');
    if (/^UND_ERR_(?:HEADERS|BODY|CONNECT)_TIMEOUT$/.test(code) || code === 'ETIMEDOUT') return new SystemBusy('timeout');
    if (/^(?:E[A-Z_]+|UND_ERR_[A-Z_]+|HPE_[A-Z_]+)$/.test(code)) return new SystemBusy('unreachable');
    at = 'cause' in at ? at.cause : null;
  }
  return error;
}

/** This process alone. */
export function evenly(callsPerSecond: number): Allowance {
  const spacing = 1_000 / callsPerSecond;
  let free = 0;
  return {
    reserve(count) {
      const now = performance.now();
      const first = Math.max(free, now);
      free = first + count * spacing;
      return Promise.resolve({ startsIn: first - now, spacing });
    },
  };
}

/** A twentieth of the contract is kept back: timers wander, and the contract counts what arrives. */
const used = 0.95;
/** A place that was missed by more than this, in milliseconds, is let go: many at once would be more than agreed. */
const late = 50;

/** Lets each call leave at its place. Places are reserved for a twentieth of a second at a time. */
function pacer(allowance: Allowance, callsPerSecond: number): (signal: AbortSignal | undefined) => Promise<void> {
  const batch = Math.max(1, Math.floor(callsPerSecond / 20));
  let next = 0;
  let left = 0;
  let spacing = 0;
  let reserving: Promise<void> | null = null;
  const reserve = async () => {
    const places = await allowance.reserve(batch);
    next = performance.now() + places.startsIn;
    spacing = places.spacing / used;
    left = Math.max(1, Math.floor(batch * used));
  };
  return async (signal) => {
    for (;;) {
      const now = performance.now();
      if (left > 0 && next >= now - late) {
        left -= 1;
        const wait = next - now;
        next += spacing;
        if (wait > 0.5) await sleep(wait, undefined, { signal });
        return;
      }
      left = 0;
      reserving ??= reserve().finally(() => (reserving = null));
      await reserving;
    }
  };
}
