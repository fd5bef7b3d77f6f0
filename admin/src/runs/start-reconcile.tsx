import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-admin';
import { GraphRefusal } from '../api/graph.ts';
import { useSay } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';

/** Compares now, whatever the hour: opens a run and goes to watch it. */
export function StartReconcile(): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const navigate = useNavigate();
  const [failure, setFailure] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  // A repeat after an unknown outcome opens no second run.
  const [key] = useState(() => crypto.randomUUID());
  if (!may('run:start')) return null;
  const start = async (): Promise<void> => {
    setSending(true);
    setFailure(null);
    try {
      const outcome = await hub.startReconcile(key);
      if (!outcome.ok) setFailure(new GraphRefusal(outcome.refused.message, 400, outcome.refused.code, null));
      else if (outcome.id !== null) navigate(`/runs/${outcome.id}/show`);
    } catch (problem) {
      setFailure(problem);
    } finally {
      setSending(false);
    }
  };
  return (
    <>
      {failure === null ? null : <Refusal error={failure} />}
      <div className="acts">
        <Button variant="outlined" disabled={sending} onClick={() => void start()}>
          {say('run.reconcileNow')}
        </Button>
      </div>
    </>
  );
}
