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
    /** Name of its definition; `null`: worked on by whoever opened it, without pages. */
    definition: p.text().nullable(),
    queue: p.text().nullable(),
    version: p.integer().default(1),
    planned: p.boolean().default(false),
    /** Who started it: kind, id, purpose; `null`: the hub itself. */
    principal: p.json<unknown>().nullable(),
    slot: instant().nullable(),
    /** How often the joint queue was told of it. */
    told: p.integer().default(0),
  },
  indexes: [
    { name: 'run_kind_id', properties: ['kind', 'id'] },
    { name: 'run_unit', properties: ['unitNo', 'kind', 'id'] },
    { name: 'run_at_work', properties: ['id'], where: `state = 'RUNNING' and definition is not null` },
  ],
  uniques: [{ name: 'run_slot', properties: ['definition', 'slot'], where: 'slot is not null' }],
  checks: [oneOf('run_kind', 'kind', runKinds), oneOf('run_state', 'state', runStates)],
});

export const importKinds = ['CITIZENS', 'CARDS', 'RESULTS', 'UNITS', 'ACCOUNTS'] as const;
export type ImportFileKind = (typeof importKinds)[number];
export const importStates = ['AWAITED', 'RECEIVED', 'STAGED', 'CHECKED', 'APPLIED', 'REFUSED'] as const;
export type ImportFileState = (typeof importStates)[number];
/** What became of a row of a file. */
export const rowEnds = ['ADDED', 'CHANGED', 'UNCHANGED', 'WAITING', 'REFUSED'] as const;
export type RowEnd = (typeof rowEnds)[number];

const ImportFileSchema = defineEntity({
  name: 'ImportFile',
  schema: 'hub',
  tableName: 'import_file',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: p.integer().version().default(1),
    kind: p.text().$type<ImportFileKind>(),
    /** Of the sender; the run of the import has the id of the file. */
    unitNo: p.integer(),
    sender: p.text(),
    senderName: p.text(),
    fileName: p.text().nullable(),
    storedAs: p.text().nullable(),
    state: p.text().$type<ImportFileState>(),
    separator: p.text().nullable(),
    headings: p.json<unknown>().nullable(),
    places: p.json<unknown>().nullable(),
    decisions: p.json<unknown>().nullable(),
    planned: p.json<unknown>().nullable(),
    refusal: p.json<unknown>().nullable(),
    total: p.integer().nullable(),
    runId: p.uuid().nullable(),
    expiresAt: instant().nullable(),
    createdAt: learnedAt(),
  },
  indexes: [
    { name: 'import_file_run', properties: ['runId'], where: 'run_id is not null' },
    { name: 'import_file_unit', properties: ['unitNo', 'id'] },
    { name: 'import_file_created', properties: ['createdAt'] },
  ],
  checks: [oneOf('import_file_kind', 'kind', importKinds), oneOf('import_file_state', 'state', importStates)],
});

const ImportRowSchema = defineEntity({
  name: 'ImportRow',
  schema: 'hub',
  tableName: 'import_row',
  ...ofUnit,
  properties: {
    importId: p.uuid().primary(),
    line: p.integer().primary(),
    unitNo: p.integer(),
    state: p.text().$type<'STAGED' | RowEnd>().default('STAGED'),
    planned: p.text().$type<RowEnd>().nullable(),
    cells: p.json<unknown>(),
    problem: p.json<unknown>().nullable(),
  },
  checks: [oneOf('import_row_state', 'state', ['STAGED', ...rowEnds]), oneOf('import_row_planned', 'planned', rowEnds)],
});

