/*
 * How this browser likes to see the admin. Nothing of a person is ever kept here: looks, language, columns, and filters made of
 * choices (units, states, fields), never anything typed.
 */

export type LookChoice = 'light' | 'dark' | 'system';
export type Language = 'vi' | 'en';

interface Preferences {
  readonly look: LookChoice;
  readonly language: Language;
  readonly placesFolded: boolean;
  /** Columns that were switched off or on against their default, by list. */
  readonly columns: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  /** Filters to come back to, by list, as the query part of the address. */
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

const place = 'lien-thong.preferences';
const initial: Preferences = { look: 'system', language: 'vi', placesFolded: false, columns: {}, filters: {} };

let current: Preferences = read();
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '{}');
    return typeof kept === 'object' && kept !== null ? { ...initial, ...(kept as Partial<Preferences>) } : initial;
  } catch {
    // Storage is switched off or holds something else: the defaults are good enough.
    return initial;
  }
}

export function preferences(): Preferences {
  return current;
}

export function language(): Language {
  return current.language;
}

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(place, JSON.stringify(current));
  } catch {
    // It holds for this tab then.
  }
  for (const listener of listeners) listener();
}

export function onPreference(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
