import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/*
 * Bytes that came in or are to go out, under random names in a folder of the hub's own. A file is there with its name or not at all: written beside, flushed to
 * the disk, then renamed. Names that people gave are never names here. What nobody fetched within a day is removed.
 */

export interface FileStore {
  /** The name it is kept under; `null`: larger than `most` bytes, nothing is kept. */
  keep(bytes: Readable, most: number): Promise<string | null>;
  /** Under a name of the hub's own making, over what was there. */
  put(name: string, bytes: Buffer): Promise<void>;
  read(name: string): Promise<Buffer>;
  /** Its size in bytes, and its bytes as they are asked for; `null`: it is not there (any more). */
  stream(name: string): Promise<{ readonly size: number; readonly bytes: Readable } | null>;
  remove(name: string): Promise<void>;
  /** Removes what is older than a day; how many. */
  sweep(now: Date): Promise<number>;
}

const keptFor = 86_400_000;
const names = /^[0-9a-f]{32}(?:\.part)?$/;

/** Every process that takes, reads or hands over files is given the same folder. */
export function openFileStore(folder: string): FileStore {
  const at = (name: string): string => {
    if (!names.test(name)) throw new Error('no name of this store');
    return join(folder, name);
  };
  return {
    async keep(bytes, most) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const name = randomBytes(16).toString('hex');
      const part = at(`${name}.part`);
      const seen = { size: 0, over: false };
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          seen.size += chunk.length;
          seen.over ||= seen.size > most;
          if (seen.over) done(new Error('too large'));
          else done(null, chunk);
        },
      });
      try {
        await pipeline(bytes, counted, createWriteStream(part, { mode: 0o600, flags: 'wx' }));
        await flushed(part);
        await rename(part, at(name));
        await flushed(folder);
        return name;
      } catch (error) {
        await rm(part, { force: true });
        if (seen.over) return null;
        throw error;
      }
    },
    async put(name, bytes) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Twice at once, each beside the other; the last one that is whole has the name.
      const part = at(`${randomBytes(16).toString('hex')}.part`);
      try {
        await writeFile(part, bytes, { mode: 0o600, flag: 'wx' });
        await flushed(part);
        await rename(part, at(name));
        await flushed(folder);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    read: (name) => readFile(at(name)),
    async stream(name) {
      const known = await stat(at(name)).catch(() => null);
      return known === null ? null : { size: known.size, bytes: createReadStream(at(name)) };
    },
    remove: (name) => rm(at(name), { force: true }),
    async sweep(now) {
      const found = await readdir(folder).catch(() => []);
      let gone = 0;
      for (const name of found.filter((one) => names.test(one))) {
        const known = await stat(at(name)).catch(() => null);
        if (known === null || now.getTime() - known.mtimeMs < keptFor) continue;
        await rm(at(name), { force: true });
        gone += 1;
      }
      return gone;
    },
  };
}

async function flushed(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
