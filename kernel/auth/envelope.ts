import { permissions, roles, type Permission, type Role } from './permissions.ts';
import type { Caller, LegalBasis, Principal, PrincipalKind } from './principal.ts';
import { purposes, type Purpose } from './purposes.ts';

/*
 * What travels inside a sealed request of operations (`hop.ts`): who asks, and what. A principal and an operation text stand once,
 * however many calls of one tick use them. Whoever reads an envelope has opened its seal before; the shape is checked all the
 * same, and a permission that this release does not know is dropped, so that a newer gateway lends nothing to an older subgraph.
 */

export interface EnvelopeCall {
  readonly caller: Caller;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface WireCall {
  readonly who: number;
  readonly text: number;
  readonly purpose: string;
  readonly basis: LegalBasis | null;
  readonly locale: string;
  readonly traceId: string;
  readonly operation: string;
  readonly idempotencyKey: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

export function encodeEnvelope(calls: readonly EnvelopeCall[]): string {
  const principals = new Map<Principal, number>();
  const texts = new Map<string, number>();
  const wire = calls.map(({ caller, query, variables }): WireCall => ({
    who: placeOf(principals, caller.principal),
    text: placeOf(texts, query),
    purpose: caller.purpose,
    basis: caller.basis,
    locale: caller.locale,
    traceId: caller.traceId,
    operation: caller.operation,
    idempotencyKey: caller.idempotencyKey,
    variables,
  }));
  return JSON.stringify({ v: 1, principals: [...principals.keys()], texts: [...texts.keys()], calls: wire });
}

/** `null`: this is no envelope of this release. */
export function decodeEnvelope(body: string): readonly EnvelopeCall[] | null {
  const envelope = parse(body);
  if (!isRecord(envelope) || envelope.v !== 1) return null;
  const { principals, texts, calls } = envelope;
  if (!Array.isArray(principals) || !Array.isArray(texts) || !Array.isArray(calls)) return null;
  const known = principals.map(readPrincipal);
  const read: EnvelopeCall[] = [];
  for (const call of calls) {
    const one = readCall(call, known, texts);
    if (one === null) return null;
    read.push(one);
  }
  return read;
}

function readCall(call: unknown, principals: readonly (Principal | null)[], texts: readonly unknown[]): EnvelopeCall | null {
  if (!isRecord(call)) return null;
  const { who, text, purpose, basis, locale, traceId, operation, variables, idempotencyKey = null } = call;
  const principal = typeof who === 'number' ? principals[who] : null;
  const query = typeof text === 'number' ? texts[text] : null;
  if (principal === null || principal === undefined || typeof query !== 'string') return null;
  if (!isPurpose(purpose) || (locale !== 'vi' && locale !== 'en')) return null;
  if (typeof traceId !== 'string' || typeof operation !== 'string' || !isRecord(variables)) return null;
  if (idempotencyKey !== null && typeof idempotencyKey !== 'string') return null;
  const standing = basis === null ? null : readBasis(basis);
  if (basis !== null && standing === null) return null;
  return { caller: { principal, purpose, basis: standing, locale, traceId, operation, idempotencyKey }, query, variables };
}

export function readPrincipal(value: unknown): Principal | null {
  if (!isRecord(value)) return null;
  const { id, name, kind, role, unitNo, scope, scopeUnits, purpose, pointsPerMinute } = value;
  if (typeof id !== 'string' || typeof name !== 'string' || !isKind(kind) || !isRole(role)) return null;
  if (typeof unitNo !== 'number' || typeof scope !== 'string' || typeof scopeUnits !== 'number') return null;
  if (!isPurpose(purpose) || typeof pointsPerMinute !== 'number') return null;
  const granted = readPermissions(value.permissions);
  if (granted === null) return null;
  return { id, name, kind, role, unitNo, scope, scopeUnits, permissions: granted, purpose, pointsPerMinute };
}

export function readBasis(value: unknown): LegalBasis | null {
  if (!isRecord(value)) return null;
  const { id, citizenId, scope } = value;
  if (typeof id !== 'string' || typeof scope !== 'string' || !(citizenId === null || typeof citizenId === 'string')) return null;
  const lent = readPermissions(value.permissions);
  return lent === null ? null : { id, citizenId, scope, permissions: lent };
}

const knownPermissions: ReadonlySet<unknown> = new Set(permissions);

function readPermissions(value: unknown): readonly Permission[] | null {
  return Array.isArray(value) ? value.filter(isPermission) : null;
}

function isPermission(value: unknown): value is Permission {
  return knownPermissions.has(value);
}

function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}

function isPurpose(value: unknown): value is Purpose {
  return purposes.some((purpose) => purpose === value);
}

function isKind(value: unknown): value is PrincipalKind {
  return value === 'ACCOUNT' || value === 'CLIENT' || value === 'CLI';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function placeOf<Key>(places: Map<Key, number>, key: Key): number {
  const known = places.get(key);
  if (known !== undefined) return known;
  const place = places.size;
  places.set(key, place);
  return place;
}
