import type { ReactNode } from 'react';
import { mutations } from '../api/mutations.ts';
import type { Reexamination, Referral } from '../api/records.ts';
import { day } from '../format.ts';
import { holderOf, recordActs, type FormField } from '../forms/form-spec.ts';
import { HolderForms } from '../forms/holder-forms.tsx';
import type { MessageKey } from '../i18n/vi.ts';
import { closedOf, fieldsFor, type AnySlip } from './slip-fields.ts';

const facility = (key: string, label: MessageKey): FormField => ({
  key,
  label,
  kind: 'text',
  rule: 'rule.facility',
  form: /^[0-9A-Za-z]{5}$/,
});
const number: FormField = { key: 'number', label: 'column.slipNumber', kind: 'text', required: true, rule: 'rule.slipNumber' };
const issuedOn: FormField = { key: 'issuedOn', label: 'column.issuedOn', kind: 'day', figures: true };

const closed = ({ status }: AnySlip): MessageKey | null => (status === 'WITHDRAWN' ? 'form.closed.withdrawn' : null);
const noteOf = (slip: AnySlip): MessageKey | null => (slip.origin === 'SIGNED' ? 'form.note.signed' : null);
const shared = {
  permission: 'slip:enter',
  first: [{ title: 'record.holder', fields: [holderOf] }],
  title: 'form.group.slip',
  closed,
  closedUpdate: closedOf,
  noteOf,
} as const;

export const referralActs = recordActs<Referral>({
  ...shared,
  resource: 'referrals',
  nameOf: (slip) => slip.number ?? '–',
  titles: { create: 'form.title.createReferral', update: 'form.title.updateReferral', withdraw: 'form.title.withdrawReferral' },
  mutations: {
    create: mutations.CreateReferralSlip,
    update: mutations.UpdateReferralSlip,
    withdraw: mutations.WithdrawReferralSlip,
  },
  fields: (slip) =>
    fieldsFor(slip, [
      number,
      issuedOn,
      { key: 'validTo', label: 'column.validTo', kind: 'day', figures: true, rule: 'rule.validTo' },
      facility('fromFacility', 'column.fromFacility'),
      facility('toFacility', 'column.toFacility'),
      { key: 'reason', label: 'column.reason', kind: 'long', wide: true },
    ]),
  read: (slip) => ({
    number: slip.number ?? '',
    issuedOn: day(slip.issuedOn),
    validTo: day(slip.validTo),
    fromFacility: slip.fromFacility ?? '',
    toFacility: slip.toFacility ?? '',
    reason: slip.reason ?? '',
    status: slip.status,
  }),
});

export const reexaminationActs = recordActs<Reexamination>({
  ...shared,
  resource: 'reexaminations',
  nameOf: (slip) => slip.number ?? '–',
  titles: {
    create: 'form.title.createReexamination',
    update: 'form.title.updateReexamination',
    withdraw: 'form.title.withdrawReexamination',
  },
  mutations: {
    create: mutations.CreateReexaminationSlip,
    update: mutations.UpdateReexaminationSlip,
    withdraw: mutations.WithdrawReexaminationSlip,
  },
  fields: (slip) =>
    fieldsFor(slip, [
      number,
      issuedOn,
      { key: 'appointmentOn', label: 'column.appointmentOn', kind: 'day', figures: true },
      facility('facility', 'column.atFacility'),
    ]),
  read: (slip) => ({
    number: slip.number ?? '',
    issuedOn: day(slip.issuedOn),
    appointmentOn: day(slip.appointmentOn),
    facility: slip.facility ?? '',
    status: slip.status,
  }),
});

export function ReferralForm(): ReactNode {
  return <HolderForms acts={referralActs} />;
}

export function ReexaminationForm(): ReactNode {
  return <HolderForms acts={reexaminationActs} />;
}
