import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The built admin at `/`: one page and its files. The page is made anew for each response, because each has a nonce of its own; the
 * files carry a hash in their names and never change. Everything comes from here: the policy allows no other origin but
 * the hub's own for files, and that only to be sent to.
 */

/** What the build put where the nonce of the response goes. */
const noncePlaceholder = 'NONCE_OF_THIS_RESPONSE';
const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
};
/** … and what is replaced by whether the request had a session cookie: without one the page asks for log-in at once. */
const cookiePlaceholder = 'COOKIE_OF_THIS_REQUEST';
const sessionCookie = /(?:^|;\s*)(?:__Host-hub|hub-\d{1,5})=/;
const readingMethods = ['GET', 'HEAD'];
const encodings = ['br', 'gz'] as const;
type Encoding = (typeof encodings)[number];

interface AdminFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly packed: Readonly<Partial<Record<Encoding, Buffer>>>;
}

const policyFor = (nonce: string, filesOrigins: readonly string[]): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "font-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...filesOrigins].join(' '),
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * Reads the built files once, into memory: a later build in the same folder cannot mix two versions. Null when the admin was not built
 * (a process started by hand): the hub serves the graph all the same.
 */
export function adminFiles(built: URL, filesOrigins: readonly string[] = []): FastifyPluginCallback | null {
  const folder = fileURLToPath(built);
  const pageFile = join(folder, 'index.html');
  if (!existsSync(pageFile)) return null;
  const page = readFileSync(pageFile, 'utf8').split(noncePlaceholder);
  const files = readAssets(join(folder, 'assets'));
  return (app, _options, done) => {
    const sendPage = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
      const nonce = randomBytes(16).toString('base64');
      return reply
        .header('content-security-policy', policyFor(nonce, filesOrigins))
        .header('cache-control', 'no-store')
        .header('referrer-policy', 'no-referrer')
        .header('cross-origin-opener-policy', 'same-origin')
        .header('cross-origin-resource-policy', 'same-origin')
        .header('permissions-policy', 'camera=(), geolocation=(), microphone=()')
        .type('text/html; charset=utf-8')
        .send(page.join(nonce).replace(cookiePlaceholder, sessionCookie.test(request.headers.cookie ?? '') ? 'some' : 'none'));
    };
    app.route({ method: readingMethods, url: '/', handler: sendPage });
    app.route<{ Params: { name: string } }>({
      method: readingMethods,
      url: '/assets/:name',
      handler: (request, reply) => {
        const file = files.get(request.params.name);
        if (file === undefined) {
          reply.callNotFound();
          return reply;
        }
        const encoding = encodingFor(request.headers['accept-encoding'], file);
        if (encoding !== null) reply.header('content-encoding', encoding === 'gz' ? 'gzip' : encoding);
        return reply
          .header('cache-control', 'public, max-age=31536000, immutable')
          .header('cross-origin-resource-policy', 'same-origin')
          .header('vary', 'accept-encoding')
          .type(file.type)
          .send((encoding === null ? undefined : file.packed[encoding]) ?? file.plain);
      },
    });
    done();
  };
}

function readAssets(folder: string): ReadonlyMap<string, AdminFile> {
  const names = readdirSync(folder);
  const files = new Map<string, AdminFile>();
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const packed = Object.fromEntries(
      encodings
        .filter((encoding) => names.includes(`${name}.${encoding}`))
        .map((encoding) => [encoding, readFileSync(join(folder, `${name}.${encoding}`))]),
    );
    files.set(name, { type, plain: readFileSync(join(folder, name)), packed });
  }
  return files;
}

function encodingFor(accepted: string | undefined, file: AdminFile): Encoding | null {
  const names = (accepted ?? '').split(',').map((part) => part.trim().split(';')[0]);
  if (file.packed.br !== undefined && names.includes('br')) return 'br';
  return file.packed.gz !== undefined && names.includes('gzip') ? 'gz' : null;
}
