import type { Caller } from '../auth/principal.ts';
import type { AuditAction } from './actions.ts';

export type SubgraphName = 'citizens' | 'insurance' | 'results' | 'slips' | 'organisation';

export interface CountRecord {
  /** Fingerprint of list and filter: the same question has the same one, and nothing of the filter can be read from it. */
  readonly question: string;
  readonly count: number;
}

/** One read by one operation in one subgraph: who, whose, what, why, when. Never a value of a person. */
export interface ReadRecord {
  readonly caller: Caller;
  readonly subgraph: SubgraphName;
  readonly action: AuditAction;
  /** Ids of citizens whose data are in the answer (a record without citizen: its own id). */
  readonly subjects: readonly string[];
  /** GraphQL coordinates that were read, `Citizen.phone`; sorted. */
  readonly fields: readonly string[];
  /** Sums that the answer gives without those whom they count. */
  readonly counts?: readonly CountRecord[];
}

/**
 * Audit of reads. `commit` resolves when the row is durable; until then no data may leave the process.
 * It rejects (→ `DEGRADED`) when the row cannot be written: no audit, no data.
 */
export interface ReadAudit {
  commit(record: ReadRecord): Promise<void>;
}
