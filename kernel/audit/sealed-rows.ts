import type { Transaction } from '../db/database.ts';
import type { HeadKind } from './heads.ts';

/* What sealer and verifier read alike. The verifier hashes with functions of PostgreSQL itself, never with one the owner could replace. */

/**
 * Hash of one audit row. The binary form hangs on no setting of the session; the columns are named, so that a later one changes no hash
 * of an earlier row. For ever as it is: another form gets another name.
 */
export function rowHash(e: string): string {
  const columns = [
    ...['id', 'at', 'principal', 'principal_kind', 'principal_name', 'role', 'unit_no', 'purpose', 'basis', 'action'],
    ...['subgraph', 'subjects', 'fields', 'subject_count', 'operation', 'trace_id', 'detail'],
  ];
  return `pg_catalog.sha256(pg_catalog.record_send(row(${columns.map((column) => `${e}.${column}`).join(', ')})))`;
}

/** UTC text to the microsecond. */
export function microText(instant: string): string {
  return `pg_catalog.to_char((${instant}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

export interface StoredHead {
  readonly no: number;
  readonly line: string;
  readonly kind: HeadKind;
  readonly at: string;
  readonly fromAt: string | null;
  readonly toAt: string | null;
  readonly rows: number;
  readonly batchHash: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly previous: string;
  readonly head: string;
  readonly keyId: string;
  readonly signature: string;
}

export const headColumns = `h.no::float8 as no, h.line::text as line, h.kind, ${microText('h.at')} as at, ${microText('h.from_at')} as "fromAt",
  ${microText('h.to_at')} as "toAt", h.rows, encode(h.batch_hash, 'hex') as "batchHash", h.detail, encode(h.previous, 'hex') as previous,
  encode(h.head, 'hex') as head, h.key_id as "keyId", encode(h.signature, 'hex') as signature`;

export type Query = Transaction['query'];
