import type { ReactNode } from 'react';
import { LinkBase, useLocation } from 'react-admin';
import type { ResourceName } from '../api/resources.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';
import { useMay } from './use-principal.ts';

/** The screens of one place; those that the role may not open are not shown. */
export function Tabs({ resources }: { readonly resources: readonly ResourceName[] }): ReactNode {
  const say = useSay();
  const may = useMay();
  const { pathname } = useLocation();
  const open = resources.filter(may);
  if (open.length < 2) return null;
  return (
    <nav className="tabs">
      {open.map((resource) => (
        <LinkBase key={resource} to={`/${resource}`} aria-current={pathname.split('/')[1] === resource ? 'page' : undefined}>
          {say(`tab.${resource}` as MessageKey)}
        </LinkBase>
      ))}
    </nav>
  );
}
