import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';

let hub: ImaginedHub;

beforeAll(async () => {
  hub = await openImaginedHub({ production: true, principal: { pointsPerMinute: 20 } });
});
afterAll(async () => {
  await hub.close();
});

const send = async (text: string) =>
  await hub.app.inject({
    method: 'POST',
    url: '/graphql',
    payload: { query: text },
    headers: { authorization: 'Bearer good.good.good' },
  });

test('in production the schema is not told and there is no explorer [B08]', async () => {
  const response = await send('{__schema{types{name}}}');
  expect(response.statusCode).toBe(400);
  expect(response.json<{ errors: { extensions: object }[] }>().errors[0]!.extensions).toMatchObject({
    code: 'LIMIT',
    which: 'introspection',
  });
  const page = await hub.app.inject({ method: 'GET', url: '/graphql', headers: { accept: 'text/html' } });
  expect(page.statusCode).toBe(405);
});

test('beyond his share of the minute a caller is told when to come again [A35]', async () => {
  const answers = [];
  for (let turn = 0; turn < 6; turn += 1) answers.push(await send('{ citizens { nodes { id } } }'));
  const last = answers.at(-1)!;
  expect(last.statusCode).toBe(429);
  expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
  expect(last.headers.ratelimit).toMatch(/r=0/);
  expect(answers[0]!.headers['ratelimit-policy']).toMatch(/q=20/);
});
