import { defineEntity, p, type Opt } from '@mikro-orm/postgresql';
import { belongsTo, instant, keyText, learnedAt, oneOf, ownId, recordVersion } from '#kernel/db/column-types.ts';
import { ofUnit } from '#kernel/db/row-scope.ts';
import { changeChecks, changeColumns, idempotency, workStates, type WorkState } from '#kernel/db/shared.entity.ts';

export const workSources = ['CITIZENS', 'INSURANCE', 'RESULTS', 'SLIPS', 'JOBS'] as const;
export type WorkSource = (typeof workSources)[number];

const AccountSchema = defineEntity({
  name: 'Account',
  schema: 'organisation',
  tableName: 'account',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: recordVersion(),
    login: keyText(),
    name: p.text(),
    email: p.text().nullable(),
    unitNo: p.integer(),
    role: p.text(),
    passwordHash: p.text().nullable().hidden(),
    mustChangePassword: p.boolean().default(false),
    /** Of the second factor, sealed under the installation's secret. */
    totpSecret: p.text().nullable().hidden(),
    totpStep: p.bigint().nullable().hidden(),
    /** All that whoever serves the graph may know of it. */
    secondFactor: p.boolean().$type<Opt<boolean>>().generated('((totp_secret IS NOT NULL)) stored'),
    /** When one of its sessions was used last; outlives them. */
    lastSeenAt: instant().nullable(),
    /** Tokens issued earlier are dead. */
    notBefore: instant().nullable(),
    disabledAt: instant().nullable(),
    createdAt: learnedAt(),
  },
  indexes: [{ name: 'account_unit', properties: ['unitNo', 'id'] }],
  uniques: [{ name: 'account_login', properties: ['login'] }],
});

export class Account extends AccountSchema.class {}
AccountSchema.setClass(Account);

const ClientSchema = defineEntity({
  name: 'Client',
  schema: 'organisation',
  tableName: 'client',
  ...ofUnit,
  properties: {
    id: keyText().primary(),
    version: recordVersion(),
    name: p.text(),
    unitNo: p.integer(),
    role: p.text(),
    /** Two while the secret is being changed. */
    secretHashes: p.array().columnType('text[]').hidden(),
    defaultPurpose: p.text().nullable(),
    pointsPerMinute: p.integer().default(60_000),
    notBefore: instant().nullable(),
    revokedAt: instant().nullable(),
    createdAt: learnedAt(),
  },
  indexes: [{ name: 'client_unit', properties: ['unitNo', 'id'] }],
  checks: [
    { name: 'client_secret_hashes', expression: '(cardinality(secret_hashes) >= 1) and (cardinality(secret_hashes) <= 2)' },
    { name: 'client_points', expression: 'points_per_minute > 0' },
  ],
});

export class Client extends ClientSchema.class {}
ClientSchema.setClass(Client);

const LegalBasisSchema = defineEntity({
  name: 'LegalBasis',
  schema: 'organisation',
  tableName: 'legal_basis',
  ...ofUnit,
  properties: {
    id: keyText().primary(),
    clientId: () => belongsTo(ClientSchema, 'legal_basis_client_id_fkey', 'client_id'),
    ground: p.text(),
    permissions: p.array().columnType('text[]'),
    /** One person; `null`: everyone of {@link unitNo} and below it. */
    citizenId: p.uuid().nullable(),
    unitNo: p.integer(),
    validFrom: instant(),
    validUntil: instant().nullable(),
    withdrawnAt: instant().nullable(),
    createdBy: p.text(),
    createdAt: learnedAt(),
  },
  indexes: [
    { name: 'legal_basis_client', properties: ['clientId', 'id'] },
    { name: 'legal_basis_citizen', properties: ['citizenId'], where: 'citizen_id is not null' },
  ],
  checks: [{ name: 'legal_basis_period', expression: 'valid_from <= valid_until' }],
});

/** Why a client may read what its role does not let it read: who, scope, from, until, withdrawn. */
export class LegalBasis extends LegalBasisSchema.class {}
LegalBasisSchema.setClass(LegalBasis);

const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  schema: 'organisation',
  tableName: 'signing_key',
  properties: {
    kid: keyText().primary(),
    use: p.text().$type<'OIDC' | 'HOP'>(),
    privateJwk: p.json<unknown>().hidden(),
    createdAt: learnedAt(),
    retiredAt: instant().nullable(),
  },
  checks: [oneOf('signing_key_use', 'use', ['OIDC', 'HOP'])],
});

