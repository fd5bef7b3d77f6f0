import { defineEntity, p, type Opt } from '@mikro-orm/postgresql';
import { belongsTo, instant, keyText, learnedAt, oneOf, plainDate, recordVersion, textList } from '#kernel/db/column-types.ts';
import { ofUnit } from '#kernel/db/row-scope.ts';
import {
  changeChecks,
  changeColumns,
  finders,
  idempotency,
  lifeStatuses,
  workStates,
  type FoundBy,
  type LifeStatus,
  type WorkState,
} from '#kernel/db/shared.entity.ts';

export const genders = ['MALE', 'FEMALE', 'UNDETERMINED'] as const;
export type Gender = (typeof genders)[number];
export const birthPrecisions = ['DAY', 'MONTH', 'YEAR'] as const;
export type BirthPrecision = (typeof birthPrecisions)[number];
export const placeConfidences = ['EXACT', 'MAIN_TARGET', 'UNKNOWN'] as const;
export type PlaceConfidence = (typeof placeConfidences)[number];
export const identifierSystems = ['PERSONAL_ID', 'OLD_ID_NUMBER', 'PASSPORT', 'FOREIGN_ID'] as const;
export type IdentifierSystem = (typeof identifierSystems)[number];
export const identifierStandings = ['CONFIRMED', 'CLAIMED', 'CANCELLED'] as const;
export type IdentifierStanding = (typeof identifierStandings)[number];
export const verificationOutcomes = ['MATCH', 'MISMATCH', 'UNKNOWN_PERSON'] as const;
export type VerificationOutcome = (typeof verificationOutcomes)[number];
export const discrepancyKinds = [
  'DIFFERENT',
  'ONLY_THEIRS',
  'ONLY_OURS',
  'UNKNOWN_PERSON',
  'TWO_HOLDERS',
  'INCONSISTENT',
] as const;
export type DiscrepancyKind = (typeof discrepancyKinds)[number];

/** What stands in place of a date that is not known, so that an order by it knows no null. */
const latest = `COALESCE(born_from, 'infinity'::date)`;

/** What the filters of a list ask of a citizen. */
const askedOfCitizens = ['lifeStatus', 'states', 'birthSort', 'bornTo', 'updatedAt', 'nameFolded'] as const;

/** The people of every unit, and of each, in one order; with what a filter asks, so that walking the order opens no row. */
function orderIndexes<Column extends 'nameSort' | 'updatedAt' | 'birthSort'>(name: string, column: Column) {
  const asked = askedOfCitizens.filter((filter) => filter !== column);
  return [
    { name: `citizen_${name}`, properties: [column, 'id' as const], include: ['unitNo' as const, ...asked] },
    { name: `citizen_unit_${name}`, properties: ['unitNo' as const, column, 'id' as const], include: asked },
  ];
}

