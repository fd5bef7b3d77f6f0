import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import type { SettleDecision } from '../api/generated/graph.ts';
import type { Discrepancy } from '../api/records.ts';
import type { Filter } from '../api/resources.ts';
import { useSay } from '../i18n/words.ts';
import { instant } from '../format.ts';
import { useHub } from '../parts/use-hub.ts';
import { answered, emptyDesk, lastDecided, sent, undone, waits, withItems, type Desk } from './desk-state.ts';

/** The next page is asked for while so many still wait. */
const ahead = 10;
/** So many people are looked up before they are at hand. */
const lookedUp = 2;

interface Pages {
  readonly next: string | null;
  readonly more: boolean;
}

export interface DeskActs {
  readonly desk: Desk;
  readonly loading: boolean;
  readonly error: unknown;
  readonly again: () => void;
  readonly goTo: (id: string) => void;
  readonly decide: (item: Discrepancy, decision: SettleDecision, unit?: string) => Promise<void>;
  /** Of the one named, or of the last. */
  readonly undo: (id: string | null) => Promise<void>;
}

export function useDesk(filter: Filter): DeskActs {
  const say = useSay();
  const hub = useHub();
  const queries = useQueryClient();
  const [desk, setDesk] = useState<Desk>(emptyDesk);
  const [pages, setPages] = useState<Pages>({ next: null, more: true });
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const loading = useRef(false);
  // The same attempt keeps its key while its outcome is unknown.
  const keys = useRef(new Map<string, string>());
  const key = JSON.stringify(filter);
  const waiting = desk.items.filter(({ id }) => waits(desk, id)).length;

  useEffect(() => {
    setDesk(emptyDesk);
    setPages({ next: null, more: true });
  }, [key]);

  useEffect(() => {
    if (loading.current || !pages.more || waiting >= ahead) return undefined;
    loading.current = true;
    const gone = new AbortController();
    hub
      .openDiscrepancies(JSON.parse(key) as Filter, pages.next, { signal: gone.signal })
      .then(({ nodes, pageInfo }) => {
        setError(null);
        setDesk((before) => withItems(before, nodes));
        setPages({ next: pageInfo.endCursor, more: pageInfo.hasNextPage });
      })
      .catch((problem: unknown) => {
        if (!gone.signal.aborted) setError(problem);
      })
      .finally(() => {
        loading.current = false;
      });
    return () => {
      loading.current = false;
      gone.abort();
    };
  }, [hub, key, pages, waiting >= ahead, round]);

  const { items, at } = desk;
  useEffect(() => {
    const here = items.findIndex(({ id }) => id === at);
    for (const { citizen } of items.slice(here, here + 1 + lookedUp)) {
      queries
        .query({
          queryKey: ['hub', 'around', citizen.id],
          queryFn: ({ signal }) => hub.aroundDiscrepancy(citizen.id, { signal }),
        })
        // Asked again, and told, when it is at hand.
        .catch(() => undefined);
    }
  }, [hub, queries, items, at]);

  const tell = (problem: unknown): string =>
    problem instanceof GraphRefusal && problem.message !== '' ? problem.message : say('error.network');
  const counted = (): void => {
    void queries.invalidateQueries({ queryKey: ['hub', 'count'] });
  };

  return {
    desk,
    loading: pages.more && items.length === 0,
    error,
    again: () => setRound((n) => n + 1),
    goTo: (id) => setDesk((before) => ({ ...before, at: id })),
    async decide({ id, version }, decision, unit) {
      const input = { id, version, decision, ...(unit !== undefined && { orgUnitId: unit }) };
      const name = JSON.stringify(input);
      const attempt = keys.current.get(name) ?? crypto.randomUUID();
      keys.current.set(name, attempt);
      setDesk((before) => sent(before, id, decision));
      try {
        const outcome = await hub.settle(input, attempt);
        keys.current.delete(name);
        setDesk((before) =>
          answered(
            before,
            id,
            outcome.ok
              ? { is: 'decided', decision, changeId: outcome.changeId, citizenVersion: outcome.citizenVersion }
              : { is: 'refused', message: outcome.refused.message },
          ),
        );
        counted();
      } catch (problem) {
        setDesk((before) => answered(before, id, { is: 'refused', message: tell(problem) }));
      }
    },
    async undo(id) {
      const which = id ?? lastDecided(desk);
      const item = items.find((one) => one.id === which);
      const standing = which === null ? undefined : desk.standing.get(which);
      if (item === undefined || standing?.is !== 'decided') return;
      setDesk((before) => answered(before, item.id, { is: 'undoing' }));
      try {
        const around = await hub.aroundDiscrepancy(item.citizen.id);
        const version = around?.version ?? standing.citizenVersion ?? 0;
        const outcome = await hub.undo('citizens', { changeId: standing.changeId, version }, crypto.randomUUID());
        if (!outcome.ok) {
          const { newer, refused } = outcome;
          const more = newer === null ? '' : ` ${say('discrepancy.newer', { at: instant(newer.knownAt) })}`;
          setDesk((before) => answered(before, item.id, { is: 'refused', message: `${refused.message}${more}` }));
          return;
        }
        const after = await hub.aroundDiscrepancy(item.citizen.id);
        const again = after?.discrepancies?.find((one) => one.id === item.id);
        queries.setQueryData(['hub', 'around', item.citizen.id], after);
        setDesk((before) => undone(before, item.id, again?.version ?? item.version + 2));
        counted();
      } catch (problem) {
        setDesk((before) => answered(before, item.id, { is: 'refused', message: tell(problem) }));
      }
    },
  };
}
