import { createHash, randomBytes } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { publishedKeys } from '#kernel/auth/authenticate.ts';
import type { OutsideLogInSettings } from '#kernel/config.ts';
import type { Clock } from '#kernel/clock.ts';

/*
 * Log-in of people by an OpenID provider outside the hub: code and PKCE, exchanged here. What it says counts for one thing only: the log-in
 * of an account that already stands here, taken from the claim that the settings name. It gives no rights and makes no accounts.
 *
 * Addresses come from its discovery document alone, which must name the issuer of the settings; nothing a browser brings is fetched.
 */

/** What the browser keeps while it is over there. */
interface UnderWay {
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
}

type OutsideAnswer =
  | { readonly is: 'named'; readonly login: string }
  /** The code or what came for it is not good, or names nobody. */
  | { readonly is: 'refused' }
  | { readonly is: 'away' };

export interface OutsideLogIn {
  readonly name: string;
  /** Where the browser goes; `null`: the provider does not answer. */
  begin(underWay: UnderWay): Promise<string | null>;
  finish(code: string, iss: string | null, underWay: UnderWay): Promise<OutsideAnswer>;
}

/** Milliseconds: for one answer, and how long its addresses are taken for good. */
const patience = 5_000;
const knownFor = 30_000;
const longestAnswer = 65_536;
/** An id token is read at once. Seconds. */
const longestLife = 600;
const algorithms = ['EdDSA', 'ES256', 'RS256', 'PS256'];

const discovered = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url({ protocol: /^https?$/ }),
  token_endpoint: z.url({ protocol: /^https?$/ }),
  jwks_uri: z.url({ protocol: /^https?$/ }),
  userinfo_endpoint: z.url({ protocol: /^https?$/ }).optional(),
});
type Discovered = z.infer<typeof discovered>;
const exchanged = z.object({ id_token: z.string().max(longestAnswer), access_token: z.string().optional() });

/** It answered, and not with what was asked for: no reason to say that it is away. */
class Refused extends Error {}

interface Known {
  readonly document: Discovered;
  readonly keys: ReturnType<typeof publishedKeys>;
  readonly until: number;
}

export function openOutsideLogIn(settings: OutsideLogInSettings, returnTo: string, clock: Clock): OutsideLogIn {
  let known: Known | null = null;

  async function discover(): Promise<Known> {
    const now = clock.now().getTime();
    if (known !== null && now < known.until) return known;
    const document = discovered.parse(await json(`${settings.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {}));
    const plain = Object.values(document).filter((value) => value?.startsWith('http:') === true);
    if (document.issuer !== settings.issuer || (settings.issuer.startsWith('https:') && plain.length > 0))
      throw new Refused('another issuer, or an address that anybody may read along');
    // New keys are fetched the moment a token names one: who gets here has brought a good code.
    const keys =
      known?.document.jwks_uri === document.jwks_uri ? known.keys : publishedKeys(new URL(document.jwks_uri), undefined, 0);
    known = { document, keys, until: now + knownFor };
    return known;
  }

  async function claimsFor(code: string, { verifier, nonce }: UnderWay): Promise<JWTPayload> {
    const { document, keys } = await discover();
    const fields = new URLSearchParams({
      grant_type: 'authorization_code',
      redirect_uri: returnTo,
      code,
      code_verifier: verifier,
      ...(settings.secret === null && { client_id: settings.client }),
    });
    const basic = [settings.client, settings.secret ?? ''].map((part) => encodeURIComponent(part)).join(':');
    const answer = exchanged.parse(
      await json(document.token_endpoint, {
        method: 'POST',
        body: fields,
        headers: settings.secret === null ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      }),
    );
    const { payload } = await jwtVerify(answer.id_token, keys, {
      issuer: settings.issuer,
      audience: settings.client,
      algorithms,
      clockTolerance: 30,
      maxTokenAge: longestLife,
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    const forUs = !Array.isArray(payload.aud) || payload.aud.length === 1 || payload.azp === settings.client;
    if (payload.nonce !== nonce || !forUs) throw new Refused('a token of another log-in');
    if (payload[settings.claim] !== undefined || document.userinfo_endpoint === undefined || answer.access_token === undefined)
      return payload;
    const headers = { authorization: `Bearer ${answer.access_token}` };
    const more = z.record(z.string(), z.unknown()).parse(await json(document.userinfo_endpoint, { headers }));
    if (more.sub !== payload.sub) throw new Refused('what is said of somebody else');
    return { ...more, ...payload };
  }

  return {
    name: settings.name,
    async begin({ state, verifier, nonce }) {
      try {
        const { document } = await discover();
        const address = new URL(document.authorization_endpoint);
        const scope = settings.claim === 'sub' ? 'openid' : settings.claim === 'email' ? 'openid email' : 'openid profile';
        const asked = {
          client_id: settings.client,
          response_type: 'code',
          redirect_uri: returnTo,
          scope,
          // Whoever sits here now is asked, not whoever logged in there this morning.
          prompt: 'login',
          state,
          nonce,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
        };
        for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
        return address.href;
      } catch {
        return null;
      }
    },
    async finish(code, iss, underWay) {
      if (iss !== null && iss !== settings.issuer) return { is: 'refused' };
      try {
        const claims = await claimsFor(code, underWay);
        const named = claims[settings.claim];
        if (settings.claim === 'email' && claims.email_verified !== true) return { is: 'refused' };
        const login = typeof named === 'string' ? named.normalize('NFC').trim().toLowerCase() : '';
        return login === '' || login.length > 64 ? { is: 'refused' } : { is: 'named', login };
      } catch (error) {
        return { is: isAway(error) ? 'away' : 'refused' };
      }
    },
  };
}

export function newUnderWay(): UnderWay {
  const random = (): string => randomBytes(32).toString('base64url');
  return { state: random(), verifier: random(), nonce: random() };
}

function isAway(error: unknown): boolean {
  return error instanceof errors.JWKSTimeout || error instanceof Away;
}

class Away extends Error {}

/** One request, no redirect followed. */
async function json(address: string, init: RequestInit): Promise<unknown> {
  const { status, ok, text } = await exchange(address, {
    ...init,
    headers: { accept: 'application/json', ...(init.headers as Readonly<Record<string, string>> | undefined) },
    redirect: 'error',
    signal: AbortSignal.timeout(patience),
  });
  if (status >= 500 || status === 429) throw new Away('the provider has a fault');
  if (!ok || text.length > longestAnswer) throw new Refused('another answer');
  return JSON.parse(text) as unknown;
}

/** Whatever goes wrong below HTTP, the time that ran out too, is one thing: it is away. */
async function exchange(
  address: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly ok: boolean; readonly text: string }> {
  try {
    const answer = await fetch(address, init);
    return { status: answer.status, ok: answer.ok, text: await answer.text() };
  } catch (cause) {
    throw new Away('no answer', { cause });
  }
}
