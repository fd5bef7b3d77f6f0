import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/*
 * Lines of a log in a file: gathered in memory, then copied to the system in one piece. A full disk costs lines, never the process; pino's
 * own destination ends it there, or waits for ever.
 */

export interface LogFile {
  write(line: string): void;
  /** Writes what waits, as far as the disk takes it. */
  flush(): void;
}

/** Bytes that are gathered before they are written, and bytes that wait for a disk at most; then the oldest lines are dropped. */
const gathered = 8_192;
const mostKept = 4 * 1024 * 1024;
/** After a failed write the disk is left alone so long, in milliseconds. */
const pause = 500;

/** `turnOverAt`: bytes at which the file becomes `PATH.1`, over the one before. */
export function openLogFile(path: string, turnOverAt: number): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let handle = openSync(path, 'a', 0o600);
  let waiting: Buffer[] = [];
  let bytes = 0;
  let refusedAt = Number.NEGATIVE_INFINITY;

  function write(line: string): void {
    const one = Buffer.from(line);
    waiting.push(one);
    bytes += one.length;
    if (bytes >= gathered && performance.now() - refusedAt > pause) flush();
    while (bytes > mostKept) bytes -= waiting.shift()?.length ?? bytes;
  }

  function flush(): void {
    if (bytes === 0) return;
    let left = Buffer.concat(waiting);
    try {
      while (left.length > 0) left = left.subarray(writeSync(handle, left));
      turnOver();
    } catch {
      refusedAt = performance.now();
    }
    waiting = left.length > 0 ? [left] : [];
    bytes = left.length;
  }

  function turnOver(): void {
    if (fstatSync(handle).size < turnOverAt) return;
    renameSync(path, `${path}.1`);
    const next = openSync(path, 'a', 0o600);
    closeSync(handle);
    handle = next;
  }

  return { write, flush };
}
