/*
 * Keys of the whole admin, as a machine that is fed key events and says what is meant. It stays silent while an input method composes a
 * letter (Telex, VNI), while the focus is where one types, and with Ctrl, Alt or Meta held.
 */

export const placeKeys = {
  v: 'home',
  c: 'citizens',
  t: 'cards',
  k: 'results',
  p: 'slips',
  d: 'reconcile',
  n: 'imports',
  q: 'manage',
} as const;
export type PlaceKey = (typeof placeKeys)[keyof typeof placeKeys];

export type Command =
  | { readonly do: 'search' }
  | { readonly do: 'help' }
  | { readonly do: 'go'; readonly place: PlaceKey }
  | { readonly do: 'row'; readonly step: 1 | -1 }
  /** Any other single key: the screen may have a use for it (`1 2 3 4 u`). */
  | { readonly do: 'key'; readonly key: string };

export interface KeyPress {
  readonly key: string;
  readonly isComposing: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  /** The focus is in a field that takes letters. */
  readonly typing: boolean;
  readonly at: number;
}

/** After `g` the letter of a place is awaited so long, milliseconds. */
const patience = 1_500;
/** What a browser calls a key that the input method took. */
const takenKey = 'Process';

export class Shortcuts {
  #wentAt = Number.NEGATIVE_INFINITY;

  press({ key, isComposing, ctrlKey, altKey, metaKey, typing, at }: KeyPress): Command | null {
    if (isComposing || key === takenKey || typing || ctrlKey || altKey || metaKey) return null;
    const waiting = at - this.#wentAt <= patience;
    this.#wentAt = Number.NEGATIVE_INFINITY;
    if (waiting && key in placeKeys) return { do: 'go', place: placeKeys[key as keyof typeof placeKeys] };
    switch (key) {
      case 'g':
        this.#wentAt = at;
        return null;
      case '/':
        return { do: 'search' };
      case '?':
        return { do: 'help' };
      case 'j':
        return { do: 'row', step: 1 };
      case 'k':
        return { do: 'row', step: -1 };
      default:
        return key.length === 1 ? { do: 'key', key } : null;
    }
  }
}

/** Whether letters typed now go into a field. */
export function takesLetters(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['button', 'checkbox', 'radio', 'submit', 'reset', 'file'].includes(target.type);
}
