import { useState, type ReactNode } from 'react';
import { LinkBase, useLocation } from 'react-admin';
import type { ResourceName } from '../api/resources.ts';
import { useSay } from '../i18n/words.ts';
import { useMay } from '../parts/use-principal.ts';
import { prefer } from './preferences.ts';
import type { PlaceKey } from './shortcuts.ts';
import { usePreferences } from './use-preferences.ts';

interface Place {
  readonly key: PlaceKey;
  /** Opened in this order of preference: the first that the role may see. */
  readonly resources: readonly ResourceName[];
  /** Lines of a 20 × 20 drawing. */
  readonly drawing: string;
}

export const places: readonly Place[] = [
  { key: 'home', resources: [], drawing: 'M4 5h8M4 10h8M4 15h5M14 13l2 2 3-4' },
  { key: 'citizens', resources: ['citizens'], drawing: 'M10 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4 17c0-3 2.7-5 6-5s6 2 6 5' },
  { key: 'cards', resources: ['cards'], drawing: 'M3 5h14v10H3zM3 8.5h14M6 12h3' },
  { key: 'results', resources: ['results'], drawing: 'M6 3h6l3 3v11H6zM12 3v3h3M8.5 10h4M8.5 13h4' },
  { key: 'slips', resources: ['referrals', 'reexaminations'], drawing: 'M4 4h9v12H4zM7 8h3M7 11h3M13 10h4l-2-2m2 2-2 2' },
  { key: 'reconcile', resources: ['discrepancies', 'work', 'runs'], drawing: 'M4 7h12M4 13h12M13 3 7 17' },
  { key: 'imports', resources: ['imports'], drawing: 'M10 3v9m0 0-3-3m3 3 3-3M4 14v3h12v-3' },
  {
    key: 'manage',
    resources: ['units', 'accounts', 'clients', 'queues', 'settings', 'audit'],
    drawing: 'M8 3h4v4H8zM3 13h4v4H3zM13 13h4v4h-4zM10 7v3M5 13v-3h10v3',
  },
];

/** Where a place leads for this role; null = it has nothing there. */
export function usePlaceAddress(): (place: Place) => string | null {
  const may = useMay();
  return ({ key, resources }) => {
    if (key === 'home') return '/';
    const open = resources.find(may);
    return open === undefined ? null : `/${open}`;
  };
}

export function Places(): ReactNode {
  const say = useSay();
  const address = usePlaceAddress();
  const { pathname } = useLocation();
  const { placesFolded } = usePreferences();
  const here = pathname.split('/')[1] ?? '';
  const [more, setMore] = useState(false);
  return (
    <nav className={more ? 'places more' : 'places'} aria-label={say('place.all')}>
      <ul>
        {places.map((place) => {
          const to = address(place);
          if (to === null) return null;
          const current = place.key === 'home' ? here === '' : place.resources.some((resource) => resource === here);
          return (
            <li key={place.key}>
              <LinkBase
                to={to}
                onClick={() => setMore(false)}
                aria-current={current ? 'page' : undefined}
                title={placesFolded ? say(`place.${place.key}`) : undefined}
              >
                <svg viewBox="0 0 20 20" aria-hidden="true">
                  <path d={place.drawing} />
                </svg>
                <span>{say(`place.${place.key}`)}</span>
              </LinkBase>
            </li>
          );
        })}
        <li className="more-places">
          <button type="button" aria-expanded={more} onClick={() => setMore(!more)}>
            <svg viewBox="0 0 20 20" aria-hidden="true">
              <path d="M4 10h.01M10 10h.01M16 10h.01" />
            </svg>
            <span>{say('place.more')}</span>
          </button>
        </li>
      </ul>
      <button
        type="button"
        className="fold"
        aria-expanded={!placesFolded}
        aria-label={say(placesFolded ? 'place.unfold' : 'place.fold')}
        onClick={() => prefer({ placesFolded: !placesFolded })}
      >
        <span aria-hidden="true">{placesFolded ? '»' : '«'}</span>
      </button>
    </nav>
  );
}
