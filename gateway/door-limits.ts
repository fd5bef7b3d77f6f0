import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { networkOf } from '#kernel/auth/network.ts';
import { oauthPaths } from '#kernel/auth/organisation-hop.ts';
import { callbackPath, outsidePaths } from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import { inBoth, renderPage } from '#kernel/plain-page.ts';

/*
 * What nobody has to be logged in for and yet costs a look-up or a row: cookies that open no session, and log-ins that are begun. Both are
 * counted per network and minute; secrets that are guessed at the log-in itself are counted where they are compared.
 *
 * Many people may stand behind one address. So a window never closes on who is known: a session that was seen alive here is looked up
 * whatever its neighbours do. A proxy that nobody named in the settings (its X-Forwarded-For is not believed) gets the room of many.
 */

const windowLength = 60_000;
const windowsKept = 10_000;
/** Per network and minute: cookies that open nothing, and steps of log-ins (two or three each). */
const perNetwork = { sessions: 120, 'log-ins': 360 } as const;
/** So many networks may stand behind a proxy that is not named. */
const behindUnnamedProxy = 20;

type What = keyof typeof perNetwork;

interface Window {
  count: number;
  readonly endsAt: number;
}

export class DoorLimits {
  readonly #clock: Clock;
  readonly #refused: (what: What) => void;
  readonly #windows = new LRUCache<string, Window>({ max: windowsKept });

  /** `refused` is told of each request that is turned away, for metrics. */
  constructor(clock: Clock, refused: (what: What) => void = () => undefined) {
    this.#clock = clock;
    this.#refused = refused;
  }

  /** Seconds until the network of this request may ask again; 0: now. */
  wait(what: What, request: FastifyRequest): number {
    const window = this.#windows.get(keyOf(what, request));
    const now = this.#clock.now().getTime();
    if (window === undefined || window.endsAt <= now || window.count < limitOf(what, request)) return 0;
    this.#refused(what);
    return Math.max(1, Math.ceil((window.endsAt - now) / 1_000));
  }

  count(what: What, request: FastifyRequest): void {
    const key = keyOf(what, request);
    const now = this.#clock.now().getTime();
    const window = this.#windows.get(key);
    if (window !== undefined && window.endsAt > now) window.count += 1;
    else this.#windows.set(key, { count: 1, endsAt: now + windowLength });
  }
}

function keyOf(what: What, { ip }: FastifyRequest): string {
  return `${what} ${networkOf(ip)}`;
}

function limitOf(what: What, { headers, ips }: FastifyRequest): number {
  // Behind a proxy that is believed the address is the caller's own; `ips` then holds both.
  const unnamed = headers['x-forwarded-for'] !== undefined && (ips?.length ?? 0) < 2;
  return perNetwork[what] * (unnamed ? behindUnnamedProxy : 1);
}

/** Steps of a log-in that anybody may take: each leaves a row, asks the database or another provider. */
const steps: ReadonlySet<string> = new Set([oauthPaths.authorization, callbackPath, outsidePaths.begin, outsidePaths.callback]);

/** The routes with their log-ins counted; who began too many is told in words, and when to come again. */
export function countingLogIns(routes: FastifyPluginCallback, limits: DoorLimits): FastifyPluginCallback {
  return (app, _options, done) => {
    app.addHook('onRequest', async (request, reply) => {
      if (!steps.has(request.url.split('?', 1)[0] ?? '')) return;
      const seconds = limits.wait('log-ins', request);
      if (seconds === 0) {
        limits.count('log-ins', request);
        return;
      }
      const { html, headers } = renderPage({
        title: { vi: 'Quá nhiều lượt đăng nhập', en: 'Too many log-ins' },
        body: `<p>${inBoth({
          vi: `Từ mạng này đang có quá nhiều lượt đăng nhập. Hãy đợi ${String(seconds)} giây rồi thử lại; ai đã đăng nhập vẫn làm việc bình thường.`,
          en: `Too many log-ins were begun from this network. Wait ${String(seconds)} seconds and try again; whoever is logged in goes on working.`,
        })}</p>\n<p><a href="/auth/login">${inBoth({ vi: 'Đăng nhập lại', en: 'Log in again' })}</a></p>`,
      });
      await reply.code(429).headers(headers).header('retry-after', String(seconds)).send(html);
    });
    void app.register(routes);
    done();
  };
}
