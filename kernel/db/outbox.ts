import type { Transaction } from './database.ts';

/*
 * Messages from one subgraph to the others, written in the transaction of the change they tell of: they exist exactly when the
 * change does. Consumers get each at least once, in commit order (hub.take_event), and are idempotent.
 */

/** Kinds of event and what each carries. Ids and hashes only, never a value of a person. */
export interface OutboxPayloads {
  /** A citizen came, changed his numbers, unit or standing. Feeds the replicas. */
  readonly CITIZEN: CitizenReplica;
  /** A work item was opened or changed. Feeds the joint queue. */
  readonly WORK: WorkNotice;
  readonly CARD: Readonly<Record<string, never>>;
  readonly RESULT: Readonly<Record<string, never>>;
  readonly SLIP: Readonly<Record<string, never>>;
  readonly UNIT: Readonly<Record<string, never>>;
}
export type OutboxKind = keyof OutboxPayloads;

export interface CitizenReplica {
  /** Keyed hashes of all his identifiers, in hex: `hashIdentifier` of kernel/identifier-hash.ts. */
  readonly hashes: readonly string[];
  readonly lifeStatus: 'ACTIVE' | 'MOVED_AWAY' | 'DECEASED' | 'MERGED';
  readonly mergedInto: string | null;
}

/** Natural key of a work item: source, subject (the event's), kind, field. A repeat makes no second item. */
export interface WorkNotice {
  readonly source: 'CITIZENS' | 'INSURANCE' | 'RESULTS' | 'SLIPS' | 'JOBS';
  readonly kind: string;
  readonly field: string | null;
  readonly citizenId: string | null;
  /** Where the citizen belongs, which may lie below the unit of the work. */
  readonly citizenUnit: number | null;
  readonly foundBy: string;
  readonly state: 'OPEN' | 'LEASED' | 'SETTLED' | 'WITHDRAWN';
  /** ISO 8601, UTC. */
  readonly raisedAt: string;
}

export interface OutboxEvent<Kind extends OutboxKind = OutboxKind> {
  readonly kind: Kind;
  /** Id of the record; of WORK the id of what the work is about. */
  readonly subject: string;
  /** Version of the record after the change; consumers drop what is not newer than what they have. */
  readonly version: number;
  /** Unit of the record before the change; `null`: it is new. */
  readonly unitBefore: number | null;
  readonly unitAfter: number | null;
  readonly payload: OutboxPayloads[Kind];
}

/** Writes the events of this transaction in one statement. */
export async function publish(transaction: Transaction, events: readonly OutboxEvent[]): Promise<void> {
  if (events.length === 0) return;
  const { text, values } = outboxPart(events);
  await transaction.query(text, values);
}

/** The same as a statement that becomes a part of another. */
export function outboxPart(events: readonly OutboxEvent[]): { readonly text: string; readonly values: readonly unknown[] } {
  return {
    text: `insert into hub.outbox (kind, subject, version, unit_before, unit_after, payload)
     select * from unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::jsonb[])`,
    values: [
      events.map(({ kind }) => kind),
      events.map(({ subject }) => subject),
      events.map(({ version }) => version),
      events.map(({ unitBefore }) => unitBefore),
      events.map(({ unitAfter }) => unitAfter),
      events.map(({ payload }) => JSON.stringify(payload)),
    ],
  };
}
