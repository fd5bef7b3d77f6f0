import type { KeyObject } from 'node:crypto';
import { headHash, isSigned, noHead, readPublished, type PublishedHead } from './heads.ts';
import { headColumns, microText, rowHash, type Query, type StoredHead } from './sealed-rows.ts';

/*
 * Whether the audit is what was written: the chain of heads, the heads published outside the database, the hash of every sealed row, and
 * that no row stands between them that was never sealed.
 */

export const problemKinds = [
  'EDITED', // a sealed row has another content
  'DELETED', // a sealed row is gone
  'INSERTED', // a row that was never sealed stands among sealed ones
  'SEALS_CHANGED', // the seals of a batch are not those that were signed
  'CHAIN_BROKEN', // a head is missing, changed, or not by the hub's key
  'ROLLED_BACK', // a published head is not in the database
  'PUBLISHED_CHANGED', // the file of published heads was damaged or changed
  'NOT_SEALED', // the sealer is behind
] as const;
export type ProblemKind = (typeof problemKinds)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** Of the row, or where the batch begins. */
  readonly at: string | null;
  /** Of the row. */
  readonly id: string | null;
  /** Number of the head. */
  readonly head: number | null;
}

export interface Verified {
  readonly heads: number;
  /** Rows whose hash was compared. */
  readonly rows: number;
  /** Rows of months that retention dropped under a signed head. */
  readonly prunedRows: number;
  /** Rows so new that they are not sealed yet. */
  readonly tail: number;
  readonly tailSeconds: number;
  readonly published: number;
  /** Restores by the hub's own command: heads that were published of the lost time. */
  readonly gaps: readonly {
    readonly restoredAt: string;
    readonly backup: unknown;
    readonly recoveredTo: unknown;
    readonly heads: number;
  }[];
  /** The first bad row first; at most {@link most}. */
  readonly problems: readonly Problem[];
  /** Whether there were more. */
  readonly more: boolean;
}

export interface VerifyOptions {
  /** One per connection that may work at once; all of the same database, role auditor or owner. */
  readonly queries: readonly Query[];
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Where heads were published: this hub's folder, or a copy from elsewhere. */
  readonly headsDirs: readonly string[];
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** False: no hub runs, so nobody seals; the tail may be older than a minute. */
  readonly sealing: boolean;
}

const most = 100;
/** Rows compared by one statement, about a quarter of a second of it: small enough that several connections end together. */
const rowsAtOnce = 50_000;
const headsAtOnce = 5_000;
/** Seconds. */
const bearableLag = 60;

export async function verifyAudit(options: VerifyOptions): Promise<Verified> {
  const { queries, keys, headsDirs, signal } = options;
  const [query] = queries;
  if (query === undefined) throw new Error('Verification needs a connection.');
  const problems: Problem[] = [];
  const chain = await readChain(query, keys, problems);
  const published = headsDirs.map(readPublished);
  const publishedHeads = published.flatMap(({ heads }) => heads);
  if (published.some(({ unreadable }) => unreadable.length > 0)) problems.push(about('PUBLISHED_CHANGED'));
  const lost = comparePublished(chain, publishedHeads, keys, problems);

  const batches = chain.heads.filter(({ kind, toAt }) => kind === 'SEAL' && !chain.prunedMonths.has((toAt ?? '').slice(0, 7)));
  // Asked once: the sealer goes on meanwhile.
  const [sealer] = await query<{ tailBegins: string }>(
    `select ${microText(`p.swept_at - interval '1 minute'`)} as "tailBegins" from hub.audit_sealer p`,
  );
  if (sealer === undefined) throw new Error('The place of the sealer is lost.');
  const { rows, settled } = await compareRows(batches, sealer.tailBegins, options, problems);
  signal?.throwIfAborted();
  const { tail, tailSeconds } = await findUnsealed(
    query,
    { batches, settled, tailBegins: sealer.tailBegins, sealing: options.sealing },
    problems,
  );

  problems.sort(byPlace);
  return {
    heads: chain.heads.length,
    rows,
    prunedRows: chain.heads.reduce(
      (sum, { toAt, rows: count }) => sum + (chain.prunedMonths.has((toAt ?? '').slice(0, 7)) ? count : 0),
      0,
    ),
    tail,
    tailSeconds,
    published: publishedHeads.length,
    gaps: chain.heads
      .filter(({ kind }) => kind === 'RESTORE')
      .map(({ line, at, detail }) => ({
        restoredAt: at,
        backup: detail.backup,
        recoveredTo: detail.recoveredTo,
        heads: lost.get(line) ?? 0,
      })),
    problems: problems.slice(0, most),
    more: problems.length > most,
  };
}

