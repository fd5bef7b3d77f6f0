import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { createHash } from 'node:crypto';
import type { SecurityEvent } from '#kernel/auth/security-log.ts';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';
import { documentKey } from './limits.ts';

let hub: ImaginedHub;
const events: SecurityEvent[] = [];

beforeAll(async () => {
  hub = await openImaginedHub({ edge: { security: { note: (event) => events.push(event) } } });
});
afterAll(async () => {
  await hub.close();
});

async function send(payload: unknown, headers: Readonly<Record<string, string>> = {}): Promise<LightMyRequestResponse> {
  return await hub.app.inject({
    method: 'POST',
    url: '/graphql',
    payload: JSON.stringify(payload),
    headers: { authorization: 'Bearer good.good.good', 'content-type': 'application/json', ...headers },
  });
}

function firstError(response: LightMyRequestResponse): Readonly<Record<string, unknown>> {
  const { errors } = response.json<{ readonly errors?: readonly { readonly extensions: Record<string, unknown> }[] }>();
  return { status: response.statusCode, ...errors?.[0]?.extensions };
}

test('a line feed in the operation name cannot lend one document the inspection of another', async () => {
  expect(documentKey('B\nC', 'A')).not.toBe(documentKey('C', 'A\nB'));
  expect(documentKey('C', null)).not.toBe(documentKey('C', 'null'));
  const asked = hub.asked();
  const deep = `{citizen(id:"1"){orgUnit{${'parent{'.repeat(10)}id${'}'.repeat(10)}}}}`;
  const pair = [
    { operationName: 'A', query: `#\nquery A ${deep}` },
    { operationName: 'A\n#', query: `query A ${deep}` },
  ];
  expect(firstError(await send(pair[0]))).toMatchObject({ code: 'LIMIT', which: 'depth' });
  expect(firstError(await send(pair[1]))).toMatchObject({ status: 400, reason: 'REQUEST_SHAPE', field: 'operationName' });
  expect(hub.asked()).toBe(asked);
  for (const operationName of ['A B', 'A\n', '1A', 'Ạ']) {
    expect(firstError(await send({ operationName, query: 'query A{me{id}}' }))).toMatchObject({ field: 'operationName' });
  }
  expect((await send({ operationName: '', query: '{me{id}}' })).statusCode).toBe(200);
});

test('whoever is not known stores no persisted document and does not learn which are stored', async () => {
  const nobody = { authorization: 'Bearer bad.bad.bad' };
  const text = '{ me { id } }';
  const sha256Hash = createHash('sha256').update(text).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const first = await send({ query: text, extensions }, nobody);
  expect(firstError(first)).toMatchObject({ status: 401, reason: 'NO_TOKEN' });
  expect(first.headers['www-authenticate']).toBe('Bearer realm="lien-thong"');
  expect(firstError(await send({ extensions }))).toMatchObject({ reason: 'PERSISTED_QUERY_NOT_FOUND' });
  expect((await send({ query: text, extensions })).statusCode).toBe(200);
  const known = await send({ extensions }, nobody);
  expect(firstError(known)).toMatchObject({ status: 401, reason: 'NO_TOKEN' });
  expect(known.headers['www-authenticate']).toBe('Bearer realm="lien-thong"');
});

test('a refused request of a known principal leaves one security event', async () => {
  const eventsOf = async (payload: unknown, headers = {}): Promise<readonly SecurityEvent[]> => {
    events.length = 0;
    const response = await send(payload, headers);
    const traceId = response.headers['x-trace-id'];
    expect(events.filter((event) => event.traceId !== traceId)).toEqual([]);
    return [...events];
  };
  const refused = (code: string, reason: string) => [
    expect.objectContaining({ kind: 'request.refused', principal: 'demo-integrator', detail: { code, reason } }),
  ];
  const deep = `{citizen(id:"1"){orgUnit{${'parent{'.repeat(10)}id${'}'.repeat(10)}}}}`;
  expect(await eventsOf({ query: deep })).toEqual(refused('LIMIT', 'DOCUMENT_LIMIT'));
  expect(await eventsOf({ query: '{me{id}}' }, { 'x-hub-basis': 'none' })).toEqual(refused('FORBIDDEN', 'BASIS_NOT_STANDING'));
  expect(await eventsOf({ query: '{nothing}' })).toEqual(refused('BAD_INPUT', 'GRAPHQL_INVALID'));
  expect(await eventsOf([])).toEqual(refused('BAD_INPUT', 'JSON_INVALID'));
  expect(await eventsOf({ query: '{me{id}}' })).toEqual([]);
  expect(await eventsOf({ query: deep }, { authorization: 'Bearer bad.bad.bad' })).toEqual([]);
  hub.down = 'citizens';
  expect(await eventsOf({ query: '{citizen(id:"1"){id}}' })).toEqual([]);
  hub.down = null;
});

test('a legal basis withdrawn during the read gives nothing, the whole answer is held back', async () => {
  const state = { stands: 1, asked: 0 };
  const basis = { id: 'basis-1', citizenId: null, scope: '{[1,6)}', permissions: [] };
  const principals = {
    find: () => Promise.resolve(null),
    basis: () => Promise.resolve((state.asked += 1) <= state.stands ? basis : null),
  };
  const noted: SecurityEvent[] = [];
  const lent = await openImaginedHub({ edge: { principals, security: { note: (event) => noted.push(event) } } });
  const ask = async () =>
    await lent.app.inject({
      method: 'POST',
      url: '/graphql',
      payload: JSON.stringify({ query: '{citizen(id:"1"){id}}' }),
      headers: { authorization: 'Bearer good.good.good', 'content-type': 'application/json', 'x-hub-basis': 'basis-1' },
    });
  for (const path of ['stock', 'compiled']) {
    Object.assign(state, { stands: 1, asked: 0 });
    const withdrawn = await ask();
    expect({ path, ...firstError(withdrawn) }).toMatchObject({
      path,
      status: 403,
      code: 'FORBIDDEN',
      reason: 'BASIS_NOT_STANDING',
    });
    expect(withdrawn.json<{ data?: unknown }>().data).toBeNull();
    expect(state.asked).toBe(2);
  }
  expect(noted.map(({ detail }) => detail.reason)).toEqual(['BASIS_NOT_STANDING', 'BASIS_NOT_STANDING']);
  expect(lent.asked()).toBe(2);
  Object.assign(state, { stands: 2, asked: 0 });
  const standing = await ask();
  await lent.close();
  expect(standing.json<{ data?: unknown; errors?: unknown }>()).toMatchObject({ data: { citizen: { id: expect.any(String) } } });
});
