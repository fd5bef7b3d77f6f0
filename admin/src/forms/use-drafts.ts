import { useEffect, useState, useSyncExternalStore } from 'react';
import { keptDrafts } from '../api/kept-drafts.ts';
import type { Draft } from './draft.ts';
import { DraftStore, type DraftState } from './draft-store.ts';

/** The drafts of whoever sits here. */
export const drafts = new DraftStore(keptDrafts);

const watch = (watcher: () => void): (() => void) => drafts.watch(watcher);

export function useDraft(place: string): Draft | undefined {
  return useSyncExternalStore(watch, () => drafts.at(place));
}

export function useDraftState(place: string): DraftState {
  return useSyncExternalStore(watch, () => drafts.stateOf(place));
}

export function useDraftPlaces(): readonly string[] {
  return useSyncExternalStore(watch, () => drafts.places());
}

/** False until the hub said what was typed elsewhere, or did not answer. */
export function useFreshDrafts(): boolean {
  const [fresh, setFresh] = useState(false);
  useEffect(() => {
    let here = true;
    void drafts.refresh().then(() => {
      if (here) setFresh(true);
    });
    return () => {
      here = false;
    };
  }, []);
  return fresh;
}
