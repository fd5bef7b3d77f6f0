import { createHash } from 'node:crypto';
import type { EntityManager, EntitySchema } from '@mikro-orm/postgresql';
import type { AuditAction } from '../audit/actions.ts';
import type { SubgraphName } from '../audit/audit.ts';
import { auditRow, type AuditNote } from '../audit/audit-row.ts';
import type { Permission } from '../auth/permissions.ts';
import { scopeOf } from '../auth/policy.ts';
import type { Caller } from '../auth/principal.ts';
import type { ErrorCode, Reason } from '../errors/catalogue.ts';
import { HubError, refusal, type NewerChange } from '../errors/hub-error.ts';
import { ok, refused, type Result } from '../result.ts';
import { again } from './again.ts';
import { openDatabase, type Transaction, type WriteSession } from './database.ts';
import { outboxPart, type OutboxEvent } from './outbox.ts';
import { lastStatement } from './preparing-client.ts';

/*
 * The one way a mutation changes anything. Change, history, audit, messages and the answer kept for repeats are one transaction:
 * all of it or nothing. A refusal is a value and leaves nothing behind; its key may be used again.
 */

/** What is kept for repeats: ids by their meaning. */
export type Outcome = Readonly<Record<string, string>>;

export interface ChangeRequest {
  readonly caller: Caller;
  /** Name of the mutation: a key belongs to one principal and one mutation. */
  readonly operation: string;
  readonly permission: Permission;
  /** As the caller sent it; the same key with another input is refused. */
  readonly input: object;
}

/** Who changes and why, as every history row says it. */
export interface ChangedBy {
  readonly principal: string;
  readonly principalName: string;
  readonly cause: 'MUTATION' | 'UNDO';
  readonly causeId: string;
}

/** What the body of a mutation works with. Refuses by throwing a `refusal(…)`. */
export interface Change {
  readonly em: EntityManager;
  readonly transaction: Transaction;
  readonly caller: Caller;
  /** int4multirange text of the caller's units for this permission. */
  readonly units: string;
  /** The database's clock at the start. */
  readonly now: Date;
  readonly by: ChangedBy;
  /** `subjects` are ids of persons (of a record without person: its own), `fields` names of the graph; never a value. */
  audit(action: AuditAction, subjects: readonly string[], fields: readonly string[]): void;
  /**
   * Kept although the mutation is refused: for a refusal that tells something about a person. `instead` is asked in the transaction that
   * writes it down, behind every lock it takes; what it gives is answered instead, and nothing is written down.
   */
  auditRefusal(action: AuditAction, subjects: readonly string[], fields: readonly string[], instead?: Instead): void;
  publish(...events: readonly OutboxEvent[]): void;
  /**
   * A statement with `$1`-parameters that nothing in this mutation reads any more: written at the end, in one round trip with history,
   * audit, messages and the answer for repeats. Several of them see none of each other's rows.
   */
  late(text: string, values: readonly unknown[]): void;
  /** Writes at once what waits for the end, for a statement that must find it. */
  written(): Promise<void>;
}

/** Another refusal than the one the body has thrown, or `null`. */
export type Instead = (transaction: Transaction) => Promise<HubError | null>;

export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: Reason;
  readonly field: string | null;
  /** What stands on the change that was to be undone. */
  readonly newer: NewerChange | null;
  /** What stands in braces in the text of the reason. */
  readonly words: Readonly<Record<string, string>>;
}

/** Where one subgraph's mutations write. */
export interface Changes {
  /**
   * Runs `body` at most once per key: a repeat gets the outcome of the first, a twin that runs at the same moment waits for it. The outcome
   * holds ids only; whoever answers reads them again under today's scope and masking. Throws only what is no refusal:
   * the database is away or busy, or a mistake of our own.
   */
  mutate<Kept extends Outcome>(request: ChangeRequest, body: (change: Change) => Promise<Kept>): Promise<Result<Kept, Refusal>>;
  close(): Promise<void>;
}

export interface ChangesOptions {
  /** Login of the subgraph. */
  readonly url: string;
  readonly subgraph: SubgraphName;
  readonly entities: readonly EntitySchema[];
  readonly connections?: number;
}

/** Mutations that may wait for a connection; one more is told to come again. */
const waitingLimit = 1_000;

