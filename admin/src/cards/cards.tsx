import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { Card } from '../api/records.ts';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { RecordPage } from '../parts/record-page.tsx';
import { RevealButton, isMasked, useRevealed } from '../parts/reveal.tsx';
import { useHub } from '../parts/use-hub.ts';
import { whatIsWanted } from '../shell/search-kind.ts';
import { cardActs } from './card-form.tsx';

const screen: ListScreen<Card> = {
  resource: 'cards',
  create: 'card:write',
  address: ({ id }) => `/cards/${id}/show`,
  text: {
    label: 'filter.textCards',
    ask(typed) {
      const wanted = whatIsWanted(typed);
      if (wanted.kind === 'card') return { text: wanted.number };
      return wanted.kind === 'masked' ? { hint: 'search.masked' } : null;
    },
  },
  choices: [
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    enumChoice('status', 'filter.status', 'cardStatus'),
    enumChoice('issuer', 'filter.issuer', 'cardIssuer'),
    { key: 'validOn', label: 'filter.validOn', kind: 'day' },
    { key: 'citizen', label: 'filter.citizen', kind: 'id' },
  ],
  columns: [
    { key: 'number', label: 'column.number', size: 'number', figures: true, text: ({ number }) => number ?? '–' },
    {
      key: 'holder',
      label: 'column.person',
      size: 'name',
      text: ({ citizen, holderName }) => citizen?.fullName ?? holderName ?? '',
      cell: ({ citizen, holderName }) =>
        citizen === null ? holderName : <LinkBase to={`/citizens/${citizen.id}/show`}>{citizen.fullName}</LinkBase>,
    },
    { key: 'validFrom', label: 'column.validFrom', size: 'day', figures: true, text: ({ validFrom }) => day(validFrom) },
    {
      key: 'validTo',
      label: 'column.validTo',
      size: 'day',
      figures: true,
      text: ({ validTo }, { say }) => day(validTo) || say('record.openEnd'),
    },
    { key: 'state', label: 'column.state', text: ({ status }, { say }) => word(say, 'cardStatus', status) },
    {
      key: 'facility',
      label: 'column.facility',
      size: 'short',
      figures: true,
      text: ({ registeredFacility }) => registeredFacility ?? '',
    },
    {
      key: 'issuer',
      label: 'column.issuer',
      spare: true,
      text: ({ issuer }, { say }) => (issuer === null ? '' : word(say, 'cardIssuer', issuer)),
    },
    { key: 'unit', label: 'column.unit', size: 'long', spare: true, text: ({ orgUnit }) => orgUnit.name ?? '' },
  ],
};

export function CardList(): ReactNode {
  return <RecordList screen={screen} />;
}

export function CardPage(): ReactNode {
  const say = useSay();
  return (
    <RecordPage<Card>
      resource="cards"
      change={{ permission: 'card:write', closedEdit: cardActs.update.closed, closedWithdraw: cardActs.withdraw.closed }}
      heading={(card) => <CardNumber card={card} />}
      facts={(card) => [
        { label: 'column.state', value: word(say, 'cardStatus', card.status) },
        { label: 'column.validFrom', value: day(card.validFrom) },
        { label: 'column.validTo', value: day(card.validTo) || say('record.openEnd') },
        { label: 'column.facility', value: card.registeredFacility },
        { label: 'column.issuer', value: card.issuer === null ? null : word(say, 'cardIssuer', card.issuer) },
        { label: 'column.holder', value: card.holderName },
      ]}
    />
  );
}

function CardNumber({ card }: { readonly card: Card }): ReactNode {
  const hub = useHub();
  const revealed = useRevealed((purpose) => hub.revealNumber('cards', card.id, purpose));
  const number = revealed.data ?? card.number;
  return (
    <>
      <span className="figures">{number}</span> <RevealButton revealed={revealed} masked={isMasked(number)} />
    </>
  );
}