function about(kind: ProblemKind, head: Pick<StoredHead, 'no' | 'fromAt'> | null = null): Problem {
  return { kind, at: head?.fromAt ?? null, id: null, head: head?.no ?? null };
}

/** Rows in the order of the audit, what is said of a batch before its rows, also before the first; what is said of the whole comes last. */
function byPlace(one: Problem, other: Problem): number {
  const place = ({ at, id }: Problem) => `${at ?? '~'} ${id ?? ''}`;
  return place(one) < place(other) ? -1 : 1;
}

interface Chain {
  readonly heads: readonly StoredHead[];
  /** `2026-01`; known from signed heads alone. */
  readonly prunedMonths: ReadonlySet<string>;
}

/** Of each page of heads the last signature, and those that excuse something: the chain itself binds all before it. */
async function readChain(query: Query, keys: VerifyOptions['keys'], problems: Problem[]): Promise<Chain> {
  const heads: StoredHead[] = [];
  const prunedMonths = new Set<string>();
  for (let last: StoredHead | null = null; ;) {
    const page: readonly StoredHead[] = await query<StoredHead>(
      `select ${headColumns} from hub.audit_head h where h.no > $1 order by h.no limit ${String(headsAtOnce)}`,
      [last?.no ?? 0],
    );
    for (const [index, head] of page.entries()) {
      const weighty = head.kind !== 'SEAL' || index === page.length - 1;
      const good = follows(head, last) && headHash(head) === head.head && (!weighty || isSigned(head, keys));
      if (!good) problems.push(about('CHAIN_BROKEN', head));
      else if (head.kind === 'PRUNED' && typeof head.detail.month === 'string') prunedMonths.add(head.detail.month);
      last = head;
    }
    heads.push(...page);
    if (page.length < headsAtOnce) return { heads, prunedMonths };
  }
}

function follows(head: StoredHead, before: StoredHead | null): boolean {
  if (head.no !== (before?.no ?? 0) + 1 || head.previous !== (before?.head ?? noHead)) return false;
  return before === null || head.kind === 'RESTORE' || head.line === before.line;
}

/** By the line that a restore began: how many heads of the line before it were published after the point that was restored. */
function comparePublished(
  { heads }: Chain,
  published: readonly PublishedHead[],
  keys: VerifyOptions['keys'],
  problems: Problem[],
): ReadonlyMap<string, number> {
  const stored = new Map(heads.map((head) => [`${head.line} ${String(head.no)}`, head.head]));
  const left = new Map<string, { readonly no: number; readonly by: string }>();
  for (const { kind, detail, line } of heads) {
    if (kind !== 'RESTORE' || typeof detail.left !== 'object' || detail.left === null) continue;
    const { line: of, no } = detail.left as { readonly line?: unknown; readonly no?: unknown };
    if (typeof of === 'string' && typeof no === 'number') left.set(of, { no, by: line });
  }
  const lost = new Map<string, number>();
  for (const head of published) {
    if (!isSigned(head, keys)) {
      problems.push({ kind: 'PUBLISHED_CHANGED', at: null, id: null, head: head.no });
      continue;
    }
    const found = stored.get(`${head.line} ${String(head.no)}`);
    if (found === head.head) continue;
    const gap = left.get(head.line);
    if (found === undefined && gap !== undefined && head.no > gap.no) lost.set(gap.by, (lost.get(gap.by) ?? 0) + 1);
    else problems.push({ kind: 'ROLLED_BACK', at: head.at, id: null, head: head.no });
  }
  return lost;
}

interface Group {
  readonly heads: readonly StoredHead[];
  readonly rows: number;
}