export async function openChanges({ url, subgraph, entities, connections = 4 }: ChangesOptions): Promise<Changes> {
  const database = await openDatabase({ url, entities, connections, applicationName: `hub ${subgraph} changes` });
  const places = openPlaces(connections);

  async function mutate<Kept extends Outcome>(
    request: ChangeRequest,
    body: (change: Change) => Promise<Kept>,
  ): Promise<Result<Kept, Refusal>> {
    const { caller, permission } = request;
    const scope = scopeOf(caller, permission);
    // A right lent for one person by a legal basis is a right to read.
    if (scope?.citizenId !== null) return refused(told(refusal('ROLE_LACKS_RIGHT')));
    const key = keyOf(caller);
    if (key === null) return refused(told(refusal('IDEMPOTENCY_KEY', { field: 'idempotencyKey' })));
    const session = { units: scope.units, principal: caller.principal.id };
    const keyed: KeyedRequest = { ...request, key, bodyHash: hashOf(request.input), schema: subgraph };
    const notes: RefusalNote[] = [];
    try {
      // What a refusal leaves behind is written before the place is free: whoever comes next finds it counted.
      return await places.run(async () => {
        try {
          return ok(await again(() => once(session, keyed, notes, body), rolledBackForAnother));
        } catch (error) {
          const known = refusalIn(error);
          const twin = known.code === 'UNAUTHENTICATED' ? null : await answerOfTwin<Kept>(session, keyed);
          if (twin !== null) return ok(twin);
          const other = notes.length > 0 ? await keepNotes(session, caller, notes) : null;
          return refused(told(other ?? known));
        }
      });
    } catch (error) {
      return refused(told(refusalIn(error)));
    }
  }

  function once<Kept extends Outcome>(
    session: WriteSession,
    request: KeyedRequest,
    notes: RefusalNote[],
    body: (change: Change) => Promise<Kept>,
  ): Promise<Kept> {
    notes.length = 0;
    return database.untold(session, async (transaction) => {
      const { now, kept } = await begin(transaction, session, request);
      // The outcome was made by this very mutation, from a body of this type.
      if (kept !== null) return kept as Kept;
      const { caller } = request;
      const last: Part[] = [];
      const written = async (): Promise<void> => {
        const { text, values } = joined(last.splice(0));
        if (values.length > 0) await transaction.query(text, values);
      };
      const events: OutboxEvent[] = [];
      const outcome = await body({
        em: transaction.em,
        transaction,
        caller,
        units: session.units,
        now,
        by: {
          principal: caller.principal.id,
          principalName: caller.principal.name,
          cause: 'MUTATION',
          causeId: caller.traceId,
        },
        audit: (action, subjects, fields) => void last.push(auditRow(subgraph, caller, { action, subjects, fields })),
        auditRefusal: (action, subjects, fields, instead) => void notes.push({ action, subjects, fields, instead }),
        publish: (...more) => void events.push(...more),
        late: (text, values) => void last.push({ text, values }),
        written,
      });
      last.push({
        text: `insert into ${subgraph}.idempotency (principal, operation, key, body_hash, outcome) values ($1, $2, $3, decode($4, 'hex'), $5::jsonb)`,
        values: [caller.principal.id, request.operation, request.key, request.bodyHash, JSON.stringify(outcome)],
      });
      if (events.length > 0) last.push(outboxPart(events));
      const { text, values } = joined(last);
      await transaction.query(lastStatement + text, values);
      return outcome;
    });
  }

  /** The answer of a twin that ended while this one ran: what it changed may be why this one was refused. */
  async function answerOfTwin<Kept extends Outcome>(session: WriteSession, request: KeyedRequest): Promise<Kept | null> {
    const { kept } = await database.untold(session, (transaction) => begin(transaction, session, request));
    return kept as Kept | null;
  }

  function keepNotes(session: WriteSession, caller: Caller, notes: readonly RefusalNote[]): Promise<HubError | null> {
    return database.transaction(session, async (transaction) => {
      for (const { instead } of notes) {
        const other = (await instead?.(transaction)) ?? null;
        if (other !== null) return other;
      }
      const { text, values } = joined(notes.map((note) => auditRow(subgraph, caller, note)));
      await transaction.query(text, values);
      return null;
    });
  }

  return { mutate, close: () => database.close() };
}

/** `null`: this subgraph has no mutations, so it gets no connection to write. */
export async function changesOf(
  { name, entities }: { readonly name: SubgraphName; readonly entities?: readonly EntitySchema[] },
  url: string,
): Promise<Changes | null> {
  return entities === undefined ? null : await openChanges({ url, subgraph: name, entities });
}

interface KeyedRequest extends ChangeRequest {
  readonly key: string;
  /** SHA-256 in hex. */
  readonly bodyHash: string;
  readonly schema: SubgraphName;
}

interface RefusalNote extends AuditNote {
  readonly instead: Instead | undefined;
}

/**
 * A principal who was disabled since the token was checked changes nothing; a key that was answered is not used again. Twins that run at once
 * both get past here: the later one waits at the row of the first, or at the key, and then gets its answer.
 */
