import type { FastifyPluginCallback } from 'fastify';
import { publishedKeys, type IssuerKeys } from './authenticate.ts';
import { refusal } from '../errors/hub-error.ts';
import type { DraftSource, KeptDraft } from './drafts.ts';
import { readBasis, readPrincipal } from './envelope.ts';
import { hopHeader, type HopSigner } from './hop.ts';
import type { BasisAsked, PrincipalSource } from './principal.ts';
import { purposes } from './purposes.ts';
import type { FetchedFile, FileRegister } from '../files/file-register.ts';
import { securityLog, type SecurityEvent, type SecurityLog } from './security-log.ts';
import { cookieNames, type ListedSession, type LiveSession, type SessionSource } from './sessions.ts';

/*
 * Organisation across the hop: in topology `apart` the gateway asks organisation's process who somebody is, takes the keys of
 * access tokens from it, and passes on what is sent to the OpenID provider. Every such request is sealed; organisation answers
 * nothing else.
 *
 * Principals are not cached here: the authenticator holds them for 30 s, a legal basis is asked for each time.
 */

/** Paths of the OpenID provider, the same at the edge and at organisation's process. */
export const oauthPaths = {
  token: '/oauth/token',
  keys: '/oauth/jwks',
  /** Where a browser's log-in begins; below it, by the id of the log-in, where it goes on after the form. */
  authorization: '/oauth/auth',
  /** The form, by the id of the log-in. */
  logIn: '/oauth/login',
  discovery: ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
} as const;

/** Where organisation's own process tells who somebody is. */
export const principalsPath = '/internal/principals';

export interface HopRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface HopAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Sends to organisation's process; rejects when there is no answer within its time. */
export type HopSend = (request: HopRequest) => Promise<HopAnswer>;

export interface OrganisationOverHop {
  readonly principals: PrincipalSource;
  readonly sessions: SessionSource;
  readonly drafts: DraftSource;
  readonly security: SecurityLog;
  readonly files: FileRegister;
  /** Keys of our own access tokens. */
  readonly keys: IssuerKeys;
  /** `/oauth/*` and `/.well-known/*` at the edge; `addressOf` is the client's address as the edge knows it. */
  readonly routes: (addressOf: (request: { readonly ip: string }) => string) => FastifyPluginCallback;
}

/** `publicAddress`: under it the browser knows the provider's cookies. */
export function organisationOverHop(signer: HopSigner, send: HopSend, publicAddress: string): OrganisationOverHop {
  const ask = questions(signer, send);
  return {
    principals: remotePrincipals(ask),
    sessions: remoteSessions(ask),
    drafts: remoteDrafts(ask),
    security: securityLog(async (events) => {
      await ask({ ask: 'note', events });
    }),
    files: remoteFiles(ask),
    keys: remoteKeys(signer, send),
    routes: forward(signer, send, Object.values(cookieNames(publicAddress).provider)),
  };
}

const passedOn = ['authorization', 'content-type', 'accept'] as const;
const passedBack = [
  'content-type',
  'cache-control',
  'pragma',
  'www-authenticate',
  'retry-after',
  'location',
  'set-cookie',
  'content-security-policy',
  'referrer-policy',
  'x-frame-options',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
] as const;
const bodyLimit = 56 * 1024;
const forwarded = [
  ...[oauthPaths.keys, ...oauthPaths.discovery, oauthPaths.authorization].map((url) => ({ method: 'GET', url }) as const),
  { method: 'GET', url: `${oauthPaths.authorization}/:uid` },
  { method: 'GET', url: `${oauthPaths.logIn}/:uid` },
  { method: 'POST', url: `${oauthPaths.logIn}/:uid` },
  { method: 'POST', url: oauthPaths.token },
] as const;

