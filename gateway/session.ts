import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { TrustedIssuer } from '#kernel/auth/authenticate.ts';
import type { DraftSource } from '#kernel/auth/drafts.ts';
import { oauthPaths } from '#kernel/auth/organisation-hop.ts';
import type { Authenticator } from '#kernel/auth/principal.ts';
import type { RateLimiter } from '#kernel/auth/rate.ts';
import {
  adminClient,
  callbackPath,
  cookieNames,
  outsidePaths,
  sessionTimes,
  type LiveSession,
  type SessionSource,
} from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { renderPage, type PlainPage } from '#kernel/plain-page.ts';
import { countingLogIns, type DoorLimits } from './door-limits.ts';
import { draftRoutes } from './drafts.ts';
import { awayPage, expiredPage, refusedPage, unknownPage, type WaysIn } from './log-in-pages.ts';
import { newUnderWay, type OutsideLogIn } from './outside-log-in.ts';

/*
 * The admin's session at the web edge. The browser holds one cookie that no script reads and no other site sends; the access token
 * stays here. Log-in is code and PKCE against the OpenID provider behind this same edge, and the code is exchanged here.
 *
 * A session that ended is dead at this edge at once, at another copy after {@link heldFor}; its account's rights as for any token.
 */

interface WebSessionDeps {
  readonly sessions: SessionSource;
  readonly drafts: DraftSource;
  /** Of the account, for what it keeps here. */
  readonly limiter: RateLimiter;
  readonly limits: DoorLimits;
  /** Turns the session's token into a principal, as for everyone else. */
  readonly authenticator: Authenticator;
  /** Log-in by a provider outside; `null`: there is none. */
  readonly outside?: OutsideLogIn | null;
  /** Whether people may log in by password at all; if not, there is an outside provider. */
  readonly byPassword?: boolean;
  /** Our own issuer: its tokens open sessions. */
  readonly issuer: TrustedIssuer;
  /** The address under which browsers know the hub; it is the issuer's too. */
  readonly publicAddress: string;
  /** Origins whose pages may use the session. */
  readonly origins: () => readonly string[];
  readonly clock: Clock;
}

export interface WebSession {
  /** `/auth/*`. */
  readonly routes: FastifyPluginCallback;
  /** The bearer token behind the cookie of a request that a page of ours sent; `undefined` for every other. */
  authorizationOf(request: FastifyRequest): Promise<string | undefined>;
}

/** How long a session is taken for alive without asking again; a log-out elsewhere works after that. Milliseconds. */
const heldFor = 15_000;
const heldSessions = 10_000;
const missesHeld = 1_000;
/** Seconds that a log-in may take. */
const logInLife = 600;
/** Three times 256 bits: state, verifier and nonce of the log-in under way. */
const underWayForm = /^([\w-]{43})\.([\w-]{43})\.([\w-]{43})$/;
const secretForm = /^[\w-]{43}$/;

interface Held {
  readonly live: LiveSession;
  readonly until: number;
}

