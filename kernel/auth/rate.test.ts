import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Principal } from './principal.ts';
import { createRateLimiter, memoryRateStore } from './rate.ts';

function principal(id: string, pointsPerMinute: number, unitNo = 1): Principal {
  return {
    id,
    name: id,
    kind: 'CLIENT',
    role: 'reader',
    unitNo,
    scope: '{[1,2)}',
    scopeUnits: 1,
    permissions: [],
    purpose: 'HOPERAT',
    pointsPerMinute,
  };
}

test('a principal gets exactly the points of his minute [A35]', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
      async (limit, asks) => {
        const limiter = createRateLimiter(memoryRateStore());
        const who = principal('a', limit);
        let asked = 0;
        for (const points of asks) {
          const answer = await limiter.take(who, points);
          asked += points;
          expect(answer.allowed).toBe(asked <= limit);
          expect(answer.headers['ratelimit-policy']).toBe(`"minute";q=${String(limit)};w=60`);
          expect(answer.headers.ratelimit).toMatch(
            new RegExp(`^"minute";r=${String(Math.max(0, limit - asked))};t=(60|[1-5]?\\d)$`),
          );
          expect(answer.retryAfter > 0).toBe(!answer.allowed);
        }
      },
    ),
  );
});

test('an organisation gets ten minutes of its members, whatever the size of each [A35]', async () => {
  const limiter = createRateLimiter(memoryRateStore());
  const crowd = Array.from({ length: 12 }, (_, n) => principal(`c${String(n)}`, n === 0 ? 1_000_000 : 100));
  const answers = [];
  for (const one of crowd) answers.push((await limiter.take(one, one.pointsPerMinute)).allowed);
  expect(answers).toEqual([...Array.from({ length: 10 }, () => true), false, false]);
  const refused = await limiter.take(principal('c11', 100), 1);
  expect(refused.retryAfter).toBeGreaterThan(0);
  expect(refused.headers.ratelimit).toMatch(/;r=0;/);
  expect((await limiter.take(principal('other', 100, 2), 1)).allowed).toBe(true);
});

test('windows stay bounded however many principals ask', async () => {
  const store = memoryRateStore();
  for (let n = 0; n < 12_000; n++) await store.take(`p:${String(n)}`, 1);
  expect(store.size()).toBe(10_000);
  expect((await store.take('p:11999', 1)).consumed).toBe(2);
  expect((await store.take('p:0', 1)).consumed).toBe(1);
});
