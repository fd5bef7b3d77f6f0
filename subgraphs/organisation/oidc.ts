import { randomBytes } from 'node:crypto';
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { Provider, errors, type Adapter, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import { hubAudience } from '#kernel/auth/authenticate.ts';
import { oauthPaths } from '#kernel/auth/organisation-hop.ts';
import { fingerprint, verifySecret } from '#kernel/auth/secrets.ts';
import { cookieNames } from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import { renderPage, type PlainPage } from '#kernel/plain-page.ts';
import { Attempts } from './attempts.ts';
import type { OrganisationDatabase } from './database.ts';
import { LogIn, type LogInAnswer, type Purpose } from './log-in.ts';
import { askedPage, closedPage, endedPage, logInPage } from './log-in-pages.ts';
import { oidcStore } from './oidc-store.ts';
import type { SecondFactor } from './second-factor.ts';
import { signatureAlgorithm, tokenLifetime, type SigningKeySet, type SigningKeys } from './signing-keys.ts';

/*
 * The OpenID provider of the hub: machines get access tokens by client credentials; people log in by code and PKCE, with a form
 * that works without JavaScript. Nobody is asked to consent: the one client that people use is the hub's own admin.
 *
 * `oidc-provider` speaks the protocol; here stand what is ours: who is a client (organisation.client), how secrets are compared
 * (hashes, in equal time, unknown clients like known ones), how often one may guess, and with which keys tokens are signed. The
 * provider is made anew when the keys change; all its state is in PostgreSQL, so every copy answers for every other.
 */

/** Whatever else the library could do than `oauthPaths` is not mounted. */
const bodyLimit = 56 * 1024;

/** What the provider still does, and what stands beside it. */
export interface WaysIn {
  readonly passwords: boolean;
  /** Tokens for clients. */
  readonly clients: boolean;
  /** What the outside provider for people is called; `null`: there is none. */
  readonly outside: string | null;
}

export interface OAuthDeps {
  readonly database: OrganisationDatabase;
  readonly keys: SigningKeys;
  readonly factor: SecondFactor;
  /** `iss` of every token, and the address others use: `http://127.0.0.1:4000`. */
  readonly issuer: () => string;
  readonly clock: Clock;
  /** Everything, unless given. */
  readonly ways?: WaysIn | undefined;
  /** A fault of ours, told by name only. */
  readonly report: (fault: 'oauth.fault') => void;
}

export interface OAuth {
  /**
   * Routes of the provider. `addressOf` gives the caller's address at the edge; `null` refuses the request (apart, nothing but
   * what the gateway sealed is answered).
   */
  readonly routes: (addressOf: (request: FastifyRequest, body: Buffer) => string | null) => FastifyPluginCallback;
  /** Deletes what has expired; the number of rows. */
  tidy(): Promise<number>;
}

interface Made {
  readonly version: string;
  readonly provider: Provider;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** Ours in the client's metadata: the hashes its secret is compared with. */
const hashesProperty = 'hub_secret_hashes';

export function openOAuth(deps: OAuthDeps): OAuth {
  const { ways = { passwords: true, clients: true, outside: null } } = deps;
  const store = oidcStore(deps.database, deps.issuer);
  const logIn = new LogIn(deps.database, store.adapter('LogInTicket'), deps.factor);
  const attempts = new Attempts(deps.clock);
  const secrets = new SecretCheck(deps.clock);
  let made: Made | null = null;

  async function current(): Promise<Made> {
    const keys = await deps.keys.current();
    const version = `${keys.version} ${deps.issuer()}`;
    if (made?.version !== version) {
      const provider = makeProvider(deps, store.adapter, secrets, logIn, keys);
      made = { version, provider, handle: provider.callback() };
    }
    return made;
  }

  async function answer(request: FastifyRequest, reply: FastifyReply, body: Buffer): Promise<void> {
    const { handle } = await current();
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
    await handle(asSentToIssuer(request.raw, body, deps.issuer()), reply.raw);
  }

  /** The form of one log-in under way: shown, sent, shown again with what was wrong, and at last back to the provider. */
  async function form(
    request: FastifyRequest,
    reply: FastifyReply,
    address: string,
    uid: string,
    sent: Buffer | null,
  ): Promise<FastifyReply> {
    const { provider } = await current();
    const copy = asSentToIssuer(request.raw, nothing, deps.issuer());
    const underWay = await provider.interactionDetails(copy, reply.raw).catch((error: unknown) => {
      if (error instanceof errors.OIDCProviderError) return null;
      throw error;
    });
    if (underWay?.uid !== uid || underWay.prompt.name !== 'login') return await page(reply, 400, endedPage);
    if (sent === null) return await page(reply, 200, logInPage(null, '', 'enter', ways.outside));
    const fields = new URLSearchParams(sent.toString());
    const field = (name: string): string => (fields.get(name) ?? '').slice(0, 1_000);
    const ticket = field('ticket');
    const login = field('login').normalize('NFC').trim().toLowerCase().slice(0, 64);
    const purpose = purposeIn(field('then'));
    const guessed = ticket === '' ? login : await logIn.guessing(ticket, uid);
    const given: { answer: LogInAnswer } = { answer: { is: 'wrong' } };
    const step = async (): Promise<'wrong' | 'other'> => {
      given.answer =
        ticket === '' ? await logIn.check(login, field('password'), purpose, uid) : await logIn.next(ticket, uid, field);
      return isWrong(given.answer) ? 'wrong' : 'other';
    };
    if (guessed === null) await step();
    else {
      const attempt = await attempts.run(`login ${guessed}`, address, step);
      if (!attempt.allowed)
        return await page(
          reply.header('retry-after', String(attempt.retryAfter)),
          429,
          logInPage('locked', login, purpose, ways.outside),
        );
    }
    const { answer: told } = given;
    switch (told.is) {
      case 'wrong':
        return await page(reply, 401, logInPage('wrong', login, purpose, ways.outside));
      case 'ended':
        return await page(reply, 400, endedPage);
      case 'asked':
        return await page(reply, isWrong(told) ? 422 : 200, askedPage(told.asked));
      case 'right': {
        const result = { login: { accountId: told.accountId, amr: [...told.amr], remember: false } };
        const next = await provider.interactionResult(copy, reply.raw, result, { mergeWithLastSubmission: false });
        return await reply.redirect(next, 303);
      }
    }
  }

  const routes: ReturnType<OAuth['routes']> extends infer P
    ? (addressOf: (request: FastifyRequest, body: Buffer) => string | null) => P
    : never = (addressOf) => (app: FastifyInstance, _options, done) => {
    // The body is taken as bytes: the provider parses it itself, and apart the seal covers exactly these.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) => {
      parsed(null, body);
    });
    for (const url of [oauthPaths.keys, ...oauthPaths.discovery, oauthPaths.authorization, `${oauthPaths.authorization}/:uid`]) {
      app.get(url, { exposeHeadRoute: false }, async (request, reply) => {
        if (addressOf(request, nothing) === null) return await refuse(reply);
        if (!ways.passwords && url.startsWith(oauthPaths.authorization)) return await page(reply, 403, closedPage);
        await answer(request, reply, nothing);
        return reply;
      });
    }
    app.get<{ Params: { uid: string } }>(`${oauthPaths.logIn}/:uid`, { exposeHeadRoute: false }, async (request, reply) => {
      const address = addressOf(request, nothing);
      if (address !== null && !ways.passwords) return await page(reply, 403, closedPage);
      return address === null ? await refuse(reply) : await form(request, reply, address, request.params.uid, null);
    });
    app.post<{ Params: { uid: string } }>(`${oauthPaths.logIn}/:uid`, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : nothing;
      const address = addressOf(request, body);
      if (address === null) return await refuse(reply);
      if (!ways.passwords) return await page(reply, 403, closedPage);
      const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '');
      if (!isForm) return await reply.code(415).send({ code: 'UNSUPPORTED' });
      return await form(request, reply, address, request.params.uid, body);
    });
    app.post(oauthPaths.token, async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : nothing;
      const address = addressOf(request, body);
      if (address === null) return await refuse(reply);
      if (!ways.clients) {
        return await reply
          .code(403)
          .header('cache-control', 'no-store')
          .send({ error: 'unauthorized_client', error_description: 'tokens come from another issuer', code: 'FORBIDDEN' });
      }
      const attempt = await attempts.run(clientOf(request.headers.authorization), address, async () => {
        await answer(request, reply, body);
        return reply.raw.statusCode === 401 ? 'wrong' : 'other';
      });
      if (attempt.allowed) return reply;
      return await reply
        .code(429)
        .header('retry-after', String(attempt.retryAfter))
        .header('cache-control', 'no-store')
        .send({ error: 'temporarily_unavailable', error_description: 'too many failed attempts', code: 'RATE' });
    });
    done();
  };

  return { routes, tidy: () => store.tidy() };
}

