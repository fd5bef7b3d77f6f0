import { defineEntity, p } from '@mikro-orm/postgresql';
import { belongsTo, instant, keyText, learnedAt, oneOf, plainDate, recordVersion } from '#kernel/db/column-types.ts';
import { ofFacility, ofUnitOrFacility } from '#kernel/db/row-scope.ts';
import { changeChecks, changeColumns, citizenReplica, idempotency, workChecks, workColumns } from '#kernel/db/shared.entity.ts';

export const slipOrigins = ['SIGNED', 'ENTERED'] as const;
/** SIGNED: read from a document that a hospital signed, never edited. ENTERED: by a clerk, never shown as a signed paper. */
export type SlipOrigin = (typeof slipOrigins)[number];
export const slipStatuses = ['ISSUED', 'SHOWN', 'ACCEPTED', 'USED', 'EXPIRED', 'CANCELLED', 'REPLACED', 'WITHDRAWN'] as const;
export type SlipStatus = (typeof slipStatuses)[number];

const DocumentSchema = defineEntity({
  name: 'SlipDocument',
  schema: 'slips',
  tableName: 'document',
  ...ofFacility,
  properties: {
    id: p.uuid().primary(),
    facilityNo: p.integer(),
    bytes: p.blob().lazy(),
    sha256: p.blob().fieldName('sha256'),
    receivedAt: learnedAt(),
  },
  uniques: [{ name: 'document_content', properties: ['facilityNo', 'sha256'] }],
  checks: [{ name: 'document_sha256', expression: 'sha256 = sha256(bytes)' }],
});

/** A signed original, byte for byte as it came. */
export class SlipDocument extends DocumentSchema.class {}
DocumentSchema.setClass(SlipDocument);

const slipColumns = (table: string) => ({
  id: p.uuid().primary(),
  version: recordVersion(),
  /** `null` while the slip waits for its citizen; then {@link waitingHash} says for whom. */
  citizenId: p.uuid().nullable(),
  /** The citizen's unit; `null` while he is unknown and a facility issued the slip. */
  unitNo: p.integer().nullable(),
  /** The issuing facility, where it is a unit of this hub. */
  facilityNo: p.integer().nullable(),
  number: keyText().nullable(),
  origin: p.text().$type<SlipOrigin>(),
  status: p.text().$type<SlipStatus>(),
  issuedOn: plainDate().nullable(),
  holderName: p.text().nullable(),
  documentId: () => belongsTo(DocumentSchema, `${table}_document_id_fkey`, 'document_id').nullable(),
  waitingHash: p.blob().nullable(),
  createdAt: learnedAt(),
  updatedAt: learnedAt(),
});

const slipChecks = (table: string) => [
  oneOf(`${table}_origin`, 'origin', slipOrigins),
  oneOf(`${table}_status`, 'status', slipStatuses),
  { name: `${table}_place`, expression: 'num_nonnulls(unit_no, facility_no) > 0' },
];

const ReferralSchema = defineEntity({
  name: 'ReferralSlip',
  schema: 'slips',
  tableName: 'referral_slip',
  ...ofUnitOrFacility('signed'),
  properties: {
    ...slipColumns('referral_slip'),
    validTo: plainDate().nullable(),
    fromFacility: p.text().nullable(),
    toFacility: p.text().nullable(),
    reason: p.text().nullable(),
  },
  indexes: [
    { name: 'referral_slip_citizen', properties: ['citizenId', 'id'] },
    { name: 'referral_slip_unit', properties: ['unitNo', 'id'] },
    { name: 'referral_slip_facility', properties: ['facilityNo', 'id'] },
    { name: 'referral_slip_facility_number', properties: ['facilityNo', 'number'] },
    { name: 'referral_slip_number', properties: ['number'] },
    { name: 'referral_slip_status', properties: ['status', 'id'], include: ['unitNo', 'facilityNo'] },
    { name: 'referral_slip_unit_status', properties: ['unitNo', 'status', 'id'] },
    { name: 'referral_slip_facility_status', properties: ['facilityNo', 'status', 'id'] },
    { name: 'referral_slip_issued', properties: ['issuedOn'] },
    { name: 'referral_slip_unit_issued', properties: ['unitNo', 'issuedOn'] },
    { name: 'referral_slip_facility_issued', properties: ['facilityNo', 'issuedOn'] },
    { name: 'referral_slip_issuer', properties: ['fromFacility', 'id'] },
    { name: 'referral_slip_waiting', properties: ['waitingHash'], where: 'citizen_id is null' },
  ],
  checks: [...slipChecks('referral_slip'), { name: 'referral_slip_period', expression: 'issued_on <= valid_to' }],
});

