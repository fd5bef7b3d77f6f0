import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Authenticator, Principal } from '#kernel/auth/principal.ts';
import { createRateLimiter, memoryRateStore } from '#kernel/auth/rate.ts';
import type { SecurityEvent } from '#kernel/auth/security-log.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { createHealth } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { readSupergraph } from '../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import { openGraphMetrics } from '../../gateway/graph-metrics.ts';
import { buildServer } from '../../gateway/server.ts';
import { allSubgraphs } from '../../subgraphs/all.ts';
import { openCitizenWorld, type CitizenWorld } from '../kit/citizen-world.ts';
import { id, scopes, unit } from '../kit/record-world.ts';

/* Mutations as they come over the wire: header, validation, plan, answer. */

let world: CitizenWorld;
let gateway: Gateway;
let app: ReturnType<typeof buildServer>;
let close: () => Promise<void>;
let principal: Principal;
const ran: string[] = [];
const noted: SecurityEvent[] = [];
const an = id(0x101);

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  ({ principal } = await world.account('clerk', unit.x11, scopes.x11));
  await world.add(
    { id: an, unitNo: unit.x11, fullName: 'Nguyễn Văn An' },
    { id: id(0x102), unitNo: unit.x21, fullName: 'Lê Chi', personalId: '038192000003', confirmed: ['PERSONAL_ID'] },
  );
  const { door, changes } = world;
  if (changes === null) throw new Error('opened without changes');
  const reading = { door, clock: { now: () => new Date() }, identifierKey: Buffer.alloc(32, 7) };
  const runtimes = allSubgraphs.map((module) =>
    openRuntime(module, module.name === 'citizens' ? { ...reading, changes } : reading, { commit: () => Promise.resolve() }),
  );
  const metrics = createMetrics('test');
  const graphMetrics = openGraphMetrics(metrics);
  gateway = await openGateway({
    supergraph: readSupergraph(),
    doors: runtimes,
    production: false,
    log: silentLog,
    observe: (path) => ran.push(path),
  });
  const authenticator: Authenticator = { authenticate: () => Promise.resolve(principal) };
  app = buildServer({
    gateway,
    authenticator,
    principals: { find: () => Promise.resolve(null), basis: () => Promise.resolve(null) },
    security: { note: (event) => void noted.push(event) },
    limiter: createRateLimiter(memoryRateStore()),
    production: false,
    log: silentLog,
    metrics: graphMetrics,
    health: createHealth({ parts: {}, outside: {} }),
    registry: metrics.registry,
    hosts: () => ['localhost:80', 'localhost'],
    origins: () => [],
    mounts: [],
  });
  close = async () => {
    await app.close();
    await gateway.stop();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    await world.close();
  };
}, 60_000);
afterAll(() => close());

interface Answer {
  readonly status: number;
  readonly body: {
    readonly data?: Readonly<Record<string, unknown>> | null;
    readonly errors?: readonly { readonly extensions: Readonly<Record<string, unknown>> }[];
  };
}

async function send(key: string | null, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  const response = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: {
      authorization: 'Bearer a.b.c',
      'content-type': 'application/json',
      'accept-language': 'en',
      ...(key !== null && { 'idempotency-key': key }),
    },
    payload: { query, variables },
  });
  return { status: response.statusCode, body: response.json<Answer['body']>() };
}

const update = `mutation Update($input: UpdateCitizenInput!) {
  updateCitizen(input: $input) { ok { citizen { id version fullName orgUnit { code } insuranceCards { id } } } error { code reason field message } } }`;
const codes = ({ body }: Answer): unknown => body.errors?.map(({ extensions }) => extensions.code);

test('a change is answered with the fields of other subgraphs, compiled, and a repeat is the same answer [F26]', async () => {
  const key = randomUUID();
  const input = { id: an, version: 1, fullName: 'Nguyễn Văn Ân' };
  const first = await send(key, update, { input });
  expect(first).toEqual({
    status: 200,
    body: {
      data: {
        updateCitizen: {
          ok: { citizen: { id: an, version: 2, fullName: 'Nguyễn Văn Ân', orgUnit: { code: 'x11' }, insuranceCards: null } },
          error: null,
        },
      },
    },
  });
  expect((await send(key, update, { input })).body.data).toEqual(first.body.data);
  expect(ran.at(-1)).toBe('compiled');
});

test('a change without its version does not fit the schema [B26]', async () => {
  const answer = await send(randomUUID(), update, { input: { id: an, fullName: 'An' } });
  expect({ status: answer.status, codes: codes(answer) }).toEqual({ status: 400, codes: ['BAD_INPUT'] });
  const literal = await send(randomUUID(), `mutation { updateCitizen(input: {id: "${an}", fullName: "An"}) { error { code } } }`);
  expect({ status: literal.status, codes: codes(literal) }).toEqual({ status: 400, codes: ['BAD_INPUT'] });
});