const OidcPayloadSchema = defineEntity({
  name: 'OidcPayload',
  schema: 'organisation',
  tableName: 'oidc_payload',
  properties: {
    model: keyText().primary(),
    id: keyText().primary(),
    payload: p.json<unknown>().hidden(),
    grantId: keyText().nullable(),
    uid: keyText().nullable(),
    userCode: keyText().nullable(),
    expiresAt: instant().nullable(),
    consumedAt: instant().nullable(),
  },
  indexes: [
    { name: 'oidc_payload_grant', properties: ['grantId'], where: 'grant_id is not null' },
    { name: 'oidc_payload_uid', properties: ['uid'], where: 'uid is not null' },
    { name: 'oidc_payload_expiry', properties: ['expiresAt'] },
  ],
});

const SessionSchema = defineEntity({
  name: 'Session',
  schema: 'organisation',
  tableName: 'session',
  properties: {
    id: ownId(),
    /** SHA-256 of the cookie. */
    key: keyText().hidden(),
    accountId: () => belongsTo(AccountSchema, 'session_account_id_fkey', 'account_id'),
    /** Family of the browser, so that one knows his own sessions; nothing finer is kept. */
    agent: p.text(),
    createdAt: learnedAt(),
    lastSeenAt: learnedAt(),
    expiresAt: instant(),
  },
  indexes: [
    { name: 'session_account', properties: ['accountId', 'id'] },
    { name: 'session_expiry', properties: ['expiresAt'] },
  ],
  uniques: [{ name: 'session_key', properties: ['key'] }],
});

const DraftSchema = defineEntity({
  name: 'Draft',
  schema: 'organisation',
  tableName: 'draft',
  properties: {
    accountId: () => belongsTo(AccountSchema, 'draft_account_id_fkey', 'account_id').primary(),
    /** Record and act. */
    place: keyText().primary(),
    sealed: p.text().hidden(),
    savedAt: learnedAt(),
  },
  indexes: [{ name: 'draft_saved', properties: ['savedAt'] }],
});

const SecurityEventSchema = defineEntity({
  name: 'SecurityEvent',
  schema: 'organisation',
  tableName: 'security_event',
  properties: {
    id: ownId(),
    at: learnedAt(),
    kind: p.text(),
    principal: p.text().nullable(),
    detail: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
    traceId: p.text().nullable(),
  },
  indexes: [
    { name: 'security_event_at', properties: ['at'], type: 'brin' },
    { name: 'security_event_kind', properties: ['kind', 'at'] },
  ],
});

const WorkItemSchema = defineEntity({
  name: 'WorkItem',
  schema: 'organisation',
  tableName: 'work_item',
  ...ofUnit,
  properties: {
    id: p.uuid().primary(),
    version: p.integer().default(1),
    source: p.text().$type<WorkSource>(),
    subject: p.uuid(),
    kind: p.text(),
    field: p.text().nullable(),
    citizenId: p.uuid().nullable(),
    /** Where the citizen belongs now: work of a unit above may be about someone who has moved out of a caller's scope. */
    citizenUnitNo: p.integer().nullable(),
    unitNo: p.integer(),
    foundBy: p.text(),
    state: p.text().$type<WorkState>(),
    raisedAt: instant(),
  },
  indexes: [
    { name: 'work_item_unit_state', properties: ['unitNo', 'state', 'id'] },
    { name: 'work_item_state_id', properties: ['state', 'id'] },
    { name: 'work_item_citizen', properties: ['citizenId'] },
  ],
  uniques: [{ name: 'work_item_natural_key', properties: ['source', 'subject', 'kind', 'field'] }],
  checks: [oneOf('work_item_source', 'source', workSources), oneOf('work_item_state', 'state', workStates)],
});

const OrganisationChangeSchema = defineEntity({
  name: 'OrganisationChange',
  schema: 'organisation',
  tableName: 'change',
  ...ofUnit,
  properties: { ...changeColumns(), recordId: p.text(), unitNo: p.integer() },
  indexes: [{ name: 'change_record', properties: ['recordId', 'id'] }],
  checks: changeChecks(),
});

export class OrganisationChange extends OrganisationChangeSchema.class {}
OrganisationChangeSchema.setClass(OrganisationChange);

export const organisationEntities = [
  AccountSchema,
  ClientSchema,
  LegalBasisSchema,
  SigningKeySchema,
  OidcPayloadSchema,
  SessionSchema,
  DraftSchema,
  SecurityEventSchema,
  WorkItemSchema,
  OrganisationChangeSchema,
  idempotency('organisation'),
] as const;
