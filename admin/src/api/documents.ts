/*
 * What the admin asks of the graph. One document per screen, so that a screen is one request; lists ask for what their columns show.
 * A test validates each against the composed graph.
 */

const page = 'pageInfo { hasNextPage endCursor }';
const unit = 'orgUnit { id name }';
const holder = 'citizen { id fullName }';

const citizenRow = `id fullName personalId dateOfBirth { value precision } gender phone lifeStatus ${unit}
  permanentAddress { text } fieldStatuses { field status conflict }`;
const cardRow = `id version number validFrom validTo status registeredFacility issuer holderName ${holder} ${unit}`;
const resultRow = `id version code name kind issuingAgency issuedOn validTo excerpt state fileState useCount ${holder} ${unit}`;
const referralRow = `id version number origin status issuedOn validTo fromFacility toFacility reason ${holder} ${unit}`;
const reexaminationRow = `id version number origin status issuedOn appointmentOn facility ${holder} ${unit}`;
const discrepancyRow = `id version field kind foundBy ours theirs state raisedAt ${unit} citizen { id fullName lifeStatus }`;
const workRow = `id source kind subject field foundBy state raisedAt ${unit} ${holder}`;
export const runRow = 'id version kind state startedAt endedAt total done refused counts { name value } startedBy';
const auditRow = 'id at principal principalName purpose basis action subgraph subjects fields operation traceId';
const change = 'id version who cause knownAt trueFrom action before { field value } after { field value }';
const history = `history(first: 20) { nodes { ${change} } ${page} }`;

const unitLine = 'id version code name level validFrom validTo';

const accountRow = `id version login name email role disabledAt mustChangePassword secondFactor createdAt lastSeenAt orgUnit { id name }`;

