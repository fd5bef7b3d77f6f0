import { defineEntity, p } from '@mikro-orm/postgresql';
import { belongsTo, instant, keyText, learnedAt, oneOf, plainDate } from './column-types.ts';
import { ofUnit } from './row-scope.ts';

/* Tables of schema "hub" beside the audit. */

export const unitLevels = ['PROVINCE', 'CENTRE', 'STATION', 'FACILITY'] as const;
export type UnitLevel = (typeof unitLevels)[number];
export const runKinds = ['RECONCILE', 'IMPORT', 'EXPORT', 'GENERATE', 'SWEEP'] as const;
export type RunKind = (typeof runKinds)[number];
export const runStates = ['PLANNED', 'RUNNING', 'PAUSED', 'DONE', 'FAILED', 'CANCELLED'] as const;
export type RunState = (typeof runStates)[number];

const UnitSchema = defineEntity({
  name: 'Unit',
  schema: 'hub',
  tableName: 'unit',
  properties: {
    /** Given once, never again. */
    number: p.integer().primary().autoincrement(false),
    code: keyText(),
    name: p.text(),
    level: p.text().$type<UnitLevel>(),
    parentNumber: p.integer().nullable(),
    validFrom: plainDate(),
    validTo: plainDate().nullable(),
    predecessors: p.array().columnType('int[]').defaultRaw(`'{}'::int[]`),
    version: p.integer().version().default(1),
  },
  indexes: [{ name: 'unit_parent', properties: ['parentNumber'] }],
  uniques: [{ name: 'unit_code_in_force', properties: ['code'], where: 'valid_to is null' }],
  checks: [
    oneOf('unit_level', 'level', unitLevels),
    { name: 'unit_number_positive', expression: 'number > 0' },
    { name: 'unit_not_its_own_parent', expression: 'parent_number <> number' },
  ],
});

// A reference to the table itself: named here, where its type does not depend on itself.
UnitSchema.addManyToOne('parentNumber', 'Unit', {
  entity: () => UnitSchema,
  mapToPk: true,
  nullable: true,
  joinColumn: 'parent_number',
  foreignKeyName: 'unit_parent_number_fkey',
  updateRule: 'no action',
  deleteRule: 'no action',
  index: false,
});

/** A unit of the health administration; no personal data, so no scope of its own. */
export class Unit extends UnitSchema.class {}
UnitSchema.setClass(Unit);

const RunSchema = defineEntity({
  name: 'Run',
  schema: 'hub',
  tableName: 'run',
  readonly: true,
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    kind: p.text().$type<RunKind>(),
    state: p.text().$type<RunState>(),
    unitNo: p.integer(),
    subgraph: p.text(),
    startedBy: p.text(),
    plan: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
    total: p.integer().nullable(),
    done: p.integer().default(0),
    refused: p.integer().default(0),
    counts: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
    report: p.json<unknown>().nullable(),
    createdAt: learnedAt(),
    startedAt: instant().nullable(),
    endedAt: instant().nullable(),
    heartbeatAt: instant().nullable(),
  },
  indexes: [
    { name: 'run_kind_id', properties: ['kind', 'id'] },
    { name: 'run_unit', properties: ['unitNo', 'kind', 'id'] },
  ],
  checks: [oneOf('run_kind', 'kind', runKinds), oneOf('run_state', 'state', runStates)],
});

const OutboxSchema = defineEntity({
  name: 'OutboxEvent',
  schema: 'hub',
  tableName: 'outbox',
  readonly: true,
  properties: {
    id: p.bigint().primary().columnType('bigint').generated('identity'),
    xid: p.text().columnType('xid8').defaultRaw('pg_current_xact_id()'),
    at: learnedAt(),
    kind: p.text(),
    subject: p.uuid(),
    version: p.integer(),
    unitBefore: p.integer().nullable(),
    unitAfter: p.integer().nullable(),
    payload: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
  },
  indexes: [
    { name: 'outbox_commit_order', properties: ['xid', 'id'] },
    { name: 'outbox_at', properties: ['at'] },
  ],
});

const OutboxConsumerSchema = defineEntity({
  name: 'OutboxConsumer',
  schema: 'hub',
  tableName: 'outbox_consumer',
  readonly: true,
  properties: {
    consumer: p.text().primary(),
    role: p.text(),
    kinds: p.array().columnType('text[]'),
    markXid: p.text().columnType('xid8').defaultRaw(`'0'::xid8`),
    markId: p.bigint().columnType('bigint').defaultRaw('0'),
  },
});

const OutboxDoneSchema = defineEntity({
  name: 'OutboxDone',
  schema: 'hub',
  tableName: 'outbox_done',
  readonly: true,
  properties: {
    consumer: () => belongsTo(OutboxConsumerSchema, 'outbox_done_consumer_fkey', 'consumer').primary(),
    eventId: p.bigint().primary().columnType('bigint'),
    xid: p.text().columnType('xid8'),
    at: learnedAt(),
  },
});

export const hubEntities = [UnitSchema, RunSchema, OutboxSchema, OutboxConsumerSchema, OutboxDoneSchema] as const;
