import { catalogue, type ErrorCode, type Reason } from './catalogue.ts';

/** A change that stands on another one, as a refusal tells it: no value of a person. */
export interface NewerChange {
  readonly id: string;
  readonly version: number;
  readonly who: string;
  /** ISO 8601, UTC. */
  readonly knownAt: string;
  readonly action: string;
}

interface RefusalOptions {
  readonly field?: string;
  readonly retryAfter?: number;
  readonly cause?: unknown;
  readonly newer?: NewerChange;
  /** What stands in braces in the text: `{count}`; never a value of a person. */
  readonly words?: Readonly<Record<string, string>>;
}

/**
 * A refusal on its way out. `code` is the answer class integrators switch on, `reason` the entry of the catalogue that holds
 * the text in both languages, `field` the name the caller used. Never holds a value of a person.
 */
export class HubError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason;
  readonly field: string | null;
  /** Seconds after which a retry makes sense; becomes Retry-After. */
  readonly retryAfter: number | null;
  /** What stands in the way of an undo. */
  readonly newer: NewerChange | null;
  readonly words: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, reason: Reason, options: RefusalOptions = {}) {
    super(`${code} ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.reason = reason;
    this.field = options.field ?? null;
    this.retryAfter = options.retryAfter ?? null;
    this.newer = options.newer ?? null;
    this.words = options.words ?? {};
  }
}

/** A refusal whose class is the one the catalogue names for its reason. */
export function refusal(reason: Reason, options: RefusalOptions = {}): HubError {
  return new HubError(catalogue[reason].code, reason, options);
}

/** The value, or the refusal that names the field as the caller knows it. */
export function valueOf<T>(
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Reason },
  field: string,
): T {
  if (!parsed.ok) throw refusal(parsed.reason, { field });
  return parsed.value;
}
