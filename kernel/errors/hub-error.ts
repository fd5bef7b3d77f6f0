import { catalogue, type ErrorCode, type Reason } from './catalogue.ts';

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

  constructor(code: ErrorCode, reason: Reason, options: { field?: string; retryAfter?: number; cause?: unknown } = {}) {
    super(`${code} ${reason}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.reason = reason;
    this.field = options.field ?? null;
    this.retryAfter = options.retryAfter ?? null;
  }
}

/** A refusal whose class is the one the catalogue names for its reason. */
export function refusal(reason: Reason, options: { field?: string; retryAfter?: number; cause?: unknown } = {}): HubError {
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
