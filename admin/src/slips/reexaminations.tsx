import type { ReactNode } from 'react';
import type { Reexamination } from '../api/records.ts';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { RecordPage } from '../parts/record-page.tsx';
import { reexaminationActs } from './slip-form.tsx';
import { slipChoices, slipHolder, slipText } from './slip-choices.tsx';
import { editOf } from './slip-fields.ts';

const screen: ListScreen<Reexamination> = {
  resource: 'reexaminations',
  create: 'slip:enter',
  tabs: ['referrals', 'reexaminations'],
  address: ({ id }) => `/reexaminations/${id}/show`,
  text: slipText,
  choices: slipChoices,
  columns: [
    { key: 'number', label: 'column.slipNumber', size: 'number', figures: true, text: ({ number }) => number ?? '–' },
    { key: 'person', label: 'column.person', size: 'name', text: ({ citizen }) => citizen?.fullName ?? '', cell: slipHolder },
    {
      key: 'appointmentOn',
      label: 'column.appointmentOn',
      size: 'day',
      figures: true,
      text: ({ appointmentOn }) => day(appointmentOn),
    },
    { key: 'facility', label: 'column.atFacility', size: 'short', figures: true, text: ({ facility }) => facility ?? '' },
    { key: 'issuedOn', label: 'column.issuedOn', size: 'day', figures: true, text: ({ issuedOn }) => day(issuedOn) },
    { key: 'state', label: 'column.state', text: ({ status }, { say }) => word(say, 'slipStatus', status) },
    { key: 'origin', label: 'column.origin', text: ({ origin }, { say }) => word(say, 'slipOrigin', origin) },
    { key: 'unit', label: 'column.unit', size: 'long', spare: true, text: ({ orgUnit }) => orgUnit?.name ?? '' },
  ],
};

export function ReexaminationList(): ReactNode {
  return <RecordList screen={screen} />;
}

export function ReexaminationPage(): ReactNode {
  const say = useSay();
  return (
    <RecordPage<Reexamination>
      resource="reexaminations"
      change={{
        permission: 'slip:enter',
        edit: editOf,
        closedEdit: reexaminationActs.update.closed,
        closedWithdraw: reexaminationActs.withdraw.closed,
      }}
      note={({ origin }) => (origin === 'SIGNED' ? 'record.signed' : 'record.entered')}
      heading={({ number }) => <span className="figures">{number ?? say('title.reexaminations')}</span>}
      facts={(slip) => [
        { label: 'column.state', value: word(say, 'slipStatus', slip.status) },
        { label: 'column.origin', value: word(say, 'slipOrigin', slip.origin) },
        { label: 'column.appointmentOn', value: day(slip.appointmentOn) },
        { label: 'column.atFacility', value: slip.facility },
        { label: 'column.issuedOn', value: day(slip.issuedOn) },
      ]}
    />
  );
}
