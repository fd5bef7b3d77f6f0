import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Reason } from '#kernel/errors/catalogue.ts';

/** Documents kept for automatic persisted queries, and their characters together: unknown hashes take no room. */
const kept = { max: 2_000, maxSize: 8 * 1024 * 1024 };

export interface PersistedDocuments {
  /** The document a request means; a reason when its hash is unknown or not that of the text beside it. */
  resolve(query: string | null, hash: string): { readonly query: string } | { readonly reason: Reason };
  size(): number;
}

/** Automatic persisted queries: a document is sent once in full with its SHA-256 hash, from then on the hash alone will do. */
export function openPersistedDocuments(): PersistedDocuments {
  const documents = new LRUCache<string, string>({ ...kept, sizeCalculation: (query) => query.length + 64 });
  return {
    resolve(query, hash) {
      if (query === null) {
        const known = documents.get(hash);
        return known === undefined ? { reason: 'PERSISTED_QUERY_NOT_FOUND' } : { query: known };
      }
      if (createHash('sha256').update(query).digest('hex') !== hash) return { reason: 'PERSISTED_QUERY_HASH' };
      documents.set(hash, query);
      return { query };
    },
    size: () => documents.size,
  };
}
