import { useSyncExternalStore } from 'react';
import type { Look } from '../theme.ts';
import { onPreference, preferences } from './preferences.ts';

export function usePreferences(): ReturnType<typeof preferences> {
  return useSyncExternalStore(onPreference, preferences);
}

const darkness = matchMedia('(prefers-color-scheme: dark)');

function onDarkness(listener: () => void): () => void {
  darkness.addEventListener('change', listener);
  return () => darkness.removeEventListener('change', listener);
}

/** The look in force: what was chosen, else what the machine says. */
export function useLook(): Look {
  const { look } = usePreferences();
  const system: Look = useSyncExternalStore(onDarkness, () => darkness.matches) ? 'dark' : 'light';
  return look === 'system' ? system : look;
}