/** Batches one after the other, of one month, up to so many rows. */
function grouped(batches: readonly StoredHead[]): readonly Group[] {
  const groups: { heads: StoredHead[]; rows: number }[] = [];
  for (const head of batches) {
    const group = groups.at(-1);
    const fits = group !== undefined && group.rows + head.rows <= rowsAtOnce && monthOf(group.heads[0]) === monthOf(head);
    if (fits) {
      group.heads.push(head);
      group.rows += head.rows;
    } else groups.push({ heads: [head], rows: head.rows });
  }
  return groups;
}

function monthOf(head: StoredHead | undefined): string {
  return head?.toAt?.slice(0, 7) ?? '';
}

interface Compared {
  readonly rows: number;
  /** By month: rows before the tail that have their seal. */
  readonly settled: ReadonlyMap<string, number>;
}

async function compareRows(
  batches: readonly StoredHead[],
  tailBegins: string,
  { queries, progress, signal }: VerifyOptions,
  problems: Problem[],
): Promise<Compared> {
  const groups = grouped(batches);
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  let done = 0;
  let next = 0;
  const settled = new Map<string, number>();
  const work = async (query: Query): Promise<void> => {
    for (let group = groups[next++]; group !== undefined; group = groups[next++]) {
      signal?.throwIfAborted();
      const found = await compareGroup(query, group, tailBegins);
      problems.push(...found.problems);
      const month = monthOf(group.heads[0]);
      settled.set(month, (settled.get(month) ?? 0) + found.settled);
      done += group.rows;
      progress?.(done, total);
    }
  };
  await Promise.all(queries.map(work));
  return { rows: total, settled };
}

interface Batch {
  readonly head: number;
  readonly rows: number;
  readonly batchHash: string;
  readonly bad: number;
  readonly settled: number;
}

/** One row a seal, narrow: what is sorted by batch must not carry the content of the row with it. */
const compared = `select s.head, s.no, s.at, s.id, s.hash, e.id is null as gone, e.id is null or ${rowHash('e')} <> s.hash as bad
  from hub.audit_seal s left join hub.audit_event e
    on e.at = s.at and e.id = s.id and e.at between $1::timestamptz and $2::timestamptz
  where s.at between $1::timestamptz and $2::timestamptz and s.head between $3 and $4`;

async function compareGroup(
  query: Query,
  { heads }: Group,
  tailBegins: string,
): Promise<{ readonly problems: readonly Problem[]; readonly settled: number }> {
  const [first, last] = [heads[0], heads.at(-1)];
  if (first === undefined || last === undefined) return { problems: [], settled: 0 };
  const from = heads.reduce((least, { fromAt }) => (fromAt !== null && fromAt < least ? fromAt : least), first.fromAt ?? '');
  const to = heads.reduce((largest, { toAt }) => (toAt !== null && toAt > largest ? toAt : largest), '');
  const range = [from, to, first.no, last.no];
  const found = await query<Batch>(
    `with seal as materialized (${compared})
     select head::float8 as head, count(*)::int as rows,
       pg_catalog.encode(pg_catalog.sha256(string_agg(hash, ''::bytea order by no, at, id)), 'hex') as "batchHash",
       (count(*) filter (where bad))::int as bad, (count(*) filter (where not gone and at <= $5::timestamptz))::int as settled
     from seal group by head`,
    [...range, tailBegins],
  );
  const problems: Problem[] = [];
  const byHead = new Map(found.map((batch) => [batch.head, batch]));
  for (const head of heads) {
    const batch = byHead.get(head.no);
    if (batch?.rows !== head.rows || batch.batchHash !== head.batchHash) problems.push(about('SEALS_CHANGED', head));
  }
  if (found.some(({ bad }) => bad > 0)) {
    problems.push(
      ...(await query<Problem>(
        `with seal as materialized (${compared})
         select case when gone then 'DELETED' else 'EDITED' end as kind, ${microText('s.at')} as at, s.id::text as id, s.head::float8 as head
         from seal s where bad order by s.at, s.id limit ${String(most + 1)}`,
        range,
      )),
    );
  }
  return { problems, settled: found.reduce((sum, batch) => sum + batch.settled, 0) };
}

interface Month {
  /** Rows before the tail. */
  readonly settled: number;
  readonly tail: number;
  /** Of the tail. */
  readonly oldest: string | null;
  readonly seals: number;
}