function forward(signer: HopSigner, send: HopSend, cookies: readonly string[]): OrganisationOverHop['routes'] {
  return (addressOf) => (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, parsed) => {
      parsed(null, body);
    });
    for (const { method, url } of forwarded) {
      app.route({
        method,
        url,
        exposeHeadRoute: false,
        async handler(request, reply) {
          const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
          const seal = signer.seal('organisation', 'oauth', { method, path: request.url, body }, addressOf(request));
          const headers: Record<string, string> = { [hopHeader]: seal };
          for (const name of passedOn) {
            const value = request.headers[name];
            if (value !== undefined) headers[name] = value;
          }
          const cookie = onlyCookies(request.headers.cookie, cookies);
          if (cookie !== '') headers.cookie = cookie;
          const answer = await send({ method, path: request.url, headers, body: method === 'POST' ? body : null }).catch(
            (cause: unknown) => {
              throw refusal('ORGANISATION_AWAY', { retryAfter: 2, cause });
            },
          );
          for (const name of passedBack) {
            const value = answer.headers[name];
            if (value !== undefined) reply.header(name, value);
          }
          return await reply.code(answer.status).send(answer.body);
        },
      });
    }
    done();
  };
}

/** The cookies of these names: the session's own stays at the edge. The provider's signatures of cookies are not used. */
function onlyCookies(header: string | undefined, names: readonly string[]): string {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => names.some((name) => pair.startsWith(`${name}=`))).join('; ');
}

function remoteKeys(signer: HopSigner, send: HopSend): IssuerKeys {
  // The address is never looked up: `send` knows where organisation is.
  return publishedKeys(new URL(`http://organisation${oauthPaths.keys}`), async () => {
    const seal = signer.seal('organisation', 'oauth', { method: 'GET', path: oauthPaths.keys, body: '' }, 'gateway');
    const headers = { accept: 'application/json', [hopHeader]: seal };
    const { status, body } = await send({ method: 'GET', path: oauthPaths.keys, headers, body: null }).catch((cause: unknown) => {
      throw refusal('ORGANISATION_AWAY', { retryAfter: 2, cause });
    });
    if (status !== 200) throw refusal('ORGANISATION_AWAY', { retryAfter: 2 });
    return new Response(new Uint8Array(body), { status });
  });
}

type Question =
  | { readonly ask: 'find'; readonly subject: string; readonly issuedAt: number }
  | { readonly ask: 'basis'; readonly principalId: string; readonly basisId: string; readonly asked: BasisAsked | null }
  | { readonly ask: 'note'; readonly events: readonly SecurityEvent[] }
  | { readonly ask: 'file.awaits'; readonly link: string }
  | { readonly ask: 'file.received'; readonly link: string; readonly storedAs: string }
  | { readonly ask: 'file.fetch'; readonly link: string; readonly traceId: string }
  | { readonly ask: 'session.open'; readonly key: string; readonly accountId: string; readonly agent: string }
  | { readonly ask: 'session.openByLogin'; readonly key: string; readonly login: string; readonly agent: string }
  | { readonly ask: 'session.find' | 'session.list' | 'draft.list'; readonly key: string }
  | { readonly ask: 'draft.keep'; readonly key: string; readonly place: string; readonly draft: string | null }
  | { readonly ask: 'session.end'; readonly key: string; readonly everywhere: boolean; readonly next: string | null };

type Ask = (question: Question) => Promise<unknown>;

function questions(signer: HopSigner, send: HopSend): Ask {
  return async (question) => {
    const body = JSON.stringify(question);
    const seal = signer.seal('organisation', 'principals', { method: 'POST', path: principalsPath, body });
    try {
      const answer = await send({
        method: 'POST',
        path: principalsPath,
        headers: { 'content-type': 'application/json', [hopHeader]: seal },
        body: Buffer.from(body),
      });
      const said: unknown = answer.status === 200 ? JSON.parse(answer.body.toString()) : null;
      if (typeof said !== 'object' || said === null || !('value' in said)) throw new Error('no answer to a question');
      return said.value;
    } catch (cause) {
      throw refusal('ORGANISATION_AWAY', { retryAfter: 2, cause });
    }
  };
}

function remotePrincipals(ask: Ask): PrincipalSource {
  return {
    async find(subject, issuedAt) {
      return readPrincipal(await ask({ ask: 'find', subject, issuedAt: issuedAt.getTime() }));
    },
    async basis(principalId, basisId, asked) {
      return readBasis(await ask({ ask: 'basis', principalId, basisId, asked: asked ?? null }));
    },
  };
}

