import type { ReactNode } from 'react';
import type { CitizenRow } from '../api/records.ts';
import { partialDay } from '../format.ts';
import { word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { markOf, Mark, type MarkKind } from '../parts/marks.tsx';
import { Matched } from '../parts/matched.tsx';
import { whatIsWanted } from '../shell/search-kind.ts';

const order: readonly MarkKind[] = ['CONFLICT', 'GREEN', 'YELLOW', 'RED'];

export function countMarks(statuses: CitizenRow['fieldStatuses']): readonly (readonly [MarkKind, number])[] {
  return order
    .map((kind) => [kind, statuses.filter((status) => markOf(status) === kind).length] as const)
    .filter(([, count]) => count > 0);
}

const screen: ListScreen<CitizenRow> = {
  resource: 'citizens',
  create: 'citizen:write',
  address: ({ id }) => `/citizens/${id}/show`,
  text: {
    label: 'filter.textCitizens',
    ask(typed) {
      const wanted = whatIsWanted(typed);
      switch (wanted.kind) {
        case 'name':
          return { text: wanted.text };
        case 'person':
          return { text: wanted.number };
        case 'short':
          return { hint: 'search.short' };
        case 'masked':
          return { hint: 'search.masked' };
        default:
          return null;
      }
    },
  },
  choices: [
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    enumChoice('lifeStatus', 'filter.lifeStatus', 'lifeStatus'),
    enumChoice('field', 'filter.field', 'field'),
    {
      key: 'status',
      label: 'filter.fieldState',
      kind: 'enum',
      options: (['GREEN', 'YELLOW', 'RED'] as const).map((value) => ({ value, label: `mark.${value}` as const })),
    },
    { key: 'bornFrom', label: 'filter.bornFrom', kind: 'day' },
    { key: 'bornTo', label: 'filter.bornTo', kind: 'day' },
  ],
  columns: [
    {
      key: 'fullName',
      label: 'column.fullName',
      size: 'name',
      sort: 'fullName',
      text: ({ fullName }) => fullName,
      cell: ({ fullName }, { typed }) => <Matched name={fullName} typed={typed} />,
    },
    {
      key: 'dateOfBirth',
      label: 'column.dateOfBirth',
      size: 'day',
      sort: 'dateOfBirth',
      figures: true,
      text: ({ dateOfBirth }) => partialDay(dateOfBirth),
    },
    {
      key: 'gender',
      label: 'column.gender',
      size: 'short',
      text: ({ gender }, { say }) => (gender === null ? '' : word(say, 'gender', gender)),
    },
    { key: 'personalId', label: 'column.personalId', size: 'number', figures: true, text: ({ personalId }) => personalId ?? '' },
    { key: 'phone', label: 'column.phone', size: 'number', figures: true, text: ({ phone }) => phone ?? '' },
    { key: 'address', label: 'column.address', size: 'long', text: ({ permanentAddress }) => permanentAddress?.text ?? '' },
    { key: 'unit', label: 'column.unit', size: 'long', spare: true, text: ({ orgUnit }) => orgUnit.name ?? '' },
    { key: 'life', label: 'column.life', text: ({ lifeStatus }, { say }) => word(say, 'lifeStatus', lifeStatus) },
    {
      key: 'fields',
      label: 'column.fields',
      size: 'marks',
      text: ({ fieldStatuses }, { say }) =>
        countMarks(fieldStatuses)
          .map(([kind, count]) => `${count} ${say(`mark.${kind}`)}`)
          .join(', '),
      cell: ({ fieldStatuses }) => (
        <span className="marks">
          {countMarks(fieldStatuses).map(([kind, count]) => (
            <Mark key={kind} kind={kind} count={count} />
          ))}
        </span>
      ),
    },
  ],
};

export function CitizenList(): ReactNode {
  return <RecordList screen={screen} />;
}
