import type { AuthProvider } from 'react-admin';
import { documents } from './documents.ts';
import { askGraph, GraphRefusal } from './graph.ts';
import type { Principal } from './records.ts';
import { rightOf } from './resources.ts';

/*
 * Who sits here. The hub's web edge holds the session and knows the person; the browser holds one cookie that scripts cannot read.
 * Log-in is a page of the hub: it is gone to, not drawn here, and it returns to where one was.
 */

const returnPlace = 'lien-thong.return';

let principal: Promise<Principal> | null = null;
let left = false;

/** The page says whether its request had a session cookie; without one nobody needs to be asked. */
function mayHaveSession(): boolean {
  return document.getElementById('root')?.dataset.cookie !== 'none';
}

async function readPrincipal(): Promise<Principal> {
  if (!mayHaveSession()) throw new GraphRefusal('', 401, 'UNAUTHENTICATED', null);
  const session = await fetch('/auth/session', { credentials: 'same-origin', cache: 'no-store' });
  if (!session.ok) throw new GraphRefusal('', session.status, 'UNAUTHENTICATED', null);
  const { data } = await askGraph<{ me: Principal | null }>(documents.Me, {});
  if (data.me === null) throw new GraphRefusal('', 401, 'UNAUTHENTICATED', null);
  return data.me;
}

/** The person of this session, asked once; a refusal is asked again the next time. */
export function whoIsHere(): Promise<Principal> {
  principal ??= readPrincipal().catch((error: unknown) => {
    principal = null;
    throw error;
  });
  return principal;
}

/** Goes to the hub's log-in page. The address here holds ids and choices only, so it may wait in the tab until one is back. */
function goToLogIn(): void {
  if (left) return;
  left = true;
  sessionStorage.setItem(returnPlace, location.hash);
  location.assign('/auth/login');
}

/** After log-in the hub opens the first page; this leads back to where the session ended. */
export function returnToWhereOneWas(): void {
  const hash = sessionStorage.getItem(returnPlace);
  sessionStorage.removeItem(returnPlace);
  if (hash !== null && location.hash === '' && hash !== '') history.replaceState(null, '', hash);
}

export const authProvider: AuthProvider = {
  login: () => {
    goToLogIn();
    return Promise.resolve();
  },
  async logout() {
    const here = principal !== null;
    principal = null;
    if (here && !left) {
      await fetch('/auth/logout', { method: 'POST', credentials: 'same-origin' }).catch(() => undefined);
      left = true;
      location.assign('/auth/login');
    } else goToLogIn();
    return false;
  },
  async checkAuth() {
    await whoIsHere();
  },
  checkError(error: unknown) {
    if (error instanceof GraphRefusal && error.code === 'UNAUTHENTICATED') {
      principal = null;
      return Promise.reject(error);
    }
    return Promise.resolve();
  },
  async getIdentity() {
    const { id, name } = await whoIsHere();
    return { id, fullName: name };
  },
  async getPermissions() {
    return (await whoIsHere()).permissions;
  },
  /** No rule means no. */
  async canAccess({ resource, action }) {
    const right = (rightOf as Readonly<Record<string, string>>)[resource];
    if (right === undefined || (action !== 'list' && action !== 'show')) return false;
    return (await whoIsHere()).permissions.includes(right);
  },
};
