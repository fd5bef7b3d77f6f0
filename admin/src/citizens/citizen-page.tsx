import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { LinkBase, useGetOne, useParams } from 'react-admin';
import type { Citizen, RevealedCitizen } from '../api/records.ts';
import { instantDay, partialDay } from '../format.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay, word } from '../i18n/words.ts';
import { ChangeActs } from '../parts/change-acts.tsx';
import { Mark } from '../parts/marks.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { isMasked, RevealButton, useRevealed, type Revealed } from '../parts/reveal.tsx';
import { useAsk, useHub, wholeRecord } from '../parts/use-hub.ts';
import { useMay } from '../parts/use-principal.ts';
import { countMarks } from './citizen-list.tsx';
import { CardLines } from './card-lines.tsx';
import { citizenChange } from './citizen-change.ts';
import { Identity } from './identity.tsx';
import { PapersAndSlips } from './papers.tsx';
import { CitizenHistory, Readers, WaitingWork } from './past.tsx';

/** One person, from all parts of the hub: who he is, how sure each field is, what he holds, what happened. */
export function CitizenPage(): ReactNode {
  const say = useSay();
  const { id = '' } = useParams();
  const { data, error, refetch } = useGetOne<Citizen & { id: string }>('citizens', { id, meta: wholeRecord });
  if (error !== null) {
    return (
      <div className="page record">
        <h1>{say('title.citizens')}</h1>
        <Refusal error={error} again={() => void refetch()} />
        <LinkBase to="/citizens">{say('citizen.back')}</LinkBase>
      </div>
    );
  }
  if (data === undefined) {
    return (
      <div className="page record" aria-busy="true">
        <div className="skeleton-block head-block" />
        <div className="halves">
          <div className="block skeleton-block" />
          <div className="block skeleton-block" />
        </div>
      </div>
    );
  }
  return <Person citizen={data} />;
}

function Person({ citizen }: { readonly citizen: Citizen }): ReactNode {
  const hub = useHub();
  const may = useMay();
  const revealed = useRevealed<RevealedCitizen>((purpose) => hub.reveal(citizen.id, purpose));
  return (
    <div className="page record">
      <Head citizen={citizen} revealed={revealed} />
      <div className="halves">
        <Identity citizen={citizen} revealed={revealed.data} />
        <div className="stack-blocks">
          {may('cards') ? <CardLines citizen={citizen.id} /> : null}
          {may('results') || may('referrals') ? <PapersAndSlips citizen={citizen.id} /> : null}
        </div>
      </div>
      <Past citizen={citizen} />
    </div>
  );
}

function Head({ citizen, revealed }: { readonly citizen: Citizen; readonly revealed: Revealed<RevealedCitizen> }): ReactNode {
  const say = useSay();
  const number = revealed.data?.personalId ?? citizen.personalId;
  const shown = revealed.data ?? citizen;
  const masked = [shown.personalId, shown.oldIdNumber, shown.phone, shown.email].some(isMasked);
  const checked = citizen.fieldStatuses
    .flatMap(({ checkedAt }) => checkedAt ?? [])
    .sort()
    .at(-1);
  return (
    <header className="head">
      <p className="trail">
        <LinkBase to="/citizens">{say('title.citizens')}</LinkBase>
      </p>
      <div className="title-line">
        <h1>{citizen.fullName}</h1>
        <p className="count">{citizen.orgUnit.name}</p>
        <div className="acts">
          <ChangeActs resource="citizens" row={citizen} change={citizenChange} />
          <Button size="small" onClick={() => print()}>
            {say('citizen.print')}
          </Button>
        </div>
      </div>
      <p className="summary">
        <span>
          <span className="figures">{number ?? '–'}</span> <RevealButton revealed={revealed} masked={masked} />
        </span>
        <span>{citizen.gender === null ? null : word(say, 'gender', citizen.gender)}</span>
        <span className="figures">{partialDay(citizen.dateOfBirth)}</span>
        <span>{word(say, 'lifeStatus', citizen.lifeStatus)}</span>
      </p>
      <p className="summary marks">
        {countMarks(citizen.fieldStatuses).map(([kind, count]) => (
          <Mark key={kind} kind={kind} count={count} />
        ))}
        <span className="quiet">
          {checked === undefined ? say('citizen.neverChecked') : say('citizen.checked', { date: instantDay(checked) })}
        </span>
      </p>
    </header>
  );
}

type PastTab = 'history' | 'readers' | 'work';

function Past({ citizen }: { readonly citizen: Citizen }): ReactNode {
  const say = useSay();
  const may = useMay();
  const [tab, setTab] = useState<PastTab>('history');
  const work = useAsk(['discrepancies-of', citizen.id], (hub, asked) => hub.discrepanciesOf(citizen.id, asked), {
    enabled: may('discrepancies'),
  });
  const tabs: readonly (readonly [PastTab, MessageKey])[] = [
    ['history', 'citizen.history'],
    ...(may('audit') ? [['readers', 'citizen.readers'] as const] : []),
    ...(may('discrepancies') ? [['work', 'citizen.work'] as const] : []),
  ];
  return (
    <section className="block past">
      <div className="tabs" role="tablist">
        {tabs.map(([key, label]) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`tab-${key}`}
            aria-selected={tab === key}
            aria-controls="past-panel"
            onClick={() => setTab(key)}
          >
            {say(label)}
            {key === 'work' && work.data !== undefined ? ` (${work.data.length})` : ''}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="past-panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'history' ? <CitizenHistory citizen={citizen.id} version={citizen.version} /> : null}
        {tab === 'readers' ? <Readers citizen={citizen.id} /> : null}
        {tab === 'work' ? <WaitingWork items={work.data} error={work.error} /> : null}
      </div>
    </section>
  );
}