const nothing = Buffer.alloc(0);

function purposeIn(typed: string): Purpose {
  return typed === 'password' || typed === 'second-factor' ? typed : 'enter';
}

/** Something was typed that is not right; of a password that is merely unfit nothing is learnt, but trying it costs as much. */
function isWrong(answer: LogInAnswer): boolean {
  if (answer.is !== 'asked') return answer.is === 'wrong';
  const { asked } = answer;
  return asked.step === 'password' ? asked.fault !== null : asked.step !== 'drop' && asked.wrong;
}

async function refuse(reply: FastifyReply): Promise<FastifyReply> {
  return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
}

async function page(reply: FastifyReply, status: number, plain: PlainPage): Promise<FastifyReply> {
  const { html, headers } = renderPage(plain);
  return await reply.code(status).headers(headers).send(html);
}

/** Seconds that a log-in may take from the first page to the last. */
const logInLife = 600;
/** Seconds between the provider's answer and the use of its code. */
const codeLife = 60;

function makeProvider(
  deps: OAuthDeps,
  adapter: (model: string) => Adapter,
  secrets: SecretCheck,
  logIn: LogIn,
  keys: SigningKeySet,
): Provider {
  const configuration: Configuration = {
    adapter,
    clientAuthMethods: ['client_secret_basic', 'none'],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: signatureAlgorithm,
    },
    enabledJWA: { idTokenSigningAlgValues: [signatureAlgorithm] },
    extraClientMetadata: { properties: [hashesProperty] },
    jwks: { keys: keys.secret.map((jwk) => ({ ...jwk, kty: jwk.kty ?? '' })) },
    scopes: ['openid'],
    responseTypes: ['code'],
    ttl: {
      ClientCredentials: tokenLifetime,
      AccessToken: tokenLifetime,
      IdToken: tokenLifetime,
      AuthorizationCode: codeLife,
      Interaction: logInLife,
      Session: logInLife,
      Grant: logInLife,
    },
    routes: { authorization: oauthPaths.authorization, token: oauthPaths.token, jwks: oauthPaths.keys },
    pkce: { required: () => true },
    cookies: {
      names: cookieNames(deps.issuer()).provider,
      long: { httpOnly: true, sameSite: 'lax', path: '/oauth' },
      short: { httpOnly: true, sameSite: 'lax', path: '/oauth' },
    },
    interactions: { url: (_context, interaction) => `${oauthPaths.logIn}/${interaction.uid}` },
    async findAccount(_context, accountId) {
      if (!(await logIn.stands(accountId))) return undefined;
      return { accountId, claims: () => ({ sub: accountId }) };
    },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId, accountId: oidc.session?.accountId });
      grant.addOIDCScope('openid');
      grant.addResourceScope(hubAudience, '');
      await grant.save();
      return grant;
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => hubAudience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => {
          if (resource !== hubAudience) throw new errors.InvalidTarget();
          return {
            audience: hubAudience,
            scope: '',
            accessTokenFormat: 'jwt',
            accessTokenTTL: tokenLifetime,
            jwt: { sign: { alg: signatureAlgorithm, kid: keys.signing.kid } },
          };
        },
      },
    },
    renderError: (context, out) => {
      // Errors are for machines, whatever they say they accept; a browser stands only where log-ins go through.
      if (context.path.startsWith(oauthPaths.authorization)) showEnded(context);
      else context.body = out;
    },
  };
  const provider = new Provider(deps.issuer(), configuration);
  provider.proxy = true;
  // No page of another origin has any business here; the library would allow all of them.
  provider.use(async (context, next) => {
    await next();
    for (const name of Object.keys(context.response.headers)) if (name.startsWith('access-control-')) context.remove(name);
  });
  provider.Client.prototype.compareClientSecret = async function (this: InstanceType<Provider['Client']>, secret: string) {
    const hashes = this[hashesProperty];
    return await secrets.matches(this.clientId, Array.isArray(hashes) ? hashes.map(String) : [], secret);
  };
  provider.on('server_error', () => {
    deps.report('oauth.fault');
  });
  return provider;
}

