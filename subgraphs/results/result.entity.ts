import { defineEntity, p } from '@mikro-orm/postgresql';
import { keyText, learnedAt, oneOf, plainDate, recordVersion } from '#kernel/db/column-types.ts';
import { ofUnit } from '#kernel/db/row-scope.ts';
import { changeChecks, changeColumns, citizenReplica, idempotency, workChecks, workColumns } from '#kernel/db/shared.entity.ts';

export const resultKinds = ['ELECTRONIC_ORIGINAL', 'DIGITIZED_PAPER', 'CERTIFIED_COPY'] as const;
export type ResultKind = (typeof resultKinds)[number];
export const resultStates = ['IN_FORCE', 'REPLACED', 'REVOKED', 'EXPIRED', 'WITHDRAWN'] as const;
export type ResultState = (typeof resultStates)[number];
export const fileStates = ['NONE', 'KEPT', 'REMOVED'] as const;
export type FileState = (typeof fileStates)[number];

const ResultSchema = defineEntity({
  name: 'DigitizedResult',
  schema: 'results',
  tableName: 'result',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: recordVersion(),
    /** `null` while the result waits for its citizen; then {@link waitingHash} says for whom and the unit is the sender's. */
    citizenId: p.uuid().nullable(),
    unitNo: p.integer(),
    code: keyText().nullable(),
    name: p.text(),
    kind: p.text().$type<ResultKind>().nullable(),
    issuingAgency: p.text().nullable(),
    issuedOn: plainDate().nullable(),
    validTo: plainDate().nullable(),
    excerpt: p.text().nullable(),
    state: p.text().$type<ResultState>().default('IN_FORCE'),
    fileState: p.text().$type<FileState>().default('NONE'),
    fileName: p.text().nullable(),
    useCount: p.integer().default(0),
    waitingHash: p.blob().nullable(),
    createdAt: learnedAt(),
    updatedAt: learnedAt(),
  },
  indexes: [
    { name: 'result_citizen', properties: ['citizenId', 'id'] },
    { name: 'result_code', properties: ['code'] },
    { name: 'result_unit', properties: ['unitNo', 'id'] },
    { name: 'result_unit_code', properties: ['unitNo', 'code'] },
    { name: 'result_state', properties: ['state', 'id'], include: ['unitNo'] },
    { name: 'result_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'result_issued', properties: ['issuedOn'] },
    { name: 'result_unit_issued', properties: ['unitNo', 'issuedOn'] },
    { name: 'result_waiting', properties: ['waitingHash'], where: 'citizen_id is null' },
  ],
  checks: [
    oneOf('result_kind', 'kind', resultKinds),
    oneOf('result_state', 'state', resultStates),
    oneOf('result_file_state', 'file_state', fileStates),
    { name: 'result_period', expression: 'issued_on <= valid_to' },
    { name: 'result_use_count', expression: 'use_count >= 0' },
  ],
});

export class DigitizedResult extends ResultSchema.class {}
ResultSchema.setClass(DigitizedResult);

const ResultWorkSchema = defineEntity({
  name: 'ResultWork',
  schema: 'results',
  tableName: 'work',
  ...ofUnit,
  properties: { ...workColumns(), resultId: p.uuid(), unitNo: p.integer() },
  indexes: [
    { name: 'work_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'work_state_id', properties: ['state', 'id'] },
    { name: 'work_citizen', properties: ['citizenId'] },
    { name: 'work_result', properties: ['resultId'] },
  ],
  checks: workChecks(),
});

/** Something about a result that people must decide. */
export class ResultWork extends ResultWorkSchema.class {}
ResultWorkSchema.setClass(ResultWork);

const ResultChangeSchema = defineEntity({
  name: 'ResultChange',
  schema: 'results',
  tableName: 'change',
  ...ofUnit,
  properties: { ...changeColumns(), recordId: p.uuid(), citizenId: p.uuid().nullable(), unitNo: p.integer() },
  indexes: [
    { name: 'change_record', properties: ['recordId', 'id'] },
    { name: 'change_citizen', properties: ['citizenId', 'id'] },
  ],
  checks: changeChecks(),
});

export class ResultChange extends ResultChangeSchema.class {}
ResultChangeSchema.setClass(ResultChange);

export const resultsEntities = [
  ResultSchema,
  ResultWorkSchema,
  ResultChangeSchema,
  idempotency('results'),
  ...citizenReplica('results'),
] as const;
