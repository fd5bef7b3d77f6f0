import { randomUUIDv7 } from 'node:crypto';
import type { AuditAction } from '../audit/actions.ts';
import type { Change, ChangedBy } from '../db/change.ts';
import type { Side } from './sides.ts';
import { trueFromOf } from './stated.ts';

/** What the history, the audit and the other subgraphs are told of one change of a record of a citizen. */
export interface Remembered {
  readonly record: {
    readonly id: string;
    readonly version: number;
    readonly citizenId?: string | null | undefined;
    readonly unitNo?: number | null | undefined;
  };
  readonly trueFrom: string | null | undefined;
  readonly action: AuditAction;
  /** `null`: the record is new. */
  readonly before: Side | null;
  readonly after: Side;
}

/** How a kind of record is told of. */
export interface RememberedKind {
  readonly event: 'CARD' | 'RESULT' | 'SLIP';
  /** Type of the graph. */
  readonly type: string;
  /** A key of `after` that says something of the change and is no field. */
  readonly said: string;
}

/** Columns that every table of history has. */
interface HistoryRow extends ChangedBy {
  readonly id: string;
  readonly recordId: string;
  readonly citizenId: string | null;
  readonly version: number;
  readonly effectiveFrom: string | null;
  readonly action: AuditAction;
  readonly before: Side | null;
  readonly after: Side;
}

export function historyRow(change: Change, { record, trueFrom, action, before, after }: Remembered): HistoryRow {
  return {
    id: randomUUIDv7(),
    recordId: record.id,
    citizenId: record.citizenId ?? null,
    version: record.version,
    effectiveFrom: trueFromOf(trueFrom),
    ...change.by,
    action,
    before,
    after,
  };
}

/** Audit and message of the change; the person is the subject, of a record that waits for one it is the record. */
export function announce(change: Change, kind: RememberedKind, { record, action, before, after }: Remembered): void {
  const { id, version, citizenId, unitNo = null } = record;
  const fields = Object.keys(after).filter((field) => field !== kind.said);
  change.audit(
    action,
    [citizenId ?? id],
    fields.map((field) => `${kind.type}.${field}`),
  );
  change.publish({
    kind: kind.event,
    subject: id,
    version,
    unitBefore: before === null ? null : unitNo,
    unitAfter: unitNo,
    payload: {},
  });
}