/** What was wrong with the address helps nobody who reads the page: it says how to begin again. */
function showEnded(context: KoaContextWithOIDC): void {
  const { html, headers } = renderPage(endedPage);
  context.set({ ...headers });
  context.body = html;
}

/**
 * The request as if it had been sent to the issuer's own address: the provider builds every address it prints from it, and
 * nothing that a client or a proxy wrote into these headers may end up there.
 */
function asSentToIssuer(request: IncomingMessage, body: Buffer, issuer: string): IncomingMessage {
  const { host, protocol } = new URL(issuer);
  const copy = new IncomingMessage(request.socket);
  copy.method = request.method ?? 'GET';
  copy.url = request.url ?? '/';
  copy.httpVersion = request.httpVersion;
  const kept = Object.entries(request.headers).filter(([name]) => !name.startsWith('x-') && name !== 'forwarded');
  copy.headers = {
    ...Object.fromEntries(kept),
    host,
    'x-forwarded-proto': protocol.slice(0, -1),
    ...(copy.method === 'POST' ? { 'content-length': String(body.length) } : {}),
  };
  if (copy.method === 'POST') delete copy.headers['transfer-encoding'];
  copy.complete = true;
  if (body.length > 0) copy.push(body);
  copy.push(null);
  return copy;
}

