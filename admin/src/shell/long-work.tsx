import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { Run } from '../api/records.ts';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { useAsk } from '../parts/use-hub.ts';
import { useMay } from '../parts/use-principal.ts';
import { durationWords, timeLeft } from '../runs/pace.ts';
import { RunActs } from '../runs/run-acts.tsx';

/** How often one looks, milliseconds: while something runs, and otherwise. */
const often = 2_000;
const seldom = 30_000;

/** What runs in the background follows from screen to screen, as one line at the foot; several are counted there and told when asked. */
export function LongWork(): ReactNode {
  const say = useSay();
  const may = useMay();
  const { data } = useAsk(['running'], (hub, asked) => hub.running(asked), {
    enabled: may('runs') && may('imports'),
    every: (runs) => (runs !== undefined && runs.length > 0 ? often : seldom),
  });
  if (data === undefined || data.length === 0) return null;
  const lines = data.map((run) => <Line key={run.id} run={run} />);
  return (
    <aside className="long-work" aria-label={say('run.running')}>
      {lines.length === 1 ? (
        lines
      ) : (
        <details>
          <summary>{say('run.several', { smart_count: lines.length })}</summary>
          {lines}
        </details>
      )}
    </aside>
  );
}

function Line({ run }: { readonly run: Run }): ReactNode {
  const say = useSay();
  const done = (run.done ?? 0) + (run.refused ?? 0);
  const left = timeLeft(run, Date.now());
  return (
    <div className="work-line">
      <LinkBase to={run.kind === 'IMPORT' ? `/imports/${run.id}/show` : `/runs/${run.id}/show`}>
        <span>{word(say, 'runKind', run.kind)}</span>
        {run.total === null ? null : <progress max={run.total} value={done} aria-label={say('column.progress')} />}
        <span className="figures">
          {run.total === null ? amount(done) : say('run.of', { done: amount(done), total: amount(run.total) })}
          {left === null ? null : ` · ${say('run.left', { time: durationWords(say, left) })}`}
        </span>
        <span>{word(say, 'runState', run.state)}</span>
      </LinkBase>
      <RunActs run={run} />
    </div>
  );
}
