import { chownSync } from 'node:fs';
import type { ArchiveNote } from '#kernel/backup-note.ts';
import { writeSafely } from './data-dir.ts';

/* Writing the note of the backups, and counting the pieces of the log that it names. */

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
