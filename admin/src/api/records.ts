import type {
  CardIssuer,
  CardStatus,
  ChangeCause,
  CitizenField,
  DatePrecision,
  DiscrepancyKind,
  FieldState,
  FileState,
  FoundBy,
  Gender,
  IdentifierStanding,
  IdentifierSystem,
  LifeStatus,
  OrgLevel,
  PlaceConfidence,
  PrincipalKind,
  ResultKind,
  ResultState,
  RunKind,
  RunState,
  SlipOrigin,
  SlipStatus,
  WorkSource,
  WorkState,
} from './generated/graph.ts';

/** Records as the screens have them: the selections of documents.ts. */

export interface UnitRef {
  readonly id: string;
  readonly name: string | null;
}
export interface Holder {
  readonly id: string;
  readonly fullName: string;
}
export interface PartialDate {
  readonly value: string;
  readonly precision: DatePrecision;
}
export interface FieldStatus {
  readonly field: CitizenField;
  readonly status: FieldState;
  readonly conflict: boolean;
  readonly source: string | null;
  readonly checkedAt: string | null;
}
export interface Address {
  readonly text: string | null;
  readonly code: string | null;
  readonly listVersion: string | null;
  readonly currentCode: string | null;
  readonly confidence: PlaceConfidence | null;
}
export interface Identifier {
  readonly system: IdentifierSystem;
  readonly value: string;
  readonly standing: IdentifierStanding;
  readonly source: string;
  readonly period: { readonly start: string | null; readonly end: string | null };
}

