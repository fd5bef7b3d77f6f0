import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { everyUnit, openDatabase, type Database, type Transaction } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { headHash, noHead, publishHead, readPublished, signHead, type AuditKey, type HeadContent } from './heads.ts';
import { headColumns, microText, rowHash, type StoredHead } from './sealed-rows.ts';

/*
 * Seals the audit: the hash of each row is put beside it, batches are chained, heads signed and published outside the database.
 *
 * Rows of one batch lie in one month, so that a month can be dropped with its seals and every other batch still be proved.
 * A row is found by having no seal, not by its place: one that commits late is in the next batch. It may be late by `lateness`; a row
 * that appears later in an older place is never sealed, and the verifier names it as inserted. Clocks of the hub's machines must agree
 * within that time.
 * One sealer at a time: a second copy finds the lock taken and does nothing. Nothing has to be mended after an outage.
 */

const batchRows = 10_000;
const lateness = '10 minutes';
/** Milliseconds: between two rounds; between two published heads; between two looks for months to drop; the longest pause after failures. */
const every = 10_000;
const publishEvery = 600_000;
const pruneEvery = 3_600_000;
const longestPause = 60_000;

const session = { units: everyUnit, principal: 'hub' };

export interface SealerOptions {
  /** Login of the sealer. */
  readonly url: string;
  readonly key: AuditKey;
  /** Folder of the published heads. */
  readonly headsDir: string;
}

export interface Restored {
  /** When the backup ended. */
  readonly backup: string;
  /** The last change that is there; `null`: not known. */
  readonly recoveredTo: string | null;
}

export interface Sealer {
  /** Seals all that is committed; how many rows. `null`: another sealer is at work. */
  round(): Promise<number | null>;
  /** Publishes the newest head where it is not published yet; false: there is no head. */
  publish(): Promise<boolean>;
  /** False when the newest published head is not in the database: it was rolled back. */
  standsAsPublished(): Promise<boolean>;
  /** Drops months that are older than so many whole months; which. */
  prune(keptMonths: number): Promise<readonly string[]>;
  /** Once after the hub's own restore: a new line begins, and what was published of the old one after this point is a known gap. */
  noteRestore(restored: Restored): Promise<void>;
  close(): Promise<void>;
}

export async function openSealer({ url, key, headsDir }: SealerOptions): Promise<Sealer> {
  const database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'hub sealer' });
  return new ChainSealer(database, key, headsDir);
}

class ChainSealer implements Sealer {
  readonly #database: Database;
  readonly #key: AuditKey;
  readonly #headsDir: string;
  #published: string | null = null;

  constructor(database: Database, key: AuditKey, headsDir: string) {
    this.#database = database;
    this.#key = key;
    this.#headsDir = headsDir;
  }

  async round(): Promise<number | null> {
    let sealed = 0;
    for (;;) {
      const rows = await this.#locked((transaction) => this.#batch(transaction));
      if (rows === null) return null;
      if (rows === 0) return sealed;
      sealed += rows;
    }
  }

