import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { HubError } from './errors/hub-error.ts';

export const defaultPage = 20;
export const largestPage = 100;
/** Counts stop here; beyond it `totalCountIsEstimate` is true. */
export const countLimit = 10_000;

export type CursorKey = string | number | null;

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/** `first` of a connection: 1–100, 20 when absent. */
export function parseFirst(first: number | null | undefined): number {
  if (first === null || first === undefined) return defaultPage;
  if (!Number.isInteger(first) || first < 1 || first > largestPage) {
    throw new HubError('BAD_INPUT', 'PAGE_SIZE_RANGE', { field: 'first' });
  }
  return first;
}

/**
 * What a cursor belongs to: list, filter and order, as a key of its own that never leaves the hub. A cursor of another list or filter is
 * refused, and so is one that nobody was given: with a place made up, one could ask for sums of a list without seeing whom it holds.
 */
export type CursorBinding = (list: string, filter: unknown, order: string) => string;

/** `identifierKey`: secret of the installation, so that every copy reads the cursors of every other. */
export function cursorBindings(identifierKey: Buffer): CursorBinding {
  const key = createHmac('sha256', identifierKey).update('cursors').digest();
  const known = new LRUCache<string, string>({ max: 1_000 });
  return (list, filter, order) => {
    const question = JSON.stringify([list, filter, order]);
    const before = known.get(question);
    if (before !== undefined) return before;
    const binding = createHmac('sha256', key).update(question).digest('base64url');
    known.set(question, binding);
    return binding;
  };
}

/** Names a question in the audit: of the same list and filter the same, and no way back to either, or to the key of their cursors. */
export function fingerprintOf(binding: string): string {
  return createHash('sha256').update(binding).digest('base64url').slice(0, 22);
}

export function encodeCursor(binding: string, keys: readonly CursorKey[]): string {
  return Buffer.from(JSON.stringify([sealOf(binding, keys), ...keys])).toString('base64url');
}

function sealOf(binding: string, keys: readonly CursorKey[]): string {
  return createHmac('sha256', binding).update(JSON.stringify(keys)).digest('base64url').slice(0, 16);
}

function isSealed(binding: string, seal: CursorKey | undefined, keys: readonly CursorKey[]): boolean {
  const expected = Buffer.from(sealOf(binding, keys));
  const given = Buffer.from(String(seal));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export function decodeCursor(binding: string, after: string, length: number): readonly CursorKey[] {
  const keys = parseCursor(after);
  if (keys?.length !== length + 1 || !isSealed(binding, keys[0], keys.slice(1))) {
    throw new HubError('BAD_INPUT', 'CURSOR_INVALID', { field: 'after' });
  }
  return keys.slice(1);
}

function parseCursor(text: string): readonly CursorKey[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(value) && value.every(isCursorKey) ? value : null;
  } catch {
    return null;
  }
}

function isCursorKey(value: unknown): value is CursorKey {
  return value === null || typeof value === 'string' || typeof value === 'number';
}