export class ReferralSlip extends ReferralSchema.class {}
ReferralSchema.setClass(ReferralSlip);

const ReexaminationSchema = defineEntity({
  name: 'ReexaminationSlip',
  schema: 'slips',
  tableName: 'reexamination_slip',
  ...ofUnitOrFacility('signed'),
  properties: {
    ...slipColumns('reexamination_slip'),
    facility: p.text().nullable(),
    appointmentOn: plainDate().nullable(),
    appointmentAt: instant().nullable(),
  },
  indexes: [
    { name: 'reexamination_slip_citizen', properties: ['citizenId', 'id'] },
    { name: 'reexamination_slip_unit', properties: ['unitNo', 'id'] },
    { name: 'reexamination_slip_facility', properties: ['facilityNo', 'id'] },
    { name: 'reexamination_slip_facility_number', properties: ['facilityNo', 'number'] },
    { name: 'reexamination_slip_number', properties: ['number'] },
    { name: 'reexamination_slip_status', properties: ['status', 'id'], include: ['unitNo', 'facilityNo'] },
    { name: 'reexamination_slip_unit_status', properties: ['unitNo', 'status', 'id'] },
    { name: 'reexamination_slip_facility_status', properties: ['facilityNo', 'status', 'id'] },
    { name: 'reexamination_slip_issued', properties: ['issuedOn'] },
    { name: 'reexamination_slip_unit_issued', properties: ['unitNo', 'issuedOn'] },
    { name: 'reexamination_slip_facility_issued', properties: ['facilityNo', 'issuedOn'] },
    { name: 'reexamination_slip_issuer', properties: ['facility', 'id'] },
    { name: 'reexamination_slip_waiting', properties: ['waitingHash'], where: 'citizen_id is null' },
  ],
  checks: [...slipChecks('reexamination_slip'), { name: 'reexamination_slip_period', expression: 'issued_on <= appointment_on' }],
});

export class ReexaminationSlip extends ReexaminationSchema.class {}
ReexaminationSchema.setClass(ReexaminationSlip);

const SlipWorkSchema = defineEntity({
  name: 'SlipWork',
  schema: 'slips',
  tableName: 'work',
  ...ofUnitOrFacility('always'),
  properties: { ...workColumns(), slipId: p.uuid(), unitNo: p.integer().nullable(), facilityNo: p.integer().nullable() },
  indexes: [
    { name: 'work_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'work_facility_state', properties: ['facilityNo', 'state', 'id'] },
    { name: 'work_state_id', properties: ['state', 'id'] },
    { name: 'work_citizen', properties: ['citizenId'] },
    { name: 'work_slip', properties: ['slipId'] },
  ],
  checks: workChecks(),
});

/** Something about a slip that people must decide: two documents under one number. */
export class SlipWork extends SlipWorkSchema.class {}
SlipWorkSchema.setClass(SlipWork);

const SlipChangeSchema = defineEntity({
  name: 'SlipChange',
  schema: 'slips',
  tableName: 'change',
  ...ofUnitOrFacility('always'),
  properties: {
    ...changeColumns(),
    recordId: p.uuid(),
    citizenId: p.uuid().nullable(),
    unitNo: p.integer().nullable(),
    facilityNo: p.integer().nullable(),
  },
  indexes: [
    { name: 'change_record', properties: ['recordId', 'id'] },
    { name: 'change_citizen', properties: ['citizenId', 'id'] },
  ],
  checks: changeChecks(),
});

export class SlipChange extends SlipChangeSchema.class {}
SlipChangeSchema.setClass(SlipChange);

export const slipsEntities = [
  DocumentSchema,
  ReferralSchema,
  ReexaminationSchema,
  SlipWorkSchema,
  SlipChangeSchema,
  idempotency('slips'),
  ...citizenReplica('slips'),
] as const;
