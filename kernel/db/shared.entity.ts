import { defineEntity, p } from '@mikro-orm/postgresql';
import { instant, keyText, learnedAt, oneOf, ownId, plainDate, recordVersion } from './column-types.ts';
import { ofPrincipal, ofUnit } from './row-scope.ts';

/* Tables that several subgraphs have, each in its own schema. */

export const lifeStatuses = ['ACTIVE', 'MOVED_AWAY', 'DECEASED', 'MERGED'] as const;
export type LifeStatus = (typeof lifeStatuses)[number];
export const changeCauses = ['MUTATION', 'IMPORT', 'CHANGE_SET', 'GENERATE', 'UNDO'] as const;
export type ChangeCause = (typeof changeCauses)[number];
export const workStates = ['OPEN', 'LEASED', 'SETTLED', 'WITHDRAWN'] as const;
export type WorkState = (typeof workStates)[number];
export const finders = ['RECONCILE', 'IMPORT', 'CARDS', 'SLIPS', 'CLERK'] as const;
export type FoundBy = (typeof finders)[number];

/** Values of a history row by the graph's names of the fields. */
export type ChangedValues = Readonly<Record<string, string | null>>;

/** Columns of every history: who, cause, when known, from when true, before, after. */
export const changeColumns = () => ({
  id: ownId(),
  version: p.integer(),
  at: learnedAt(),
  effectiveFrom: plainDate().nullable(),
  principal: p.text(),
  principalName: p.text(),
  cause: p.text().$type<ChangeCause>(),
  causeId: p.text().nullable(),
  action: p.text(),
  before: p.json<ChangedValues>().nullable(),
  after: p.json<ChangedValues>().nullable(),
});
export const changeChecks = () => [oneOf('change_cause', 'cause', changeCauses)];

/** Answers kept for repeats of a mutation. */
export function idempotency(schema: string) {
  return defineEntity({
    name: `${schema}.Idempotency`,
    schema,
    tableName: 'idempotency',
    ...ofPrincipal,
    properties: {
      principal: p.text().primary(),
      operation: p.text().primary(),
      key: keyText().primary(),
      bodyHash: p.blob(),
      outcome: p.json<unknown>(),
      at: learnedAt(),
    },
    indexes: [{ name: 'idempotency_at', properties: ['at'] }],
  });
}

/** Columns of every table of work: what a decision on the tables of the same subgraph settles. */
export const workColumns = () => ({
  id: p.uuid().primary(),
  version: recordVersion(),
  citizenId: p.uuid().nullable(),
  field: p.text().nullable(),
  kind: p.text(),
  foundBy: p.text().$type<FoundBy>(),
  state: p.text().$type<WorkState>().default('OPEN'),
  raisedAt: learnedAt(),
  settledAt: instant().nullable(),
  settledBy: p.text().nullable(),
  decision: p.text().nullable(),
  runId: p.uuid().nullable(),
});
export const workChecks = () => [oneOf('work_found_by', 'found_by', finders), oneOf('work_state', 'state', workStates)];

/**
 * What a subgraph keeps of a citizen, and the hashes of his numbers as rows (kept by a trigger). Fed from the outbox, hence
 * read-only here.
 */
export function citizenReplica(schema: string) {
  const replica = defineEntity({
    name: `${schema}.Citizen`,
    schema,
    tableName: 'citizen',
    readonly: true,
    ...ofUnit,
    properties: {
      id: p.uuid().primary(),
      unitNo: p.integer(),
      lifeStatus: p.text().$type<LifeStatus>(),
      mergedInto: p.uuid().nullable(),
      identifierHashes: p.array().columnType('bytea[]').defaultRaw(`'{}'::bytea[]`),
      version: p.integer(),
    },
    indexes: [
      { name: 'citizen_unit', properties: ['unitNo', 'id'] },
      { name: 'citizen_merged_into', properties: ['mergedInto'], where: 'merged_into is not null' },
    ],
    checks: [oneOf('citizen_life_status', 'life_status', lifeStatuses)],
  });
  const hash = defineEntity({
    name: `${schema}.CitizenHash`,
    schema,
    tableName: 'citizen_hash',
    readonly: true,
    ...ofUnit,
    properties: {
      hash: p.blob().primary(),
      citizenId: p.uuid().primary(),
      unitNo: p.integer(),
    },
    indexes: [{ name: 'citizen_hash_citizen', properties: ['citizenId'] }],
  });
  return [replica, hash] as const;
}
