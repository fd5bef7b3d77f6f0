import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import { useId, type ReactNode } from 'react';
import { useSay } from '../i18n/words.ts';
import { placeKeys } from './shortcuts.ts';

/** All keys at one glance. */
export function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  const say = useSay();
  const title = useId();
  const rows: readonly (readonly [string, string])[] = [
    ['/', say('key.search')],
    ...Object.entries(placeKeys).map(([letter, place]) => [`g ${letter}`, `${say('key.go')}: ${say(`place.${place}`)}`] as const),
    ['j', say('key.next')],
    ['k', say('key.previous')],
    ['Enter', say('key.open')],
    ['1 2 3 4', say('key.decide')],
    ['u', say('key.undo')],
    ['b', say('key.table')],
    ['?', say('key.help')],
    ['Esc', say('key.close')],
  ];
  return (
    <Dialog open onClose={onClose} aria-labelledby={title}>
      <div className="panel">
        <h2 id={title}>{say('key.title')}</h2>
        <dl className="keys">
          {rows.map(([keys, meaning]) => (
            <div key={keys}>
              <dt>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <p className="small">{say('key.note')}</p>
        <div className="acts">
          <Button variant="outlined" onClick={onClose} autoFocus>
            {say('key.close')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
