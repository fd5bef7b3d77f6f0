import Button from '@mui/material/Button';
import type { ReactNode } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import { useSay } from '../i18n/words.ts';

/** What could not be done, in the hub's own words: what, why, what to do; never a toast. */
export function Refusal({ error, again }: { readonly error: unknown; readonly again?: (() => void) | undefined }): ReactNode {
  const say = useSay();
  const known = error instanceof GraphRefusal ? error : null;
  const traceId = known?.traceId ?? null;
  const text =
    known === null || known.message === ''
      ? say(known?.code === 'NOT_FOUND' ? 'error.NOT_FOUND' : 'error.network')
      : known.message;
  return (
    <div className="refusal" role="alert">
      <p>
        <strong>{say('error.title')}.</strong> {text}
      </p>
      {traceId === null ? null : <p className="small">{say('error.trace', { id: traceId })}</p>}
      {again === undefined ? null : (
        <Button size="small" variant="outlined" onClick={again}>
          {say('list.again')}
        </Button>
      )}
    </div>
  );
}
