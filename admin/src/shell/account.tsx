import Button from '@mui/material/Button';
import Popover from '@mui/material/Popover';
import { useId, useState, type ReactNode } from 'react';
import { useLocaleState, useLogout } from 'react-admin';
import { useSay } from '../i18n/words.ts';
import { usePrincipal } from '../parts/use-principal.ts';
import { prefer, type LookChoice } from './preferences.ts';
import { usePreferences } from './use-preferences.ts';

const looks: readonly LookChoice[] = ['light', 'dark', 'system'];
const languages = ['vi', 'en'] as const;

export function Account({ onHelp }: { readonly onHelp: () => void }): ReactNode {
  const say = useSay();
  const logOut = useLogout();
  const principal = usePrincipal();
  const { look } = usePreferences();
  const [locale, setLocale] = useLocaleState();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const name = useId();
  return (
    <>
      <button
        type="button"
        className="account"
        aria-haspopup="dialog"
        aria-label={say('account.open')}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path d="M10 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4 17c0-3 2.7-5 6-5s6 2 6 5" />
        </svg>
      </button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'right' }}
        transformOrigin={{ vertical: 'top', horizontal: 'right' }}
        slotProps={{ paper: { role: 'dialog', 'aria-label': say('account.open') } as object }}
      >
        <div className="panel">
          <p>
            <strong>{principal?.name}</strong>
          </p>
          <fieldset className="choices">
            <legend>{say('account.look')}</legend>
            {looks.map((choice) => (
              <label key={choice}>
                <input type="radio" name={`${name}look`} checked={look === choice} onChange={() => prefer({ look: choice })} />
                {say(`account.${choice}`)}
              </label>
            ))}
          </fieldset>
          <fieldset className="choices">
            <legend>{say('account.language')}</legend>
            {languages.map((choice) => (
              <label key={choice} lang={choice}>
                <input type="radio" name={`${name}language`} checked={locale === choice} onChange={() => setLocale(choice)} />
                {say(`account.${choice}`)}
              </label>
            ))}
          </fieldset>
          <p>
            <a href="/auth/login">{say('accounts.ownSecurity')}</a>
          </p>
          <div className="acts">
            <Button
              size="small"
              onClick={() => {
                setAnchor(null);
                onHelp();
              }}
            >
              {say('account.help')}
            </Button>
            <Button size="small" variant="outlined" onClick={() => void logOut()}>
              {say('account.logOut')}
            </Button>
          </div>
        </div>
      </Popover>
    </>
  );
}
