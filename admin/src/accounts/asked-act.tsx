import Button from '@mui/material/Button';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';
import { useHub } from '../parts/use-hub.ts';
import { keepTold } from './told-once.ts';

export interface Act {
  readonly mutation: string;
  readonly label: MessageKey;
  /** What it means, asked before it is done; null: done at once. */
  readonly ask: MessageKey | null;
}

/** Acts on one account or client as it stands. What the hub tells once is kept for {@link Told}. */
export function AskedActs({
  subject,
  acts,
}: {
  readonly subject: { readonly id: string; readonly version: number };
  readonly acts: readonly Act[];
}): ReactNode {
  const say = useSay();
  const hub = useHub();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<Act | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const question = asking?.ask ?? null;

  const run = async ({ mutation }: Act): Promise<void> => {
    setAsking(null);
    setProblem(null);
    setSending(true);
    try {
      const outcome = await hub.change(mutation, { id: subject.id, version: subject.version }, crypto.randomUUID());
      if (!outcome.ok) setProblem(outcome.refused.message);
      else if (outcome.told !== undefined) keepTold(subject.id, outcome.told);
      await queries.invalidateQueries();
    } catch (failure) {
      setProblem(failure instanceof GraphRefusal && failure.message !== '' ? failure.message : say('error.network'));
    } finally {
      setSending(false);
    }
  };
  return (
    <span className="run-acts">
      {acts.map((act) => (
        <Button
          key={act.label}
          size="small"
          disabled={sending}
          onClick={(event) => {
            event.stopPropagation();
            if (act.ask === null) void run(act);
            else setAsking(asking === act ? null : act);
          }}
        >
          {say(act.label)}
        </Button>
      ))}
      {asking === null || question === null ? null : (
        <span className="asked" role="alert">
          {say(question)}{' '}
          <Button size="small" color="error" variant="contained" onClick={() => void run(asking)}>
            {say(asking.label)}
          </Button>
          <Button size="small" onClick={() => setAsking(null)}>
            {say('form.back')}
          </Button>
        </span>
      )}
      {problem === null ? null : (
        <span className="wrong" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
