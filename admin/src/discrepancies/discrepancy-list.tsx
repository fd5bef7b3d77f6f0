import type { ReactNode } from 'react';
import type { Discrepancy } from '../api/records.ts';
import { day, instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { AgeText } from '../parts/age.tsx';
import { differenceOf } from './difference.ts';

const isoDay = /^\d{4}(?:-\d{2}){0,2}$/;

/** Values of a discrepancy are texts; dates among them are shown as dates are. */
export function shownValue(value: string | null): string | null {
  return value !== null && isoDay.test(value) ? day(value) : value;
}

const screen: ListScreen<Discrepancy> = {
  resource: 'discrepancies',
  tabs: ['discrepancies', 'work', 'runs'],
  address: ({ citizen }) => `/citizens/${citizen.id}/show`,
  choices: [
    enumChoice('state', 'filter.state', 'workState'),
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
      text: ({ ours }) => shownValue(ours) ?? '',
      cell: ({ ours }, { say }) => shownValue(ours) ?? <span className="quiet">{say('discrepancy.none')}</span>,
    },
    {
      key: 'theirs',
      label: 'column.theirs',
      figures: true,
      text: ({ theirs }) => shownValue(theirs) ?? '',
      cell: ({ theirs }, { say }) => shownValue(theirs) ?? <span className="quiet">{say('discrepancy.none')}</span>,
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

export function DiscrepancyList(): ReactNode {
  return <RecordList screen={screen} />;
}
