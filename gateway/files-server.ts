import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { Clock } from '#kernel/clock.ts';
import { mostBytes } from '#kernel/csv-table.ts';
import { catalogue, errorCodes, type Reason } from '#kernel/errors/catalogue.ts';
import { localeOf } from '#kernel/errors/to-graphql.ts';
import type { FileStore } from '#kernel/files/file-store.ts';
import type { SignedLinks } from '#kernel/files/signed-links.ts';
import type { Log } from '#kernel/log.ts';
import { newTraceId } from './edge.ts';

/*
 * The files origin: a port of its own, where a signed link and nothing else opens a door. No cookie and no token is read, so no page can use
 * those of a visitor; nothing that came in is ever shown from here.
 */

export interface FilesDeps {
  readonly store: FileStore;
  readonly links: SignedLinks;
  /** Writes down that the bytes of an import are there; false: they are not awaited (any more). */
  readonly receive: (importId: string, storedAs: string) => Promise<boolean>;
  /** Whose pages may send files here: the hub's own. */
  readonly origins: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

const headerTime = 10_000;
/** 20 MiB over a slow line. */
const bodyTime = 120_000;

export function buildFilesServer({ store, links, receive, origins, clock, log }: FilesDeps): FastifyInstance {
  const app = Fastify({
    requestTimeout: bodyTime,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200 },
    http: { maxHeaderSize: 16_384, headersTimeout: headerTime, requestTimeout: bodyTime },
  });
  app.removeAllContentTypeParsers();
  // The bytes go to the disk as they come.
  app.addContentTypeParser('*', (_request, payload, parsed) => {
    parsed(null, payload);
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply, reason: Reason): FastifyReply => {
    const { code, en, vi } = catalogue[reason];
    const message = localeOf(request.headers['accept-language']) === 'vi' ? vi : en;
    return reply.code(errorCodes[code].status).send({ code, reason, message });
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    reply
      .header('x-trace-id', newTraceId())
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "default-src 'none'; sandbox; frame-ancestors 'none'")
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store')
      .header('vary', 'origin');
    if (origin !== undefined && origins().includes(origin)) reply.header('access-control-allow-origin', origin);
    done();
  });
  app.setNotFoundHandler((request, reply) => refuse(request, reply, 'LINK_DEAD'));
  app.setErrorHandler((error, request, reply) => {
    log.error('files.failed', {}, error);
    return refuse(request, reply, 'INTERNAL');
  });
  app.options('/files/:link', (_request, reply) =>
    reply
      .code(204)
      .header('access-control-allow-methods', 'PUT')
      .header('access-control-allow-headers', 'content-type')
      .header('access-control-max-age', '600')
      .send(),
  );
  app.put<{ Params: { link: string }; Body: Readable | undefined }>('/files/:link', async (request, reply) => {
    const link = links.open(request.params.link, clock.now());
    if (link === null) return await refuse(request, reply, 'LINK_DEAD');
    if (request.body === undefined) return await refuse(request, reply, 'FILE_EMPTY');
    if (Number(request.headers['content-length'] ?? 0) > mostBytes)
      return await refuse(request, reply.header('connection', 'close'), 'FILE_TOO_LARGE');
    const name = await store.keep(request.body, mostBytes);
    if (name === null) return await refuse(request, reply.header('connection', 'close'), 'FILE_TOO_LARGE');
    let kept = false;
    try {
      kept = await receive(link.id, name);
    } finally {
      // Without its row the file is nobody's.
      if (!kept) await store.remove(name);
    }
    return kept ? await reply.code(201).send({ id: link.id }) : await refuse(request, reply, 'LINK_DEAD');
  });
  return app;
}
