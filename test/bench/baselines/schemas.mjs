/* The graph of the two queries, cut into the subgraphs of the hub. */
const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])\n';

export const schemas = {
  citizens: `${link}
    type Query { citizen(personalId: String): Citizen  citizens(first: Int, after: String): CitizenConnection }
    type CitizenConnection { nodes: [Citizen!]! pageInfo: PageInfo! }
    type PageInfo { endCursor: String hasNextPage: Boolean! }
    type Citizen @key(fields: "id") { id: ID! fullName: String! lifeStatus: LifeStatus! orgUnit: OrgUnit! dateOfBirth: PartialDate
      gender: Gender phone: String fieldStatuses: [FieldStatus!]! }
    type OrgUnit @key(fields: "id", resolvable: false) { id: ID! }
    type PartialDate { value: String! precision: DatePrecision! }
    type FieldStatus { field: CitizenField! status: FieldState! }
    enum LifeStatus { ACTIVE MOVED_AWAY DECEASED MERGED }
    enum DatePrecision { DAY MONTH YEAR }
    enum Gender { MALE FEMALE UNDETERMINED }
    enum FieldState { GREEN YELLOW RED }
    enum CitizenField { FULL_NAME OLD_ID_NUMBER PERSONAL_ID DATE_OF_BIRTH PHONE GENDER BIRTHPLACE EMAIL NATIVE_PLACE PERMANENT_ADDRESS }`,
  insurance: `${link}
    type Citizen @key(fields: "id") { id: ID! insuranceCards: [InsuranceCard!] cardInForce: InsuranceCard }
    type InsuranceCard { number: String validFrom: String validTo: String }`,
  results: `${link}
    type Citizen @key(fields: "id") { id: ID! digitizedResults(first: Int): DigitizedResultConnection }
    type DigitizedResultConnection { nodes: [DigitizedResult!]! }
    type DigitizedResult { code: String name: String! issuedOn: String }`,
  slips: `${link}
    type Citizen @key(fields: "id") { id: ID! referralSlips(first: Int): ReferralSlipConnection
      reexaminationSlips(first: Int): ReexaminationSlipConnection }
    type ReferralSlipConnection { nodes: [ReferralSlip!]! }
    type ReexaminationSlipConnection { nodes: [ReexaminationSlip!]! }
    type ReferralSlip { number: String status: SlipStatus! issuedOn: String }
    type ReexaminationSlip { id: ID! appointmentOn: String }
    enum SlipStatus { ISSUED SHOWN ACCEPTED USED EXPIRED CANCELLED REPLACED WITHDRAWN }`,
  organisation: `${link}
    type OrgUnit @key(fields: "id") { id: ID! name: String }`,
};

export const subgraphNames = Object.keys(schemas);
