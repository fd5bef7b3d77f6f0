import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import type { SettleDecision } from '../api/generated/graph.ts';
import { amount } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { mayTake, waits } from './desk-state.ts';
import type { DeskActs } from './use-desk.ts';

const decisions: readonly SettleDecision[] = ['KEEP', 'TAKE', 'ASK_AGAIN'];

interface BulkProps {
  readonly acts: DeskActs;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
}

/** One decision for many, each sent on its own, so that each has its refusal, its history and its way back. */
export function Bulk({ acts, chosen, onChoose }: BulkProps): ReactNode {
  const say = useSay();
  const { desk } = acts;
  const [progress, setProgress] = useState<{ readonly done: number; readonly of: number } | null>(null);
  const [lately, setLately] = useState<readonly string[]>([]);
  const open = desk.items.filter(({ id }) => waits(desk, id));
  const items = open.filter(({ id }) => chosen.has(id));
  const people = new Set(items.map(({ citizen }) => citizen.id)).size;
  const undoable = lately.filter((id) => desk.standing.get(id)?.is === 'decided');

  const each = async (ids: readonly string[], act: (id: string) => Promise<void>): Promise<void> => {
    setProgress({ done: 0, of: ids.length });
    for (const [index, id] of ids.entries()) {
      await act(id);
      setProgress({ done: index + 1, of: ids.length });
    }
    setProgress(null);
  };
  const decideAll = async (decision: SettleDecision): Promise<void> => {
    const fit = items.filter((item) => decision !== 'TAKE' || mayTake(item));
    await each(
      fit.map(({ id }) => id),
      async (id) => {
        const item = fit.find((one) => one.id === id);
        if (item !== undefined) await acts.decide(item, decision);
      },
    );
    setLately(fit.map(({ id }) => id));
    onChoose(new Set());
  };

  return (
    <section className="block bulk" aria-label={say('discrepancy.many')}>
      <div className="acts">
        <Button size="small" onClick={() => onChoose(new Set(open.map(({ id }) => id)))}>
          {say('discrepancy.chooseAll', { smart_count: open.length })}
        </Button>
        {decisions.map((decision) => (
          <Button
            key={decision}
            size="small"
            variant="outlined"
            disabled={progress !== null || items.length === 0 || (decision === 'TAKE' && !items.some(mayTake))}
            onClick={() => void decideAll(decision)}
          >
            {say(`discrepancy.do.${decision}`)}
          </Button>
        ))}
        {undoable.length === 0 || progress !== null ? null : (
          <Button size="small" onClick={() => void each(undoable, acts.undo)}>
            {say('discrepancy.undoAll', { smart_count: undoable.length })}
          </Button>
        )}
      </div>
      <p className="quiet" aria-live="polite">
        {progress === null
          ? say('discrepancy.touches', { count: amount(items.length), people: amount(people) })
          : say('run.of', { done: amount(progress.done), total: amount(progress.of) })}
      </p>
    </section>
  );
}
