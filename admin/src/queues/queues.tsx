import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { amount, instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { durationWords } from '../runs/pace.ts';

/** How often one looks, milliseconds. */
const often = 5_000;

/** What waits in the background, by queue; whoever stands over the whole province sees it. */
export function Queues(): ReactNode {
  const say = useSay();
  const { data, error, refetch } = useAsk(['queues'], (hub, asked) => hub.queues(asked), { every: often });
  return (
    <div className="page">
      <Tabs resources={['units', 'accounts', 'clients', 'queues', 'settings', 'audit']} />
      <h1>{say('title.queues')}</h1>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="block skeleton-lines" aria-busy="true" /> : null}
      {data === null ? <p className="nothing">{say('queue.notYours')}</p> : null}
      {data?.length === 0 ? <p className="nothing">{say('empty.queues')}</p> : null}
      {data === undefined || data === null || data.length === 0 ? null : (
        <table className="rows" role="table">
          <thead role="rowgroup">
            <tr role="row">
              {(['name', 'waiting', 'leased', 'oldest', 'poison', 'seen'] as const).map((key) => (
                <th key={key} role="columnheader" scope="col">
                  {say(`queue.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {data.map((queue) => (
              <tr key={queue.name} role="row">
                <td role="cell" data-label={say('queue.name')}>
                  {word(say, 'queue', queue.name)}
                </td>
                <td role="cell" className="figures" data-label={say('queue.waiting')}>
                  {amount(queue.waiting)}
                </td>
                <td role="cell" className="figures" data-label={say('queue.leased')}>
                  {amount(queue.leased)}
                </td>
                <td role="cell" className="figures" data-label={say('queue.oldest')}>
                  {queue.waiting === 0 ? '–' : durationWords(say, queue.oldest * 1_000)}
                </td>
                <td role="cell" className="figures" data-label={say('queue.poison')}>
                  {queue.poison === 0 ? '0' : <LinkBase to="/work?source=JOBS">{amount(queue.poison)}</LinkBase>}
                </td>
                <td role="cell" data-label={say('queue.seen')}>
                  {queue.seenAt === null ? (
                    say('queue.never')
                  ) : (
                    <span className={queue.reachable === false ? 'wrong' : undefined}>
                      {say(queue.reachable === false ? 'queue.away' : 'queue.there', { at: instant(queue.seenAt) })}
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
