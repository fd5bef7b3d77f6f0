import { defineEntity, p } from '@mikro-orm/postgresql';
import { instant, keyText, learnedAt, oneOf, plainDate, recordVersion } from '#kernel/db/column-types.ts';
import { ofUnit } from '#kernel/db/row-scope.ts';
import { changeChecks, changeColumns, citizenReplica, idempotency, workChecks, workColumns } from '#kernel/db/shared.entity.ts';

export const cardStatuses = [
  'UNVERIFIED',
  'ACTIVE',
  'PENDING',
  'REPLACED',
  'EXPIRED',
  'RECALLED',
  'STOPPED',
  'NEEDS_REVIEW',
  'WITHDRAWN',
] as const;
export type CardStatus = (typeof cardStatuses)[number];
export const cardIssuers = ['BHXH_VN', 'BHXH_CAND', 'BHXH_BQP'] as const;
export type CardIssuer = (typeof cardIssuers)[number];

const CardSchema = defineEntity({
  name: 'InsuranceCard',
  schema: 'insurance',
  tableName: 'card',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: recordVersion(),
    /** `null` while the card waits for its citizen; then {@link waitingHash} says for whom and the unit is the sender's. */
    citizenId: p.uuid().nullable(),
    unitNo: p.integer(),
    number: keyText(),
    /** The last ten characters of {@link number}. */
    bhxhNumber: keyText(),
    holderName: p.text().nullable(),
    holderBorn: p.text().nullable(),
    validFrom: plainDate().nullable(),
    validTo: plainDate().nullable(),
    status: p.text().$type<CardStatus>().default('UNVERIFIED'),
    registeredFacility: p.text().nullable(),
    issuer: p.text().$type<CardIssuer>().nullable(),
    waitingHash: p.blob().nullable(),
    checkedAt: instant().nullable(),
    createdAt: learnedAt(),
    updatedAt: learnedAt(),
  },
  indexes: [
    { name: 'card_citizen', columns: [{ name: 'citizen_id' }, { name: 'valid_from', sort: 'desc' }] },
    { name: 'card_number', properties: ['number'] },
    { name: 'card_bhxh_number', properties: ['bhxhNumber'] },
    { name: 'card_unit', properties: ['unitNo', 'id'] },
    { name: 'card_unit_number', properties: ['unitNo', 'number'] },
    { name: 'card_unit_bhxh_number', properties: ['unitNo', 'bhxhNumber'] },
    { name: 'card_status', properties: ['status', 'id'], include: ['unitNo'] },
    { name: 'card_unit_status', properties: ['unitNo', 'status', 'id'] },
    { name: 'card_waiting', properties: ['waitingHash'], where: 'citizen_id is null' },
  ],
  checks: [
    oneOf('card_status', 'status', cardStatuses),
    oneOf('card_issuer', 'issuer', cardIssuers),
    { name: 'card_period', expression: 'valid_from <= valid_to' },
    { name: 'card_bhxh_number', expression: `bhxh_number = "right"(number, 10)` },
  ],
});

export class InsuranceCard extends CardSchema.class {}
CardSchema.setClass(InsuranceCard);

const CardWorkSchema = defineEntity({
  name: 'CardWork',
  schema: 'insurance',
  tableName: 'work',
  ...ofUnit,
  properties: { ...workColumns(), cardId: p.uuid(), unitNo: p.integer() },
  indexes: [
    { name: 'work_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'work_state_id', properties: ['state', 'id'] },
    { name: 'work_citizen', properties: ['citizenId'] },
    { name: 'work_card', properties: ['cardId'] },
  ],
  uniques: [{ name: 'work_card_kind', properties: ['cardId', 'kind'] }],
  checks: workChecks(),
});

/** Something about a card that people must decide: held twice, overlapping. */
export class CardWork extends CardWorkSchema.class {}
CardWorkSchema.setClass(CardWork);

const CardChangeSchema = defineEntity({
  name: 'CardChange',
  schema: 'insurance',
  tableName: 'change',
  ...ofUnit,
  properties: { ...changeColumns(), recordId: p.uuid(), citizenId: p.uuid().nullable(), unitNo: p.integer() },
  indexes: [
    { name: 'change_record', properties: ['recordId', 'id'] },
    { name: 'change_citizen', properties: ['citizenId', 'id'] },
  ],
  checks: changeChecks(),
});

export class CardChange extends CardChangeSchema.class {}
CardChangeSchema.setClass(CardChange);

export const insuranceEntities = [
  CardSchema,
  CardWorkSchema,
  CardChangeSchema,
  idempotency('insurance'),
  ...citizenReplica('insurance'),
] as const;
