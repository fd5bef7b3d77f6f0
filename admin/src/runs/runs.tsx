import type { ReactNode } from 'react';
import type { Run } from '../api/records.ts';
import { amount, instant } from '../format.ts';
import { word, type Say } from '../i18n/words.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { Column, ListScreen } from '../lists/screen.ts';
import { ImportDrop } from '../imports/import-drop.tsx';
import { StartReconcile } from './start-reconcile.tsx';
import { durationWords, paceOf } from './pace.ts';

function progressText({ done, total }: Run, say: Say): string {
  return total === null ? amount(done ?? 0) : say('run.of', { done: amount(done ?? 0), total: amount(total) });
}

function countWords({ counts }: Run, say: Say): string {
  return counts.map(({ name, value }) => `${amount(value)} ${word(say, 'count', name)}`).join(', ');
}

function paceText(run: Run, say: Say): string {
  const pace = paceOf(run, Date.now());
  return pace === null ? '' : say('run.perSecond', { speed: amount(Math.round(pace)) });
}

const columns: readonly Column<Run>[] = [
  {
    key: 'startedAt',
    label: 'column.startedAt',
    size: 'instant',
    figures: true,
    text: ({ startedAt }) => instant(startedAt),
  },
  { key: 'state', label: 'column.state', text: ({ state }, { say }) => word(say, 'runState', state) },
  {
    key: 'progress',
    label: 'column.progress',
    size: 'phrase',
    figures: true,
    text: (run, { say }) => progressText(run, say),
    cell: (run, { say }) => (
      <span className="progress">
        {run.total === null ? null : (
          <progress max={run.total} value={(run.done ?? 0) + (run.refused ?? 0)} aria-label={progressText(run, say)} />
        )}
        <span>
          {progressText(run, say)} {paceText(run, say)}
        </span>
      </span>
    ),
  },
  { key: 'refused', label: 'column.refused', figures: true, text: ({ refused }) => amount(refused ?? 0) },
  { key: 'counts', label: 'column.counts', size: 'long', text: (run, { say }) => countWords(run, say) },
  {
    key: 'endedAt',
    label: 'column.endedAt',
    size: 'phrase',
    figures: true,
    text: ({ startedAt, endedAt }, { say }) =>
      endedAt === null || startedAt === null
        ? ''
        : `${instant(endedAt)}, ${say('run.took', { time: durationWords(say, Date.parse(endedAt) - Date.parse(startedAt)) })}`,
  },
  {
    key: 'startedBy',
    label: 'column.startedBy',
    spare: true,
    text: ({ startedBy }, { say }) => (startedBy === 'schedule' ? say('history.by.schedule') : (startedBy ?? '').slice(0, 8)),
  },
];

const runs: ListScreen<Run> = {
  resource: 'runs',
  tabs: ['discrepancies', 'work', 'runs'],
  address: ({ id }) => `/runs/${id}/show`,
  choices: [],
  columns,
};
const imports: ListScreen<Run> = { resource: 'imports', address: ({ id }) => `/imports/${id}/show`, choices: [], columns };

export function RunList(): ReactNode {
  return <RecordList screen={runs} more={<StartReconcile />} />;
}

export function ImportList(): ReactNode {
  return <RecordList screen={imports} more={<ImportDrop />} />;
}