const CitizenSchema = defineEntity({
  name: 'Citizen',
  schema: 'citizens',
  tableName: 'citizen',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: recordVersion(),
    unitNo: p.integer(),
    lifeStatus: p.text().$type<LifeStatus>().default('ACTIVE'),
    mergedInto: p.uuid().nullable(),
    /** Copies of the present rows of {@link Identifier}. */
    personalId: keyText().nullable(),
    oldIdNumber: keyText().nullable(),
    fullName: p.text(),
    nameFolded: keyText(),
    /** Given name, middle, surname: sorts as Vietnamese lists do. */
    nameSort: p.text().collation('vi-x-icu'),
    /** `1990-03-15`, `1990-03` or `1985`, and the days it covers. */
    dateOfBirth: p.text().nullable(),
    birthPrecision: p.text().$type<BirthPrecision>().nullable(),
    bornFrom: plainDate().nullable(),
    bornTo: plainDate().nullable(),
    gender: p.text().$type<Gender>().nullable(),
    ethnicity: p.text().nullable(),
    phone: p.text().nullable(),
    email: p.text().nullable(),
    birthplace: p.text().nullable(),
    nativePlace: p.text().nullable(),
    permanentText: p.text().nullable(),
    permanentCode: p.text().nullable(),
    permanentList: p.text().nullable(),
    permanentCurrentCode: p.text().nullable(),
    permanentConfidence: p.text().$type<PlaceConfidence>().nullable(),
    currentText: p.text().nullable(),
    currentCode: p.text().nullable(),
    currentList: p.text().nullable(),
    currentCurrentCode: p.text().nullable(),
    currentConfidence: p.text().$type<PlaceConfidence>().nullable(),
    /** Bit n = nth of enum CitizenField: confirmed by a trusted source; in open conflict with one. */
    confirmed: p.integer().default(0),
    conflicted: p.integer().default(0),
    /** By position in enum CitizenField. */
    checkSource: textList(),
    checkedAt: p.array().columnType('timestamptz[]').defaultRaw(`'{}'::timestamptz[]`),
    flags: textList(),
    senderUnitNo: p.integer().nullable(),
    sourceKey: keyText().nullable(),
    /** Ten letters G, Y, R in the order of enum CitizenField; made by PostgreSQL from the values and the bits. */
    states: keyText().$type<Opt<string>>().generated(fieldStates()),
    birthSort: plainDate().$type<Opt<string>>().generated(`(${latest}) stored`),
    createdAt: learnedAt(),
    updatedAt: learnedAt(),
  },
  indexes: [
    { name: 'citizen_unit', properties: ['unitNo', 'id'], include: [...askedOfCitizens] },
    ...orderIndexes('name', 'nameSort'),
    ...orderIndexes('updated', 'updatedAt'),
    ...orderIndexes('birth', 'birthSort'),
    { name: 'citizen_states', properties: ['states', 'id'], include: ['unitNo'] },
    { name: 'citizen_unit_states', properties: ['unitNo', 'states', 'id'] },
    { name: 'citizen_life', properties: ['lifeStatus', 'id'], include: ['unitNo'], where: `life_status <> 'ACTIVE'` },
    { name: 'citizen_unit_life', properties: ['unitNo', 'lifeStatus', 'id'], where: `life_status <> 'ACTIVE'` },
    { name: 'citizen_merged_into', properties: ['mergedInto'], where: 'merged_into is not null' },
  ],
  uniques: [
    {
      name: 'citizen_source_key',
      properties: ['senderUnitNo', 'sourceKey', 'unitNo'],
      where: 'source_key is not null',
    },
  ],
  checks: [
    oneOf('citizen_life_status', 'life_status', lifeStatuses),
    { name: 'citizen_merged', expression: `(life_status = 'MERGED'::text) = (merged_into is not null)` },
    oneOf('citizen_birth_precision', 'birth_precision', birthPrecisions),
    {
      name: 'citizen_birth',
      expression: `(num_nulls(date_of_birth, birth_precision, born_from, born_to) = any (array[0, 4])) and (born_from <= born_to)`,
    },
    oneOf('citizen_gender', 'gender', genders),
    oneOf('citizen_permanent_confidence', 'permanent_confidence', placeConfidences),
    oneOf('citizen_current_confidence', 'current_confidence', placeConfidences),
    {
      name: 'citizen_field_bits',
      expression: '((confirmed >= 0) and (confirmed <= 1023)) and ((conflicted >= 0) and (conflicted <= 1023))',
    },
    { name: 'citizen_sender', expression: '(sender_unit_no is null) = (source_key is null)' },
  ],
});

export class Citizen extends CitizenSchema.class {}
CitizenSchema.setClass(Citizen);

function fieldStates(): string {
  const present = [
    'full_name IS NOT NULL',
    'old_id_number IS NOT NULL',
    'personal_id IS NOT NULL',
    'date_of_birth IS NOT NULL',
    'phone IS NOT NULL',
    'gender IS NOT NULL',
    'birthplace IS NOT NULL',
    'email IS NOT NULL',
    'native_place IS NOT NULL',
    '(permanent_text IS NOT NULL) OR (permanent_code IS NOT NULL)',
  ];
  const letters = present.map(
    (condition, bit) =>
      `CASE WHEN (NOT (${condition})) THEN 'R'::text WHEN ((confirmed & ${String(1 << bit)}) <> 0) THEN 'G'::text ELSE 'Y'::text END`,
  );
  return `(${letters.join(' || ')}) stored`;
}

const citizenOf = (table: string) => belongsTo(CitizenSchema, `${table}_citizen_id_fkey`, 'citizen_id');

const IdentifierSchema = defineEntity({
  name: 'Identifier',
  schema: 'citizens',
  tableName: 'identifier',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    citizenId: () => citizenOf('identifier'),
    unitNo: p.integer(),
    system: p.text().$type<IdentifierSystem>(),
    value: keyText(),
    validFrom: plainDate().nullable(),
    validTo: plainDate().nullable(),
    standing: p.text().$type<IdentifierStanding>(),
    source: p.text(),
  },
  indexes: [
    { name: 'identifier_value', properties: ['value', 'citizenId'] },
    { name: 'identifier_citizen', properties: ['citizenId'] },
  ],
  uniques: [
    {
      name: 'identifier_confirmed',
      properties: ['system', 'value'],
      where: `(standing = 'CONFIRMED'::text) and (valid_to is null)`,
    },
  ],
  checks: [
    oneOf('identifier_system', 'system', identifierSystems),
    oneOf('identifier_standing', 'standing', identifierStandings),
    { name: 'identifier_period', expression: 'valid_from <= valid_to' },
  ],
});