  /** One batch; 0: nothing was left, and that is noted. */
  async #batch(transaction: Transaction): Promise<number> {
    const [start] = await transaction.query<Start>(
      `select ${microText('clock_timestamp()')} as now, ${microText(`s.sealed_to - interval '${lateness}'`)} as low from hub.audit_sealer s`,
    );
    if (start === undefined) throw new Error('The sealer has lost its place.');
    const low = start.low ?? '-infinity';
    const [first] = await transaction.query<{ at: string; end: string }>(
      `select ${microText('e.at')} as at, ${microText(`(date_trunc('month', e.at at time zone 'UTC') + interval '1 month') at time zone 'UTC'`)} as end
       from hub.audit_event e
       where e.at >= $1::timestamptz
         and not exists (select from hub.audit_seal s where s.at = e.at and s.id = e.id and s.at >= $1::timestamptz)
       order by e.at, e.id limit 1`,
      [low],
    );
    if (first === undefined) {
      await transaction.query('update hub.audit_sealer set passed_at = $1::timestamptz', [start.now]);
      return 0;
    }
    const previous = await newest(transaction);
    const no = (previous?.no ?? 0) + 1;
    const [batch] = await transaction.query<Batch>(
      `with row as materialized (
         select e.at, e.id, ${rowHash('e')} as hash from hub.audit_event e
         where e.at >= $1::timestamptz and e.at < $2::timestamptz
           and not exists (select from hub.audit_seal s
             where s.at = e.at and s.id = e.id and s.at >= $1::timestamptz and s.at < $2::timestamptz)
         order by e.at, e.id limit ${String(batchRows)}),
       sealed as (
         insert into hub.audit_seal (at, id, head, no, hash)
         select r.at, r.id, $3::bigint, row_number() over (order by r.at, r.id), r.hash from row r returning at, no, hash)
       select count(*)::int as rows, ${microText('min(at)')} as "fromAt", ${microText('max(at)')} as "toAt",
         encode(sha256(string_agg(hash, ''::bytea order by no)), 'hex') as "batchHash" from sealed`,
      [first.at, first.end, no],
    );
    if (batch === undefined || batch.rows === 0) throw new Error('A row that was there could not be sealed.');
    await this.#append(transaction, {
      ...batch,
      no,
      line: previous?.line ?? randomUUID(),
      kind: 'SEAL',
      at: start.now,
      detail: {},
      previous: previous?.head ?? noHead,
    });
    await transaction.query(
      `update hub.audit_sealer set sealed_to = greatest(sealed_to, least($1::timestamptz, $2::timestamptz))`,
      [batch.toAt, start.now],
    );
    return batch.rows;
  }

  async publish(): Promise<boolean> {
    const head = await this.#database.transaction(session, newest);
    if (head !== null && head.head !== this.#published) this.#publish(head);
    return head !== null;
  }

  async standsAsPublished(): Promise<boolean> {
    const last = readPublished(this.#headsDir).heads.at(-1);
    if (last === undefined) return true;
    const found = await this.#database.transaction(session, (t) =>
      t.query<{ no: string }>(
        `select h.no::text as no from hub.audit_head h where h.no = $1 and h.line = $2::uuid and h.head = decode($3, 'hex')`,
        [last.no, last.line, last.head],
      ),
    );
    return found.length > 0;
  }

  async prune(keptMonths: number): Promise<readonly string[]> {
    const months = await this.#database.transaction(session, (t) =>
      t.query<{ month: string }>(
        `select to_char(m, 'YYYY-MM') as month from hub.audit_months() m
         where m + interval '1 month' <= date_trunc('month', clock_timestamp() at time zone 'UTC') - make_interval(months => $1)
           and m + interval '1 month' < (clock_timestamp() at time zone 'UTC') - interval '24 months'
         order by m`,
        [keptMonths],
      ),
    );
    const dropped: string[] = [];
    for (const { month } of months) {
      const done = await this.#locked(async (transaction) => {
        const head = await this.#mark(transaction, 'PRUNED', { month });
        await transaction.query('select hub.drop_audit_month($1::date)', [`${month}-01`]);
        return head;
      });
      if (done === null) break;
      this.#publish(done);
      dropped.push(month);
    }
    return dropped;
  }

  async noteRestore({ backup, recoveredTo }: Restored): Promise<void> {
    const head = await this.#locked((transaction) => this.#mark(transaction, 'RESTORE', { backup, recoveredTo }));
    if (head === null) throw new Error('Another sealer is at work on the restored database.');
    this.#publish(head);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #mark(
    transaction: Transaction,
    kind: 'PRUNED' | 'RESTORE',
    said: Readonly<Record<string, unknown>>,
  ): Promise<StoredHead> {
    const previous = await newest(transaction);
    const [time] = await transaction.query<{ now: string }>(`select ${microText('clock_timestamp()')} as now`);
    const left = previous === null ? null : { line: previous.line, no: previous.no };
    return this.#append(transaction, {
      no: (previous?.no ?? 0) + 1,
      line: kind === 'RESTORE' ? randomUUID() : (previous?.line ?? randomUUID()),
      kind,
      at: time?.now ?? '',
      fromAt: null,
      toAt: null,
      rows: 0,
      batchHash: noHead,
      detail: kind === 'RESTORE' ? { ...said, left } : said,
      previous: previous?.head ?? noHead,
    });
  }

  async #append(transaction: Transaction, content: HeadContent): Promise<StoredHead> {
    const head = headHash(content);
    const { no, line, kind, at, fromAt, toAt, rows, batchHash, detail, previous } = content;
    const signature = signHead({ no, line, head }, this.#key);
    const keyId = this.#key.kid;
    await transaction.query(
      `insert into hub.audit_head (no, line, kind, at, from_at, to_at, rows, batch_hash, detail, previous, head, key_id, signature)
       values ($1, $2::uuid, $3, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7, decode($8, 'hex'), $9::jsonb, decode($10, 'hex'),
         decode($11, 'hex'), $12, decode($13, 'hex'))`,
      [no, line, kind, at, fromAt, toAt, rows, batchHash, JSON.stringify(detail), previous, head, keyId, signature],
    );
    return { ...content, head, keyId, signature };
  }

  #publish({ no, line, kind, at, head, keyId, signature }: StoredHead): void {
    publishHead(this.#headsDir, { no, line, kind, at, head, keyId, signature });
    this.#published = head;
  }

  /** `null`: somebody else holds the lock. */
  #locked<T>(work: (transaction: Transaction) => Promise<T>): Promise<T | null> {
    return this.#database.transaction(session, async (transaction) => {
      const [lock] = await transaction.query<{ free: boolean }>(
        `select pg_try_advisory_xact_lock(hashtextextended('hub.seal', 0)) as free`,
      );
      return lock?.free === true ? await work(transaction) : null;
    });
  }
}

