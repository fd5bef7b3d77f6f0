import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/*
 * Heads of the audit's chain: what they hash, how they are signed, and where they are published.
 *
 * head = SHA-256 of (number, line, kind, time, range, count, batch hash, detail, previous head). A line is one life of the database: a
 * restore by the hub's own command begins a new one, so that numbers of the lost life and of the new one never meet.
 * Heads are published in files outside the database, one JSON object a line, only ever appended to.
 */

export const headKinds = ['SEAL', 'PRUNED', 'RESTORE'] as const;
export type HeadKind = (typeof headKinds)[number];

export interface HeadContent {
  readonly no: number;
  readonly line: string;
  readonly kind: HeadKind;
  /** Instants as UTC text to the microsecond. */
  readonly at: string;
  readonly fromAt: string | null;
  readonly toAt: string | null;
  readonly rows: number;
  /** Hex, as all hashes here. */
  readonly batchHash: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly previous: string;
}

export const noHead = '0'.repeat(64);

export function headHash(content: HeadContent): string {
  const { no, line, kind, at, fromAt, toAt, rows, batchHash, detail, previous } = content;
  const text = JSON.stringify(['hub audit head 1', no, line, kind, at, fromAt, toAt, rows, batchHash, ordered(detail), previous]);
  return createHash('sha256').update(text).digest('hex');
}

/** PostgreSQL keeps names of a JSON object in an order of its own. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => [name, ordered(inner)]);
}

export interface AuditJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
  readonly d?: string | undefined;
}

export interface AuditKey {
  readonly kid: string;
  readonly secret: KeyObject;
}

export function makeAuditKey(): AuditJwk {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('Node made no Ed25519 key.');
  return { kty: 'OKP', crv: 'Ed25519', kid: `audit-${createHash('sha256').update(x).digest('hex').slice(0, 12)}`, x, d };
}

export function auditKey(jwk: AuditJwk): AuditKey {
  if (jwk.d === undefined) throw new Error('The key of the audit lacks its secret half.');
  const { kty, crv, x, d } = jwk;
  return { kid: jwk.kid, secret: createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' }) };
}

/** Public halves by key id; heads of a key that was replaced stay valid as long as its public half is given. */
export function auditPublicKeys(jwks: readonly AuditJwk[]): ReadonlyMap<string, KeyObject> {
  return new Map(jwks.map(({ kty, crv, kid, x }) => [kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' })]));
}

interface Named {
  readonly no: number;
  readonly line: string;
  readonly head: string;
}

function message({ no, line, head }: Named): Buffer {
  return Buffer.from(`hub audit head\n${line}\n${String(no)}\n${head}`);
}

/** Hex. */
export function signHead(head: Named, key: AuditKey): string {
  return sign(null, message(head), key.secret).toString('hex');
}

export function isSigned(
  head: Named & { readonly keyId: string; readonly signature: string },
  keys: ReadonlyMap<string, KeyObject>,
): boolean {
  const key = keys.get(head.keyId);
  return key !== undefined && verify(null, message(head), key, Buffer.from(head.signature, 'hex'));
}

const Published = z.object({
  no: z.number().int().positive(),
  line: z.string(),
  kind: z.enum(headKinds),
  at: z.string(),
  head: z.string().regex(/^[0-9a-f]{64}$/),
  keyId: z.string(),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});
export type PublishedHead = z.infer<typeof Published>;

/** Appends to the file of the year; durable when it returns. */
export function publishHead(folder: string, head: PublishedHead): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = openSync(join(folder, `heads-${head.at.slice(0, 4)}.jsonl`), 'a', 0o600);
  try {
    writeSync(file, `${JSON.stringify(head)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export interface PublishedHeads {
  readonly heads: readonly PublishedHead[];
  /** `file:line` of what cannot be read. An unfinished last line is a cut-short append, no damage. */
  readonly unreadable: readonly string[];
}

export function readPublished(folder: string): PublishedHeads {
  const heads: PublishedHead[] = [];
  const unreadable: string[] = [];
  if (!existsSync(folder)) return { heads, unreadable };
  for (const name of readdirSync(folder).sort()) {
    if (!/^heads-\d{4}\.jsonl$/.test(name)) continue;
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    const unfinished = lines.pop() ?? '';
    for (const [index, line] of lines.entries()) {
      const head = parsed(line);
      if (head === null) unreadable.push(`${name}:${String(index + 1)}`);
      else heads.push(head);
    }
    const last = unfinished === '' ? null : parsed(unfinished);
    if (last !== null) heads.push(last);
  }
  return { heads, unreadable };
}

function parsed(line: string): PublishedHead | null {
  try {
    return Published.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
