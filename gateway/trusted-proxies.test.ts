import { expect, test } from '@jest/globals';
import type { FastifyPluginCallback } from 'fastify';
import { openImaginedHub } from '../test/kit/imagined-hub.ts';

/** Answers 429 where an address guessed five times, as the log-in does. */
function guessing(): FastifyPluginCallback {
  const guesses = new Map<string, number>();
  return (app, _options, done) => {
    app.post('/guess', async (request, reply) => {
      const before = guesses.get(request.ip) ?? 0;
      guesses.set(request.ip, before + 1);
      return await reply.code(before < 5 ? 401 : 429).send();
    });
    done();
  };
}

/** What the second caller is answered after the first one guessed wrong six times, both through one proxy. */
async function secondCaller(remoteAddress: string, trustedProxies?: readonly string[]): Promise<number> {
  const hub = await openImaginedHub({ edge: { mounts: [guessing()], ...(trustedProxies !== undefined && { trustedProxies }) } });
  const guess = async (forwarded: string): Promise<number> =>
    (await hub.app.inject({ method: 'POST', url: '/guess', remoteAddress, headers: { 'x-forwarded-for': forwarded } }))
      .statusCode;
  for (let turn = 0; turn < 5; turn += 1) expect(await guess('198.51.100.1')).toBe(401);
  expect(await guess('198.51.100.1')).toBe(429);
  const answered = await guess('198.51.100.2');
  await hub.close();
  return answered;
}

test('callers behind a trusted proxy are counted apart, whoever else names an address is not believed', async () => {
  expect(await secondCaller('10.0.0.5', ['10.0.0.0/8'])).toBe(401);
  expect(await secondCaller('::ffff:10.0.0.5', ['10.0.0.5'])).toBe(401);
  expect(await secondCaller('10.0.0.5')).toBe(429);
  expect(await secondCaller('192.0.2.9', ['10.0.0.0/8', 'fd00::/8'])).toBe(429);
});
