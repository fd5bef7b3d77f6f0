import { afterEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { createHealth, registerOperations } from './http.ts';
import { createMetrics } from './metrics.ts';

let app: FastifyInstance | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
});

function served(health: ReturnType<typeof createHealth>): FastifyInstance {
  app = Fastify();
  registerOperations(app, { health, registry: createMetrics('test').registry });
  return app;
}

test('ready names every part, and is 503 when one is down; outside systems never make it so', async () => {
  let citizens: () => Promise<unknown> = () => Promise.resolve();
  let now = 0;
  const health = createHealth(
    {
      parts: { postgres: () => Promise.resolve(), citizens: () => citizens() },
      outside: { population: () => 'down', bhxh: () => 'absent' },
    },
    () => now,
  );
  const server = served(health);
  const good = await server.inject('/health/ready');
  expect([good.statusCode, good.json()]).toEqual([
    200,
    { status: 'up', parts: { postgres: 'up', citizens: 'up' }, outside: { population: 'down', bhxh: 'absent' } },
  ]);
  citizens = () => Promise.reject(new Error('connection to 10.0.0.1 refused'));
  now += 1_500;
  const bad = await server.inject('/health/ready');
  expect([bad.statusCode, bad.json()]).toMatchObject([503, { status: 'down', parts: { postgres: 'up', citizens: 'down' } }]);
  expect(bad.body).not.toContain('10.0.0.1');
  expect((await server.inject('/health/live')).statusCode).toBe(200);
});

test('while the queue is away the hub is degraded and nobody is sent elsewhere; with a part that serves away too it is down', async () => {
  const away = () => Promise.reject(new Error('away'));
  const ready = (postgres: () => Promise<unknown>) =>
    served(createHealth({ parts: { postgres }, background: { queue: away }, outside: {} })).inject('/health/ready');
  const degraded = await ready(() => Promise.resolve());
  expect([degraded.statusCode, degraded.json()]).toMatchObject([
    200,
    { status: 'degraded', parts: { postgres: 'up', queue: 'down' } },
  ]);
  await app?.close();
  const down = await ready(away);
  expect([down.statusCode, down.json()]).toMatchObject([503, { status: 'down' }]);
});

test('a part that does not answer within a second is down', async () => {
  const health = createHealth({ parts: { postgres: () => new Promise(() => undefined) }, outside: {} });
  const began = performance.now();
  expect((await health.ready()).parts).toEqual({ postgres: 'down' });
  expect(performance.now() - began).toBeLessThan(3_000);
});

test('many questions within a second are one question to the parts', async () => {
  let asked = 0;
  const health = createHealth({
    parts: { postgres: () => Promise.resolve((asked += 1)) },
    outside: {},
  });
  await Promise.all(Array.from({ length: 50 }, () => health.ready()));
  expect(asked).toBe(1);
});

test('a hub that is stopping says so', async () => {
  const health = createHealth({ parts: {}, outside: {} });
  health.stopping();
  expect((await served(health).inject('/health/ready')).statusCode).toBe(503);
});

test('metrics are those of the registry that was passed', async () => {
  app = Fastify();
  const metrics = createMetrics('test');
  metrics.counter('hub_things_total', 'Things.', ['kind']).inc({ kind: 'one' }, 3);
  metrics.gauge('hub_level', 'Level.', () => 7);
  registerOperations(app, { health: createHealth({ parts: {}, outside: {} }), registry: metrics.registry });
  const { body, headers } = await app.inject('/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('hub_things_total{kind="one",process="test"} 3');
  expect(body).toContain('hub_level{process="test"} 7');
});
