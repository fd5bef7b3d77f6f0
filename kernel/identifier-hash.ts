import { createHash, createHmac } from 'node:crypto';

/**
 * Keyed hash of a citizen's number, 16 bytes: how subgraphs other than citizens recognise him without knowing a number. Without
 * the key of the installation it says nothing; with another key no replica matches any more, so the key never changes.
 */
export function hashIdentifier(key: Buffer, value: string): Buffer {
  return createHmac('sha256', key).update(value).digest().subarray(0, 16);
}

/** The same for a client, whose id is no UUID: UUIDv8 of its SHA-256. */
export function clientSubject(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
