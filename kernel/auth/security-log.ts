/*
 * Security events: one for each request of a known principal that was refused, and for what looks like misuse. They are written
 * beside the answers, never before them: a refusal shows nothing, so it need not wait. Bounded: what does not fit is counted and
 * told as one event, so that a flood of refusals fills neither the heap nor the table.
 */

export interface SecurityEvent {
  /** `noun.past-tense`: `request.refused`, `token.dead`, `basis.refused`. */
  readonly kind: string;
  /** Id of the account or client; `null`: nobody known. */
  readonly principal: string | null;
  readonly traceId: string | null;
  /** Codes, reasons and counts; never a value of a person. */
  readonly detail: Readonly<Record<string, string | number>>;
}

export interface SecurityLog {
  note(event: SecurityEvent): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Milliseconds an event waits for others. */
const together = 500;
/** Events of one write; what comes beyond it within half a second is only counted. */
const atOnce = 500;

/** `write` takes some events at once; when it fails they are written again with the next ones, as long as they fit. */
export function securityLog(write: (events: readonly SecurityEvent[]) => Promise<void>): SecurityLog {
  let waiting: SecurityEvent[] = [];
  let dropped = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function note(event: SecurityEvent): void {
    if (waiting.length >= atOnce) dropped += 1;
    else waiting.push(event);
    soon();
  }

  function soon(): void {
    timer ??= setTimeout(() => {
      timer = null;
      writing = writing.then(flush);
    }, together);
    timer.unref();
  }

  async function flush(): Promise<void> {
    const events = waiting;
    const lost = dropped;
    waiting = [];
    dropped = 0;
    if (lost > 0) events.push({ kind: 'events.dropped', principal: null, traceId: null, detail: { count: lost } });
    if (events.length === 0) return;
    try {
      await write(events);
    } catch {
      const kept = events.filter(({ kind }) => kind !== 'events.dropped').slice(0, atOnce - waiting.length);
      dropped += lost + events.length - kept.length - (lost > 0 ? 1 : 0);
      waiting = [...kept, ...waiting];
      soon();
    }
  }

  return {
    note,
    async close() {
      if (timer !== null) clearTimeout(timer);
      await writing;
      await flush();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
