import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { draftLimits, draftPlaceForm, type DraftSource } from '#kernel/auth/drafts.ts';
import { pointsOf, type RateAnswer } from '#kernel/auth/rate.ts';

/*
 * `/auth/drafts`: what somebody is typing into the admin's forms, kept for the account of his session. Only that session's own drafts can
 * be named here; ids and texts travel in bodies, never in addresses.
 *
 *   GET → 200 { drafts: [{ place, draft, savedAt }] }
 *   PUT { place, draft } → 204; a null draft is thrown away
 */

interface DraftRoutesDeps {
  readonly drafts: DraftSource;
  readonly isOurs: (request: FastifyRequest) => boolean;
  /** SHA-256 of the session's secret; `null`: there is none. */
  readonly keyOf: (request: FastifyRequest) => string | null;
  /** Takes the points from the quota of the session's account; `null`: the session is dead. */
  readonly allows: (request: FastifyRequest, points: number) => Promise<RateAnswer | null>;
}

const sentDraft = z.strictObject({
  place: z.string().regex(draftPlaceForm),
  draft: z.record(z.string().max(40), z.unknown()).nullable(),
});

export function draftRoutes({ drafts, isOurs, keyOf, allows }: DraftRoutesDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: draftLimits.bytes + 1_024 },
      (_request, body, parsed) => {
        parsed(null, body);
      },
    );
    app.get('/auth/drafts', async (request, reply) => {
      const key = keyOf(request);
      const quota = key === null ? null : await allows(request, pointsOf.list);
      if (key === null || quota === null) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      if (!quota.allowed) return await reply.code(429).header('retry-after', String(quota.retryAfter)).send({ code: 'RATE' });
      const kept = await drafts.list(key);
      if (kept === null) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      return await reply.send({
        drafts: kept.map(({ place, draft, savedAt }) => ({ place, draft: JSON.parse(draft) as unknown, savedAt })),
      });
    });
    app.put('/auth/drafts', async (request, reply) => {
      if (!isOurs(request)) return await reply.code(403).send({ code: 'FORBIDDEN' });
      const key = keyOf(request);
      const quota = key === null ? null : await allows(request, pointsOf.write);
      if (key === null || quota === null) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      if (!quota.allowed) return await reply.code(429).header('retry-after', String(quota.retryAfter)).send({ code: 'RATE' });
      const sent = sentDraft.safeParse(parse(request.body));
      if (!sent.success) return await reply.code(400).send({ code: 'BAD_INPUT' });
      const { place, draft } = sent.data;
      const text = draft === null ? null : JSON.stringify(draft);
      if (text !== null && Buffer.byteLength(text) > draftLimits.bytes) return await reply.code(413).send({ code: 'BAD_INPUT' });
      if (!(await drafts.keep(key, place, text))) return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
      return await reply.code(204).send();
    });
    done();
  };
}

function parse(body: unknown): unknown {
  try {
    return typeof body === 'string' ? JSON.parse(body) : null;
  } catch {
    return null;
  }
}