function remoteSessions(ask: Ask): SessionSource {
  return {
    open: async (key, accountId, agent) => readSession(await ask({ ask: 'session.open', key, accountId, agent })),
    openByLogin: async (key, login, agent) => readSession(await ask({ ask: 'session.openByLogin', key, login, agent })),
    find: async (key) => readSession(await ask({ ask: 'session.find', key })),
    async list(key) {
      const said = await ask({ ask: 'session.list', key });
      return Array.isArray(said) ? said.flatMap(readListed) : [];
    },
    async end(key, everywhere, next) {
      await ask({ ask: 'session.end', key, everywhere, next: next ?? null });
    },
  };
}

function remoteDrafts(ask: Ask): DraftSource {
  return {
    async list(key) {
      const said = await ask({ ask: 'draft.list', key });
      return Array.isArray(said) ? said.flatMap(readDraft) : null;
    },
    keep: async (key, place, draft) => (await ask({ ask: 'draft.keep', key, place, draft })) === true,
  };
}

function readDraft(said: unknown): KeptDraft[] {
  if (typeof said !== 'object' || said === null) return [];
  const { place, draft, savedAt }: Readonly<Record<string, unknown>> = { ...said };
  if (typeof place !== 'string' || typeof draft !== 'string' || typeof savedAt !== 'string') return [];
  return [{ place, draft, savedAt: new Date(savedAt) }];
}

function remoteFiles(ask: Ask): FileRegister {
  return {
    awaits: async (link) => (await ask({ ask: 'file.awaits', link })) === true,
    async received(link, storedAs) {
      const said = await ask({ ask: 'file.received', link, storedAs });
      return typeof said === 'string' ? said : null;
    },
    fetch: async (link, traceId) => readFetched(await ask({ ask: 'file.fetch', link, traceId })),
  };
}

function readFetched(said: unknown): FetchedFile | null {
  if (typeof said !== 'object' || said === null) return null;
  const { storedAs, name, format, once }: Readonly<Record<string, unknown>> = { ...said };
  if (typeof storedAs !== 'string' || typeof name !== 'string') return null;
  return { storedAs, name, format: format === 'JSONL' ? 'JSONL' : 'CSV', once: once === true };
}

function readSession(said: unknown): LiveSession | null {
  if (typeof said !== 'object' || said === null) return null;
  const { accountId, token, expiresAt }: Readonly<Record<string, unknown>> = { ...said };
  if (typeof accountId !== 'string' || typeof token !== 'string' || typeof expiresAt !== 'string') return null;
  return { accountId, token, expiresAt: new Date(expiresAt) };
}

function readListed(said: unknown): ListedSession[] {
  if (typeof said !== 'object' || said === null) return [];
  const { id, agent, createdAt, lastSeenAt, current }: Readonly<Record<string, unknown>> = { ...said };
  if (typeof id !== 'string' || typeof agent !== 'string' || typeof createdAt !== 'string' || typeof lastSeenAt !== 'string')
    return [];
  return [{ id, agent, createdAt: new Date(createdAt), lastSeenAt: new Date(lastSeenAt), current: current === true }];
}

/** What questions are answered from. */
interface OrganisationHere {
  readonly principals: PrincipalSource;
  readonly sessions: SessionSource;
  readonly drafts: DraftSource;
  /** `null`: no place of files is known here. */
  readonly files: FileRegister | null;
  readonly note: (events: readonly SecurityEvent[]) => Promise<void>;
}

