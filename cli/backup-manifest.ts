import { timingSafeEqual } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { OperatorError } from './operator-error.ts';
import { manifestSeal } from './stored-file.ts';

/*
 * What one backup is: a folder `backup-20261124T101500Z` with `manifest.json`, written last, so that a folder without it is none.
 *
 *   postgres/   the cluster      hub/   the other files of the data directory      wal/   the log from its beginning to its end
 */

const Stored = z.object({ bytes: z.number(), sha256: z.string() });

const Manifest = z.object({
  format: z.literal(1),
  startedAt: z.iso.datetime(),
  /** Everything that was acknowledged before this is in the backup. */
  endedAt: z.iso.datetime(),
  postgres: z.string(),
  /** Of the cluster, the same in every copy of it. */
  system: z.string(),
  encrypted: z.boolean(),
  /** Where the log went on, as seen from the machine that made the backup. */
  archive: z.string(),
  firstSegment: z.string(),
  lastSegment: z.string(),
  /** Rows of tables from which nothing is ever deleted, just before the end: a restored copy has at least so many. */
  rows: z.record(z.string(), z.number()),
  /** Every file as it lies here, so that `sha256sum` agrees. */
  files: z.record(z.string(), Stored),
});
export type Manifest = z.infer<typeof Manifest>;

const Signed = z.object({ manifest: z.unknown(), seal: z.string().nullable() });

export interface Backup {
  readonly folder: string;
  readonly manifest: Manifest;
}

const namePattern = /^backup-\d{8}T\d{6}Z$/;

export function backupName(at: Date): string {
  return `backup-${at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}`;
}

export function manifestText(manifest: Manifest, key: Buffer | null): string {
  const seal = key === null ? null : manifestSeal(key, JSON.stringify(manifest));
  return `${JSON.stringify({ manifest, seal }, null, 1)}\n`;
}

/** Reads one backup; a manifest that was not written under the key is refused. */
export function readBackup(folder: string, key: Buffer | null): Backup {
  const { manifest: given, seal } = Signed.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
  const manifest = Manifest.parse(given);
  if (manifest.encrypted && key === null) {
    throw new OperatorError(
      `${folder} được mã hóa: hãy đặt HUB_BACKUP_KEY · The backup ${folder} is encrypted: set HUB_BACKUP_KEY`,
    );
  }
  if (key !== null && manifest.encrypted) {
    const wanted = Buffer.from(manifestSeal(key, JSON.stringify(given)));
    const found = Buffer.from(seal ?? '');
    if (wanted.length !== found.length || !timingSafeEqual(wanted, found)) {
      throw new OperatorError(
        `${folder}/manifest.json bị sửa, hoặc HUB_BACKUP_KEY không đúng · ${folder}/manifest.json was altered, or HUB_BACKUP_KEY is not its key`,
      );
    }
  }
  for (const name of Object.keys(manifest.files)) {
    if (!resolve(folder, name).startsWith(`${resolve(folder)}/`)) throw new OperatorError(`${name} lies outside the backup`);
  }
  return { folder: resolve(folder), manifest };
}

/** The finished backups of a folder, oldest first; the folder of one backup is one. */
export function backupsIn(folder: string, key: Buffer | null): readonly Backup[] {
  if (existsSync(join(folder, 'manifest.json'))) return [readBackup(folder, key)];
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => namePattern.test(name) && existsSync(join(folder, name, 'manifest.json')))
    .sort()
    .map((name) => readBackup(join(folder, name), key));
}
