import type { ReactNode } from 'react';
import { mutations } from '../api/mutations.ts';
import type { Card } from '../api/records.ts';
import { day } from '../format.ts';
import { trueFrom, withdrawReason, type FormAct, type FormField } from '../forms/form-spec.ts';
import { HolderForms } from '../forms/holder-forms.tsx';
import { optionsOf } from '../lists/options.ts';

const facts: readonly FormField[] = [
  {
    key: 'number',
    label: 'column.number',
    kind: 'text',
    required: true,
    figures: false,
    rule: 'rule.cardNumber',
    form: /^(?:[A-Za-z]{2}\d{13}|\d{10})$/,
  },
  { key: 'holderName', label: 'column.holder', kind: 'text', rule: 'rule.holderName' },
  { key: 'validFrom', label: 'column.validFrom', kind: 'day', figures: true },
  { key: 'validTo', label: 'column.validTo', kind: 'day', figures: true, rule: 'rule.validTo' },
  {
    key: 'registeredFacility',
    label: 'column.facility',
    kind: 'text',
    rule: 'rule.facility',
    form: /^[0-9A-Za-z]{5}$/,
  },
  { key: 'issuer', label: 'column.issuer', kind: 'choice', options: optionsOf('cardIssuer'), rule: 'rule.issuer' },
];

const closed = ({ status }: Card) => (status === 'WITHDRAWN' ? 'form.closed.withdrawn' : null);
const shared = {
  resource: 'cards',
  permission: 'card:write',
  nameOf: ({ number, holderName }: Card) => number ?? holderName ?? '–',
} as const;

export const cardActs: Readonly<Record<'create' | 'update' | 'withdraw', FormAct<Card>>> = {
  create: {
    ...shared,
    name: 'create',
    title: 'form.title.createCard',
    verb: 'form.create',
    done: 'form.done.created',
    mutation: mutations.CreateInsuranceCard,
    groups: () => [
      {
        title: 'record.holder',
        fields: [{ key: 'citizenId', label: 'record.holder', kind: 'person', required: true, wide: true }],
      },
      { title: 'form.group.card', fields: [...facts, trueFrom] },
    ],
    read: () => ({}),
  },
  update: {
    ...shared,
    name: 'update',
    title: 'form.title.updateCard',
    verb: 'form.save',
    done: 'form.done.saved',
    mutation: mutations.UpdateInsuranceCard,
    groups: () => [{ title: 'form.group.card', fields: [...facts, trueFrom] }],
    read: (card) => ({
      number: card.number ?? '',
      holderName: card.holderName ?? '',
      validFrom: day(card.validFrom),
      validTo: day(card.validTo),
      registeredFacility: card.registeredFacility ?? '',
      issuer: card.issuer ?? '',
    }),
    reveal: async (hub, id, purpose) => ({ number: (await hub.revealNumber('cards', id, purpose)) ?? '' }),
    closed,
  },
  withdraw: {
    ...shared,
    name: 'withdraw',
    title: 'form.title.withdrawCard',
    verb: 'form.withdraw',
    done: 'form.done.withdrawn',
    note: 'form.note.withdrawMistake',
    mutation: mutations.WithdrawInsuranceCard,
    groups: () => [{ title: 'form.group.withdraw', fields: [withdrawReason, trueFrom] }],
    read: () => ({}),
    closed,
  },
};

export function CardForm(): ReactNode {
  return <HolderForms acts={cardActs} />;
}
