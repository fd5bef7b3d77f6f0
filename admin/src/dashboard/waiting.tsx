import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';

const ages = ['week', 'month', 'older'] as const;

export function Waiting(): ReactNode {
  const say = useSay();
  const { data, error, refetch } = useAsk(['waiting'], (hub, asked) => hub.workCounts(asked));
  const kinds = (data ?? []).map((kind) => ({ ...kind, total: ages.reduce((sum, age) => sum + kind[age], 0) }));
  const most = Math.max(1, ...kinds.map(({ total }) => total));
  return (
    <section className="block waiting">
      <div className="title-line">
        <h2>
          <LinkBase to="/work">{say('home.waiting')}</LinkBase>
        </h2>
        {data === undefined ? (
          <span className="big figures">&nbsp;</span>
        ) : (
          <LinkBase to="/work" className="big figures">
            {amount(kinds.reduce((sum, { total }) => sum + total, 0))}
          </LinkBase>
        )}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data?.length === 0 ? <p>{say('home.nothingWaits')}</p> : null}
      {kinds.length === 0 ? null : (
        <table className="plot" role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                {say('home.byKind')}
              </th>
              {ages.map((age) => (
                <th key={age} role="columnheader" scope="col">
                  {say(`home.${age}`)}
                </th>
              ))}
              <th role="columnheader" scope="col">
                {say('home.total')}
              </th>
              <th role="columnheader" scope="col" className="bar-cell">
                <span className="unseen">{say('home.asBars')}</span>
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {kinds.map(({ kind, total, ...of }) => (
              <tr key={kind} role="row" data-row tabIndex={-1}>
                <th role="rowheader" scope="row">
                  <LinkBase to={`/work?kind=${kind}`}>{word(say, 'kind', kind)}</LinkBase>
                </th>
                {ages.map((age) => (
                  <td key={age} role="cell" className="figures" data-label={say(`home.${age}`)}>
                    {of[age] === 0 ? '–' : amount(of[age])}
                  </td>
                ))}
                <td role="cell" className="figures" data-label={say('home.total')}>
                  <LinkBase to={`/work?kind=${kind}`}>{amount(total)}</LinkBase>
                </td>
                <td role="cell" className="bar-cell" aria-hidden="true">
                  <span className="stack-bar">
                    {ages.map((age) => (
                      <span key={age} className={`part part-${age}`} style={{ width: `${(100 * of[age]) / most}%` }} />
                    ))}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
