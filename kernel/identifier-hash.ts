import { createHmac } from 'node:crypto';

/**
 * Keyed hash of a citizen's number, 16 bytes: how subgraphs other than citizens recognise him without knowing a number. Without
 * the key of the installation it says nothing; with another key no replica matches any more, so the key never changes.
 */
export function hashIdentifier(key: Buffer, value: string): Buffer {
  return createHmac('sha256', key).update(value).digest().subarray(0, 16);
}
