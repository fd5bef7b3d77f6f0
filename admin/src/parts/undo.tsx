import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import type { Change } from '../api/records.ts';
import { instant } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import type { Undoing } from './history.tsx';
import { notice } from './notices.tsx';
import { useHub } from './use-hub.ts';
import { useMayChange } from './use-principal.ts';

/** Puts one change back by a new one. Refused where a newer change stands on it; that is said here. */
export function Undo({ change, undoing }: { readonly change: Change; readonly undoing: Undoing }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const queries = useQueryClient();
  const [refused, setRefused] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  // A repeat after an unknown outcome is the same act.
  const [key] = useState(() => crypto.randomUUID());
  if (!may(undoing.permission)) return null;

  const undo = async (): Promise<void> => {
    setSending(true);
    try {
      const outcome = await hub.undo(
        undoing.resource,
        { changeId: change.id, version: undoing.version },
        `${key}-${undoing.version}`,
      );
      if (outcome.ok) {
        notice(say('form.done.undone'));
        queries.removeQueries({ queryKey: ['hub', 'form'] });
        await queries.invalidateQueries();
        return;
      }
      const { newer } = outcome;
      setRefused(
        newer === null
          ? outcome.refused.message
          : `${outcome.refused.message} ${say('discrepancy.newer', { at: instant(newer.knownAt) })}`,
      );
    } catch (problem) {
      setRefused(problem instanceof GraphRefusal && problem.message !== '' ? problem.message : say('error.network'));
    } finally {
      setSending(false);
    }
  };
  return (
    <>
      <button type="button" className="link undo" disabled={sending} onClick={() => void undo()}>
        {say('form.undo')}
      </button>
      {refused === null ? null : (
        <span className="wrong" role="alert">
          {refused}
        </span>
      )}
    </>
  );
}