async function begin(
  transaction: Transaction,
  { units }: WriteSession,
  { caller: { principal }, schema, operation, key, bodyHash }: KeyedRequest,
): Promise<{ readonly now: Date; readonly kept: Outcome | null }> {
  const [row] = await transaction.query<Begun>(
    `select stands, now::text as now, body_hash as hash, outcome, hub.sealing_overdue() as overdue from hub.begin_change($1, $2, $3, $4, $5, $6, $7, $8)`,
    [schema, units, principal.kind, principal.id, principal.role, principal.unitNo, operation, key],
  );
  if (row?.stands !== true) throw refusal('NO_TOKEN');
  // What cannot be proved any more must not be changed any more; the sealer lifts it by itself.
  if (row.overdue) throw refusal('AUDIT_UNSEALED', { retryAfter: 60 });
  if (row.hash !== null && row.hash !== bodyHash) throw refusal('IDEMPOTENCY_OTHER_INPUT', { field: 'idempotencyKey' });
  return { now: new Date(Number(row.now)), kept: row.outcome === null ? null : (JSON.parse(row.outcome) as Outcome) };
}

interface Begun {
  readonly stands: boolean;
  readonly overdue: boolean;
  readonly now: string;
  readonly hash: string | null;
  readonly outcome: string | null;
}

/** A statement that becomes a part of the last one. */
interface Part {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** All of them as one statement: each a part of `with`, which PostgreSQL runs to its end whether it is read or not. */
function joined(parts: readonly Part[]): Part {
  const values: unknown[] = [];
  const texts = parts.map((part, nth) => {
    const from = values.length;
    values.push(...part.values);
    const text = part.text.replace(/\$(\d+)/g, (_, number: string) => `$${String(from + Number(number))}`);
    return `p${String(nth)} as (${text})`;
  });
  return { text: `with ${texts.join(', ')} select`, values };
}

function keyOf({ idempotencyKey }: Caller): string | null {
  return idempotencyKey !== null && /^[A-Za-z0-9_-]{8,128}$/.test(idempotencyKey) ? idempotencyKey : null;
}

/** Of the input with its names in order: how a client writes its JSON is no difference. */
function hashOf(input: object): string {
  const text = JSON.stringify(input, (_, value: unknown) => (isObject(value) ? sorted(value) : value));
  return createHash('sha256').update(text).digest('hex');
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function told({ code, reason, field, newer, words }: HubError): Refusal {
  return { code, reason, field, newer, words };
}

function rolledBackForAnother(error: unknown): boolean {
  const code = codeOf(error);
  if (code === '40001' || code === '40P01') return true;
  return code === '23505' && isObject(error) && 'constraint' in error && error.constraint === 'idempotency_pkey';
}

const busy = ['55P03', '57014', '53300'];
const noSpace = '53100';
const away = /^(?:08|57P|E[A-Z]+$)/;
const lost =
  /^(?:Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed)/;

/** The refusal that an error is; whatever is none goes on as it is. */
export function refusalIn(error: unknown): HubError {
  if (error instanceof HubError) {
    if (error.code !== 'INTERNAL' && error.code !== 'DEGRADED') return error;
    throw error;
  }
  if (isObject(error) && 'name' in error && error.name === 'OptimisticLockError')
    return refusal('VERSION_STALE', { field: 'version' });
  const code = codeOf(error);
  if (code === null) {
    if (isLost(error)) throw refusal('DATABASE_AWAY', { retryAfter: 1, cause: error });
    throw error;
  }
  if (busy.includes(code) || rolledBackForAnother(error)) throw refusal('DATABASE_BUSY', { retryAfter: 1, cause: error });
  if (isAuditUnwritten(error)) throw refusal('AUDIT_UNAVAILABLE', { retryAfter: 2, cause: error });
  if (code === noSpace) throw refusal('DATABASE_FULL', { retryAfter: 30, cause: error });
  // Whether it was committed is not known here: the caller sends the same key again and gets the answer of the first.
  if (away.test(code)) throw refusal('DATABASE_AWAY', { retryAfter: 1, cause: error });
  throw error;
}

/** No audit, no change: the right is gone, or the month has no partition. */
function isAuditUnwritten(error: unknown): boolean {
  if (!isObject(error)) return false;
  if ('table' in error && typeof error.table === 'string' && error.table.startsWith('audit_event')) return true;
  return codeOf(error) === '42501' && 'message' in error && /\btable audit_event/.test(String(error.message));
}

/** What pg says without a code when the wire broke or no connection came, also where another error carries it as its cause. */
function isLost(error: unknown): boolean {
  for (let at = error, step = 0; isObject(at) && step < 8; step += 1) {
    if ('message' in at && typeof at.message === 'string' && lost.test(at.message)) return true;
    const code = codeOf(at);
    if (code !== null && away.test(code)) return true;
    at = 'cause' in at ? at.cause : null;
  }
  return false;
}

function codeOf(error: unknown): string | null {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** So many at a time; the rest waits in the order it came. */
function openPlaces(places: number): { run<T>(body: () => Promise<T>): Promise<T> } {
  const waiting: (() => void)[] = [];
  let free = places;
  return {
    async run(body) {
      if (free > 0) free -= 1;
      else {
        if (waiting.length >= waitingLimit) throw refusal('DATABASE_BUSY', { retryAfter: 1 });
        await new Promise<void>((resolve) => void waiting.push(resolve));
      }
      try {
        return await body();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
