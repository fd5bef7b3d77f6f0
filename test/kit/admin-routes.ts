import { readFileSync } from 'node:fs';

/*
 * Every address that the admin answers to, read from its own table of screens, so that a screen added there is looked at without being
 * named again.
 */

const kinds = { list: '', create: '/create', edit: '/:id', show: '/:id/show' } as const;

/** `/`, `/cards`, `/cards/create`, `/cards/:id`, `/cards/:id/show` … */
export function adminRoutes(): readonly string[] {
  const table = readFileSync(new URL('../../admin/src/app.tsx', import.meta.url), 'utf8');
  const resources = [...table.matchAll(/<Resource\s+name="(\w+)"([^>]*)>/g)].flatMap(([, name = '', given = '']) =>
    Object.entries(kinds).flatMap(([kind, rest]) => (new RegExp(`\\b${kind}=`).test(given) ? [`/${name}${rest}`] : [])),
  );
  const others = [...table.matchAll(/<Route\s+path="([^"]+)"/g)].map(([, path = '']) => path);
  return ['/', ...resources, ...others];
}

/** Which route an address is of. */
export function routeOf(address: string): string {
  return address.replace(/\?.*$/, '').replace(/\/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|u\d+)(?=\/|$)/, '/:id');
}
