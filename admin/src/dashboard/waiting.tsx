import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { WorkItem } from '../api/records.ts';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { ageGroups, tallyOf } from './tally.ts';

/** So many items are read to tell kinds and ages; the graph counts the rest. */
const sampleSize = 500;

export function Waiting(): ReactNode {
  const say = useSay();
  const count = useAsk(['count', 'work', {}], (hub, asked) => hub.count('work', {}, asked));
  const sample = useAsk(['waiting'], (hub, asked) => hub.everything<WorkItem>('work', {}, null, sampleSize, asked));
  const tally = tallyOf(sample.data?.nodes ?? [], Date.now());
  const most = Math.max(1, ...tally.map(({ total }) => total));
  return (
    <section className="block waiting">
      <div className="title-line">
        <h2>
          <LinkBase to="/work">{say('home.waiting')}</LinkBase>
        </h2>
        {count.data === undefined ? (
          <span className="big figures">&nbsp;</span>
        ) : (
          <LinkBase to="/work" className="big figures">
            {count.data.atLeast ? `> ${amount(count.data.value)}` : amount(count.data.value)}
          </LinkBase>
        )}
      </div>
      {sample.error !== null ? <Refusal error={sample.error} again={() => void sample.refetch()} /> : null}
      {sample.data === undefined && sample.error === null ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {sample.data?.nodes.length === 0 ? <p>{say('home.nothingWaits')}</p> : null}
      {tally.length === 0 ? null : (
        <table className="plot" role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                {say('home.byKind')}
              </th>
              {ageGroups.map((group) => (
                <th key={group} role="columnheader" scope="col">
                  {say(`home.${group}`)}
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
            {tally.map(({ kind, ages, total }) => (
              <tr key={kind} role="row" data-row tabIndex={-1}>
                <th role="rowheader" scope="row">
                  <LinkBase to={`/work?kind=${kind}`}>{word(say, 'kind', kind)}</LinkBase>
                </th>
                {ageGroups.map((group) => (
                  <td key={group} role="cell" className="figures" data-label={say(`home.${group}`)}>
                    {ages[group] === 0 ? '–' : amount(ages[group])}
                  </td>
                ))}
                <td role="cell" className="figures" data-label={say('home.total')}>
                  <LinkBase to={`/work?kind=${kind}`}>{amount(total)}</LinkBase>
                </td>
                <td role="cell" className="bar-cell" aria-hidden="true">
                  <span className="stack-bar">
                    {ageGroups.map((group) => (
                      <span key={group} className={`part part-${group}`} style={{ width: `${(100 * ages[group]) / most}%` }} />
                    ))}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {sample.data?.more === true ? (
        <p className="small">{say('home.sample', { count: amount(sample.data.nodes.length) })}</p>
      ) : null}
    </section>
  );
}