test('a field that the schema does not know is refused [B28]', async () => {
  const answer = await send(randomUUID(), update, { input: { id: an, version: 2, isAdmin: true } });
  expect({ status: answer.status, codes: codes(answer) }).toEqual({ status: 400, codes: ['BAD_INPUT'] });
});

test('a stale version, a missing key and a foreign person are refused as data [B27] [B29] [A14]', async () => {
  const input = { id: an, version: 1, fullName: 'An' };
  const refusal = async (key: string | null, given: object): Promise<unknown> => {
    const { status, body } = await send(key, update, { input: given });
    expect({ status, errors: body.errors }).toEqual({ status: 200, errors: undefined });
    return body.data?.updateCitizen;
  };
  expect(await refusal(randomUUID(), input)).toMatchObject({ ok: null, error: { code: 'CONFLICT_VERSION', field: 'version' } });
  expect(await refusal(null, input)).toMatchObject({ ok: null, error: { code: 'BAD_INPUT', field: 'idempotencyKey' } });
  expect(await refusal('k'.repeat(129), input)).toMatchObject({ ok: null, error: { field: 'idempotencyKey' } });
  const foreign = await refusal(randomUUID(), { ...input, id: id(0x102) });
  expect(foreign).toMatchObject({ ok: null, error: { code: 'NOT_FOUND', field: 'id' } });
  expect(await refusal(randomUUID(), { ...input, id: id(0x999) })).toEqual(foreign);
});

test('two mutations in one operation are refused, and nothing was changed', async () => {
  const one = (name: string): string =>
    `${name}: updateCitizen(input: {id: "${an}", version: 2, fullName: "${name}"}) { error { code } }`;
  const answer = await send(randomUUID(), `mutation { ${one('A')} ${one('B')} }`);
  expect(codes(answer)).toEqual(['LIMIT']);
  const { body } = await send(null, `{ citizen(id: "${an}") { version } }`);
  expect(body.data).toEqual({ citizen: { version: 2 } });
});

test('a refused mutation leaves one security event, whatever of its answer was asked for; one that was done leaves none', async () => {
  const clerk = principal;
  const eventsOf = async (act: () => Promise<unknown>): Promise<readonly object[]> => {
    noted.length = 0;
    await act();
    return noted.map(({ kind, principal: who, detail }) => ({ kind, who, ...detail }));
  };
  const refused = (code: string, reason: string, who = clerk.id): readonly object[] => [
    { kind: 'request.refused', who, code, reason },
  ];
  const blind = `mutation ($input: UpdateCitizenInput!) { updateCitizen(input: $input) { ok { citizen { id } } } }`;
  const foreign = { id: id(0x102), version: 1, fullName: 'Chi' };
  // Twice each: the first time the document runs on the stock path, then compiled.
  for (let time = 0; time < 2; time += 1) {
    expect(await eventsOf(() => send(randomUUID(), blind, { input: foreign }))).toEqual(refused('NOT_FOUND', 'RECORD_UNKNOWN'));
    const stale = { id: an, version: 1, fullName: 'An' };
    expect(await eventsOf(() => send(randomUUID(), update, { input: stale }))).toEqual(
      refused('CONFLICT_VERSION', 'VERSION_STALE'),
    );
    expect(await eventsOf(() => send('short', update, { input: stale }))).toEqual(refused('BAD_INPUT', 'IDEMPOTENCY_KEY'));
    const create = `mutation ($input: CreateCitizenInput!) { createCitizen(input: $input) { error { code } } }`;
    const taken = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Người Thử', personalId: '038192000003' };
    expect(await eventsOf(() => send(randomUUID(), create, { input: taken }))).toEqual(refused('CONFLICT', 'NUMBER_TAKEN'));
    principal = { ...clerk, id: 'reader', role: 'reader', permissions: ['citizen:read'] };
    expect(await eventsOf(() => send(randomUUID(), update, { input: stale }))).toEqual(
      refused('FORBIDDEN', 'ROLE_LACKS_RIGHT', 'reader'),
    );
    principal = clerk;
  }
  const phone = { id: an, version: 2, phone: '0912345678' };
  expect(await eventsOf(() => send(randomUUID(), update, { input: phone }))).toEqual([]);
  const { body } = await send(null, `{ citizen(id: "${an}") { version fullName } }`);
  expect(body.data).toEqual({ citizen: { version: 3, fullName: 'Nguyễn Văn Ân' } });
});
