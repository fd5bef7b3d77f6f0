import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { WorkItem } from '../api/records.ts';
import { instant } from '../format.ts';
import { word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { AgeText } from '../parts/age.tsx';

/** Where a piece of work is looked at: at the record it is about. */
export function workAddress({ source, subject, citizen }: Pick<WorkItem, 'source' | 'subject' | 'citizen'>): string | null {
  if (citizen !== null) return `/citizens/${citizen.id}/show`;
  switch (source) {
    case 'INSURANCE':
      return `/cards/${subject}/show`;
    case 'RESULTS':
      return `/results/${subject}/show`;
    case 'CITIZENS':
    case 'JOBS':
      return `/runs/${subject}/show?failed=1`;
    case 'SLIPS':
      return null;
  }
}

const screen: ListScreen<WorkItem> = {
  resource: 'work',
  tabs: ['discrepancies', 'work', 'runs'],
  address: workAddress,
  choices: [
    { ...enumChoice('state', 'filter.state', 'workState', ['LEASED', 'SETTLED', 'WITHDRAWN']), none: 'enum.workState.OPEN' },
    enumChoice('source', 'filter.source', 'workSource'),
    enumChoice('kind', 'filter.kind', 'kind'),
    enumChoice('field', 'filter.field', 'field'),
    enumChoice('foundBy', 'filter.foundBy', 'foundBy'),
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    { key: 'citizen', label: 'filter.citizen', kind: 'id' },
  ],
  columns: [
    { key: 'kind', label: 'column.kind', size: 'phrase', text: ({ kind }, { say }) => word(say, 'kind', kind) },
    {
      key: 'field',
      label: 'column.field',
      size: 'phrase',
      text: ({ field }, { say }) => (field === null ? '' : word(say, 'field', field)),
    },
    {
      key: 'person',
      label: 'column.person',
      size: 'name',
      text: ({ citizen }) => citizen?.fullName ?? '',
      cell: ({ citizen }) =>
        citizen === null ? '–' : <LinkBase to={`/citizens/${citizen.id}/show`}>{citizen.fullName}</LinkBase>,
    },
    { key: 'source', label: 'column.source', text: ({ source }, { say }) => word(say, 'workSource', source) },
    { key: 'foundBy', label: 'column.foundBy', text: ({ foundBy }, { say }) => word(say, 'foundBy', foundBy) },
    {
      key: 'raisedAt',
      label: 'column.raisedAt',
      size: 'day',
      figures: true,
      text: ({ raisedAt }) => instant(raisedAt),
      cell: ({ raisedAt }) => <AgeText at={raisedAt} />,
    },
    { key: 'state', label: 'column.state', text: ({ state }, { say }) => word(say, 'workState', state) },
    { key: 'unit', label: 'column.unit', size: 'long', text: ({ orgUnit }) => orgUnit.name ?? '' },
  ],
};

export function WorkList(): ReactNode {
  return <RecordList screen={screen} />;
}