const ofMonth = (alias: string) => `${alias}.at >= $1::timestamptz and ${alias}.at < $2::timestamptz`;
const unsealed = `not exists (select from hub.audit_seal s where s.at = e.at and s.id = e.id and ${ofMonth('s')})`;

interface Sealed {
  readonly batches: readonly StoredHead[];
  readonly settled: ReadonlyMap<string, number>;
  /** Newer than what the sealer has swept, less the time for which a transaction may have been open. */
  readonly tailBegins: string;
  readonly sealing: boolean;
}

/**
 * Before the tail as many rows as were found beside their seals: then none is without. Only where the numbers differ is each row looked for.
 */
async function findUnsealed(
  query: Query,
  { batches, settled, tailBegins, sealing }: Sealed,
  problems: Problem[],
): Promise<{ readonly tail: number; readonly tailSeconds: number }> {
  const [ends] = await query<{ first: string | null; last: string | null }>(
    `select to_char(least(e.first, s.first) at time zone 'UTC', 'YYYY-MM') as first, to_char(greatest(e.last, s.last) at time zone 'UTC', 'YYYY-MM') as last
     from (select min(at) as first, max(at) as last from hub.audit_event) e, (select min(at) as first, max(at) as last from hub.audit_seal) s`,
  );
  let tail = 0;
  let oldest: string | null = null;
  for (let month = ends?.first ?? null; month !== null && month <= (ends?.last ?? ''); month = monthAfter(month)) {
    const range = [`${month}-01T00:00:00Z`, `${monthAfter(month)}-01T00:00:00Z`];
    const [found] = await query<Month>(
      `select (select count(*)::int from hub.audit_event e where ${ofMonth('e')} and e.at <= $3::timestamptz) as settled,
         (select count(*)::int from hub.audit_seal x where ${ofMonth('x')}) as seals, tail.*
       from (select count(*)::int as tail, ${microText('min(e.at)')} as oldest
         from hub.audit_event e where ${ofMonth('e')} and e.at > $3::timestamptz and ${unsealed}) tail`,
      [...range, tailBegins],
    );
    tail += found?.tail ?? 0;
    oldest ??= found?.oldest ?? null;
    if ((found?.settled ?? 0) !== (settled.get(month) ?? 0)) {
      const rows = await query<{ at: string; id: string }>(
        `select ${microText('e.at')} as at, e.id::text as id from hub.audit_event e
         where ${ofMonth('e')} and ${unsealed} and e.at <= $3::timestamptz order by e.at, e.id limit ${String(most + 1)}`,
        [...range, tailBegins],
      );
      problems.push(...rows.map(({ at, id }): Problem => ({ kind: 'INSERTED', at, id, head: null })));
    }
    const signed = batches.reduce((sum, head) => sum + (monthOf(head) === month ? head.rows : 0), 0);
    // Where the chain itself has a hole, every seal of the missing head would be foreign.
    const whole = !problems.some(({ kind }) => kind === 'CHAIN_BROKEN');
    if (whole && (found?.seals ?? 0) > signed) problems.push(...(await foreignSeals(query, range)));
  }
  const tailSeconds = oldest === null ? 0 : Math.max(0, (Date.now() - Date.parse(oldest)) / 1_000);
  if (sealing && tailSeconds > bearableLag) problems.push({ kind: 'NOT_SEALED', at: oldest, id: null, head: null });
  return { tail, tailSeconds };
}

/** Rows that were inserted together with a seal which no head knows. */
async function foreignSeals(query: Query, range: readonly string[]): Promise<readonly Problem[]> {
  const rows = await query<{ at: string; id: string }>(
    `select ${microText('x.at')} as at, x.id::text as id from hub.audit_seal x
     where ${ofMonth('x')} and not exists (
       select from hub.audit_head h where h.no = x.head and h.kind = 'SEAL' and x.at between h.from_at and h.to_at)
     order by x.at, x.id limit ${String(most + 1)}`,
    range,
  );
  return rows.map(({ at, id }) => ({ kind: 'INSERTED', at, id, head: null }));
}

function monthAfter(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return number === 12 ? `${String(year + 1)}-01` : `${String(year)}-${String(number + 1).padStart(2, '0')}`;
}
