import { randomBytes } from 'node:crypto';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Client } from 'pg';
import type { Caller, Principal } from '../auth/principal.ts';
import { HubError } from '../errors/hub-error.ts';
import { textArray } from '../db/read-door-rows.ts';
import { endsSession, StandingClient } from '../db/standing-client.ts';
import type { ReadAudit, ReadRecord } from './audit.ts';

/*
 * Audit of reads, written before the answer leaves.
 *
 * One connection of its own, one INSERT under way; what arrives meanwhile is the next one, so many operations share one commit.
 * A commit resolves only after its row is durable (synchronous_commit is set on the session, whatever the server's default).
 * A row carries id and time from here, so that after a lost connection the same rows can be sent once more without doubling.
 * If a row of a group is at fault, the group runs again row by row, and only that row's operation gets no data.
 * Whatever cannot be written in time is refused with DEGRADED: no audit, no data. A refused row may still become durable.
 */

export interface ReadAuditOptions {
  /** `postgresql://` URL of a role with INSERT on `hub.audit_event`. */
  readonly connection: string;
  readonly registry: Registry;
  /** Rows that may wait. Default 5,000. */
  readonly waiting?: number;
  /** Milliseconds a row may wait before it is refused. Default 900. */
  readonly patience?: number;
}

export interface OpenReadAudit extends ReadAudit {
  ping(): Promise<void>;
  close(): Promise<void>;
}

const rowsPerInsert = 256;

/*
 * What many rows have in common travels once: the asking principals ($9 …), the lists of subjects and of fields. A row holds the
 * place of each.
 */
const insertText = (more: {
  readonly column: string;
  readonly values: string;
}): string => `insert into hub.audit_event (id, at, action,
    subgraph, operation, trace_id, principal, principal_kind, principal_name,
    role, unit_no, purpose, basis, subject_count, subjects, fields${more.column})
  select id, at, action, subgraph, operation, trace_id, ($8::text[])[who], ($9::text[])[who], ($10::text[])[who],
    ($11::text[])[who], ($12::int[])[who], ($13::text[])[who], ($14::text[])[who],
    ($19::int[])[whose], ($16::text[])[whose]::uuid[], ($18::text[])[which]::text[]${more.column}
  from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $15::int[], $17::int[]${more.values})
    as row (id, at, action, subgraph, operation, trace_id, who, whose, which${more.column})`;
const insert = insertText({ column: '', values: '' });
/** Of a group in which somebody asked for sums alone: few are. */
const insertCounts = insertText({ column: ', detail', values: ', $20::jsonb[]' });
const again = ' on conflict do nothing';

interface Entry {
  readonly record: ReadRecord;
  readonly id: string;
  readonly at: string;
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (error: HubError) => void;
  /** It may already be there: the connection was lost after it was sent. */
  sent: boolean;
}

export function openReadAudit(options: ReadAuditOptions): OpenReadAudit {
  return new PostgresReadAudit(options);
}

class PostgresReadAudit implements OpenReadAudit {
  readonly #waitingLimit: number;
  readonly #patience: number;
  readonly #standing: StandingClient;
  readonly #metrics: ReturnType<typeof auditMetrics>;
  #queue: Entry[] = [];
  #busy = false;
  #flushing = false;
  #closed = false;
  #sweep: NodeJS.Timeout | null = null;