/** A number under which the citizen is or was known. Numbers are corrected, shared and missing: never a key. */
export class Identifier extends IdentifierSchema.class {}
IdentifierSchema.setClass(Identifier);

const askedOfNames = ['wordsBefore', 'nameSort', 'birthSort', 'bornTo', 'lifeStatus'] as const;

const NameKeySchema = defineEntity({
  name: 'NameKey',
  schema: 'citizens',
  tableName: 'name_key',
  ...ofUnit,
  properties: {
    citizenId: () => citizenOf('name_key').primary(),
    key: keyText().primary(),
    unitNo: p.integer(),
    wordsBefore: keyText(),
    nameSort: p.text().collation('vi-x-icu'),
    birthSort: plainDate(),
    bornTo: plainDate().nullable(),
    lifeStatus: p.text().$type<LifeStatus>(),
  },
  indexes: [
    { name: 'name_key_key', properties: ['key', 'citizenId'], include: ['unitNo', ...askedOfNames] },
    { name: 'name_key_unit', properties: ['unitNo', 'key', 'citizenId'], include: [...askedOfNames] },
  ],
});

const VerificationSchema = defineEntity({
  name: 'Verification',
  schema: 'citizens',
  tableName: 'verification',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    citizenId: () => citizenOf('verification'),
    unitNo: p.integer(),
    field: p.text(),
    outcome: p.text().$type<VerificationOutcome>(),
    source: p.text(),
    asOf: instant().nullable(),
    checkedAt: instant(),
    runId: p.uuid().nullable(),
  },
  indexes: [{ name: 'verification_citizen', properties: ['citizenId', 'checkedAt'] }],
  uniques: [{ name: 'verification_run', properties: ['runId', 'citizenId', 'field'], where: 'run_id is not null' }],
  checks: [oneOf('verification_outcome', 'outcome', verificationOutcomes)],
});

/** What a trusted source said about one field, and as of when. */
export class Verification extends VerificationSchema.class {}
VerificationSchema.setClass(Verification);

const DiscrepancySchema = defineEntity({
  name: 'Discrepancy',
  schema: 'citizens',
  tableName: 'discrepancy',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: recordVersion(),
    citizenId: () => citizenOf('discrepancy'),
    /** The citizen's; of two holders the lowest unit above both. */
    unitNo: p.integer(),
    field: p.text(),
    kind: p.text().$type<DiscrepancyKind>(),
    foundBy: p.text().$type<FoundBy>(),
    ours: p.text().nullable(),
    theirs: p.text().nullable(),
    state: p.text().$type<WorkState>().default('OPEN'),
    raisedAt: learnedAt(),
    settledAt: instant().nullable(),
    settledBy: p.text().nullable(),
    decision: p.text().nullable(),
    runId: p.uuid().nullable(),
  },
  indexes: [
    { name: 'discrepancy_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'discrepancy_state_id', properties: ['state', 'id'] },
    { name: 'discrepancy_state_kind', properties: ['state', 'kind', 'id'] },
    { name: 'discrepancy_state_field', properties: ['state', 'field', 'id'] },
    { name: 'discrepancy_state_found_by', properties: ['state', 'foundBy', 'id'] },
    { name: 'discrepancy_citizen', properties: ['citizenId'] },
  ],
  uniques: [
    {
      name: 'discrepancy_open',
      properties: ['citizenId', 'field', 'kind'],
      where: `state = any (array['OPEN'::text, 'LEASED'::text])`,
    },
  ],
  checks: [
    oneOf('discrepancy_kind', 'kind', discrepancyKinds),
    oneOf('discrepancy_found_by', 'found_by', finders),
    oneOf('discrepancy_state', 'state', workStates),
  ],
});

/** A difference that people must decide; identity is never overwritten. */
export class Discrepancy extends DiscrepancySchema.class {}
DiscrepancySchema.setClass(Discrepancy);

const CitizenChangeSchema = defineEntity({
  name: 'CitizenChange',
  schema: 'citizens',
  tableName: 'change',
  ...ofUnit,
  properties: { ...changeColumns(), citizenId: p.uuid(), unitNo: p.integer() },
  indexes: [{ name: 'change_citizen', properties: ['citizenId', 'id'] }],
  checks: changeChecks(),
});

export class CitizenChange extends CitizenChangeSchema.class {}
CitizenChangeSchema.setClass(CitizenChange);

const OutsideCallsSchema = defineEntity({
  name: 'OutsideCalls',
  schema: 'citizens',
  tableName: 'outside_calls',
  properties: { system: p.text().primary(), freeAt: instant() },
});

export const citizensEntities = [
  CitizenSchema,
  IdentifierSchema,
  NameKeySchema,
  VerificationSchema,
  DiscrepancySchema,
  CitizenChangeSchema,
  OutsideCallsSchema,
  idempotency('citizens'),
] as const;
