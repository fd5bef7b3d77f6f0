import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { Holder } from '../api/records.ts';
import type { Choice } from '../lists/choices.ts';
import { enumChoice } from '../lists/options.ts';
import type { CellTools, TextSearch } from '../lists/screen.ts';

/** What both kinds of slips are found by. */
export const slipChoices: readonly Choice[] = [
  enumChoice('status', 'filter.status', 'slipStatus'),
  { key: 'facility', label: 'filter.facility', kind: 'code' },
  { key: 'from', label: 'filter.from', kind: 'day' },
  { key: 'to', label: 'filter.to', kind: 'day' },
  { key: 'citizen', label: 'filter.citizen', kind: 'id' },
];

export const slipText: TextSearch = {
  label: 'filter.textSlips',
  ask: (typed) => (typed.trim() === '' ? null : { text: typed.trim() }),
};

export function slipHolder({ citizen }: { readonly citizen: Holder | null }, { say }: CellTools): ReactNode {
  return citizen === null ? say('record.waiting') : <LinkBase to={`/citizens/${citizen.id}/show`}>{citizen.fullName}</LinkBase>;
}