  constructor(options: ReadAuditOptions) {
    this.#waitingLimit = options.waiting ?? 5000;
    this.#patience = options.patience ?? 900;
    this.#metrics = auditMetrics(options.registry, () => this.#queue.length);
    this.#standing = new StandingClient({
      url: options.connection,
      applicationName: 'hub-audit',
      settings: ['synchronous_commit=on', 'statement_timeout=5000', `lock_timeout=${this.#patience}`, 'TimeZone=UTC', 'jit=off'],
      begin: () => Promise.resolve(),
      up: () => this.#soon(),
      down: () => undefined,
    });
    this.#standing.open();
  }

  commit(record: ReadRecord): Promise<void> {
    const faulty = record.subjects.some((subject) => subject.length !== 36);
    if (this.#closed || faulty || this.#queue.length >= this.#waitingLimit) {
      this.#metrics.refused.inc();
      return Promise.reject(unwritten(faulty ? new Error('a subject is not a uuid') : undefined));
    }
    return new Promise<void>((resolve, reject) => {
      const now = Date.now();
      this.#queue.push({
        record,
        id: uuidv7(now),
        at: new Date(now).toISOString(),
        deadline: performance.now() + this.#patience,
        resolve,
        reject,
        sent: false,
      });
      this.#sweep ??= setTimeout(() => this.#refuseLate(), Math.min(100, this.#patience));
      this.#soon();
    });
  }

  async ping(): Promise<void> {
    const client = this.#standing.client;
    if (client === null) throw unwritten();
    await client.query('select 1');
  }

  #soon(): void {
    if (this.#flushing || this.#busy || this.#queue.length === 0) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      void this.#flush();
    });
  }

  /** Never rejects. */
  async #flush(): Promise<void> {
    const client = this.#standing.client;
    if (client === null || this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    const group = this.#queue.splice(0, rowsPerInsert);
    const started = performance.now();
    await this.#write(client, group);
    this.#metrics.rows.observe(group.length);
    this.#metrics.seconds.observe((performance.now() - started) / 1000);
    this.#busy = false;
    this.#soon();
  }

  async #write(client: Client, group: readonly Entry[]): Promise<void> {
    const sent = group.some((entry) => entry.sent);
    const counts = group.some(({ record }) => record.counts !== undefined);
    // For a server or a network that says nothing at all; the server's own time limits come first.
    const guard = setTimeout(() => this.#standing.lose(client), 7500);
    try {
      const name = `audit${counts ? '-counts' : ''}${sent ? '-again' : ''}`;
      const text = `${counts ? insertCounts : insert}${sent ? again : ''}`;
      await client.query({ name, text, values: counts ? [...parameters(group), details(group)] : parameters(group) });
      for (const entry of group) entry.resolve();
    } catch (error) {
      await this.#failed(client, group, error instanceof Error ? error : new Error(String(error)));
    } finally {
      clearTimeout(guard);
    }
  }

  async #failed(client: Client, group: readonly Entry[], error: Error & { readonly code?: string }): Promise<void> {
    if (endsSession(error)) {
      this.#standing.lose(client);
      const fresh = group.filter((entry) => !entry.sent && !this.#closed);
      for (const entry of group) if (!fresh.includes(entry)) this.#refuse(entry, error);
      for (const entry of fresh) entry.sent = true;
      this.#queue = [...fresh, ...this.#queue];
      return;
    }
    // Classes 22 and 23: something about one row. All else (no right, disk full, lock) would befall each row alike.
    if (group.length > 1 && /^2[23]/.test(error.code ?? '')) {
      for (const entry of group) await this.#write(client, [entry]);
      return;
    }
    for (const entry of group) this.#refuse(entry, error);
  }

  #refuse(entry: Entry, cause?: unknown): void {
    this.#metrics.refused.inc();
    entry.reject(unwritten(cause));
  }

  #refuseLate(): void {
    this.#sweep = null;
    const now = performance.now();
    const late = (entry: Entry): boolean => this.#closed || entry.deadline <= now;
    if (this.#queue.some(late)) {
      const refused = this.#queue.filter(late);
      this.#queue = this.#queue.filter((entry) => !late(entry));
      for (const entry of refused) this.#refuse(entry);
    }
    if (this.#queue.length > 0) this.#sweep = setTimeout(() => this.#refuseLate(), Math.min(100, this.#patience));
  }

  /** What waits is refused; what is under way ends first, if it ends in time. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseLate();
    await this.#standing.close();
  }
}

function unwritten(cause?: unknown): HubError {
  return new HubError('DEGRADED', 'AUDIT_UNAVAILABLE', { retryAfter: 1, ...(cause === undefined ? {} : { cause }) });
}

/** Values of {@link insert}. */
function parameters(group: readonly Entry[]): string[] {
  const who = new Callers();
  const whose = new Lists();
  const which = new Lists();
  const places = { who: [] as number[], whose: [] as number[], which: [] as number[] };
  for (const { record } of group) {
    places.who.push(who.place(record.caller));
    places.whose.push(whose.place(record.subjects));
    places.which.push(which.place(record.fields));
  }
  return [
    plainArray(group.map(({ id }) => id)),
    plainArray(group.map(({ at }) => at)),
    textArray(group.map(({ record }) => record.action)),
    textArray(group.map(({ record }) => record.subgraph)),
    textArray(group.map(({ record }) => record.caller.operation)),
    textArray(group.map(({ record }) => record.caller.traceId)),
    plainArray(places.who),
    ...who.columns(),
    plainArray(places.whose),
    whose.column(),
    plainArray(places.which),
    which.column(),
    plainArray(whose.lengths),
  ];
}

