import type { Role } from './permissions.ts';

/** Why personal data are read: codes of FHIR PurposeOfUse. */
export const purposes = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'PUBHLTH', 'PATRQT', 'HRESCH'] as const;
export type Purpose = (typeof purposes)[number];

/** Fields that are shown masked unless role and purpose allow them. */
export const maskedFields = ['personalId', 'oldIdNumber', 'identifier', 'phone', 'email', 'cardNumber', 'resultCode'] as const;
export type MaskedField = (typeof maskedFields)[number];

const all: readonly MaskedField[] = maskedFields;
const numbers: readonly MaskedField[] = ['personalId', 'oldIdNumber', 'identifier', 'cardNumber', 'resultCode'];
const operatorTable: Readonly<Partial<Record<Purpose, readonly MaskedField[]>>> = {
  TREAT: all,
  ETREAT: all,
  PATRQT: all,
};

/** role × purpose × field: what is shown in clear. Whatever is not listed here is masked. */
export const shownInClear: Readonly<Record<Role, Readonly<Partial<Record<Purpose, readonly MaskedField[]>>>>> = {
  steward: operatorTable,
  centre: operatorTable,
  clerk: operatorTable,
  auditor: {},
  integrator: { HOPERAT: all, TREAT: all, ETREAT: all, HPAYMT: numbers, PUBHLTH: numbers },
  hospital: { TREAT: all, ETREAT: all },
  reader: {},
  insurer: { HPAYMT: ['cardNumber'] },
  cli: { HOPERAT: all },
};

/** What a role reads for when it states no purpose; a client may have another default of its own. */
export const defaultPurpose: Readonly<Record<Role, Purpose>> = {
  steward: 'HOPERAT',
  centre: 'HOPERAT',
  clerk: 'HOPERAT',
  auditor: 'HOPERAT',
  integrator: 'HOPERAT',
  hospital: 'TREAT',
  reader: 'HOPERAT',
  insurer: 'HPAYMT',
  cli: 'HOPERAT',
};
