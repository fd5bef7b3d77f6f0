import { useEffect, useEffectEvent } from 'react';
import { Shortcuts, takesLetters, type Command } from './shortcuts.ts';

/** Runs for every command of the keyboard; true = it was for here, the browser shall not do more with the key. */
export function useShortcuts(act: (command: Command) => boolean): void {
  const onCommand = useEffectEvent(act);
  useEffect(() => {
    const shortcuts = new Shortcuts();
    const onKey = (event: KeyboardEvent): void => {
      // A dialog has the keyboard to itself.
      if (document.querySelector('[role="dialog"]') !== null) return;
      const { key, isComposing, ctrlKey, altKey, metaKey } = event;
      const command = shortcuts.press({
        key,
        isComposing,
        ctrlKey,
        altKey,
        metaKey,
        typing: takesLetters(event.target),
        at: event.timeStamp,
      });
      if (command !== null && onCommand(command)) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

/** Moves the focus to the next or previous row of the screen. */
export function focusRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  if (rows.length === 0) return false;
  const here = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = rows[here === -1 ? (step === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step))];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return true;
}
