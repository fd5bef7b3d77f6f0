import type { Verb } from './verb.ts';

/** Every command of `npm run hub`, loaded when it is called. */
export const verbs: Readonly<Record<string, () => Promise<{ readonly verb: Verb }>>> = {
  backup: () => import('./backup.ts'),
  doctor: () => import('./doctor.ts'),
  'breach-report': () => import('./breach-report.ts'),
  docs: () => import('./docs.ts'),
  export: () => import('./export.ts'),
  generate: () => import('./generate.ts'),
  import: () => import('./import.ts'),
  bases: () => import('./bases.ts'),
  clients: () => import('./clients.ts'),
  reconcile: () => import('./reconcile.ts'),
  'rebuild-replicas': () => import('./rebuild-replicas.ts'),
  restore: () => import('./restore.ts'),
  runs: () => import('./runs.ts'),
  token: () => import('./token.ts'),
  users: () => import('./users.ts'),
  'verify-audit': () => import('./verify-audit.ts'),
};