/**
 * The client that says who it is by HTTP Basic; '' for whoever does not. Only for counting: nothing is believed here. The name is
 * form-urlencoded (RFC 6749, 2.3.1) and decoded as the provider does, else each spelling of one client would have guesses of its own.
 */
function clientOf(authorization: string | undefined): string {
  const encoded = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return '';
  const [spelled = ''] = Buffer.from(encoded, 'base64').toString().split(':', 1);
  try {
    return decodeURIComponent(spelled.replaceAll('+', '%20')).slice(0, 255);
  } catch {
    return ''; // the provider refuses it as malformed before it looks at any secret
  }
}

/** Right secrets are remembered for a minute, so that a client that asks often does not pay for a slow hash each time. */
class SecretCheck {
  readonly #clock: Clock;
  readonly #right = new LRUCache<string, number>({ max: 1_000 });
  readonly #salt = randomBytes(16).toString('base64url');

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async matches(client: string, hashes: readonly string[], secret: string): Promise<boolean> {
    const key = fingerprint(JSON.stringify([this.#salt, client, hashes, secret]));
    const now = this.#clock.now().getTime();
    const until = this.#right.get(key);
    if (until !== undefined && now < until) return true;
    const right = await verifySecret(hashes, secret);
    if (right) this.#right.set(key, now + 60_000);
    return right;
  }
}
