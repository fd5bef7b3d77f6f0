import { copyFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Logs that a process writes through an inherited handle (`NAME.out`, `postgres.log`): it cannot open another one, so the file is copied
 * and emptied. Every handle appends, so that what comes next begins at the start; a line written just between may be lost.
 */

/** Turns over what has passed the size, in MiB; one old one of each is kept. */
export function turnOverLogs(folder: string, mib: number): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.out') && name !== 'postgres.log') continue;
    const path = join(folder, name);
    if (statSync(path).size < mib * 1024 * 1024) continue;
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  }
}
