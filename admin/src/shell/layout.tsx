import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { useLocation, useNavigate } from 'react-admin';
import { drafts } from '../forms/use-drafts.ts';
import { roleWord, useSay } from '../i18n/words.ts';
import { Notices } from '../parts/notices.tsx';
import { usePrincipal } from '../parts/use-principal.ts';
import { Account } from './account.tsx';
import { LongWork } from './long-work.tsx';
import { Places, places, usePlaceAddress } from './places.tsx';
import { SearchBox } from './search-box.tsx';
import { Guard, Loading } from './states.tsx';
import { usePreferences } from './use-preferences.ts';
import { focusRow, useShortcuts } from './use-shortcuts.ts';

const Help = lazy(async () => ({ default: (await import('./help.tsx')).Help }));

/** The frame round every screen: places, search, who one is, and what runs in the background. */
export function Layout({ children }: { readonly children?: ReactNode }): ReactNode {
  const say = useSay();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const address = usePlaceAddress();
  const { placesFolded } = usePreferences();
  const principal = usePrincipal();
  const search = useRef<HTMLInputElement>(null);
  const [helpOpen, setHelpOpen] = useState(false);

  useEffect(() => {
    const ask = (event: BeforeUnloadEvent): void => {
      if (drafts.atRisk()) event.preventDefault();
    };
    const leave = (): void => drafts.leave();
    addEventListener('beforeunload', ask);
    addEventListener('pagehide', leave);
    return () => {
      removeEventListener('beforeunload', ask);
      removeEventListener('pagehide', leave);
    };
  }, []);

  useShortcuts((command) => {
    switch (command.do) {
      case 'search':
        search.current?.focus();
        search.current?.select();
        return true;
      case 'help':
        setHelpOpen(true);
        return true;
      case 'go': {
        const place = places.find(({ key }) => key === command.place);
        const to = place === undefined ? null : address(place);
        if (to !== null) navigate(to);
        return true;
      }
      case 'row':
        return focusRow(command.step);
      case 'key':
        return false;
    }
  });

  return (
    <div className={placesFolded ? 'frame folded' : 'frame'}>
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          // The fragment of the address is the router's.
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {say('app.skip')}
      </a>
      <header className="top">
        <p className="brand">{say('app.name')}</p>
        <SearchBox input={search} />
        <p className="who">
          {principal === undefined ? null : (
            <>
              <span className="who-unit">{principal.orgUnit?.name ?? principal.name}</span>
              <span className="who-role">{roleWord(say, principal.role)}</span>
            </>
          )}
        </p>
        <Account onHelp={() => setHelpOpen(true)} />
      </header>
      <Places />
      <main id="content" tabIndex={-1}>
        <Guard key={pathname}>
          <Suspense fallback={<Loading />}>{children}</Suspense>
        </Guard>
      </main>
      <LongWork />
      <Notices />
      {helpOpen ? (
        <Suspense>
          <Help onClose={() => setHelpOpen(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}
