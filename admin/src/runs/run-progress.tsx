import type { ReactNode } from 'react';
import type { Run } from '../api/records.ts';
import { amount, instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { durationWords, paceOf, timeLeft } from './pace.ts';
import { RunActs } from './run-acts.tsx';

/** How far a run is, how fast, how long still, what came of it, and what can be done about it. */
export function RunProgress({ run, failed = false }: { readonly run: Run; readonly failed?: boolean }): ReactNode {
  const say = useSay();
  const now = Date.now();
  const handled = (run.done ?? 0) + (run.refused ?? 0);
  const pace = paceOf(run, now);
  const left = timeLeft(run, now);
  return (
    <section className="block run" aria-label={word(say, 'runKind', run.kind)}>
      <div className="block-head">
        <h2>
          {word(say, 'runKind', run.kind)}: {word(say, 'runState', run.state)}
        </h2>
        <RunActs run={run} failed={failed} />
      </div>
      <progress
        className="whole"
        max={run.total ?? undefined}
        value={run.total === null && run.endedAt === null && run.state !== 'PAUSED' ? undefined : handled}
        aria-label={say('column.progress')}
      />
      <p className="figures" role="status">
        {run.total === null ? amount(handled) : say('run.of', { done: amount(handled), total: amount(run.total) })}
        {pace === null ? '' : ` · ${say('run.perSecond', { speed: amount(Math.round(pace)) })}`}
        {left === null ? '' : ` · ${say('run.left', { time: durationWords(say, left) })}`}
        {run.endedAt === null || run.startedAt === null
          ? ''
          : ` · ${say('run.took', { time: durationWords(say, Date.parse(run.endedAt) - Date.parse(run.startedAt)) })}`}
      </p>
      {run.counts.length === 0 ? null : (
        <ul className="planned">
          {run.counts.map(({ name, value }) => (
            <li key={name}>
              <span className="big-value figures">{amount(value)}</span>
              <span>{word(say, 'count', name)}</span>
            </li>
          ))}
        </ul>
      )}
      <p className="small">
        {run.startedAt === null ? '' : instant(run.startedAt)}
        {run.endedAt === null ? '' : ` – ${instant(run.endedAt)}`}
      </p>
    </section>
  );
}
