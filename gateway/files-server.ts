import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { mostBytes } from '#kernel/csv-table.ts';
import { catalogue, errorCodes, type Reason } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { localeOf } from '#kernel/errors/to-graphql.ts';
import type { FileStore } from '#kernel/files/file-store.ts';
import type { FileRegister } from '#kernel/files/file-register.ts';
import type { Log } from '#kernel/log.ts';
import { newTraceId } from './edge.ts';

/*
 * The files origin: a port of its own, where a signed link and nothing else opens a door. No cookie and no token is read, so no page can use
 * those of a visitor; nothing is ever shown from here: what goes out is handed over as a file.
 */

export interface FilesDeps {
  readonly store: FileStore;
  readonly register: FileRegister;
  /** Whose pages may send files here: the hub's own. */
  readonly origins: () => readonly string[];
  readonly log: Log;
}

const headerTime = 10_000;
/** 20 MiB over a slow line. */
const bodyTime = 120_000;

export function buildFilesServer({ store, register, origins, log }: FilesDeps): FastifyInstance {
  const app = Fastify({
    requestTimeout: bodyTime,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_000 },
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
    if (error instanceof HubError && error.code !== 'INTERNAL') {
      if (error.retryAfter !== null) reply.header('retry-after', String(error.retryAfter));
      return refuse(request, reply, error.reason);
    }
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
    const { link } = request.params;
    if (!(await register.awaits(link))) return await refuse(request, reply.header('connection', 'close'), 'LINK_DEAD');
    if (request.body === undefined) return await refuse(request, reply, 'FILE_EMPTY');
    if (Number(request.headers['content-length'] ?? 0) > mostBytes)
      return await refuse(request, reply.header('connection', 'close'), 'FILE_TOO_LARGE');
    const name = await store.keep(request.body, mostBytes);
    if (name === null) return await refuse(request, reply.header('connection', 'close'), 'FILE_TOO_LARGE');
    let id: string | null = null;
    try {
      id = await register.received(link, name);
    } finally {
      // Without its row the file is nobody's.
      if (id === null) await store.remove(name);
    }
    return id === null ? await refuse(request, reply, 'LINK_DEAD') : await reply.code(201).send({ id });
  });
  app.get<{ Params: { link: string } }>('/files/:link', async (request, reply) => {
    const file = await register.fetch(request.params.link, String(reply.getHeader('x-trace-id')));
    const found = file === null ? null : await store.stream(file.storedAs);
    if (file === null || found === null) return await refuse(request, reply, 'LINK_DEAD');
    if (file.once) found.bytes.once('close', () => void store.remove(file.storedAs).catch(() => undefined));
    return await reply
      .header('content-disposition', `attachment; filename="${file.name}"`)
      .header('content-length', String(found.size))
      .type(file.format === 'CSV' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
      .send(found.bytes);
  });
  return app;
}
