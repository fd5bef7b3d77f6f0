import { afterEach, expect, test } from '@jest/globals';
import { askGraph, GraphRefusal } from './graph.ts';

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

function answers(status: number, body: unknown): void {
  globalThis.fetch = () => Promise.resolve(Response.json(body, { status }));
}

test('a refusal keeps its class, its words and its trace', async () => {
  answers(200, {
    data: { citizen: null },
    errors: [{ message: 'Không được.', extensions: { code: 'FORBIDDEN', traceId: 't' } }],
  });
  const refusal: unknown = await askGraph('{ a }', {}).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(GraphRefusal);
  expect(refusal).toMatchObject({ message: 'Không được.', code: 'FORBIDDEN', status: 403, traceId: 't' });
});

test('a part that is down is named beside the data; without any data it is the refusal', async () => {
  const errors = [{ message: 'Đang bận.', extensions: { code: 'UNAVAILABLE', subgraph: 'slips' } }];
  answers(200, { data: { a: 1 }, errors });
  expect(await askGraph('{ a }', {})).toEqual({ data: { a: 1 }, silent: ['slips'] });
  answers(503, { data: null, errors });
  await expect(askGraph('{ a }', {})).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 503 });
});

test('what a part forbids is told as such where nothing else was asked, never as a network that is away', async () => {
  const errors = [{ message: 'Không được.', extensions: { code: 'FORBIDDEN', subgraph: 'organisation' } }];
  answers(200, { data: { page: null }, errors });
  await expect(askGraph('{ page }', {})).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'Không được.' });
  answers(200, { data: { page: null, me: { id: '1' } }, errors });
  expect((await askGraph('{ page me }', {})).silent).toEqual(['organisation']);
});

test('an answer that is none is a refusal too', async () => {
  globalThis.fetch = () => Promise.resolve(new Response('<html>', { status: 502 }));
  await expect(askGraph('{ a }', {})).rejects.toMatchObject({ code: 'UNAVAILABLE', status: 502 });
});
