/*
 * What the admin changes, one document per act. Each answers as `done`: `ok.record` as it stands now, or the refusal as data. A test
 * validates each against the composed graph.
 */

const refused = 'error { code message field reason }';

/** `record: TYPE { id version }` of a kind of record. */
function act(name: string, mutation: string, input: string, record: string): string {
  return `mutation ${name}($input: ${input}!) { done: ${mutation}(input: $input) { ok { record: ${record} { id version } } ${refused} } }`;
}

function acts<Kind extends string>(
  kind: Kind,
  record: string,
): Readonly<Record<`Create${Kind}` | `Update${Kind}` | `Withdraw${Kind}`, string>> {
  return Object.fromEntries(
    ['Create', 'Update', 'Withdraw'].map((verb) => [
      `${verb}${kind}`,
      act(`${verb}${kind}`, `${verb.toLowerCase()}${kind}`, `${verb}${kind}Input`, record),
    ]),
  ) as Readonly<Record<`Create${Kind}` | `Update${Kind}` | `Withdraw${Kind}`, string>>;
}

/** A change put back by a new one; `newer` is what stands on it where that is refused. */
function undo(kind: string, record: string): string {
  return `mutation Undo${kind}Change($input: Undo${kind}ChangeInput!) { done: undo${kind}Change(input: $input) {
    ok { record: ${record} { id version } } ${refused} newer { id version who knownAt } } }`;
}

/** `told`: what is answered this once. */
function accountAct(name: string, input: string, record: 'account' | 'client', told?: string): string {
  const mutation = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  return `mutation ${name}($input: ${input}!) { done: ${mutation}(input: $input) {
    ok { record: ${record} { id version }${told === undefined ? '' : ` told: ${told}`} } ${refused} } }`;
}

export const mutations = {
  CreateAccount: accountAct('CreateAccount', 'CreateAccountInput', 'account', 'firstPassword'),
  UpdateAccount: accountAct('UpdateAccount', 'UpdateAccountInput', 'account'),
  DisableAccount: accountAct('DisableAccount', 'AccountInput', 'account'),
  EnableAccount: accountAct('EnableAccount', 'AccountInput', 'account'),
  ResetPassword: accountAct('ResetPassword', 'AccountInput', 'account', 'firstPassword'),
  DropSecondFactor: accountAct('DropSecondFactor', 'AccountInput', 'account'),
  RevokeClient: accountAct('RevokeClient', 'ClientInput', 'client'),
  RotateClientSecret: accountAct('RotateClientSecret', 'RotateClientSecretInput', 'client', 'secret'),
  ...acts('Citizen', 'citizen'),
  ...acts('InsuranceCard', 'insuranceCard'),
  ...acts('DigitizedResult', 'digitizedResult'),
  ...acts('ReferralSlip', 'referralSlip'),
  ...acts('ReexaminationSlip', 'reexaminationSlip'),
  SettleDiscrepancy: `mutation SettleDiscrepancy($input: SettleDiscrepancyInput!) {
    done: settleDiscrepancy(input: $input) { ok { changeId citizen { id version } } ${refused} } }`,
  StartReconcile: `mutation StartReconcile($input: StartReconcileInput!) { done: startReconcile(input: $input) { ok { runId } ${refused} } }`,
  UndoCitizenChange: undo('Citizen', 'citizen'),
  UndoInsuranceCardChange: undo('InsuranceCard', 'insuranceCard'),
  UndoDigitizedResultChange: undo('DigitizedResult', 'digitizedResult'),
  UndoReferralSlipChange: undo('ReferralSlip', 'referralSlip'),
  UndoReexaminationSlipChange: undo('ReexaminationSlip', 'reexaminationSlip'),
  ...acts('OrgUnit', 'orgUnit'),
} as const;

/** Kinds of records whose changes can be put back. */
export const undoOf = {
  citizens: mutations.UndoCitizenChange,
  cards: mutations.UndoInsuranceCardChange,
  results: mutations.UndoDigitizedResultChange,
  referrals: mutations.UndoReferralSlipChange,
  reexaminations: mutations.UndoReexaminationSlipChange,
} as const;
export type UndoResource = keyof typeof undoOf;

export type RunAct = 'pause' | 'resume' | 'cancel' | 'rerunFailed' | 'dropFailed';
