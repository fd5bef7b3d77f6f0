import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What a data directory knows of its own backups, in `archive.json`: where finished pieces of the log go, and from which one on they
 * are needed. Without the file nothing is kept, since there is no backup that the log could complete. `hub backup` writes it.
 */

export interface BackupNote {
  /** Folder of this backup, absolute. */
  readonly folder: string;
  /** ISO time of its end: everything acknowledged before is in it. */
  readonly endedAt: string;
  /** Name of the first piece of the log that it needs. */
  readonly firstSegment: string;
}

export interface ArchiveNote {
  /** Where the log goes, absolute. */
  readonly archive: string;
  /** Key of the files there, 64 hexadecimal digits; it lies beside the very data that it covers elsewhere. `null`: not encrypted. */
  readonly key: string | null;
  /** Newest last. */
  readonly backups: readonly BackupNote[];
}

export function archiveNote(dataDir: string): string {
  return join(dataDir, 'archive.json');
}

export function readArchiveNote(path: string): ArchiveNote | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return JSON.parse(text) as ArchiveNote;
}