export function openWebSession(deps: WebSessionDeps): WebSession {
  const names = cookieNames(deps.publicAddress);
  const { host } = new URL(deps.publicAddress);
  const outside = deps.outside ?? null;
  const open: WaysIn = { byPassword: deps.byPassword ?? true, outside: outside?.name ?? null };
  const held = new LRUCache<string, Held>({ max: heldSessions });
  /** Cookies that opened nothing; apart, so that made-up ones push no living session out. */
  const missed = new LRUCache<string, number>({ max: missesHeld });
  /** Sessions that were seen alive here: they are looked up however many made-up cookies come from the same network. */
  const known = new LRUCache<string, true>({ max: heldSessions });
  /** How many sessions ended here: what a look-up found before an end is not kept after it. */
  let ended = 0;

  function set(reply: FastifyReply, name: string, value: string, site: 'Strict' | 'Lax', maxAge: number, path = '/'): void {
    const parts = [`${name}=${value}`, `Path=${path}`, `Max-Age=${String(maxAge)}`, 'HttpOnly', `SameSite=${site}`];
    if (names.secure) parts.push('Secure');
    reply.header('set-cookie', parts.join('; '));
  }

  /** The provider knows the browser no longer: the next log-in asks for the password, whoever sits there. */
  function forgetAtProvider(reply: FastifyReply): void {
    for (const name of Object.values(names.provider)) set(reply, name, '', 'Lax', 0, '/oauth');
  }

  async function find(key: string, request: FastifyRequest): Promise<LiveSession | null> {
    const now = deps.clock.now().getTime();
    const holding = held.get(key);
    if (holding !== undefined && now < holding.until) return holding.live;
    if (now < (missed.get(key) ?? 0)) return null;
    const seconds = known.has(key) ? 0 : deps.limits.wait('sessions', request);
    if (seconds > 0) throw refusal('RATE_EXCEEDED', { retryAfter: seconds });
    const before = ended;
    const live = await deps.sessions.find(key);
    if (live === null) {
      deps.limits.count('sessions', request);
      known.delete(key);
      missed.set(key, now + heldFor);
    } else if (before === ended) {
      known.set(key, true);
      held.set(key, { live, until: now + heldFor });
    }
    return live;
  }

  function keyOf(request: FastifyRequest): string | null {
    const secret = cookieOf(request, names.session);
    return secret !== null && secretForm.test(secret) ? keyFor(secret) : null;
  }

  async function sessionOf(request: FastifyRequest): Promise<LiveSession | null> {
    const key = keyOf(request);
    return key === null ? null : await find(key, request);
  }

  /** A page of ours says so itself: without an Origin the cookie counts for nothing where something is done. */
  function isOurs({ headers }: FastifyRequest): boolean {
    return headers.origin !== undefined && deps.origins().includes(headers.origin);
  }

  function beginLogIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // Under another name of this machine the cookies would not come back.
    if (request.headers.host?.toLowerCase() !== host) return reply.redirect(`${deps.publicAddress}/auth/login`, 303);
    if (!open.byPassword) return reply.redirect(outsidePaths.begin, 303);
    const { state, verifier, nonce } = newUnderWay();
    set(reply, names.underWay, `${state}.${verifier}.${nonce}`, 'Lax', logInLife);
    forgetAtProvider(reply);
    const query = new URLSearchParams({
      client_id: adminClient,
      response_type: 'code',
      redirect_uri: `${deps.publicAddress}${callbackPath}`,
      scope: 'openid',
      prompt: 'login',
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    return reply.redirect(`${oauthPaths.authorization}?${query.toString()}`, 303);
  }

  /** The account that the provider says has logged in; `null`: the code is not, or no longer, good. */
  async function exchange(
    app: FastifyInstance,
    request: FastifyRequest,
    code: string,
    verifier: string,
    nonce: string,
  ): Promise<string | null> {
    // The provider stands behind this same edge, in this process or across the hop: no address to be wrong about.
    const answer = await app.inject({
      method: 'POST',
      url: oauthPaths.token,
      remoteAddress: request.ip,
      headers: { host, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      payload: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: adminClient,
        redirect_uri: `${deps.publicAddress}${callbackPath}`,
        code,
        code_verifier: verifier,
      }).toString(),
    });
    if (answer.statusCode !== 200) return null;
    const { id_token: idToken } = answer.json<{ id_token?: unknown }>();
    if (typeof idToken !== 'string') return null;
    try {
      const { payload } = await jwtVerify(idToken, (header) => deps.issuer.keys({ ...header, alg: header.alg }), {
        issuer: deps.issuer.issuer,
        audience: adminClient,
        algorithms: [...deps.issuer.algorithms],
        clockTolerance: 30,
      });
      return payload.nonce === nonce && payload.sub !== undefined ? payload.sub : null;
    } catch {
      return null; // not signed by our provider for this log-in
    }
  }

  async function finishLogIn(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { code, state } = request.query as Readonly<Record<string, unknown>>;
    const underWay = underWayForm.exec(cookieOf(request, names.underWay) ?? '');
    set(reply, names.underWay, '', 'Lax', 0);
    forgetAtProvider(reply);
    const [, expected = '', verifier = '', nonce = ''] = underWay ?? [];
    if (underWay === null || typeof code !== 'string' || typeof state !== 'string' || !equal(state, expected))
      return page(reply, 400, expiredPage(open));
    const accountId = await exchange(app, request, code, verifier, nonce);
    if (accountId === null) return page(reply, 400, expiredPage(open));
    const entered = await enter(request, reply, (key, agent) => deps.sessions.open(key, accountId, agent));
    return entered ? reply.redirect('/', 303) : page(reply, 400, expiredPage(open));
  }

  /** Opens a session at this seat; false: there is none to open. */
  async function enter(
    request: FastifyRequest,
    reply: FastifyReply,
    opened: (key: string, agent: string) => Promise<LiveSession | null>,
  ): Promise<boolean> {
    const secret = random();
    const live = await opened(keyFor(secret), agentFamily(request.headers['user-agent']));
    if (live === null) return false;
    known.set(keyFor(secret), true);
    const before = keyOf(request);
    if (before !== null) await end(before, false, { next: live.accountId });
    set(reply, names.session, secret, 'Strict', sessionTimes.absolute);
    return true;
  }

  async function beginOutside(by: OutsideLogIn, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (request.headers.host?.toLowerCase() !== host) return reply.redirect(`${deps.publicAddress}${outsidePaths.begin}`, 303);
    const underWay = newUnderWay();
    const address = await by.begin(underWay);
    if (address === null) return page(reply, 503, awayPage(by.name, open));
    set(reply, names.outside, `${underWay.state}.${underWay.verifier}.${underWay.nonce}`, 'Lax', logInLife);
    return reply.redirect(address, 303);
  }

  async function finishOutside(by: OutsideLogIn, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { code, state, iss } = request.query as Readonly<Record<string, unknown>>;
    const [whole, expected = '', verifier = '', nonce = ''] = underWayForm.exec(cookieOf(request, names.outside) ?? '') ?? [];
    set(reply, names.outside, '', 'Lax', 0);
    if (whole === undefined || typeof state !== 'string' || !equal(state, expected)) return page(reply, 400, expiredPage(open));
    if (typeof code !== 'string') return page(reply, 400, refusedPage(by.name, open));
    const answer = await by.finish(code, typeof iss === 'string' ? iss : null, { state, verifier, nonce });
    switch (answer.is) {
      case 'away':
        return page(reply, 503, awayPage(by.name, open));
      case 'refused':
        return page(reply, 400, refusedPage(by.name, open));
      case 'named': {
        const entered = await enter(request, reply, (key, agent) => deps.sessions.openByLogin(key, answer.login, agent));
        return entered ? reply.redirect('/', 303) : page(reply, 403, unknownPage(by.name, answer.login, open));
      }
    }
  }

  async function end(
    key: string,
    everywhere: boolean,
    { accountId, next }: { readonly accountId?: string | undefined; readonly next?: string } = {},
  ): Promise<void> {
    await deps.sessions.end(key, everywhere, next);
    ended += 1;
    held.delete(key);
    known.delete(key);
    missed.set(key, deps.clock.now().getTime() + heldFor);
    if (!everywhere || accountId === undefined) return;
    for (const [other, { live }] of held.entries()) if (live.accountId === accountId) held.delete(other);
  }

  const routes: FastifyPluginCallback = (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1_024 }, (_request, body, parsed) => {
      parsed(null, body);
    });
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
    });
    app.get('/auth/login', beginLogIn);
    app.get(callbackPath, (request, reply) => finishLogIn(app, request, reply));
    if (outside !== null) {
      app.get(outsidePaths.begin, (request, reply) => beginOutside(outside, request, reply));
      app.get(outsidePaths.callback, (request, reply) => finishOutside(outside, request, reply));
    }
    app.get('/auth/session', async (request, reply) => {
      const live = await sessionOf(request);
      const principal = live === null ? null : await deps.authenticator.authenticate(`Bearer ${live.token}`);
      if (live === null || principal === null) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      const { id, name, role, kind, unitNo, permissions } = principal;
      return await reply.send({ id, name, role, kind, orgUnit: { id: unitId(unitNo) }, permissions, expiresAt: live.expiresAt });
    });
    app.get('/auth/sessions', async (request, reply) => {
      const key = keyOf(request);
      const sessions = key === null ? [] : await deps.sessions.list(key);
      if (sessions.length === 0) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      return await reply.send({ sessions });
    });
    for (const [url, everywhere] of [
      ['/auth/logout', false],
      ['/auth/logout/everywhere', true],
    ] as const) {
      app.post(url, async (request, reply) => {
        if (!isOurs(request)) return await reply.code(403).send({ code: 'FORBIDDEN' });
        const key = keyOf(request);
        if (key !== null) {
          const live = everywhere ? await find(key, request) : null;
          await end(key, everywhere, { accountId: live?.accountId });
        }
        set(reply, names.session, '', 'Strict', 0);
        forgetAtProvider(reply);
        return await reply.code(204).send();
      });
    }
    void app.register(
      draftRoutes({
        drafts: deps.drafts,
        isOurs,
        keyOf,
        async allows(request, points) {
          const live = await sessionOf(request);
          const principal = live === null ? null : await deps.authenticator.authenticate(`Bearer ${live.token}`);
          return principal === null ? null : await deps.limiter.take(principal, points);
        },
      }),
    );
    done();
  };

  return {
    routes: countingLogIns(routes, deps.limits),
    async authorizationOf(request) {
      if (!isOurs(request)) return undefined;
      const live = await sessionOf(request);
      return live === null ? undefined : `Bearer ${live.token}`;
    },
  };
}

function page(reply: FastifyReply, status: number, plain: PlainPage): FastifyReply {
  const { html, headers } = renderPage(plain);
  return reply.code(status).headers(headers).send(html);
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

function keyFor(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function equal(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The value of the one cookie of that name; two of them are as good as none. */
function cookieOf({ headers }: FastifyRequest, name: string): string | null {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return values.length === 1 ? (values[0]?.slice(name.length + 1) ?? null) : null;
}

/** Enough to know one's own sessions in a list, too little to follow anybody. */
function agentFamily(agent: string | undefined): string {
  const families = [
    ['Edg/', 'Edge'],
    ['coc_coc_browser/', 'Cốc Cốc'],
    ['OPR/', 'Opera'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ] as const;
  return families.find(([sign]) => agent?.includes(sign) === true)?.[1] ?? '';
}
