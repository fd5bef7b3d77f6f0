import Button from '@mui/material/Button';
import Popover from '@mui/material/Popover';
import { useState, type ReactNode } from 'react';
import { useSay } from '../i18n/words.ts';
import { prefer, preferences } from '../shell/preferences.ts';
import { usePreferences } from '../shell/use-preferences.ts';
import type { Column } from './screen.ts';

interface ColumnChoiceProps {
  readonly resource: string;
  readonly columns: readonly Pick<Column<never>, 'key' | 'label' | 'spare'>[];
}

/** Which columns are shown; the first, which says what the row is, always is. */
export function ColumnChoice({ resource, columns }: ColumnChoiceProps): ReactNode {
  const say = useSay();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const switched = usePreferences().columns[resource] ?? {};
  return (
    <>
      <Button size="small" aria-haspopup="dialog" onClick={(event) => setAnchor(event.currentTarget)}>
        {say('list.columns')}
      </Button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'left' }}
        slotProps={{ paper: { role: 'dialog', 'aria-label': say('list.columns') } as object }}
      >
        <fieldset className="panel choices">
          <legend>{say('list.columns')}</legend>
          {columns.slice(1).map(({ key, label, spare }) => (
            <label key={key}>
              <input
                type="checkbox"
                checked={switched[key] ?? spare !== true}
                onChange={(event) =>
                  prefer({ columns: { ...preferences().columns, [resource]: { ...switched, [key]: event.target.checked } } })
                }
              />
              {say(label)}
            </label>
          ))}
        </fieldset>
      </Popover>
    </>
  );
}
