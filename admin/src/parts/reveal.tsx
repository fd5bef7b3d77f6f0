import Button from '@mui/material/Button';
import Popover from '@mui/material/Popover';
import { useEffect, useState, type ReactNode } from 'react';
import { revealPurposes, type RevealPurpose } from '../api/graph.ts';
import { useSay } from '../i18n/words.ts';
import { Refusal } from './refusal.tsx';

/** Numbers in clear are masked again after so long, milliseconds: the desk may be left. */
const shownFor = 60_000;
const bullet = '•';

export interface Revealed<Data> {
  readonly data: Data | null;
  readonly purpose: RevealPurpose | null;
  readonly error: unknown;
  show(purpose: RevealPurpose): Promise<void>;
  hide(): void;
}

/** What a stated purpose shows in clear; gone after a minute, when hidden, and with the screen. */
export function useRevealed<Data>(ask: (purpose: RevealPurpose) => Promise<Data | null>): Revealed<Data> {
  const [shown, setShown] = useState<{ readonly data: Data; readonly purpose: RevealPurpose } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (shown === null) return undefined;
    const timer = setTimeout(() => setShown(null), shownFor);
    return () => clearTimeout(timer);
  }, [shown]);
  return {
    data: shown?.data ?? null,
    purpose: shown?.purpose ?? null,
    error,
    async show(purpose) {
      setError(null);
      try {
        const data = await ask(purpose);
        if (data !== null) setShown({ data, purpose });
      } catch (failure) {
        setError(failure);
      }
    },
    hide: () => setShown(null),
  };
}

export function isMasked(text: string | null | undefined): boolean {
  return text?.includes(bullet) === true;
}

/** `◉ hiện`: asks why, then shows. Stands once beside the numbers it is for. */
export function RevealButton<Data>({
  revealed,
  masked,
}: {
  readonly revealed: Revealed<Data>;
  readonly masked: boolean;
}): ReactNode {
  const say = useSay();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  if (revealed.purpose !== null) {
    return (
      <span className="revealed">
        <button type="button" className="link" onClick={() => revealed.hide()}>
          <span aria-hidden="true">◎ </span>
          {say('reveal.hide')}
        </button>
        <span className="small">
          {masked ? say('reveal.still') : say('reveal.shown', { purpose: say(`enum.purpose.${revealed.purpose}`) })}
        </span>
      </span>
    );
  }
  if (!masked) return null;
  return (
    <>
      <button type="button" className="link reveal" aria-haspopup="dialog" onClick={(event) => setAnchor(event.currentTarget)}>
        <span aria-hidden="true">◉ </span>
        {say('reveal.show')}
      </button>
      {revealed.error === null ? null : <Refusal error={revealed.error} />}
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'left' }}
        slotProps={{ paper: { role: 'dialog', 'aria-label': say('reveal.title') } as object }}
      >
        <div className="panel narrow">
          <p>
            <strong>{say('reveal.title')}</strong>
          </p>
          <div className="stack">
            {revealPurposes.map((purpose) => (
              <Button
                key={purpose}
                variant="outlined"
                onClick={() => {
                  setAnchor(null);
                  void revealed.show(purpose);
                }}
              >
                {say(`reveal.${purpose}`)}
              </Button>
            ))}
          </div>
          <p className="small">{say('reveal.note')}</p>
        </div>
      </Popover>
    </>
  );
}
