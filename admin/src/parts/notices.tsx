import { useSyncExternalStore, type ReactNode } from 'react';

/* A line that says what was done; it never holds anything that must be read, that stands where it happened. */

interface Notice {
  readonly id: number;
  readonly text: string;
}
/** Milliseconds. */
const shownFor = 6_000;

let notices: readonly Notice[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

export function notice(text: string): void {
  last += 1;
  const id = last;
  set([...notices, { id, text }]);
  setTimeout(() => set(notices.filter((one) => one.id !== id)), shownFor);
}

export function Notices(): ReactNode {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <div className="notices" role="status">
      {shown.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
