import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readRecoveryPlan } from './recovery-plan.ts';
import { fetchFile, storedSuffix } from './stored-file.ts';

/*
 * PostgreSQL's restore_command: `restore-wal.ts PLAN NAME PATH`. Ends with 1 when there is no such piece, which PostgreSQL takes for the
 * end of the log; with 200 when there is one that cannot be read, which stops the recovery: a damaged piece must never pass for the end.
 */

const [planPath, name, path] = process.argv.slice(2);
let target = '';
try {
  if (planPath === undefined || name === undefined || path === undefined) throw new Error('restore-wal.ts PLAN NAME PATH');
  target = resolve(path);
  const { folders, key: hex } = readRecoveryPlan(planPath);
  const key = hex === null ? null : Buffer.from(hex, 'hex');
  const stored = folders.map((folder) => join(folder, `${name}${storedSuffix(key)}`)).find((file) => existsSync(file));
  if (stored === undefined) process.exitCode = 1;
  else {
    rmSync(target, { force: true });
    await fetchFile(stored, target, { name, key });
  }
} catch (error) {
  if (target !== '') rmSync(target, { force: true });
  process.stderr.write(`restore: ${name ?? ''}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 200;
}
