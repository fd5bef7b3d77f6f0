import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafely } from './data-dir.ts';

/*
 * What a data directory knows of its own backups, in `archive.json`: where finished pieces of the log go, and from which one on they
 * are needed. Without the file nothing is kept, since there is no backup that the log could complete.
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

/** `owner`: the user PostgreSQL runs as, where that is another; its archiver reads the note. */
export function writeArchiveNote(path: string, note: ArchiveNote, owner: { uid: number; gid: number } | null): void {
  writeSafely(path, JSON.stringify(note, null, 2));
  if (owner !== null) chownSync(path, owner.uid, owner.gid);
}

/** Place of a piece in the log, whatever the time line: names of later ones compare greater. */
export function placeOf(segment: string): string {
  return segment.slice(8, 24);
}

const segmentBytes = 16n * 1024n * 1024n;

/** Counts the pieces of a time line. */
export function numberOf(segment: string): number {
  return Number(BigInt(`0x${segment.slice(8, 16)}`) * 256n + BigInt(`0x${segment.slice(16, 24)}`));
}

/** The piece that holds the byte before this place of the log (`0/3000028`). */
export function segmentBefore(timeline: string, lsn: string): string {
  const [high = '0', low = '0'] = lsn.split('/');
  const number = ((BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) - 1n) / segmentBytes;
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${timeline}${hex(number / 256n)}${hex(number % 256n)}`;
}
