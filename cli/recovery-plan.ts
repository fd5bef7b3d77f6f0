import { readFileSync } from 'node:fs';

/** Where a recovery finds the pieces of the log, in this order; and the key of the files there. */
export interface RecoveryPlan {
  readonly folders: readonly string[];
  readonly key: string | null;
}

export function readRecoveryPlan(path: string): RecoveryPlan {
  return JSON.parse(readFileSync(path, 'utf8')) as RecoveryPlan;
}
