import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { Provider, type Configuration } from 'oidc-provider';

/** An OpenID provider of somebody else, with keys, clients and people of its own. Nobody there is asked for a password. */
export interface OutsideProvider {
  readonly issuer: string;
  readonly jwksUri: string;
  /** Who sits before it: the subject of the next log-in; `null`: he gives up. */
  person: string | null;
  /** What it says of a subject. */
  readonly claims: Map<string, Readonly<Record<string, unknown>>>;
  /** From now on it signs with another key and publishes no other. */
  rotate(): Promise<void>;
  /** An access token for the hub, as its own clients and people would get it. */
  accessToken(sub: string, more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Follows a browser through a log-in there, until it is sent back to somebody else. */
  visit(address: string): Promise<string>;
  close(): Promise<void>;
}

export async function openOutsideProvider(client: {
  readonly id: string;
  readonly secret: string;
  readonly returnTo: string;
}): Promise<OutsideProvider> {
  const claims: OutsideProvider['claims'] = new Map();
  let jwk: JWK;
  let handle: ReturnType<Provider['callback']>;
  let provider: Provider;
  let made = 0;
  const state: { person: string | null } = { person: null };
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/go/') !== true) return void handle(request, response);
    const result = state.person === null ? { error: 'access_denied' } : { login: { accountId: state.person }, consent: {} };
    void provider.interactionFinished(request, response, result);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

  async function open(): Promise<void> {
    made += 1;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    jwk = { ...(await exportJWK(privateKey)), kid: `outside-${String(made)}`, alg: 'RS256', use: 'sig' };
    const configuration: Configuration = {
      clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [client.returnTo] }],
      jwks: { keys: [{ ...jwk, kty: 'RSA' }] },
      cookies: { keys: ['of a test'] },
      claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_context, interaction) => `/go/${interaction.uid}` },
      findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ ...claims.get(sub), sub }) }),
      async loadExistingGrant({ oidc }) {
        const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId, accountId: oidc.session?.accountId });
        grant.addOIDCScope('openid profile email');
        await grant.save();
        return grant;
      },
    };
    provider = new Provider(issuer, configuration);
    handle = provider.callback();
  }
  await open();

  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    get person() {
      return state.person;
    },
    set person(person) {
      state.person = person;
    },
    claims,
    rotate: open,
    async accessToken(sub, more = {}) {
      return await new SignJWT({ ...more })
        .setProtectedHeader({ alg: 'RS256', kid: jwk.kid ?? '' })
        .setIssuer(issuer)
        .setAudience('urn:hub')
        .setSubject(sub)
        .setIssuedAt()
        .setExpirationTime('50m')
        .sign(await importJWK(jwk, 'RS256'));
    },
    async visit(address) {
      const cookies = new Map<string, string>();
      let next = address;
      while (next.startsWith(issuer)) {
        const answer = await fetch(next, {
          redirect: 'manual',
          headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        for (const line of answer.headers.getSetCookie()) {
          const [pair = ''] = line.split(';');
          cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
        }
        const location = answer.headers.get('location');
        if (location === null) throw new Error(`the provider answers ${String(answer.status)}: ${await answer.text()}`);
        next = new URL(location, next).href;
      }
      return next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
