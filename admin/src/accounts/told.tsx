import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';
import { forgetTold, toldOf } from './told-once.ts';

/** What was told once about an account or client, until it is written down. */
export function Told({ id, what }: { readonly id: string; readonly what: MessageKey }): ReactNode {
  const say = useSay();
  const [, setGone] = useState(0);
  const secret = toldOf(id);
  if (secret === null) return null;
  return (
    <div className="block" role="alert">
      <p>
        {say(what)} <strong className="figures">{secret}</strong>
      </p>
      <p className="quiet">{say('accounts.toldOnce')}</p>
      <Button
        size="small"
        variant="outlined"
        onClick={() => {
          forgetTold(id);
          setGone((times) => times + 1);
        }}
      >
        {say('accounts.written')}
      </Button>
    </div>
  );
}
