import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';
import { timeLineOf } from './time-line.ts';

/** All cards of the person on one line of time, so that gaps and overlaps are seen. */
export function CardLines({ citizen }: { readonly citizen: string }): ReactNode {
  const say = useSay();
  const may = useMayChange();
  const { data, error, refetch } = useAsk(['cards-of', citizen], (hub, asked) => hub.cardsOf(citizen, asked));
  const line = data === undefined ? null : timeLineOf(data.cards, Date.now());
  return (
    <section className="block">
      <div className="block-head">
        <h2>
          <LinkBase to={`/cards?citizen=${citizen}`}>{say('citizen.cards')}</LinkBase>
        </h2>
        {may('card:write') ? <LinkBase to={`/cards/create?citizen=${citizen}`}>{say('form.add')}</LinkBase> : null}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data?.cards.length === 0 ? <p className="quiet">{say('citizen.noCards')}</p> : null}
      {data === undefined || line === null || data.cards.length === 0 ? null : (
        <div className="card-lines">
          <div className="years" aria-hidden="true">
            {line.years.map(({ year, at }) => (
              <span key={year} style={{ left: `${at}%` }}>
                {year}
              </span>
            ))}
          </div>
          <ul>
            {data.cards.map((card) => {
              const bar = line.bars.get(card.id);
              const inForce = data.inForce === card.id;
              const end = card.validTo === null ? say('citizen.untilOpen') : say('citizen.until', { date: day(card.validTo) });
              return (
                <li key={card.id}>
                  <LinkBase to={`/cards/${card.id}/show`}>
                    <span className="figures">{card.number ?? '–'}</span>
                    <span>
                      {inForce ? <strong>{say('citizen.inForce')}</strong> : word(say, 'cardStatus', card.status)}{' '}
                      <span className="figures">{end}</span>
                    </span>
                  </LinkBase>
                  <div className="track" aria-hidden="true">
                    {bar === undefined ? null : (
                      <span
                        className={['bar', inForce ? 'in-force' : '', bar.open ? 'open' : ''].join(' ').trim()}
                        style={{ left: `${bar.from}%`, width: `${bar.width}%` }}
                      />
                    )}
                    <span className="today" style={{ left: `${line.today}%` }} />
                  </div>
                </li>
              );
            })}
          </ul>
        </div>
      )}
    </section>
  );
}
