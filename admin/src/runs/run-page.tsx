import type { ReactNode } from 'react';
import { LinkBase, useLocation, useParams } from 'react-admin';
import { GraphRefusal } from '../api/graph.ts';
import { useSay } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { ExportFile } from './export-file.tsx';
import { RunProgress } from './run-progress.tsx';

/** How often one looks while it runs, milliseconds. */
const often = 1_000;
const moving: readonly string[] = ['PLANNED', 'RUNNING', 'PAUSED'];

/** One run, live. */
export function RunPage(): ReactNode {
  const say = useSay();
  const { id = '' } = useParams();
  // Comes from the item of the joint queue that says so.
  const failed = new URLSearchParams(useLocation().search).has('failed');
  const {
    data: run,
    error,
    refetch,
  } = useAsk(['run', id], (hub, asked) => hub.run(id, asked), {
    every: (now) => (now !== null && now !== undefined && moving.includes(now.state) ? often : 0),
  });
  return (
    <div className="page record">
      <p className="trail">
        {run?.kind === 'IMPORT' ? (
          <LinkBase to="/imports">{say('title.imports')}</LinkBase>
        ) : (
          <LinkBase to="/runs">{say('title.runs')}</LinkBase>
        )}
      </p>
      <h1>{say('title.run')}</h1>
      {error !== null ? (
        <Refusal error={error} again={() => void refetch()} />
      ) : run === undefined ? (
        <div className="block skeleton-lines" aria-busy="true" />
      ) : run === null ? (
        <Refusal error={new GraphRefusal('', 404, 'NOT_FOUND', null)} />
      ) : (
        <>
          <RunProgress run={run} failed={failed} />
          {run.kind === 'EXPORT' && run.state === 'DONE' ? <ExportFile run={run.id} /> : null}
        </>
      )}
    </div>
  );
}