export interface CitizenRow {
  readonly id: string;
  readonly fullName: string;
  readonly personalId: string | null;
  readonly dateOfBirth: PartialDate | null;
  readonly gender: Gender | null;
  readonly phone: string | null;
  readonly lifeStatus: LifeStatus;
  readonly orgUnit: UnitRef;
  readonly permanentAddress: Pick<Address, 'text'> | null;
  readonly fieldStatuses: readonly Pick<FieldStatus, 'field' | 'status' | 'conflict'>[];
}
export interface Citizen {
  readonly id: string;
  readonly version: number;
  readonly fullName: string;
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly dateOfBirth: PartialDate | null;
  readonly gender: Gender | null;
  readonly ethnicity: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly lifeStatus: LifeStatus;
  readonly orgUnit: UnitRef & { readonly level: OrgLevel | null };
  readonly permanentAddress: Address | null;
  readonly currentAddress: Address | null;
  readonly identifiers: readonly Identifier[];
  readonly fieldStatuses: readonly FieldStatus[];
}
/** What a stated purpose may show in clear. */
export interface RevealedCitizen {
  readonly id: string;
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly identifiers: readonly { readonly system: IdentifierSystem; readonly value: string }[];
}
export interface Card {
  readonly id: string;
  readonly version: number;
  readonly number: string | null;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly status: CardStatus;
  readonly registeredFacility: string | null;
  readonly issuer: CardIssuer | null;
  readonly holderName: string | null;
  readonly citizen: Holder | null;
  readonly orgUnit: UnitRef;
  readonly history?: Connection<Change>;
}
export interface DigitizedResult {
  readonly id: string;
  readonly version: number;
  readonly code: string | null;
  readonly name: string;
  readonly kind: ResultKind | null;
  readonly issuingAgency: string | null;
  readonly issuedOn: string | null;
  readonly validTo: string | null;
  readonly excerpt: string | null;
  readonly state: ResultState;
  readonly fileState: FileState;
  readonly useCount: number;
  readonly citizen: Holder | null;
  readonly orgUnit: UnitRef;
  readonly history?: Connection<Change>;
}
interface Slip {
  readonly id: string;
  readonly version: number;
  readonly number: string | null;
  readonly origin: SlipOrigin;
  readonly status: SlipStatus;
  readonly issuedOn: string | null;
  readonly citizen: Holder | null;
  readonly orgUnit: UnitRef | null;
  readonly history?: Connection<Change>;
}
export interface Referral extends Slip {
  readonly validTo: string | null;
  readonly fromFacility: string | null;
  readonly toFacility: string | null;
  readonly reason: string | null;
}
export interface Reexamination extends Slip {
  readonly appointmentOn: string | null;
  readonly facility: string | null;
}
export interface Discrepancy {
  readonly id: string;
  readonly version: number;
  readonly field: CitizenField;
  readonly kind: DiscrepancyKind;
  readonly foundBy: FoundBy;
  readonly ours: string | null;
  readonly theirs: string | null;
  readonly state: WorkState;
  readonly raisedAt: string;
  readonly orgUnit: UnitRef;
  readonly citizen: Holder & { readonly lifeStatus: LifeStatus };
}
/** What one looks at before deciding: who he is, how sure each field is, and the units up to the department. */
export interface AroundDiscrepancy {
  readonly id: string;
  readonly version: number;
  readonly personalId: string | null;
  readonly dateOfBirth: PartialDate | null;
  readonly gender: Gender | null;
  readonly fieldStatuses: readonly FieldStatus[];
  readonly orgUnit: UnitAbove;
  readonly discrepancies: readonly Pick<Discrepancy, 'id' | 'version' | 'field' | 'state'>[] | null;
}
export interface UnitAbove extends UnitRef {
  readonly parent?: UnitAbove | null;
}
export interface WorkItem {
  readonly id: string;
  readonly source: WorkSource;
  readonly kind: string;
  readonly subject: string;
  readonly field: CitizenField | null;
  readonly foundBy: FoundBy;
  readonly state: WorkState;
  readonly raisedAt: string;
  readonly orgUnit: UnitRef;
  readonly citizen: Holder | null;
}
export interface Run {
  readonly id: string;
  readonly version: number;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly total: number | null;
  readonly done: number | null;
  readonly refused: number | null;
  readonly counts: readonly { readonly name: string; readonly value: number }[];
  readonly startedBy: string | null;
}
/** A queue of background work, in numbers. */
export interface SettingInForce {
  readonly name: string;
  readonly meaning: string;
  /** Null for a secret, and where another process alone was given it. */
  readonly value: string | null;
  readonly secret: boolean;
  readonly origin: string;
}
export interface Queue {
  readonly name: string;
  readonly waiting: number;
  readonly leased: number;
  /** Seconds that the oldest has waited. */
  readonly oldest: number;
  readonly poison: number;
  readonly backend: string | null;
  readonly reachable: boolean | null;
  readonly seenAt: string | null;
}
/** A file on its way in. */
export interface ImportFile {
  readonly id: string;
  readonly version: number;
  readonly kind: 'CITIZENS' | 'CARDS' | 'RESULTS' | 'UNITS';
  readonly fileName: string | null;
  readonly state: 'AWAITED' | 'RECEIVED' | 'STAGED' | 'CHECKED' | 'APPLIED' | 'REFUSED';
  readonly columns: readonly { readonly heading: string; readonly column: string | null }[];
  readonly separator: string | null;
  readonly communeList: string | null;
  readonly planned: Readonly<Record<'added' | 'changed' | 'unchanged' | 'waiting' | 'refused' | 'total', number>> | null;
  readonly refusedRows: readonly {
    readonly line: number;
    readonly field: string | null;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly refusal: { readonly code: string; readonly field: string | null; readonly message: string } | null;
  readonly run: Run | null;
  /** There to be taken; the link itself is asked for when it is used, since it is good once. */
  readonly refusedFile: { readonly expiresAt: string } | null;
}
export interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly principal: string;
  readonly principalName: string | null;
  readonly purpose: string | null;
  readonly basis: string | null;
  readonly action: string;
  readonly subgraph: string;
  readonly subjects: readonly string[];
  readonly fields: readonly string[] | null;
  readonly operation: string | null;
  readonly traceId: string | null;
}
export interface Change {
  readonly id: string;
  readonly version: number;
  readonly who: string;
  readonly cause: ChangeCause;
  readonly knownAt: string;
  readonly trueFrom: string | null;
  readonly action: string;
  readonly before: readonly FieldValue[] | null;
  readonly after: readonly FieldValue[] | null;
}
export interface FieldValue {
  readonly field: string;
  readonly value: string | null;
}
export interface Connection<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}
export interface OrgUnit {
  readonly id: string;
  readonly code: string | null;
  readonly name: string | null;
  readonly level: OrgLevel | null;
  readonly children?: readonly OrgUnit[] | null;
}
/** One unit with where it stands and what happened to it. */
export interface UnitRecord extends UnitRef {
  readonly version: number;
  readonly code: string | null;
  readonly level: OrgLevel | null;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly parent: UnitRef | null;
  readonly history: Connection<Change> | null;
}
export interface Principal {
  readonly id: string;
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly role: string;
  readonly orgUnit: (UnitRef & { readonly level: OrgLevel | null }) | null;
  readonly permissions: readonly string[];
  readonly purpose: string | null;
}
/** A number of a list: exact, or at least so many. */
export interface Count {
  readonly value: number;
  readonly atLeast: boolean;
}
