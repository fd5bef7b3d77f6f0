import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { auditServer } from 'graphql-http';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';

let hub: ImaginedHub;
let address: string;

beforeAll(async () => {
  hub = await openImaginedHub();
  address = await hub.app.listen({ host: '127.0.0.1', port: 0 });
});
beforeEach(() => {
  hub.down = null;
  hub.delay = 0;
  hub.audit = async () => undefined;
});
afterAll(async () => {
  await hub.close();
});

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: unknown;
    readonly extensions: Record<string, unknown>;
  }[];
}

async function send(payload: unknown, more: InjectOptions = {}): Promise<LightMyRequestResponse> {
  return await hub.app.inject({
    method: 'POST',
    url: '/graphql',
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    ...more,
    headers: {
      authorization: 'Bearer good.good.good',
      'content-type': 'application/json',
      'accept-language': 'en',
      ...more.headers,
    },
  });
}

/** What stands in the first error, and that nothing of the request's values came back. */
function refusalIn(response: LightMyRequestResponse): Record<string, unknown> {
  const { errors } = response.json<Answer>();
  const [first] = errors ?? [];
  expect(first).toBeDefined();
  expect(first!.extensions.traceId).toBe(response.headers['x-trace-id']);
  return { status: response.statusCode, ...first!.extensions };
}

const query = (text: string, variables?: unknown) => ({ query: text, variables });

