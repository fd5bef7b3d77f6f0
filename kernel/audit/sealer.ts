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
 * A row is found by having no seal, not by its place: one that commits late is in the next batch. Each round looks back a minute, a sweep once a
 * minute ten; a row that appears later in an older place is never sealed, and the verifier names it as inserted. Clocks of the hub's machines
 * must agree within that time.
 * A look costs what it compares, so a round is one look, one statement and one insert of heads, however many batches it fills.
 * One sealer at a time: a second copy finds the lock taken and does nothing. Nothing has to be mended after an outage.
 */

const batchRows = 10_000;
/** Of one look: about a second of hashing. */
const rowsAtOnce = 100_000;
const lateness = { round: '1 minute', sweep: '10 minutes' } as const;
/** Milliseconds: between two rounds; two sweeps; two times the index is settled; two published heads; two looks for months to drop; the longest pause after failures. */
const every = 10_000;
const sweepEvery = 60_000;
const settleEvery = 60_000;
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
  /** Seals all that is committed; how many rows. `null`: another sealer is at work. The first one sweeps, then one each minute. */
  round(): Promise<number | null>;
  /** Works what waits into the index by person; in the request it would hold up the reads that wait for their audit. */
  settleIndex(): Promise<void>;
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
  /** By the clock of the process. */
  #swept = -Infinity;

  constructor(database: Database, key: AuditKey, headsDir: string) {
    this.#database = database;
    this.#key = key;
    this.#headsDir = headsDir;
  }

  async round(): Promise<number | null> {
    const began = performance.now();
    const sweep = began - this.#swept >= sweepEvery;
    let sealed = 0;
    for (;;) {
      const rows = await this.#locked((transaction) => this.#look(transaction, sweep));
      if (rows === null) return null;
      sealed += rows;
      if (rows === rowsAtOnce) continue;
      if (sweep) this.#swept = began;
      return sealed;
    }
  }

  async settleIndex(): Promise<void> {
    await this.#database.transaction(session, async (transaction) => {
      await transaction.query(`set local statement_timeout = '10min'`);
      await transaction.query('select hub.settle_audit_index()');
    });
  }

  /** Seals up to {@link rowsAtOnce} rows, oldest first. Fewer: nothing was left, and that is noted. */
  async #look(transaction: Transaction, sweep: boolean): Promise<number> {
    const back = sweep ? lateness.sweep : lateness.round;
    const [start] = await transaction.query<Start>(
      `select ${microText('clock_timestamp()')} as now, ${microText(`s.sealed_to - interval '${back}'`)} as low from hub.audit_sealer s`,
    );
    if (start === undefined) throw new Error('The sealer has lost its place.');
    const previous = await newest(transaction);
    const batches = await transaction.query<Batch>(
      `with row as materialized (
         select e.at, e.id, date_trunc('month', e.at at time zone 'UTC') as month, ${rowHash('e')} as hash from hub.audit_event e
         where e.at >= $1::timestamptz
           and not exists (select from hub.audit_seal s where s.at = e.at and s.id = e.id and s.at >= $1::timestamptz)
         order by e.at, e.id limit ${String(rowsAtOnce)}),
       numbered as (select r.*, row_number() over (partition by month order by at, id) - 1 as n from row r),
       sealed as (
         insert into hub.audit_seal (at, id, head, no, hash)
         select at, id, $2::bigint + dense_rank() over (order by month, n / ${String(batchRows)}), n % ${String(batchRows)} + 1, hash
         from numbered returning at, head, no, hash)
       select head::float8 as no, count(*)::int as rows, ${microText('min(at)')} as "fromAt", ${microText('max(at)')} as "toAt",
         encode(sha256(string_agg(hash, ''::bytea order by sealed.no)), 'hex') as "batchHash" from sealed group by head order by head`,
      [start.low ?? '-infinity', previous?.no ?? 0],
    );
    const line = previous?.line ?? randomUUID();
    let before = previous?.head ?? noHead;
    const heads = batches.map((batch) => {
      const head = this.#signed({ ...batch, line, kind: 'SEAL', at: start.now, detail: {}, previous: before });
      before = head.head;
      return head;
    });
    if (heads.length > 0) await append(transaction, heads);
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    const last = batches.reduce<string | null>((latest, { toAt }) => (latest === null || toAt > latest ? toAt : latest), null);
    const passed = rows < rowsAtOnce;
    await transaction.query(
      `update hub.audit_sealer set sealed_to = greatest(sealed_to, least($1::timestamptz, $2::timestamptz)),
         passed_at = case when $3 then $2::timestamptz else passed_at end, swept_at = case when $4 then $2::timestamptz else swept_at end`,
      [last, start.now, passed, passed && sweep],
    );
    return rows;
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
    const head = this.#signed({
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
    await append(transaction, [head]);
    return head;
  }

  #signed(content: HeadContent): StoredHead {
    const head = headHash(content);
    const { no, line } = content;
    return { ...content, head, keyId: this.#key.kid, signature: signHead({ no, line, head }, this.#key) };
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
  readonly no: number;
  readonly rows: number;
  readonly fromAt: string;
  readonly toAt: string;
  readonly batchHash: string;
}

async function newest(transaction: Transaction): Promise<StoredHead | null> {
  const [head] = await transaction.query<StoredHead>(`select ${headColumns} from hub.audit_head h order by h.no desc limit 1`);
  return head ?? null;
}

async function append(transaction: Transaction, heads: readonly StoredHead[]): Promise<void> {
  await transaction.query(
    `insert into hub.audit_head (no, line, kind, at, from_at, to_at, rows, batch_hash, detail, previous, head, key_id, signature)
     select no, line::uuid, kind, at::timestamptz, "fromAt"::timestamptz, "toAt"::timestamptz, rows, decode("batchHash", 'hex'), detail,
       decode(previous, 'hex'), decode(head, 'hex'), "keyId", decode(signature, 'hex')
     from jsonb_to_recordset($1::jsonb) as h (no bigint, line text, kind text, at text, "fromAt" text, "toAt" text, rows int, "batchHash" text,
       detail jsonb, previous text, head text, "keyId" text, signature text) order by no`,
    [JSON.stringify(heads)],
  );
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
  let settled = -Infinity;
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
        if (performance.now() - settled > settleEvery) {
          await sealer.settleIndex();
          settled = performance.now();
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