interface Start {
  readonly now: string;
  readonly low: string | null;
}

interface Batch {
  readonly rows: number;
  readonly fromAt: string;
  readonly toAt: string;
  readonly batchHash: string;
}

async function newest(transaction: Transaction): Promise<StoredHead | null> {
  const [head] = await transaction.query<StoredHead>(`select ${headColumns} from hub.audit_head h order by h.no desc limit 1`);
  return head ?? null;
}

export interface SealingOptions extends SealerOptions {
  readonly keptMonths: number;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Seals until the signal; resolves when the batch under way has ended. Errors are counted, logged and tried again, never thrown. */
export async function runSealer({ keptMonths, signal, metrics, log, ...options }: SealingOptions): Promise<void> {
  const rows = metrics.counter('hub_audit_sealed_rows_total', 'Audit rows that were sealed');
  const failures = metrics.counter('hub_audit_seal_failures_total', 'Rounds of the sealer that failed and are tried again');
  let passed = Date.now();
  let rolledBack = false;
  metrics.gauge(
    'hub_audit_sealing_lag_seconds',
    'Age of the oldest audit row that may be unsealed',
    () => (Date.now() - passed) / 1_000,
  );
  metrics.gauge('hub_audit_rolled_back', '1: the newest published head of the audit is not in the database', () =>
    Number(rolledBack),
  );
  let sealer: Sealer | null = null;
  let failed = 0;
  let published = -Infinity;
  let pruned = -Infinity;
  while (!signal.aborted) {
    try {
      if (sealer === null) {
        sealer = await openSealer(options);
        rolledBack = !(await sealer.standsAsPublished());
        if (rolledBack) log.error('audit.rolled-back');
      }
      const began = Date.now();
      const sealed = await sealer.round();
      // Another copy seals: its numbers say how far.
      passed = began;
      if (sealed !== null) {
        rows.inc(sealed);
        if (performance.now() - published > publishEvery) {
          if (await sealer.publish()) published = performance.now();
        }
        if (performance.now() - pruned > pruneEvery) {
          for (const month of await sealer.prune(keptMonths)) log.info('audit.month-dropped', { kind: month });
          pruned = performance.now();
        }
      }
      failed = 0;
    } catch (error) {
      failed += 1;
      failures.inc();
      log.error('audit.not-sealed', { attempt: failed }, error);
    }
    await pause(failed === 0 ? every : Math.min(1_000 * 2 ** failed, longestPause), undefined, { signal }).catch(() => undefined);
  }
  await sealer?.publish().catch(() => undefined);
  await sealer?.close();
}