export const documents = {
  Me: 'query Me { me { id name kind role orgUnit { id name level } permissions purpose } }',

  Citizens: `query Citizens($filter: CitizenFilter, $orderBy: CitizenOrder, $first: Int, $after: String) {
    page: citizens(filter: $filter, orderBy: $orderBy, first: $first, after: $after) { nodes { ${citizenRow} } ${page} } }`,
  Cards: `query Cards($filter: InsuranceCardFilter, $first: Int, $after: String) {
    page: insuranceCards(filter: $filter, first: $first, after: $after) { nodes { ${cardRow} } ${page} } }`,
  Results: `query Results($filter: DigitizedResultFilter, $first: Int, $after: String) {
    page: digitizedResults(filter: $filter, first: $first, after: $after) { nodes { ${resultRow} } ${page} } }`,
  Referrals: `query Referrals($filter: SlipFilter, $first: Int, $after: String) {
    page: referralSlips(filter: $filter, first: $first, after: $after) { nodes { ${referralRow} } ${page} } }`,
  Reexaminations: `query Reexaminations($filter: SlipFilter, $first: Int, $after: String) {
    page: reexaminationSlips(filter: $filter, first: $first, after: $after) { nodes { ${reexaminationRow} } ${page} } }`,
  Discrepancies: `query Discrepancies($filter: DiscrepancyFilter, $first: Int, $after: String) {
    page: discrepancies(filter: $filter, first: $first, after: $after) { nodes { ${discrepancyRow} } ${page} } }`,
  WorkItems: `query WorkItems($filter: WorkItemFilter, $first: Int, $after: String) {
    page: workItems(filter: $filter, first: $first, after: $after) { nodes { ${workRow} } ${page} } }`,
  Runs: `query Runs($first: Int, $after: String) { page: syncRuns(first: $first, after: $after) { nodes { ${runRow} } ${page} } }`,
  Imports: `query Imports($first: Int, $after: String) { page: imports(first: $first, after: $after) { nodes { ${runRow} } ${page} } }`,
  AuditEvents: `query AuditEvents($filter: AuditFilter, $first: Int, $after: String) {
    page: auditEvents(filter: $filter, first: $first, after: $after) { nodes { ${auditRow} } ${page} } }`,

  Accounts: `query Accounts($filter: AccountFilter, $first: Int, $after: String) {
    page: accounts(filter: $filter, first: $first, after: $after) { nodes { ${accountRow} } ${page} } }`,
  Account: `query Account($id: ID!) { record: account(id: $id) { ${accountRow} } }`,
  CountAccounts:
    'query CountAccounts($filter: AccountFilter) { page: accounts(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  Clients: `query Clients($first: Int, $after: String) { page: clients(first: $first, after: $after) { nodes {
    id version name role defaultPurpose pointsPerMinute revokedAt createdAt orgUnit { id name } } ${page} } }`,
  CountClients: 'query CountClients { page: clients(first: 1) { totalCount totalCountIsEstimate } }',

  CountCitizens:
    'query CountCitizens($filter: CitizenFilter) { page: citizens(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountCards:
    'query CountCards($filter: InsuranceCardFilter) { page: insuranceCards(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountResults:
    'query CountResults($filter: DigitizedResultFilter) { page: digitizedResults(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountReferrals:
    'query CountReferrals($filter: SlipFilter) { page: referralSlips(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountReexaminations:
    'query CountReexaminations($filter: SlipFilter) { page: reexaminationSlips(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountDiscrepancies:
    'query CountDiscrepancies($filter: DiscrepancyFilter) { page: discrepancies(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountWorkItems:
    'query CountWorkItems($filter: WorkItemFilter) { page: workItems(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',
  CountRuns: 'query CountRuns { page: syncRuns(first: 1) { totalCount totalCountIsEstimate } }',
  CountImports: 'query CountImports { page: imports(first: 1) { totalCount totalCountIsEstimate } }',
  CountAuditEvents:
    'query CountAuditEvents($filter: AuditFilter) { page: auditEvents(filter: $filter, first: 1) { totalCount totalCountIsEstimate } }',

  Citizen: `query Citizen($id: ID!) { record: citizen(id: $id) {
    id version fullName personalId oldIdNumber dateOfBirth { value precision } gender ethnicity phone email birthplace nativePlace
    lifeStatus orgUnit { id name level }
    permanentAddress { text code listVersion currentCode confidence } currentAddress { text code listVersion currentCode confidence }
    identifiers { system value standing source period { start end } }
    fieldStatuses { field status conflict source checkedAt } } }`,
  CitizenCards: `query CitizenCards($id: ID!) { record: citizen(id: $id) { id insuranceCards { ${cardRow} } cardInForce { id } } }`,
  CitizenResults: `query CitizenResults($id: ID!) { record: citizen(id: $id) { id digitizedResults(first: 20) { nodes { ${resultRow} } ${page} } } }`,
  CitizenSlips: `query CitizenSlips($id: ID!) { record: citizen(id: $id) { id
    referralSlips(first: 20) { nodes { ${referralRow} } ${page} } reexaminationSlips(first: 20) { nodes { ${reexaminationRow} } ${page} } } }`,
  CitizenWork: `query CitizenWork($id: ID!) { record: citizen(id: $id) { id discrepancies { ${discrepancyRow} } } }`,
  AroundDiscrepancy: `query AroundDiscrepancy($id: ID!) { record: citizen(id: $id) {
    id version personalId dateOfBirth { value precision } gender orgUnit { id name parent { id name parent { id name } } }
    fieldStatuses { field status conflict source checkedAt } discrepancies { id version field state } } }`,
  CitizenHistory: `query CitizenHistory($id: ID!, $first: Int, $after: String) {
    record: citizen(id: $id) { id history(first: $first, after: $after) { nodes { ${change} } ${page} } } }`,
  CitizenReveal: `query CitizenReveal($id: ID!) { record: citizen(id: $id) { id personalId oldIdNumber phone email identifiers { system value } } }`,
  CitizenWaiting: `query CitizenWaiting($filter: WorkItemFilter) { page: workItems(filter: $filter, first: 20) { nodes { ${workRow} } ${page} } }`,

  Card: `query Card($id: ID!) { record: insuranceCard(id: $id) { ${cardRow} ${history} } }`,
  Result: `query Result($id: ID!) { record: digitizedResult(id: $id) { ${resultRow} ${history} } }`,
  Referral: `query Referral($id: ID!) { record: referralSlip(id: $id) { ${referralRow} ${history} } }`,
  Reexamination: `query Reexamination($id: ID!) { record: reexaminationSlip(id: $id) { ${reexaminationRow} ${history} } }`,
  CardReveal: 'query CardReveal($id: ID!) { record: insuranceCard(id: $id) { id number } }',
  ResultReveal: 'query ResultReveal($id: ID!) { record: digitizedResult(id: $id) { id code } }',

  FindByNumber: 'query FindByNumber($number: String!) { record: citizen(personalId: $number) { id } }',
  FindPerson: `query FindPerson($number: String!) { record: citizen(personalId: $number) { id fullName personalId dateOfBirth { value precision } ${unit} } }`,
  PersonOf: `query PersonOf($id: ID!) { record: citizen(id: $id) { id fullName personalId dateOfBirth { value precision } ${unit} } }`,
  FindCard: `query FindCard($number: String!) { record: insuranceCard(number: $number) { id number status validTo ${holder} } }`,
  FindResult: `query FindResult($code: String!) { record: digitizedResult(code: $code) { id code name ${holder} } }`,
  FindNames: `query FindNames($filter: CitizenFilter) {
    page: citizens(filter: $filter, first: 8) { nodes { id fullName personalId dateOfBirth { value precision } ${unit} } } }`,

  Units: `query Units { orgUnits { id code name level children { id code name level children { id code name level children { id code name level } } } } }`,

  UnitLines: `query UnitLines { orgUnits { ${unitLine} children { ${unitLine} children { ${unitLine} children { ${unitLine} } } } } }`,
  UnitBelow: `query UnitBelow($parent: ID) { orgUnits(parent: $parent) { ${unitLine} parent { id name } ${history} } }`,

  WorkCounts: 'query WorkCounts { workCounts { kind week month older } }',
  FieldCounts: 'query FieldCounts($unit: ID!) { fieldCounts(orgUnit: $unit) { field verified declared missing } }',
} as const satisfies Readonly<Record<string, string>>;
