import Button from '@mui/material/Button';
import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import type { RunAct } from '../api/mutations.ts';
import type { Run } from '../api/records.ts';
import { amount } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';

/** What can be done to a run as it stands. */
function actsOf({ kind, state, refused }: Pick<Run, 'kind' | 'state' | 'refused'>, failed: boolean): readonly RunAct[] {
  const again: readonly RunAct[] = failed || state === 'FAILED' ? ['rerunFailed', 'dropFailed'] : [];
  switch (state) {
    case 'PLANNED':
    case 'RUNNING':
      return [...again, 'pause', 'cancel'];
    case 'PAUSED':
      return [...again, 'resume', 'cancel'];
    case 'FAILED':
      return again;
    case 'DONE':
      // Refused rows of a file are mended in the file: run again they would only be refused again.
      return kind === 'RECONCILE' && (refused ?? 0) > 0 ? ['rerunFailed'] : again;
    case 'CANCELLED':
      return [];
  }
}

/** `failed`: a part of it waits for people. Pause, resume, cancel, run again what failed. Cancelling has no way back: it says how much stays undone, and asks once more. */
export function RunActs({ run, failed = false }: { readonly run: Run; readonly failed?: boolean }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  if (!may(run.kind === 'IMPORT' ? 'import:send' : 'run:start')) return null;

  const act = async (name: RunAct): Promise<void> => {
    setAsking(false);
    setProblem(null);
    setSending(true);
    try {
      const outcome = await hub.actOnRun(name, { id: run.id, version: run.version }, crypto.randomUUID());
      if (!outcome.ok) setProblem(outcome.refused.message);
      await queries.invalidateQueries();
    } catch (failure) {
      setProblem(failure instanceof GraphRefusal && failure.message !== '' ? failure.message : say('error.network'));
    } finally {
      setSending(false);
    }
  };
  const undone = run.total === null ? null : run.total - (run.done ?? 0) - (run.refused ?? 0);
  return (
    <span className="run-acts">
      {actsOf(run, failed).map((name) => (
        <Button
          key={name}
          size="small"
          variant={name === 'cancel' ? 'text' : 'outlined'}
          disabled={sending}
          onClick={(event) => {
            event.stopPropagation();
            if (name === 'cancel') setAsking(!asking);
            else void act(name);
          }}
        >
          {say(`run.act.${name}`)}
        </Button>
      ))}
      {asking ? (
        <span className="asked" role="alert">
          {undone === null ? say('run.cancelAsk') : say('run.cancelAskCount', { count: amount(undone) })}{' '}
          <Button size="small" color="error" variant="contained" onClick={() => void act('cancel')}>
            {say('run.cancelYes')}
          </Button>
          <Button size="small" onClick={() => setAsking(false)}>
            {say('run.cancelNo')}
          </Button>
        </span>
      ) : null}
      {problem === null ? null : (
        <span className="wrong" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}
