import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { DigitizedResult } from '../api/records.ts';
import { amount, day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { RecordPage } from '../parts/record-page.tsx';
import { RevealButton, isMasked, useRevealed } from '../parts/reveal.tsx';
import { useHub } from '../parts/use-hub.ts';
import { whatIsWanted } from '../shell/search-kind.ts';
import { resultActs } from './result-form.tsx';

const screen: ListScreen<DigitizedResult> = {
  resource: 'results',
  create: 'result:write',
  address: ({ id }) => `/results/${id}/show`,
  text: {
    label: 'filter.textResults',
    ask(typed) {
      const wanted = whatIsWanted(typed);
      if (wanted.kind === 'result') return { text: wanted.code };
      return wanted.kind === 'masked' ? { hint: 'search.masked' } : null;
    },
  },
  choices: [
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    enumChoice('kind', 'filter.kind', 'resultKind'),
    enumChoice('state', 'filter.status', 'resultState'),
    enumChoice('fileState', 'filter.fileState', 'fileState'),
    { key: 'from', label: 'filter.from', kind: 'day' },
    { key: 'to', label: 'filter.to', kind: 'day' },
    { key: 'citizen', label: 'filter.citizen', kind: 'id' },
  ],
  columns: [
    { key: 'name', label: 'column.name', size: 'phrase', text: ({ name }) => name },
    { key: 'code', label: 'column.code', size: 'code', figures: true, text: ({ code }) => code ?? '' },
    {
      key: 'person',
      label: 'column.person',
      size: 'name',
      text: ({ citizen }) => citizen?.fullName ?? '',
      cell: ({ citizen }, { say }) =>
        citizen === null ? say('record.waiting') : <LinkBase to={`/citizens/${citizen.id}/show`}>{citizen.fullName}</LinkBase>,
    },
    { key: 'issuedOn', label: 'column.issuedOn', size: 'day', figures: true, text: ({ issuedOn }) => day(issuedOn) },
    { key: 'kind', label: 'column.kind', text: ({ kind }, { say }) => (kind === null ? '' : word(say, 'resultKind', kind)) },
    { key: 'state', label: 'column.state', text: ({ state }, { say }) => word(say, 'resultState', state) },
    { key: 'uses', label: 'column.uses', size: 'short', figures: true, text: ({ useCount }) => amount(useCount) },
    { key: 'agency', label: 'column.agency', size: 'long', spare: true, text: ({ issuingAgency }) => issuingAgency ?? '' },
    { key: 'file', label: 'column.file', spare: true, text: ({ fileState }, { say }) => word(say, 'fileState', fileState) },
    { key: 'unit', label: 'column.unit', size: 'long', spare: true, text: ({ orgUnit }) => orgUnit.name ?? '' },
  ],
};

export function ResultList(): ReactNode {
  return <RecordList screen={screen} />;
}

export function ResultPage(): ReactNode {
  const say = useSay();
  return (
    <RecordPage<DigitizedResult>
      resource="results"
      change={{ permission: 'result:write', closedEdit: resultActs.update.closed, closedWithdraw: resultActs.withdraw.closed }}
      heading={({ name }) => name}
      facts={(result) => [
        { label: 'column.code', value: <ResultCode result={result} /> },
        { label: 'column.state', value: word(say, 'resultState', result.state) },
        { label: 'column.kind', value: result.kind === null ? null : word(say, 'resultKind', result.kind) },
        { label: 'column.agency', value: result.issuingAgency },
        { label: 'column.issuedOn', value: day(result.issuedOn) },
        { label: 'column.validTo', value: day(result.validTo) || say('record.openEnd') },
        { label: 'column.excerpt', value: result.excerpt },
        { label: 'column.file', value: word(say, 'fileState', result.fileState) },
        { label: 'column.uses', value: amount(result.useCount) },
      ]}
    />
  );
}

function ResultCode({ result }: { readonly result: DigitizedResult }): ReactNode {
  const hub = useHub();
  const revealed = useRevealed((purpose) => hub.revealNumber('results', result.id, purpose));
  const code = revealed.data ?? result.code;
  return (
    <>
      <span className="figures">{code}</span> <RevealButton revealed={revealed} masked={isMasked(code)} />
    </>
  );
}
