import type { ReactNode } from 'react';
import { mutations } from '../api/mutations.ts';
import type { Card } from '../api/records.ts';
import { day } from '../format.ts';
import { holderOf, recordActs, type FormField } from '../forms/form-spec.ts';
import { HolderForms } from '../forms/holder-forms.tsx';
import { optionsOf } from '../lists/options.ts';

const facts: readonly FormField[] = [
  {
    key: 'number',
    label: 'column.number',
    kind: 'text',
    required: true,
    rule: 'rule.cardNumber',
    form: /^(?:[A-Za-z]{2}\d{13}|\d{10})$/,
  },
  { key: 'holderName', label: 'column.holder', kind: 'text', rule: 'rule.holderName' },
  { key: 'validFrom', label: 'column.validFrom', kind: 'day', figures: true },
  { key: 'validTo', label: 'column.validTo', kind: 'day', figures: true, rule: 'rule.validTo' },
  { key: 'registeredFacility', label: 'column.facility', kind: 'text', rule: 'rule.facility', form: /^[0-9A-Za-z]{5}$/ },
  { key: 'issuer', label: 'column.issuer', kind: 'choice', options: optionsOf('cardIssuer'), rule: 'rule.issuer' },
];

export const cardActs = recordActs<Card>({
  resource: 'cards',
  permission: 'card:write',
  nameOf: ({ number, holderName }) => number ?? holderName ?? '–',
  titles: { create: 'form.title.createCard', update: 'form.title.updateCard', withdraw: 'form.title.withdrawCard' },
  mutations: {
    create: mutations.CreateInsuranceCard,
    update: mutations.UpdateInsuranceCard,
    withdraw: mutations.WithdrawInsuranceCard,
  },
  first: [{ title: 'record.holder', fields: [holderOf] }],
  title: 'form.group.card',
  fields: () => facts,
  read: (card) => ({
    number: card.number ?? '',
    holderName: card.holderName ?? '',
    validFrom: day(card.validFrom),
    validTo: day(card.validTo),
    registeredFacility: card.registeredFacility ?? '',
    issuer: card.issuer ?? '',
  }),
  reveal: async (hub, id, purpose) => ({ number: (await hub.revealNumber('cards', id, purpose)) ?? '' }),
  closed: ({ status }) => (status === 'WITHDRAWN' ? 'form.closed.withdrawn' : null),
});

export function CardForm(): ReactNode {
  return <HolderForms acts={cardActs} />;
}