/** The other end: answers a body whose seal was opened. `null`: this is no question. */
export async function answerQuestion(
  { principals, sessions, drafts, files, note }: OrganisationHere,
  body: string,
): Promise<string | null> {
  const question = readQuestion(body);
  switch (question?.ask) {
    case undefined:
      return null;
    case 'find':
      return JSON.stringify({ value: await principals.find(question.subject, new Date(question.issuedAt)) });
    case 'basis': {
      const { principalId, basisId, asked } = question;
      return JSON.stringify({ value: await principals.basis(principalId, basisId, asked ?? undefined) });
    }
    case 'note':
      await note(question.events);
      return JSON.stringify({ value: question.events.length });
    case 'file.awaits':
      return JSON.stringify({ value: (await files?.awaits(question.link)) ?? false });
    case 'file.received':
      return JSON.stringify({ value: (await files?.received(question.link, question.storedAs)) ?? null });
    case 'file.fetch':
      return JSON.stringify({ value: (await files?.fetch(question.link, question.traceId)) ?? null });
    case 'session.open':
      return JSON.stringify({ value: await sessions.open(question.key, question.accountId, question.agent) });
    case 'session.openByLogin':
      return JSON.stringify({ value: await sessions.openByLogin(question.key, question.login, question.agent) });
    case 'session.find':
      return JSON.stringify({ value: await sessions.find(question.key) });
    case 'session.list':
      return JSON.stringify({ value: await sessions.list(question.key) });
    case 'draft.list':
      return JSON.stringify({ value: await drafts.list(question.key) });
    case 'draft.keep':
      return JSON.stringify({ value: await drafts.keep(question.key, question.place, question.draft) });
    case 'session.end':
      await sessions.end(question.key, question.everywhere, question.next ?? undefined);
      return JSON.stringify({ value: true });
  }
}

function readQuestion(body: string): Question | null {
  const said = parse(body);
  if (said.ask === 'find' && typeof said.subject === 'string' && typeof said.issuedAt === 'number') {
    return { ask: 'find', subject: said.subject, issuedAt: said.issuedAt };
  }
  if (said.ask === 'basis' && typeof said.principalId === 'string' && typeof said.basisId === 'string') {
    return { ask: 'basis', principalId: said.principalId, basisId: said.basisId, asked: readAsked(said.asked) };
  }
  if (said.ask === 'note' && Array.isArray(said.events)) return { ask: 'note', events: said.events.flatMap(readEvent) };
  const { key, link } = said;
  if (typeof link === 'string') {
    if (said.ask === 'file.awaits') return { ask: said.ask, link };
    if (said.ask === 'file.received' && typeof said.storedAs === 'string')
      return { ask: said.ask, link, storedAs: said.storedAs };
    if (said.ask === 'file.fetch' && typeof said.traceId === 'string') return { ask: said.ask, link, traceId: said.traceId };
  }
  if (typeof key !== 'string') return null;
  if (said.ask === 'session.find' || said.ask === 'session.list' || said.ask === 'draft.list') return { ask: said.ask, key };
  if (said.ask === 'session.end') {
    return { ask: said.ask, key, everywhere: said.everywhere === true, next: typeof said.next === 'string' ? said.next : null };
  }
  if (said.ask === 'draft.keep' && typeof said.place === 'string' && (typeof said.draft === 'string' || said.draft === null)) {
    return { ask: said.ask, key, place: said.place, draft: said.draft };
  }
  if (said.ask === 'session.openByLogin' && typeof said.login === 'string' && typeof said.agent === 'string') {
    return { ask: said.ask, key, login: said.login, agent: said.agent };
  }
  if (said.ask === 'session.open' && typeof said.accountId === 'string' && typeof said.agent === 'string') {
    return { ask: 'session.open', key, accountId: said.accountId, agent: said.agent };
  }
  return null;
}

/** What is no event is left out; the shape was ours when it was sealed. */
function readEvent(value: unknown): SecurityEvent[] {
  if (typeof value !== 'object' || value === null) return [];
  const { kind, principal, traceId, detail }: Readonly<Record<string, unknown>> = { ...value };
  if (typeof kind !== 'string') return [];
  const facts = typeof detail === 'object' && detail !== null ? Object.entries(detail) : [];
  return [
    {
      kind,
      principal: typeof principal === 'string' ? principal : null,
      traceId: typeof traceId === 'string' ? traceId : null,
      detail: Object.fromEntries(
        facts.flatMap(([name, fact]) => (typeof fact === 'string' || typeof fact === 'number' ? [[name, fact]] : [])),
      ),
    },
  ];
}

function readAsked(value: unknown): BasisAsked | null {
  if (typeof value !== 'object' || value === null) return null;
  const { purpose, operation, traceId }: Readonly<Record<string, unknown>> = { ...value };
  const known = purposes.find((one) => one === purpose);
  if (known === undefined || typeof operation !== 'string' || typeof traceId !== 'string') return null;
  return { purpose: known, operation, traceId };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
