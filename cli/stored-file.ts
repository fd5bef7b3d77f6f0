import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { constants, createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants as zlib, createZstdCompress, createZstdDecompress } from 'node:zlib';

/*
 * How one file lies in a backup or in the archive of the log: compressed, and encrypted when a key is given. What is written is on the disk
 * (fsync) before anybody is told of it. A file with a key is `magic, 12 bytes IV, AES-256-GCM, 16 bytes tag`; its name is part of
 * what the tag covers, so that no file can stand in for another.
 */

const magic = Buffer.from('LTHUB-1\n');
const ivBytes = 12;
const tagBytes = 16;

/** Ends the name of every stored file, so that it shows what it needs. */
export function storedSuffix(key: Buffer | null): string {
  return key === null ? '.zst' : '.zst.aes';
}

function derived(key: Buffer, use: 'file' | 'manifest'): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `lien-thong backup ${use}`, 32));
}

/** What a manifest says of a file as it lies in the backup, so that `sha256sum` agrees. */
export interface StoredFile {
  readonly bytes: number;
  readonly sha256: string;
}

class Measure extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
  }

  result(): StoredFile {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

function sealing(key: Buffer, name: string): Transform {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', derived(key, 'file'), iv).setAAD(Buffer.from(name));
  let begun = false;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      if (!begun) this.push(Buffer.concat([magic, iv]));
      begun = true;
      done(null, cipher.update(chunk));
    },
    flush(done) {
      if (!begun) this.push(Buffer.concat([magic, iv]));
      done(null, Buffer.concat([cipher.final(), cipher.getAuthTag()]));
    },
  });
}

/** Fast rather than small: two cores are shared with the hub. */
const level = { params: { [zlib.ZSTD_c_compressionLevel]: 1, [zlib.ZSTD_c_checksumFlag]: 1 } };

export interface StoreOptions {
  /** What the file is called inside the backup, without suffix. */
  readonly name: string;
  readonly key: Buffer | null;
  readonly signal?: AbortSignal;
  /** Bytes read so far of this file's content, as they are read. */
  readonly read?: (bytes: number) => void;
}

/** Stores a file, or bytes, under `target`; never over an existing one. A file that grows meanwhile is read to the end it then has. */
export async function storeFile(source: string | Buffer, target: string, options: StoreOptions): Promise<StoredFile> {
  const { name, key, signal, read } = options;
  const measure = new Measure();
  const from = typeof source === 'string' ? createReadStream(source, { highWaterMark: 256 * 1024 }) : Readable.from([source]);
  if (read !== undefined) from.on('data', (chunk: Buffer | string) => read(chunk.length));
  const to = createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true });
  const sealed = key === null ? [] : [sealing(key, name)];
  await pipeline([from, createZstdCompress(level), ...sealed, measure, to], { signal: signal ?? neverAborted });
  return measure.result();
}

const neverAborted = new AbortController().signal;

/** The content of a stored file, checked while it is read: an altered or cut one, or one under another name, ends in an error. */
export async function fetchFile(source: string, target: string, options: StoreOptions): Promise<StoredFile> {
  const { name, key, signal, read } = options;
  const measure = new Measure();
  if (read !== undefined) measure.on('data', (chunk: Buffer) => read(chunk.length));
  const { start, end, open: opening } = await readingOf(source, name, key);
  // The hash is of the file as it lies there, hence the whole of it goes through `measure` first.
  const to = createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true });
  const window = new Window(start, end);
  await pipeline(
    [createReadStream(source, { highWaterMark: 256 * 1024 }), measure, window, ...opening, createZstdDecompress(), to],
    {
      signal: signal ?? neverAborted,
    },
  );
  return measure.result();
}

/** Lets the bytes from `start` to `end` through. */
class Window extends Transform {
  readonly #start: number;
  readonly #end: number;
  #at = 0;

  constructor(start: number, end: number) {
    super();
    this.#start = start;
    this.#end = end;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const from = Math.max(this.#start - this.#at, 0);
    const to = Math.min(this.#end - this.#at, chunk.length);
    this.#at += chunk.length;
    done(null, to > from ? chunk.subarray(from, to) : undefined);
  }
}

interface Reading {
  readonly start: number;
  readonly end: number;
  readonly open: readonly Transform[];
}

async function readingOf(source: string, name: string, key: Buffer | null): Promise<Reading> {
  if (key === null) return { start: 0, end: Number.MAX_SAFE_INTEGER, open: [] };
  const handle = await open(source, 'r');
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(magic.length + ivBytes);
    const tag = Buffer.alloc(tagBytes);
    if (size < head.length + tag.length) throw new Error(`${name} is cut short`);
    await handle.read(head, 0, head.length, 0);
    await handle.read(tag, 0, tag.length, size - tag.length);
    if (!head.subarray(0, magic.length).equals(magic)) throw new Error(`${name} is no encrypted file of a backup`);
    const opening = createDecipheriv('aes-256-gcm', derived(key, 'file'), head.subarray(magic.length))
      .setAAD(Buffer.from(name))
      .setAuthTag(tag);
    return { start: head.length, end: size - tag.length, open: [opening] };
  } finally {
    await handle.close();
  }
}

/** Copies a stored file as it lies there. */
export async function copyStored(source: string, target: string): Promise<StoredFile> {
  await copyFile(source, target, constants.COPYFILE_EXCL);
  const handle = await open(target, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return measureFile(target);
}

export async function measureFile(path: string, signal?: AbortSignal): Promise<StoredFile> {
  const measure = new Measure();
  measure.resume();
  await pipeline([createReadStream(path, { highWaterMark: 256 * 1024 }), measure], { signal: signal ?? neverAborted });
  return measure.result();
}

/** Gives a finished file its name. Only one process writes into a folder, so nobody takes the name between look and rename. */
export async function nameFinished(temporary: string, target: string): Promise<void> {
  if (existsSync(target)) throw new Error(`${target} exists`);
  await rename(temporary, target);
  await syncFolder(dirname(target));
}

/** Names of files are on the disk only when their folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

export function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** Proof that a manifest was written by a holder of the key. */
export function manifestSeal(key: Buffer, text: string): string {
  return createHmac('sha256', derived(key, 'manifest')).update(text).digest('hex');
}
