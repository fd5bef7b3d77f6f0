import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { useMay, useMayChange } from '../parts/use-principal.ts';

/** Digitized results and slips: the newest first, each a way to its page. */
export function PapersAndSlips({ citizen }: { readonly citizen: string }): ReactNode {
  const may = useMay();
  return (
    <>
      {may('results') ? <Papers citizen={citizen} /> : null}
      {may('referrals') ? <SlipsOf citizen={citizen} /> : null}
    </>
  );
}

function newestFirst<Row extends { readonly issuedOn: string | null }>(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((one, other) => (other.issuedOn ?? '').localeCompare(one.issuedOn ?? ''));
}

function Papers({ citizen }: { readonly citizen: string }): ReactNode {
  const say = useSay();
  const may = useMayChange();
  const { data, error, refetch, isPending } = useAsk(['results-of', citizen], (hub, asked) => hub.resultsOf(citizen, asked));
  return (
    <section className="block">
      <div className="block-head">
        <h2>
          <LinkBase to={`/results?citizen=${citizen}`}>{say('citizen.results')}</LinkBase>
        </h2>
        {may('result:write') ? <LinkBase to={`/results/create?citizen=${citizen}`}>{say('form.add')}</LinkBase> : null}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {isPending ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data?.nodes.length === 0 ? <p className="quiet">{say('citizen.noResults')}</p> : null}
      <ul className="lines">
        {newestFirst(data?.nodes ?? []).map((result) => (
          <li key={result.id}>
            <LinkBase to={`/results/${result.id}/show`}>{result.name}</LinkBase>
            <span className="figures">{day(result.issuedOn)}</span>
            <span className="quiet">{say('citizen.used', { smart_count: result.useCount })}</span>
          </li>
        ))}
      </ul>
      {data?.pageInfo.hasNextPage === true ? <LinkBase to={`/results?citizen=${citizen}`}>{say('citizen.more')}</LinkBase> : null}
    </section>
  );
}

function SlipsOf({ citizen }: { readonly citizen: string }): ReactNode {
  const say = useSay();
  const may = useMayChange();
  const { data, error, refetch, isPending } = useAsk(['slips-of', citizen], (hub, asked) => hub.slipsOf(citizen, asked));
  const referrals = newestFirst(data?.referralSlips?.nodes ?? []);
  const appointments = newestFirst(data?.reexaminationSlips?.nodes ?? []);
  return (
    <section className="block">
      <div className="block-head">
        <h2>{say('citizen.slips')}</h2>
        {may('slip:enter') ? (
          <span className="block-links">
            <LinkBase to={`/referrals/create?citizen=${citizen}`}>{say('form.addReferral')}</LinkBase>
            <LinkBase to={`/reexaminations/create?citizen=${citizen}`}>{say('form.addReexamination')}</LinkBase>
          </span>
        ) : null}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {isPending ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data !== undefined && referrals.length + appointments.length === 0 ? (
        <p className="quiet">{say('citizen.noSlips')}</p>
      ) : null}
      <ul className="lines">
        {appointments.map((slip) => (
          <li key={slip.id}>
            <LinkBase to={`/reexaminations/${slip.id}/show`}>
              {say('citizen.appointment', { date: day(slip.appointmentOn) })}
            </LinkBase>
            <span className="figures">{slip.number}</span>
            <span className="quiet">{word(say, 'slipStatus', slip.status)}</span>
          </li>
        ))}
        {referrals.map((slip) => (
          <li key={slip.id}>
            <LinkBase to={`/referrals/${slip.id}/show`}>{say('citizen.referral', { date: day(slip.issuedOn) })}</LinkBase>
            <span className="figures">{slip.number}</span>
            <span className="quiet">{word(say, 'slipStatus', slip.status)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
