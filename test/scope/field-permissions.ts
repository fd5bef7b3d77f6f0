import type { Permission } from '#kernel/auth/permissions.ts';

/**
 * What each field of the graph needs. `anyone`: every authenticated caller; `with its record`: seen exactly when the record that holds it is
 * seen. A field that is missing here fails the build, so a new one is decided before it is served.
 */
export type Need = Permission | 'anyone' | 'with its record';

const rootFields: Readonly<Record<string, Need>> = {
  'Query.me': 'anyone',
  'Query.citizen': 'citizen:read',
  'Query.citizens': 'citizen:read',
  'Query.insuranceCard': 'card:read',
  'Query.insuranceCards': 'card:read',
  'Query.digitizedResult': 'result:read',
  'Query.digitizedResults': 'result:read',
  'Query.referralSlip': 'slip:read',
  'Query.referralSlips': 'slip:read',
  'Query.reexaminationSlip': 'slip:read',
  'Query.reexaminationSlips': 'slip:read',
  'Query.discrepancies': 'discrepancy:read',
  'Query.workItems': 'work:read',
  'Query.run': 'run:read',
  'Query.syncRuns': 'run:read',
  'Query.import': 'import:read',
  'Query.imports': 'import:read',
  'Query.queues': 'run:read',
  'Query.orgUnits': 'unit:read',
  'Query.accounts': 'account:read',
  'Query.account': 'account:read',
  'Query.clients': 'client:read',
  'Query.auditEvents': 'audit:read',
};

/** Mutations answer a missing right as data: `error.code`. */
const mutations: Readonly<Record<string, Need>> = {
  'Mutation.createCitizen': 'citizen:write',
  'Mutation.updateCitizen': 'citizen:write',
  'Mutation.withdrawCitizen': 'citizen:write',
  'Mutation.undoCitizenChange': 'citizen:write',
  'Mutation.settleDiscrepancy': 'discrepancy:settle',
  'Mutation.startReconcile': 'run:start',
  'Mutation.createInsuranceCard': 'card:write',
  'Mutation.updateInsuranceCard': 'card:write',
  'Mutation.withdrawInsuranceCard': 'card:write',
  'Mutation.createDigitizedResult': 'result:write',
  'Mutation.updateDigitizedResult': 'result:write',
  'Mutation.withdrawDigitizedResult': 'result:write',
  'Mutation.undoDigitizedResultChange': 'result:write',
  'Mutation.createReferralSlip': 'slip:enter',
  'Mutation.updateReferralSlip': 'slip:enter',
  'Mutation.withdrawReferralSlip': 'slip:enter',
  'Mutation.undoReferralSlipChange': 'slip:enter',
  'Mutation.createReexaminationSlip': 'slip:enter',
  'Mutation.updateReexaminationSlip': 'slip:enter',
  'Mutation.withdrawReexaminationSlip': 'slip:enter',
  'Mutation.undoReexaminationSlipChange': 'slip:enter',
  'Mutation.createAccount': 'account:write',
  'Mutation.updateAccount': 'account:write',
  'Mutation.disableAccount': 'account:write',
  'Mutation.enableAccount': 'account:write',
  'Mutation.resetPassword': 'account:write',
  'Mutation.dropSecondFactor': 'account:write',
  'Mutation.revokeClient': 'client:write',
  'Mutation.rotateClientSecret': 'client:write',
  'Mutation.createOrgUnit': 'unit:write',
  'Mutation.updateOrgUnit': 'unit:write',
  'Mutation.withdrawOrgUnit': 'unit:write',
  'Mutation.undoInsuranceCardChange': 'card:write',
  'Mutation.startImport': 'import:send',
  'Mutation.applyImport': 'import:send',
  'Mutation.pauseRun': 'import:send',
  'Mutation.resumeRun': 'import:send',
  'Mutation.cancelRun': 'import:send',
  'Mutation.rerunFailed': 'import:send',
  'Mutation.dropFailed': 'import:send',
};

/** Fields that lead from one kind of record to another need the right to the other. */
const leadingFields: Readonly<Record<string, Need>> = {
  'Citizen.insuranceCards': 'card:read',
  'Citizen.cardInForce': 'card:read',
  'Citizen.digitizedResults': 'result:read',
  'Citizen.referralSlips': 'slip:read',
  'Citizen.reexaminationSlips': 'slip:read',
  'Citizen.discrepancies': 'discrepancy:read',
  'InsuranceCard.citizen': 'citizen:read',
  'DigitizedResult.citizen': 'citizen:read',
  'ReferralSlip.citizen': 'citizen:read',
  'ReexaminationSlip.citizen': 'citizen:read',
  'Discrepancy.citizen': 'citizen:read',
  'WorkItem.citizen': 'citizen:read',
};

