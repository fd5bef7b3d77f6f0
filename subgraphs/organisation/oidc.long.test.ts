import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { hashSecret, newSecret } from '#kernel/auth/secrets.ts';
import { asScope } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { everyUnit } from './database.ts';
import { openIdentity, type Identity } from './index.ts';

let database: TestDatabase;
let identity: Identity;
let app: FastifyInstance;
let address = '';

beforeAll(async () => {
  database = await createTestDatabase();
  await asScope(
    database.ownerUrl,
    everyUnit,
    `insert into organisation.client (id, name, unit_no, role, secret_hashes) values ('made', 'Made here', 1, 'reader', $1),
      ('short', 'Short secret', 1, 'reader', $2), ('turning', 'In rotation', 1, 'reader', $3)`,
    [
      [await hashSecret(newSecret())],
      [await hashSecret('short-secret')],
      [await hashSecret(newSecret()), await hashSecret('old-secret')],
    ],
  );
  identity = openIdentity({
    url: database.roles.organisation,
    identifierKey: Buffer.alloc(32, 7),
    issuer: () => 'http://127.0.0.1:4000',
    clock: { now: () => new Date() },
    report: () => undefined,
  });
  app = Fastify();
  await app.register(identity.edgeRoutes(() => address));
});
afterAll(async () => {
  await app.close();
  await identity.close();
  await database.close();
});

/** Milliseconds of one refused attempt; each from an address of its own, so that none is refused for the number of them. */
async function refusedIn(client: string, attempt: number): Promise<number> {
  address = `10.${String(attempt >> 16)}.${String((attempt >> 8) & 255)}.${String(attempt & 255)}`;
  const authorization = `Basic ${Buffer.from(`${client}:${newSecret()}`).toString('base64')}`;
  const began = performance.now();
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/oauth/token',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'grant_type=client_credentials',
  });
  const took = performance.now() - began;
  expect(statusCode).toBe(401);
  return took;
}

const median = (times: readonly number[]): number => [...times].sort((one, other) => one - other)[times.length >> 1] ?? 0;

test('an unknown client is refused as fast as a wrong secret of any kind, ± 20 % [A07]', async () => {
  const clients = ['nobody', 'made', 'short', 'turning'];
  const times = new Map(clients.map((client) => [client, [] as number[]]));
  for (let round = 0; round < 120; round++) {
    // In turn, so that whatever else the machine does befalls all alike; another first one each time.
    for (let place = 0; place < clients.length; place++) {
      const client = clients[(round + place) % clients.length] ?? '';
      const took = await refusedIn(client, round * clients.length + place);
      if (round >= 10) times.get(client)?.push(took);
    }
  }
  const unknown = median(times.get('nobody') ?? []);
  for (const client of clients.slice(1)) {
    const ratio = median(times.get(client) ?? []) / unknown;
    expect({ client, ratio, within: ratio > 0.8 && ratio < 1.2 }).toMatchObject({ within: true });
  }
}, 600_000);
