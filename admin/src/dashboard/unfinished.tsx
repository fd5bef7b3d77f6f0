import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { rightOf, type ResourceName } from '../api/resources.ts';
import { drafts, useDraftPlaces, useFreshDrafts } from '../forms/use-drafts.ts';
import { instant } from '../format.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';

const acts = { create: '/create', update: '', withdraw: '?act=withdraw' } as const;

/** Kind of record, act and address of a form; null for a place of no form that there is. */
function formAt(place: string): { readonly resource: ResourceName; readonly act: keyof typeof acts; readonly to: string } | null {
  const [resource = '', id = '', act = ''] = place.split('/');
  if (!(resource in rightOf) || !(act in acts)) return null;
  const known = act as keyof typeof acts;
  return {
    resource: resource as ResourceName,
    act: known,
    to: `/${resource}${known === 'create' ? '' : `/${id}`}${acts[known]}`,
  };
}

/** Forms that were left with something typed, here or at another desk; nothing where there are none. */
export function Unfinished(): ReactNode {
  const say = useSay();
  useFreshDrafts();
  const waiting = useDraftPlaces().flatMap((place) => {
    const form = formAt(place);
    return form === null ? [] : [{ place, ...form, at: drafts.at(place)?.at ?? 0 }];
  });
  if (waiting.length === 0) return null;
  return (
    <section className="block unfinished">
      <h2>{say('form.draft.title')}</h2>
      <ul>
        {waiting.map(({ place, resource, act, to, at }) => (
          <li key={place}>
            <LinkBase to={to}>
              {say(`title.${resource}` as MessageKey)} · {say(`form.draft.${act}`)}
            </LinkBase>{' '}
            <span className="quiet figures">{instant(new Date(at).toISOString())}</span>
          </li>
        ))}
      </ul>
      <p className="small">{say('form.draft.until')}</p>
    </section>
  );
}