test('the GraphQL over HTTP audit finds no error', async () => {
  const results = await auditServer({
    url: `${address}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, { ...init, headers: { ...(init.headers as Record<string, string>), authorization: 'Bearer good.good.good' } }),
  });
  expect(results.filter(({ status }) => status === 'error')).toEqual([]);
});

test('a body that is no request is refused [B01 B02 B03 B04 B05 B06]', async () => {
  expect(refusalIn(await send('{'))).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'JSON_INVALID' });
  expect(refusalIn(await send([]))).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'JSON_INVALID' });
  expect(refusalIn(await send([query('{__typename}'), query('{__typename}')]))).toMatchObject({
    status: 400,
    code: 'LIMIT',
    which: 'batch',
  });
  for (const wrong of ['', null, { a: 1 }]) {
    expect(refusalIn(await send({ query: wrong }))).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'QUERY_MISSING' });
  }
});

test('a field that does not exist is named without a suggestion [B07]', async () => {
  const response = await send(query('{citizen(id:"1"){nme}}'));
  expect(refusalIn(response)).toMatchObject({
    status: 400,
    code: 'BAD_INPUT',
    detail: 'Cannot query field "nme" on type "Citizen".',
  });
  expect(response.body).not.toMatch(/did you mean|fullName/i);
});

test('limits are told by name before anything is asked', async () => {
  const before = hub.asked();
  const deep = (levels: number) => `{citizen(id:"1"){orgUnit{${'parent{'.repeat(levels)}id${'}'.repeat(levels)}}}}`;
  const which = async (text: string) => refusalIn(await send(query(text))).which;
  expect(await which(deep(10))).toBe('depth'); // [B09] 13 levels
  expect(await which(`{${Array.from({ length: 31 }, (_, i) => `a${String(i)}:citizen(id:"1"){id}`).join(' ')}}`)).toBe('aliases'); // [B10]
  expect(await which(`{${'me{id} '.repeat(11)}}`)).toBe('rootFields'); // [B11]
  const bomb = Array.from(
    { length: 24 },
    (_, i) => `fragment f${String(i + 1)} on Citizen{...f${String(i)} ...f${String(i)}}`,
  ).join(' ');
  const started = performance.now();
  expect(await which(`{citizen(id:"1"){...f24}} fragment f0 on Citizen{id} ${bomb}`)).toBe('selections'); // [B12]
  expect(performance.now() - started).toBeLessThan(50);
  expect(await which(`{citizen(id:"1"){${Array.from({ length: 21 }, () => 'id @include(if:true)').join(' ')}}}`)).toBe(
    'directives',
  ); // [B14]
  expect(await which(`{citizen(id:"1"){${'id '.repeat(2_001)}}}`)).toBe('tokens'); // [B15]
  expect(await which(`{citizens(first:100){nodes{digitizedResults(first:100){nodes{id name code}}}}}`)).toBe('cost');
  expect(await which(`{citizen(id:"1"){${'id '.repeat(101)}}}`)).toBe('selections');
  expect(hub.asked()).toBe(before);
});

test('a large document is planned aside, and answers as ever', async () => {
  const leaf =
    'id fullName insuranceCards{id number} referralSlips(first:1){nodes{id}} digitizedResults(first:1){nodes{id}} orgUnit{id name}';
  const large = `{${Array.from({ length: 10 }, (_, i) => `r${String(i)}:citizen(id:"citizen-${String(i)}"){${leaf}}`).join(' ')}}`;
  const first = await send(query(large));
  expect(first.statusCode).toBe(200);
  expect((await send(query(large))).body).toBe(first.body);
  const wrong = await send(query(large.replace('fullName', 'nme')));
  expect(refusalIn(wrong)).toMatchObject({ status: 400, detail: 'Cannot query field "nme" on type "Citizen".' });
});

test('fragments in a cycle are refused [B13]', async () => {
  const response = await send(query('{citizen(id:"1"){...a}} fragment a on Citizen{...b} fragment b on Citizen{...a}'));
  expect(refusalIn(response)).toMatchObject({ status: 400, code: 'BAD_INPUT' });
});

test('a body beyond 1 MiB is too large [B16]', async () => {
  expect(refusalIn(await send('x'.repeat(1_048_577)))).toMatchObject({ status: 413, code: 'TOO_LARGE' });
});

test('variables and operation names must fit [B20 B21 B22 B23]', async () => {
  const one = 'query Q($id: ID!) { referralSlip(id: $id) { id } }';
  for (const variables of [{ id: null }, { id: ['1'] }, {}]) {
    for (const turn of ['stock', 'compiled']) {
      if (turn === 'compiled') await send(query(one, { id: 'slip-1' }));
      const response = await send(query(one, variables));
      expect(refusalIn(response)).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'VARIABLES_INVALID', field: 'id' });
    }
  }
  expect(refusalIn(await send({ query: one, operationName: 'Other' }))).toMatchObject({ status: 400, code: 'BAD_INPUT' });
});

test('a number sent as a JSON number lost its leading zero and is refused by its type [B39]', async () => {
  const text = 'query ($n: String!) { citizen(personalId: $n) { id } }';
  const response = await send(query(text, { n: 38_090_000_001 }));
  expect(refusalIn(response)).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'VARIABLES_INVALID', field: 'n' });
});

test('no value of a variable or literal comes back', async () => {
  for (const [text, variables] of [
    ['query($id: ID!) { referralSlip(id: $id) { id } }', { id: ['038090000001'] }],
    ['{ citizens(first: "038090000001") { nodes { id } } }', {}],
    ['{ citizens(filter: {lifeStatus: X038090000001}) { nodes { id } } }', {}],
    ['{ "038090000001" }', {}],
  ] as const) {
    const response = await send(query(text, variables));
    expect(response.statusCode).toBe(400);
    expect(response.body).not.toContain('038090000001');
  }
});

test('GET executes nothing, subscriptions do not exist [B24 B25]', async () => {
  const before = hub.asked();
  const get = await hub.app.inject({ method: 'GET', url: '/graphql?query=mutation{x}', headers: { accept: 'application/json' } });
  expect([get.statusCode, get.headers.allow]).toEqual([405, 'POST']);
  expect(refusalIn(await send(query('subscription{x}')))).toMatchObject({ status: 400, code: 'BAD_INPUT' });
  expect(hub.asked()).toBe(before);
});

test('unknown hashes of persisted queries are not found and take no room [B33]', async () => {
  const extensionsOf = (hash: string) => ({ persistedQuery: { version: 1, sha256Hash: hash } });
  for (let turn = 0; turn < 300; turn += 1) {
    const hash = createHash('sha256').update(String(turn)).digest('hex');
    const response = await send({ extensions: extensionsOf(hash) });
    expect(response.json<Answer>().errors?.[0]?.message).toBe('PersistedQueryNotFound');
  }
  const metrics = await hub.app.inject('/metrics');
  expect(metrics.body).toMatch(/hub_graph_cache_entries\{cache="persisted",process="test"\} 0/);
  const text = '{ __typename me { __typename } }';
  const hash = createHash('sha256').update(text).digest('hex');
  expect((await send({ query: text, extensions: extensionsOf(hash) })).statusCode).toBe(200);
  expect((await send({ extensions: extensionsOf(hash) })).statusCode).toBe(200);
  expect(refusalIn(await send({ query: '{ me { id } }', extensions: extensionsOf(hash) }))).toMatchObject({
    reason: 'PERSISTED_QUERY_HASH',
  });
});

test('whoever has no token gets __typename and nothing else, always the same answer [B92 B93 B94]', async () => {
  const bare = async (headers: Record<string, string | string[]>, text = '{citizen(id:"1"){id}}') =>
    await hub.app.inject({
      method: 'POST',
      url: '/graphql',
      payload: query(text),
      headers: { 'accept-language': 'en', ...headers },
    });
  const answers = [
    await bare({}),
    await bare({ authorization: 'Basic YTpi' }),
    await bare({ authorization: 'Bearer bad.bad.bad' }),
    await bare({}, '{__schema{types{name}}}'),
    await bare({}, '{nothing}'),
    await bare({}, `{${'me{id} '.repeat(11)}}`),
  ];
  for (const answer of answers) {
    expect(refusalIn(answer)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    expect(answer.body.replace(/[0-9a-f]{32}/, '')).toBe(answers[0]!.body.replace(/[0-9a-f]{32}/, ''));
  }
  const open = await bare({}, '{a: __typename}');
  expect([open.statusCode, open.body]).toEqual([200, '{"data":{"a":"Query"}}']);
  const twice = await raw(
    'POST /graphql HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer good.good.good\r\nauthorization: Bearer good.good.good\r\n' +
      'content-type: application/json\r\ncontent-length: 24\r\nconnection: close\r\n\r\n{"query":"{me{id}}"    }',
  );
  expect(twice).toMatch(/^HTTP\/1\.1 401 /);
});

/** Bytes on a socket, and everything that comes back until it ends. */
async function raw(text: string): Promise<string> {
  const { port } = new URL(address);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  socket.write(text.replace('HOST', `127.0.0.1:${port}`));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the connection stays open')), 5_000);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return answer;
}

test('other media types, two lengths, large headers are refused [B95 B96 B97 B98]', async () => {
  for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16']) {
    expect(refusalIn(await send('{"query":"{__typename}"}', { headers: { 'content-type': type } }))).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED',
    });
  }
  const twoLengths = await raw('POST /graphql HTTP/1.1\r\nhost: HOST\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}');
  expect(twoLengths).toMatch(/^HTTP\/1\.1 400 [^]*connection: close/);
  const large = await raw(`POST /graphql HTTP/1.1\r\nhost: HOST\r\nx-fill: ${'x'.repeat(17_000)}\r\n\r\n`);
  expect(large).toMatch(/^HTTP\/1\.1 431 [^]*x-trace-id: [0-9a-f]{32}/);
  const many = await raw(`GET /graphql HTTP/1.1\r\nhost: HOST\r\n${'a: b\r\n'.repeat(101)}connection: close\r\n\r\n`);
  expect(many).toMatch(/^HTTP\/1\.1 431 /);
});

test('foreign hosts, foreign pages and preflights get nothing [B99 B100]', async () => {
  const evil = await send(query('{__typename}'), { headers: { host: 'evil.example' } });
  expect(evil.statusCode).toBe(421);
  const page = await send(query('{__typename}'), { headers: { origin: 'https://evil.example' } });
  expect(refusalIn(page)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  const preflight = await hub.app.inject({
    method: 'OPTIONS',
    url: '/graphql',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.statusCode).toBe(403);
  expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
});

test("the subgraphs' own fields do not exist at the gateway [A11]", async () => {
  for (const text of ['{_service{sdl}}', '{_entities(representations:[{__typename:"Citizen",id:"1"}]){... on Citizen{id}}}']) {
    expect(refusalIn(await send(query(text)))).toMatchObject({ status: 400, code: 'BAD_INPUT' });
  }
});

test('names that could reach a prototype are refused [A33]', async () => {
  for (const body of [
    '{"query":"{__proto__: citizen(id:\\"1\\"){id}}"}',
    '{"query":"query($__proto__: ID){citizen(id:$__proto__){id}}"}',
    '{"query":"query($f: CitizenFilter){citizens(filter:$f){nodes{id}}}","variables":{"f":{"__proto__":{"polluted":1}}}}',
    '{"query":"query($f: CitizenFilter){citizens(filter:$f){nodes{id}}}","variables":{"f":{"constructor":{"prototype":{"polluted":1}}}}}',
  ]) {
    expect(refusalIn(await send(body))).toMatchObject({ status: 400, code: 'BAD_INPUT', reason: 'NAME_RESERVED' });
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("every answer has a trace id, the caller's own where it has our form [A42]", async () => {
  const own = '0123456789abcdef0123456789abcdef';
  expect((await send(query('{__typename}'), { headers: { 'x-trace-id': own } })).headers['x-trace-id']).toBe(own);
  const foreign = await send(query('{__typename}'), { headers: { 'x-trace-id': 'x\u001b[31m' } });
  expect(foreign.headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
  expect((await hub.app.inject('/nowhere')).headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
});

test('a subgraph that is down nulls its fields, names itself and leaves the rest, compiled or not [F21]', async () => {
  const text = '{ citizens(first: 3) { nodes { id referralSlips { nodes { id } } insuranceCards { id } } } }';
  const whole = (await send(query(text))).json<{ data: { citizens: { nodes: Record<string, unknown>[] } } }>();
  hub.down = 'slips';
  for (const turn of ['stock', 'compiled']) {
    const { data, errors } = (await send(query(turn === 'stock' ? `${text} ` : text))).json<typeof whole & Answer>();
    expect(data.citizens.nodes).toEqual(whole.data.citizens.nodes.map((node) => ({ ...node, referralSlips: null })));
    expect(errors!.length).toBeGreaterThan(0);
    for (const error of errors!) {
      expect(error.extensions).toMatchObject({ code: 'UPSTREAM_BUSY', subgraph: 'slips' });
      expect(error.path).toEqual(['citizens', 'nodes', expect.any(Number), 'referralSlips']);
      expect(error.message).not.toMatch(/ECONN|127\.0/);
    }
  }
});

test('a read that cannot be written down gives nothing [F12]', async () => {
  const text = '{ citizens(first: 3) { nodes { id fullName } } }';
  hub.audit = () => Promise.reject(new Error('disk full'));
  for (let turn = 0; turn < 2; turn += 1) {
    const response = await send(query(text));
    expect(response.json<Answer>().data).toBeNull();
    expect(refusalIn(response)).toMatchObject({ code: 'DEGRADED' });
    expect(response.statusCode).toBe(503);
  }
});

test('the schema is answered from what is prepared', async () => {
  const before = hub.asked();
  const response = await send(query('{__schema{queryType{name} types{name fields{name type{name ofType{name}}}}}}'));
  expect(response.json<{ data: { __schema: { queryType: unknown } } }>().data.__schema.queryType).toEqual({ name: 'Query' });
  expect(hub.asked()).toBe(before);
  const nested = `{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}`;
  expect(refusalIn(await send(query(nested)))).toMatchObject({ status: 400 });
});

test('one mutation field at a time', async () => {
  expect(refusalIn(await send(query('mutation { a b }')))).toMatchObject({ code: 'LIMIT', which: 'mutationFields' });
});

test('a caller states his purpose in known words', async () => {
  expect(refusalIn(await send(query('{me{id}}'), { headers: { 'x-hub-purpose': 'CURIOSITY' } }))).toMatchObject({
    status: 400,
    reason: 'PURPOSE_UNKNOWN',
  });
  expect(refusalIn(await send(query('{me{id}}'), { headers: { 'x-hub-basis': 'none' } }))).toMatchObject({
    status: 403,
    code: 'FORBIDDEN',
  });
});

test('the language follows the caller, Vietnamese by default', async () => {
  expect((await send('{', { headers: { 'accept-language': 'en' } })).json<Answer>().errors![0]!.message).toMatch(/^The body/);
  expect((await send('{', { headers: { 'accept-language': 'fr' } })).json<Answer>().errors![0]!.message).toMatch(/^Nội dung/);
});

test('the log has one line per operation and no variable', async () => {
  hub.lines.length = 0;
  await send({ query: 'query Who($n: String) { citizen(personalId: $n) { id } }', variables: { n: '038090000001' } });
  const lines = hub.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'operation');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ operation: 'Who', principal: 'demo-integrator', status: 200, points: 1 });
  expect(hub.lines.join('')).not.toContain('038090000001');
});

test('a browser gets an explorer that needs nothing from elsewhere', async () => {
  const page = await hub.app.inject({ method: 'GET', url: '/graphql', headers: { accept: 'text/html,application/xhtml+xml' } });
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-security-policy']).toContain("script-src 'self'");
  expect(page.body).not.toMatch(/https?:\/\//);
  for (const url of ['/graphql/explorer.js', '/graphql/explorer.css']) expect((await hub.app.inject(url)).statusCode).toBe(200);
});
