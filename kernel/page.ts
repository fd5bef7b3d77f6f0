import { createHash } from 'node:crypto';
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

/** What a cursor belongs to: list, filter and order. A cursor of another list or filter is refused. */
export function cursorBinding(list: string, filter: unknown, order: string): string {
  return createHash('sha256')
    .update(JSON.stringify([list, filter, order]))
    .digest('base64url')
    .slice(0, 8);
}

export function encodeCursor(binding: string, keys: readonly CursorKey[]): string {
  return Buffer.from(JSON.stringify([binding, ...keys])).toString('base64url');
}

export function decodeCursor(binding: string, after: string, length: number): readonly CursorKey[] {
  const keys = parseCursor(after);
  if (keys?.[0] !== binding || keys.length !== length + 1) throw new HubError('BAD_INPUT', 'CURSOR_INVALID', { field: 'after' });
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
