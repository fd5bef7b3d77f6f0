import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readFileSync } from 'node:fs';

/*
 * A page to try the graph by hand, for integrators and operators of a development hub. It works without internet, keeps nothing
 * (no storage, no cookie: the token lives in the page until it is closed) and runs nothing but its own two files.
 */

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const files = [
  { url: '/graphql/explorer.js', file: 'explorer.js', type: 'text/javascript; charset=utf-8' },
  { url: '/graphql/explorer.css', file: 'explorer.css', type: 'text/css; charset=utf-8' },
] as const;

type Refuse = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** `GET /graphql` for a browser; everything else that is no POST is refused as in production. */
export function registerExplorer(app: FastifyInstance, notAllowed: Refuse): void {
  const read = (name: string): string => readFileSync(new URL(`./explorer/${name}`, import.meta.url), 'utf8');
  const page = read('page.html');
  app.get('/graphql', (request, reply) => {
    const wantsPage = request.headers.accept?.includes('text/html') === true && Object.keys(request.query as object).length === 0;
    if (!wantsPage) return notAllowed(request, reply);
    return reply
      .header('content-security-policy', policy)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page);
  });
  for (const { url, file, type } of files) {
    const text = read(file);
    app.get(url, (_request, reply) => reply.header('cache-control', 'no-cache').type(type).send(text));
  }
}