function details(group: readonly Entry[]): string {
  return textArray(group.map(({ record: { counts } }) => (counts === undefined ? null : JSON.stringify({ counts }))));
}

/** An array literal of what needs no quotes: numbers, uuids, instants. */
function plainArray(items: readonly (string | number)[]): string {
  return `{${items.join(',')}}`;
}

/** Those who ask, each sent once; places begin at 1, as arrays of PostgreSQL do. */
class Callers {
  readonly #places = new Map<Principal, Map<string, number>>();
  readonly #callers: Caller[] = [];

  place(caller: Caller): number {
    const { principal, purpose, basis } = caller;
    let reasons = this.#places.get(principal);
    if (reasons === undefined) this.#places.set(principal, (reasons = new Map<string, number>()));
    const reason = basis === null ? purpose : `${purpose} ${basis.id}`;
    let place = reasons.get(reason);
    if (place === undefined) reasons.set(reason, (place = this.#callers.push(caller)));
    return place;
  }

  columns(): string[] {
    const column = (value: (caller: Caller) => string | null): string => textArray(this.#callers.map(value));
    return [
      column(({ principal }) => principal.id),
      column(({ principal }) => principal.kind),
      column(({ principal }) => principal.name),
      column(({ principal }) => principal.role),
      column(({ principal }) => String(principal.unitNo)),
      column(({ purpose }) => purpose),
      column(({ basis }) => basis?.id ?? null),
    ];
  }
}

/** Lists that several rows name, each sent once. */
class Lists {
  readonly #places = new Map<readonly string[], number>();
  readonly #texts: string[] = [];
  readonly lengths: number[] = [];

  place(list: readonly string[]): number {
    let place = this.#places.get(list);
    if (place === undefined) {
      this.#places.set(list, (place = this.#texts.push(textArray(list))));
      this.lengths.push(list.length);
    }
    return place;
  }

  column(): string {
    return textArray(this.#texts);
  }
}

const randomness = { bytes: Buffer.alloc(0), at: 0 };

/** Ordered by time, so that rows of one minute lie together in the primary key. */
function uuidv7(now: number): string {
  if (randomness.at + 10 > randomness.bytes.length) {
    randomness.bytes = randomBytes(4000);
    randomness.at = 0;
  }
  const random = randomness.bytes.toString('hex', randomness.at, randomness.at + 10);
  randomness.at += 10;
  const hex = now.toString(16).padStart(12, '0');
  const variant = ((parseInt(random.slice(3, 4), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

function auditMetrics(registry: Registry, waiting: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'hub_read_audit_waiting',
    help: 'Audit rows of reads that wait to be written',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    rows: new Histogram({
      name: 'hub_read_audit_rows',
      help: 'Audit rows of reads written by one insert',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    seconds: new Histogram({
      name: 'hub_read_audit_seconds',
      help: 'Time of one insert with its commit',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
      registers,
    }),
    refused: new Counter({
      name: 'hub_read_audit_refused_total',
      help: 'Reads refused because their audit row could not be written',
      registers,
    }),
  };
}