export const exportKinds = [
  'CITIZENS',
  'CARDS',
  'RESULTS',
  'REFERRAL_SLIPS',
  'REEXAMINATION_SLIPS',
  'DISCREPANCIES',
  'WORK_ITEMS',
  'AUDIT',
] as const;
export type ExportFileKind = (typeof exportKinds)[number];
export const exportFormats = ['CSV', 'JSONL'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const ExportFileSchema = defineEntity({
  name: 'ExportFile',
  schema: 'hub',
  tableName: 'export_file',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: p.integer().version().default(1),
    kind: p.text().$type<ExportFileKind>(),
    format: p.text().$type<ExportFormat>(),
    /** Of whoever takes it out. */
    unitNo: p.integer(),
    sender: p.text(),
    senderName: p.text(),
    filter: p.json<unknown>().nullable(),
    runId: p.uuid().nullable(),
    parts: p.integer().default(0),
    lastPart: p.integer().nullable(),
    rows: p.integer().default(0),
    storedAs: p.text().nullable(),
    bytes: p.bigint().columnType('bigint').nullable(),
    expiresAt: instant().nullable(),
    createdAt: learnedAt(),
  },
  indexes: [
    { name: 'export_file_run', properties: ['runId'], where: 'run_id is not null' },
    { name: 'export_file_sender', properties: ['sender', 'id'] },
  ],
  checks: [oneOf('export_file_kind', 'kind', exportKinds), oneOf('export_file_format', 'format', exportFormats)],
});

export const pageStates = ['WAITING', 'LEASED', 'DONE', 'REFUSED', 'POISON'] as const;
export type PageState = (typeof pageStates)[number];

const RunPageSchema = defineEntity({
  name: 'RunPage',
  schema: 'hub',
  tableName: 'run_page',
  readonly: true,
  ...ofUnit,
  properties: {
    run: () => belongsTo(RunSchema, 'run_page_run_id_fkey', 'run_id').primary(),
    no: p.integer().primary().autoincrement(false),
    unitNo: p.integer(),
    keys: p.json<unknown>().defaultRaw(`'null'::jsonb`),
    size: p.integer().default(0),
    state: p.text().$type<PageState>().default('WAITING'),
    epoch: p.integer().default(0),
    leaseUntil: instant().nullable(),
    dueAt: learnedAt(),
    queuedAt: instant().nullable(),
    queued: p.integer().default(0),
    tries: p.integer().default(0),
    done: p.integer().default(0),
    refused: p.integer().default(0),
    counts: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
    reason: p.text().nullable(),
  },
  indexes: [
    { name: 'run_page_waiting', properties: ['run', 'no'], where: `state = 'WAITING' and queued_at is null` },
    { name: 'run_page_queued', properties: ['queuedAt'], where: `state = 'WAITING' and queued_at is not null` },
    { name: 'run_page_lease', properties: ['leaseUntil'], where: `state = 'LEASED'` },
    { name: 'run_page_failed', properties: ['run', 'no'], where: `state in ('REFUSED', 'POISON')` },
  ],
  checks: [oneOf('run_page_state', 'state', pageStates)],
});

const ScheduleSchema = defineEntity({
  name: 'Schedule',
  schema: 'hub',
  tableName: 'schedule',
  readonly: true,
  properties: { name: p.text().primary(), slot: instant(), at: learnedAt() },
});

const QueueSeenSchema = defineEntity({
  name: 'QueueSeen',
  schema: 'hub',
  tableName: 'queue_seen',
  readonly: true,
  properties: {
    queue: p.text().primary(),
    at: learnedAt(),
    backend: p.text(),
    reachable: p.boolean(),
    waiting: p.integer(),
    active: p.integer(),
  },
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

const UsedLinkSchema = defineEntity({
  name: 'UsedLink',
  schema: 'hub',
  tableName: 'used_link',
  properties: { no: keyText().primary(), expiresAt: instant() },
  indexes: [{ name: 'used_link_expires', properties: ['expiresAt'] }],
});

export const hubEntities = [
  UnitSchema,
  RunSchema,
  RunPageSchema,
  ScheduleSchema,
  QueueSeenSchema,
  ImportFileSchema,
  ImportRowSchema,
  UsedLinkSchema,
  ExportFileSchema,
  OutboxSchema,
  OutboxConsumerSchema,
  OutboxDoneSchema,
] as const;
