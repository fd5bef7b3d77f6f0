import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readArchiveNote } from '#kernel/backup-note.ts';
import { fetchFile, makeFolder, measureFile, nameFinished, storeFile, storedSuffix } from './stored-file.ts';

/*
 * PostgreSQL's archive_command: `archive-wal.ts NOTE PATH NAME`. PostgreSQL keeps a piece of its log until this ends with 0, so 0 means:
 * compressed (and encrypted), on the disk of the archive, under its own name, over nothing that was there before.
 */

async function archive(notePath: string, source: string, name: string): Promise<void> {
  const note = readArchiveNote(notePath);
  if (note === null) return;
  if (!/^[0-9A-F]{8}[0-9A-F.a-z]*$/.test(name)) throw new Error(`${name} is no piece of the log`);
  const key = note.key === null ? null : Buffer.from(note.key, 'hex');
  await makeFolder(note.archive);
  const target = join(note.archive, `${name}${storedSuffix(key)}`);
  if (existsSync(target)) {
    // PostgreSQL may have died between the end of this program and noting it: the same piece once more is no mistake, another one is.
    if (await same(source, target, name, key)) return;
    throw new Error(`${target} exists already and holds something else: two hubs archive into one folder`);
  }
  const temporary = `${target}.${process.pid}.part`;
  try {
    await storeFile(resolve(source), temporary, { name, key });
    await nameFinished(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}

async function same(source: string, target: string, name: string, key: Buffer | null): Promise<boolean> {
  const back = `${target}.${process.pid}.back`;
  try {
    await fetchFile(target, back, { name, key });
    return (await measureFile(back)).sha256 === (await measureFile(resolve(source))).sha256;
  } finally {
    rmSync(back, { force: true });
  }
}

const [note, path, name] = process.argv.slice(2);
try {
  if (note === undefined || path === undefined || name === undefined) throw new Error('archive-wal.ts NOTE PATH NAME');
  await archive(note, path, name);
} catch (error) {
  // Goes to PostgreSQL's log; there are no values of rows in it.
  process.stderr.write(`archive: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
