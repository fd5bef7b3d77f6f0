import { mkdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/*
 * Who uses a data directory. Claims are files that hold a process' identity (number and start time, so that a number given anew
 * to another process is not taken for the old one). A claim whose process is gone is stale and is taken over.
 */

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started, and the boot; empty where the system does not say. */
  readonly started: string;
}

/** `null`: there is no such process. */
export function identityOf(pid: number): ProcessIdentity | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isCode(error, 'EPERM')) return null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything; state is the third, start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { pid, started: `${boot}/${fields[19] ?? ''}` };
  } catch {
    return { pid, started: '' };
  }
}

/** Whether this very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identityOf(identity.pid);
  return now !== null && (now.started === '' || identity.started === '' || now.started === identity.started);
}

const own = (): ProcessIdentity => identityOf(process.pid) ?? { pid: process.pid, started: '' };

function parseIdentity(text: string): ProcessIdentity | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return null;
    return { pid: value.pid, started: 'started' in value && typeof value.started === 'string' ? value.started : '' };
  } catch {
    return null;
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else removed it.
  }
}

function age(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

function createOnly(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** A moment's grace for whoever has created a file and not yet written into it, in milliseconds. */
const grace = 3_000;

export interface Claim {
  release(): void;
}

/** Takes the claim, or says who holds it. Never waits for a living holder. */
export async function claim(path: string): Promise<Claim | ProcessIdentity> {
  const mine = JSON.stringify(own());
  for (;;) {
    if (createOnly(path, mine)) {
      return {
        release() {
          if (readOrNull(path) === mine) removeQuietly(path);
        },
      };
    }
    const text = readOrNull(path);
    if (text === null) continue;
    const holder = parseIdentity(text);
    if (holder !== null && isAlive(holder)) return holder;
    if (holder === null && age(path) < grace) {
      await sleep(50);
      continue;
    }
    // Only one may clear a stale claim away, and only the very one it looked at: else the second would remove the first's new one.
    const clearing = `${path}.clearing`;
    if (!createOnly(clearing, mine)) {
      if (age(clearing) > grace) removeQuietly(clearing);
      await sleep(50);
      continue;
    }
    if (readOrNull(path) === text) removeQuietly(path);
    removeQuietly(clearing);
  }
}

/** Runs `work` while nobody else holds the claim; waits for a living holder. */
export async function alone<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const got = await claim(path);
    if ('release' in got) {
      try {
        return await work();
      } finally {
        got.release();
      }
    }
    await sleep(50);
  }
}

/** The folder of everything the hub keeps; only its owner may look in. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
}

/** Replaces a small file in one step, readable by its owner alone. */
export function writeSafely(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600, flush: true });
  renameSync(temporary, path);
}

/** Claims the directory for one hub; the second hub is told who has it. */
export function claimHub(dataDir: string): Promise<Claim | ProcessIdentity> {
  return claim(join(dataDir, 'hub.lock'));
}

/** The hub that runs on this directory now. */
export function runningHub(dataDir: string): ProcessIdentity | null {
  const text = readOrNull(join(dataDir, 'hub.lock'));
  const holder = text === null ? null : parseIdentity(text);
  return holder !== null && isAlive(holder) ? holder : null;
}
