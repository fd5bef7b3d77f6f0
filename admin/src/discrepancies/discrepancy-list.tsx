import type { ReactNode } from 'react';
import { useLocation } from 'react-admin';
import type { Discrepancy } from '../api/records.ts';
import { instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { readChoices } from '../lists/choices.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { AgeText } from '../parts/age.tsx';
import { useMayChange } from '../parts/use-principal.ts';
import { DiscrepancyDesk } from './desk.tsx';
import { differenceOf } from './difference.ts';
import { shownValue } from './shown-value.ts';

const screen: ListScreen<Discrepancy> = {
  resource: 'discrepancies',
  tabs: ['discrepancies', 'work', 'runs'],
  address: ({ citizen }) => `/citizens/${citizen.id}/show`,
  choices: [
    { ...enumChoice('state', 'filter.state', 'workState', ['LEASED', 'SETTLED', 'WITHDRAWN']), none: 'enum.workState.OPEN' },
    enumChoice('kind', 'filter.kind', 'kind', [
      'DIFFERENT',
      'ONLY_THEIRS',
      'ONLY_OURS',
      'UNKNOWN_PERSON',
      'TWO_HOLDERS',
      'INCONSISTENT',
    ]),
    enumChoice('field', 'filter.field', 'field'),
    enumChoice('foundBy', 'filter.foundBy', 'foundBy'),
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    { key: 'citizen', label: 'filter.citizen', kind: 'id' },
  ],
  columns: [
    { key: 'person', label: 'column.person', size: 'name', text: ({ citizen }) => citizen.fullName },
    { key: 'field', label: 'column.field', size: 'phrase', text: ({ field }, { say }) => word(say, 'field', field) },
    {
      key: 'ours',
      label: 'column.ours',
      figures: true,
      text: ({ field, ours }, { say }) => shownValue(say, field, ours) ?? '',
      cell: ({ field, ours }, { say }) =>
        shownValue(say, field, ours) ?? <span className="quiet">{say('discrepancy.none')}</span>,
    },
    {
      key: 'theirs',
      label: 'column.theirs',
      figures: true,
      text: ({ field, theirs }, { say }) => shownValue(say, field, theirs) ?? '',
      cell: ({ field, theirs }, { say }) =>
        shownValue(say, field, theirs) ?? <span className="quiet">{say('discrepancy.none')}</span>,
    },
    {
      key: 'kind',
      label: 'column.kind',
      size: 'code',
      text: ({ kind }, { say }) => word(say, 'kind', kind),
      cell: (item) => <Kind item={item} />,
    },
    { key: 'foundBy', label: 'column.foundBy', text: ({ foundBy }, { say }) => word(say, 'foundBy', foundBy) },
    {
      key: 'raisedAt',
      label: 'column.raisedAt',
      size: 'day',
      text: ({ raisedAt }) => instant(raisedAt),
      cell: ({ raisedAt }) => <AgeText at={raisedAt} />,
    },
    { key: 'unit', label: 'column.unit', size: 'long', text: ({ orgUnit }) => orgUnit.name ?? '' },
  ],
};

function Kind({ item }: { readonly item: Discrepancy }): ReactNode {
  const say = useSay();
  const difference = differenceOf(item.ours, item.theirs);
  return (
    <span title={say(`discrepancy.hint.${item.kind}`)}>
      {word(say, 'kind', item.kind)}
      {difference === null ? null : <span className="quiet"> · {say(`discrepancy.${difference}`)}</span>}
    </span>
  );
}

/** Whoever may decide works what is open at the desk; else, and for what is done, it is a list like the others. */
export function DiscrepancyList(): ReactNode {
  const may = useMayChange();
  const state = readChoices(screen.choices, useLocation().search).state ?? 'OPEN';
  return may('discrepancy:settle') && state === 'OPEN' ? <DiscrepancyDesk screen={screen} /> : <RecordList screen={screen} />;
}
