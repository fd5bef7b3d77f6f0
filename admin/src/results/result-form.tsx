import type { ReactNode } from 'react';
import { mutations } from '../api/mutations.ts';
import type { ResultState } from '../api/generated/graph.ts';
import type { DigitizedResult } from '../api/records.ts';
import { day } from '../format.ts';
import { holderOf, recordActs, type FormField } from '../forms/form-spec.ts';
import { HolderForms } from '../forms/holder-forms.tsx';
import { optionsOf } from '../lists/options.ts';

const facts: readonly FormField[] = [
  { key: 'name', label: 'column.name', kind: 'text', required: true, wide: true, rule: 'rule.paperName' },
  { key: 'code', label: 'column.code', kind: 'text', wide: true, rule: 'rule.paperCode' },
  { key: 'kind', label: 'column.kind', kind: 'choice', options: optionsOf('resultKind') },
  { key: 'issuingAgency', label: 'column.agency', kind: 'text' },
  { key: 'issuedOn', label: 'column.issuedOn', kind: 'day', figures: true },
  { key: 'validTo', label: 'column.validTo', kind: 'day', figures: true, rule: 'rule.validTo' },
  { key: 'excerpt', label: 'column.excerpt', kind: 'long', wide: true },
];

/** A paper's state only goes on, never back. */
const onFrom: Readonly<Record<ResultState, readonly ResultState[]>> = {
  IN_FORCE: ['REPLACED', 'REVOKED', 'EXPIRED'],
  REPLACED: ['REVOKED'],
  EXPIRED: ['REVOKED'],
  REVOKED: [],
  WITHDRAWN: [],
};

export const resultActs = recordActs<DigitizedResult>({
  resource: 'results',
  permission: 'result:write',
  nameOf: ({ name }) => name,
  titles: { create: 'form.title.createResult', update: 'form.title.updateResult', withdraw: 'form.title.withdrawResult' },
  mutations: {
    create: mutations.CreateDigitizedResult,
    update: mutations.UpdateDigitizedResult,
    withdraw: mutations.WithdrawDigitizedResult,
  },
  first: [{ title: 'record.holder', fields: [holderOf] }],
  title: 'form.group.result',
  fields: (result) =>
    result === null
      ? facts
      : [
          ...facts,
          {
            key: 'state',
            label: 'column.state',
            kind: 'choice',
            required: true,
            options: optionsOf('resultState', [result.state, ...onFrom[result.state]]),
            rule: 'rule.stateForward',
          },
        ],
  read: (result) => ({
    name: result.name,
    code: result.code ?? '',
    kind: result.kind ?? '',
    issuingAgency: result.issuingAgency ?? '',
    issuedOn: day(result.issuedOn),
    validTo: day(result.validTo),
    excerpt: result.excerpt ?? '',
    state: result.state,
  }),
  reveal: async (hub, id, purpose) => ({ code: (await hub.revealNumber('results', id, purpose)) ?? '' }),
  closed: ({ state }) => (state === 'WITHDRAWN' ? 'form.closed.withdrawn' : null),
});

export function ResultForm(): ReactNode {
  return <HolderForms acts={resultActs} />;
}
