import type { ReactNode } from 'react';
import type { Referral } from '../api/records.ts';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { RecordPage } from '../parts/record-page.tsx';
import { referralActs } from './slip-form.tsx';
import { slipChoices, slipHolder, slipText } from './slip-choices.tsx';
import { editOf } from './slip-fields.ts';

const screen: ListScreen<Referral> = {
  resource: 'referrals',
  create: 'slip:enter',
  tabs: ['referrals', 'reexaminations'],
  address: ({ id }) => `/referrals/${id}/show`,
  text: slipText,
  choices: slipChoices,
  columns: [
    { key: 'number', label: 'column.slipNumber', size: 'number', figures: true, text: ({ number }) => number ?? '–' },
    { key: 'person', label: 'column.person', size: 'name', text: ({ citizen }) => citizen?.fullName ?? '', cell: slipHolder },
    { key: 'issuedOn', label: 'column.issuedOn', size: 'day', figures: true, text: ({ issuedOn }) => day(issuedOn) },
    { key: 'validTo', label: 'column.validTo', size: 'day', figures: true, text: ({ validTo }) => day(validTo) },
    { key: 'from', label: 'column.fromFacility', size: 'short', figures: true, text: ({ fromFacility }) => fromFacility ?? '' },
    { key: 'to', label: 'column.toFacility', size: 'short', figures: true, text: ({ toFacility }) => toFacility ?? '' },
    { key: 'state', label: 'column.state', text: ({ status }, { say }) => word(say, 'slipStatus', status) },
    { key: 'origin', label: 'column.origin', text: ({ origin }, { say }) => word(say, 'slipOrigin', origin) },
    { key: 'reason', label: 'column.reason', size: 'long', spare: true, text: ({ reason }) => reason ?? '' },
    { key: 'unit', label: 'column.unit', size: 'long', spare: true, text: ({ orgUnit }) => orgUnit?.name ?? '' },
  ],
};

export function ReferralList(): ReactNode {
  return <RecordList screen={screen} />;
}

export function ReferralPage(): ReactNode {
  const say = useSay();
  return (
    <RecordPage<Referral>
      resource="referrals"
      change={{
        permission: 'slip:enter',
        edit: editOf,
        closedEdit: referralActs.update.closed,
        closedWithdraw: referralActs.withdraw.closed,
      }}
      note={({ origin }) => (origin === 'SIGNED' ? 'record.signed' : 'record.entered')}
      heading={({ number }) => <span className="figures">{number ?? say('title.referrals')}</span>}
      facts={(slip) => [
        { label: 'column.state', value: word(say, 'slipStatus', slip.status) },
        { label: 'column.origin', value: word(say, 'slipOrigin', slip.origin) },
        { label: 'column.issuedOn', value: day(slip.issuedOn) },
        { label: 'column.validTo', value: day(slip.validTo) },
        { label: 'column.fromFacility', value: slip.fromFacility },
        { label: 'column.toFacility', value: slip.toFacility },
        { label: 'column.reason', value: slip.reason },
      ]}
    />
  );
}
