/*
 * Sessions of the admin, as the web edge asks for them. Organisation keeps them in PostgreSQL, so they outlive every restart and
 * are the same for every copy of the edge. The edge holds the cookie; over here goes only its SHA-256.
 */

export interface LiveSession {
  readonly accountId: string;
  /** Access token of the account, as a log-in would give it; for the edge alone, no browser ever sees it. */
  readonly token: string;
  /** When it ends if it is not used any more. */
  readonly expiresAt: Date;
}

/** A session as its owner sees it. */
export interface ListedSession {
  readonly id: string;
  readonly agent: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  /** The one that asks. */
  readonly current: boolean;
}

export interface SessionSource {
  /** `null`: the account has ended meanwhile. `agent` is a family of browsers, `Firefox`. */
  open(key: string, accountId: string, agent: string): Promise<LiveSession | null>;
  /** The same for whom an outside provider has named by the log-in of his account; `null` also where there is no such account. */
  openByLogin(key: string, login: string, agent: string): Promise<LiveSession | null>;
  /** `null`: never was, logged out, idle too long, or its account was disabled or logged out everywhere since. */
  find(key: string): Promise<LiveSession | null>;
  /** Sessions of the same account; empty for a dead one. */
  list(key: string): Promise<readonly ListedSession[]>;
  /**
   * `everywhere`: every session and every token of the account. What was being typed ends with it, unless the same account (`next`) has
   * just logged in again at the same seat.
   */
  end(key: string, everywhere: boolean, next?: string): Promise<void>;
}

/** A session that nobody uses ends after this long; one that is used, after the longer time. Seconds. */
export const sessionTimes = { idle: 1_800, absolute: 43_200 } as const;

/** Client id of the admin at the OpenID provider. */
export const adminClient = 'admin';
/** Where the provider sends the browser back to. */
export const callbackPath = '/auth/callback';
/** Where a log-in by an outside provider begins, and comes back to. */
export const outsidePaths = { begin: '/auth/outside', callback: '/auth/outside/callback' } as const;

interface CookieNames {
  readonly session: string;
  /** The log-in under way: at most ten minutes. */
  readonly underWay: string;
  /** The same, of a log-in by an outside provider. */
  readonly outside: string;
  /** The provider's own, on its path. */
  readonly provider: { readonly session: string; readonly interaction: string; readonly resume: string };
  readonly secure: boolean;
}

/**
 * Names of cookies at a public address. Cookies do not know ports: on plain HTTP (a demonstration on 127.0.0.1) the port stands in
 * the name, so that two hubs on one machine do not log each other out; over TLS the prefixes bind a cookie to this host.
 */
export function cookieNames(publicAddress: string): CookieNames {
  const { protocol, port } = new URL(publicAddress);
  const secure = protocol === 'https:';
  const own = (name: string): string => (secure ? `__Host-${name}` : `${name}-${port === '' ? '80' : port}`);
  const providers = (name: string): string => (secure ? `__Secure-${name}` : own(name));
  return {
    session: own('hub'),
    underWay: own('hub-login'),
    outside: own('hub-outside'),
    provider: { session: providers('oidc'), interaction: providers('oidc-login'), resume: providers('oidc-resume') },
    secure,
  };
}
