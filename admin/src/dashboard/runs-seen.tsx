import { useState, type ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { Run } from '../api/records.ts';
import { amount, day, instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { useShortcuts } from '../shell/use-shortcuts.ts';
import { runDays, type RunDay } from './tally.ts';

const runsRead = 100;
const importsShown = 5;

export function RunsSeen(): ReactNode {
  const say = useSay();
  const [asTable, setAsTable] = useState(false);
  const { data, error, refetch } = useAsk(['runs-seen'], (hub, asked) => hub.everything<Run>('runs', {}, null, runsRead, asked));
  const days = runDays(data?.nodes ?? [], Date.now());
  const any = days.some(({ done, refused }) => done + refused > 0);
  useShortcuts((command) => {
    if (command.do !== 'key' || command.key !== 'b' || !any) return false;
    setAsTable(!asTable);
    return true;
  });
  return (
    <section className="block">
      <div className="title-line">
        <h2>
          <LinkBase to="/runs">{say('home.runs')}</LinkBase>
        </h2>
        {any ? (
          <button type="button" className="link" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {say(asTable ? 'home.asBars' : 'home.asTable')}
          </button>
        ) : null}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data !== undefined && !any ? <p className="quiet">{say('home.noRuns')}</p> : null}
      {any ? asTable ? <DayTable days={days} /> : <DayBars days={days} /> : null}
    </section>
  );
}

/** Bars of done records from zero, the differing ones in front; numbers stand at the highest and at the last. */
function DayBars({ days }: { readonly days: readonly RunDay[] }): ReactNode {
  const say = useSay();
  const most = Math.max(1, ...days.map(({ done, refused }) => done + refused));
  return (
    <figure className="day-bars">
      <div className="day-columns" role="img" aria-label={say('home.runs')}>
        {days.map(({ day: date, done, refused, differing }) => (
          <span
            key={date}
            className="day-column"
            title={`${day(date)}: ${amount(done + refused)}, ${amount(differing)} ${say('home.differing')}`}
          >
            <span className="day-all" style={{ height: `${(100 * (done + refused)) / most}%` }} />
            <span className="day-differing" style={{ height: `${(100 * differing) / most}%` }} />
          </span>
        ))}
      </div>
      <figcaption className="small figures">
        {day(days[0]?.day)} – {day(days.at(-1)?.day)}, {say('home.total')}:{' '}
        {amount(days.reduce((sum, { done, refused }) => sum + done + refused, 0))},{' '}
        {amount(days.reduce((sum, { differing }) => sum + differing, 0))} {say('home.differing')}
      </figcaption>
    </figure>
  );
}

function DayTable({ days }: { readonly days: readonly RunDay[] }): ReactNode {
  const say = useSay();
  return (
    <table className="plot" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {[say('column.startedAt'), say('column.done'), say('column.refused'), say('home.differing')].map((label) => (
            <th key={label} role="columnheader" scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {days
          .filter(({ done, refused }) => done + refused > 0)
          .map(({ day: date, done, refused, differing }) => (
            <tr key={date} role="row">
              <th role="rowheader" scope="row" className="figures">
                {day(date)}
              </th>
              {[done, refused, differing].map((value, index) => (
                <td key={index} role="cell" className="figures">
                  {amount(value)}
                </td>
              ))}
            </tr>
          ))}
      </tbody>
    </table>
  );
}

export function ImportsSeen(): ReactNode {
  const say = useSay();
  const { data, error, refetch } = useAsk(['imports-seen'], (hub, asked) =>
    hub.everything<Run>('imports', {}, null, importsShown, asked),
  );
  return (
    <section className="block">
      <h2>
        <LinkBase to="/imports">{say('home.imports')}</LinkBase>
      </h2>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="skeleton-lines" aria-busy="true" /> : null}
      {data?.nodes.length === 0 ? <p className="quiet">{say('home.noImports')}</p> : null}
      <ul className="lines">
        {data?.nodes.slice(0, importsShown).map((run) => (
          <li key={run.id}>
            <LinkBase to={`/imports/${run.id}/show`} className="figures">
              {instant(run.startedAt)}
            </LinkBase>
            <span>{word(say, 'runState', run.state)}</span>
            <span className="figures">{amount((run.done ?? 0) + (run.refused ?? 0))}</span>
            <span className="quiet">
              {amount(run.refused ?? 0)} {word(say, 'count', 'refused')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
