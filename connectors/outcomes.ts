/*
 * What can become of a call to somebody else's system: an answer, or one of these two. Neither carries a word that the other side sent:
 * it may quote a person.
 */

/** How an answer broke the rules of the interface. */
export type Violation = 'not-xml' | 'malformed' | 'doctype' | 'encoding' | 'too-large' | 'wrong-type' | 'contradiction';

/** Try again later: it is slow, down, overloaded or talks nonsense. */
export class SystemBusy extends Error {
  /** `timeout`, `unreachable`, `status`, `fault`, `held` (it told us to wait), `breaker` (nobody is asked for the moment), `violation`. */
  readonly kind: 'timeout' | 'unreachable' | 'status' | 'fault' | 'held' | 'breaker' | 'violation';
  /** Milliseconds after which asking makes sense; `null`: not known. */
  readonly retryAfter: number | null;
  readonly violation: Violation | null;

  constructor(kind: SystemBusy['kind'], more: { readonly retryAfter?: number | null; readonly violation?: Violation } = {}) {
    super(`the outside system is busy: ${kind}`);
    this.name = 'SystemBusy';
    this.kind = kind;
    this.retryAfter = more.retryAfter ?? null;
    this.violation = more.violation ?? null;
  }
}

/** Our fault or our rights: asking again changes nothing, an operator must know. */
export class SystemRefused extends Error {
  /** `rights` and `moved`, `certificate` concern every call, `request` this one alone. */
  readonly kind: 'rights' | 'moved' | 'certificate' | 'request';

  constructor(kind: SystemRefused['kind']) {
    super(`the outside system refused: ${kind}`);
    this.name = 'SystemRefused';
    this.kind = kind;
  }
}