/** Types whose other fields are seen with the record. */
const records: Readonly<Record<string, readonly string[]>> = {
  Address: ['text', 'code', 'listVersion', 'currentCode', 'confidence'],
  Account:
    'id version login name email orgUnit role disabledAt mustChangePassword secondFactor createdAt lastSeenAt'.split(' '),
  AccountPayload: ['ok', 'error'],
  AccountPasswordPayload: ['ok', 'error'],
  AccountWithPassword: ['account', 'firstPassword'],
  ChangedAccount: ['account'],
  ChangedClient: ['client'],
  Client: 'id version name orgUnit role defaultPurpose pointsPerMinute revokedAt createdAt'.split(' '),
  ClientPayload: ['ok', 'error'],
  ClientSecretPayload: ['ok', 'error'],
  ClientWithSecret: ['client', 'secret'],
  AuditEvent: 'id at principal principalName purpose basis action subgraph subjects fields operation traceId'.split(' '),
  Change: 'id version who cause causeId knownAt trueFrom action before after'.split(' '),
  ChangedCitizen: ['citizen'],
  ChangedDigitizedResult: ['digitizedResult'],
  ChangedInsuranceCard: ['insuranceCard'],
  ChangedOrgUnit: ['orgUnit'],
  ChangedReexaminationSlip: ['reexaminationSlip'],
  ChangedReferralSlip: ['referralSlip'],
  Citizen:
    `id version orgUnit lifeStatus personalId oldIdNumber identifiers fullName dateOfBirth gender ethnicity phone email birthplace
     nativePlace permanentAddress currentAddress fieldStatuses history asOf`.split(/\s+/),
  CreateCitizenPayload: ['ok', 'error'],
  CreateDigitizedResultPayload: ['ok', 'error'],
  CreateInsuranceCardPayload: ['ok', 'error'],
  CreateOrgUnitPayload: ['ok', 'error'],
  CreateReexaminationSlipPayload: ['ok', 'error'],
  CreateReferralSlipPayload: ['ok', 'error'],
  DigitizedResult:
    'id version code name kind issuingAgency issuedOn validTo excerpt state fileState useCount orgUnit history asOf'.split(' '),
  Discrepancy: 'id version field kind foundBy ours theirs state raisedAt orgUnit'.split(' '),
  FieldStatus: 'field status conflict source checkedAt'.split(' '),
  FieldValue: ['field', 'value'],
  Identifier: 'system value period standing source'.split(' '),
  IdentifierPeriod: ['start', 'end'],
  InsuranceCard: 'id version number validFrom validTo status registeredFacility issuer holderName orgUnit history asOf'.split(
    ' ',
  ),
  MutationError: 'code message field reason'.split(' '),
  NewerChange: 'id version who knownAt action'.split(' '),
  OrgUnit: 'id code name level parent children version validFrom validTo history'.split(' '),
  PageInfo: 'hasNextPage hasPreviousPage startCursor endCursor'.split(' '),
  PartialDate: ['value', 'precision'],
  Principal: 'id name kind role orgUnit permissions purpose'.split(' '),
  RecordState: ['version', 'values'],
  Queue: 'name waiting leased oldest poison backend reachable seenAt'.split(' '),
  ReexaminationSlip: 'id version number origin status issuedOn appointmentOn facility orgUnit history asOf'.split(' '),
  ReferralSlip: 'id version number origin status issuedOn validTo fromFacility toFacility reason orgUnit history asOf'.split(' '),
  ChangedRun: ['run'],
  RunPayload: ['ok', 'error'],
  Run: 'id version kind state startedAt endedAt total done refused counts startedBy'.split(' '),
  RunCount: ['name', 'value'],
  SettleDiscrepancyPayload: ['ok', 'error'],
  SettledDiscrepancy: ['discrepancy', 'citizen', 'changeId'],
  StartReconcilePayload: ['ok', 'error'],
  StartedRun: ['runId'],
  UndoCitizenChangePayload: ['ok', 'error', 'newer'],
  UndoDigitizedResultChangePayload: ['ok', 'error', 'newer'],
  UndoReferralSlipChangePayload: ['ok', 'error', 'newer'],
  UndoReexaminationSlipChangePayload: ['ok', 'error', 'newer'],
  UndoInsuranceCardChangePayload: ['ok', 'error', 'newer'],
  UpdateCitizenPayload: ['ok', 'error'],
  UpdateDigitizedResultPayload: ['ok', 'error'],
  UpdateInsuranceCardPayload: ['ok', 'error'],
  UpdateOrgUnitPayload: ['ok', 'error'],
  UpdateReexaminationSlipPayload: ['ok', 'error'],
  UpdateReferralSlipPayload: ['ok', 'error'],
  WithdrawCitizenPayload: ['ok', 'error'],
  WithdrawDigitizedResultPayload: ['ok', 'error'],
  WithdrawInsuranceCardPayload: ['ok', 'error'],
  WithdrawOrgUnitPayload: ['ok', 'error'],
  WithdrawReexaminationSlipPayload: ['ok', 'error'],
  WithdrawReferralSlipPayload: ['ok', 'error'],
  WorkItem: 'id source kind subject field foundBy state orgUnit raisedAt'.split(' '),
};

const connections = [
  'Account',
  'Client',
  'AuditEvent',
  'Change',
  'Citizen',
  'DigitizedResult',
  'Discrepancy',
  'InsuranceCard',
  'ReexaminationSlip',
  'ReferralSlip',
  'Run',
  'WorkItem',
];

/** Every field of the public schema, `Type.field`. */
export const fieldNeeds: ReadonlyMap<string, Need> = new Map<string, Need>([
  ...Object.entries(rootFields),
  ...Object.entries(mutations),
  ...Object.entries(leadingFields),
  ...Object.entries(records).flatMap(([type, fields]) =>
    fields.map((field): [string, Need] => [`${type}.${field}`, 'with its record']),
  ),
  ...connections.flatMap((type) =>
    [
      ...['edges', 'nodes', 'pageInfo', 'totalCount', 'totalCountIsEstimate'].map((field) => `${type}Connection.${field}`),
      ...['cursor', 'node'].map((field) => `${type}Edge.${field}`),
    ].map((coordinate): [string, Need] => [coordinate, 'with its record']),
  ),
]);

/** Root fields with what they must be given. */
export const rootNeeds: ReadonlyMap<string, Need> = new Map(Object.entries(rootFields));
export const leadingNeeds: ReadonlyMap<string, Need> = new Map(Object.entries(leadingFields));
