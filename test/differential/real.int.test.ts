import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { permissionsOf, type Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { defaultPurpose } from '#kernel/auth/purposes.ts';
import { openReadDoor, type OpenReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { silentLog } from '#kernel/log.ts';
import { readSupergraph } from '../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import { allSubgraphs } from '../../subgraphs/all.ts';
import { seedDemoWorld } from '../../subgraphs/seed.ts';
import { asScope } from '../kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../kit/postgres.ts';
import { anyCaller, compare, newComparison, type Comparison } from './compare.ts';
import { OperationGenerator, traits, type Known } from './operations.ts';

/*
 * The same comparison over the real subgraphs and the demo world: whoever asks, the compiled path answers as the stock executor
 * over graphql-js does. `HUB_DIFFERENTIAL` sets how many operations are drawn.
 */

const wanted = Number(process.env.HUB_DIFFERENTIAL ?? '200');
const clock = { now: () => new Date('2026-11-24T03:00:00Z') };
const identifierKey = Buffer.alloc(32, 7);

let database: TestDatabase;
let dataDir: string;
const doors: OpenReadDoor[] = [];
let gateway: Gateway;
let truth: Gateway;
let known: Known;
let down: string | null = null;
let callers: readonly Caller[];

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'gateway-differential-'));
  await seedDemoWorld({ ownerUrl: database.ownerUrl, dataDir, seed: 7, identifierKey, clock });
  const registry = new Registry();
  const door = openReadDoor({ connection: database.roles.reader, registry });
  const auditor = openReadDoor({ connection: database.roles.auditor, registry, name: 'auditor' });
  doors.push(door, auditor);
  const open = async (interpreted: boolean): Promise<Gateway> => {
    const runtimes = allSubgraphs.map((module): SubgraphDoor => {
      // Rows of the audit would change the answer of `auditEvents` between the two runs of one operation.
      const runtime = openRuntime(
        module,
        { door, auditor, clock, identifierKey },
        { commit: async () => undefined },
        { interpreted },
      );
      return {
        name: runtime.name,
        execute: async (request) => (down === runtime.name ? Promise.reject(new Error('down')) : await runtime.execute(request)),
      };
    });
    return await openGateway({ supergraph: readSupergraph(), doors: runtimes, production: false, log: silentLog });
  };
  gateway = await open(false);
  truth = await open(true);
  known = await readKnown();
  callers = await readCallers();
}, 180_000);

afterAll(async () => {
  await Promise.all([gateway.stop(), truth.stop()]);
  await Promise.all(doors.map((door) => door.close()));
  await database.close();
  await rm(dataDir, { recursive: true });
});

async function column(text: string): Promise<readonly string[]> {
  const rows = await asScope<{ value: string }>(database.ownerUrl, '{(,)}', text);
  return rows.map(({ value }) => value);
}

async function readKnown(): Promise<Known> {
  const ids = [
    ...(await column('select id::text as value from citizens.citizen order by id limit 12')),
    ...(await column('select id::text as value from insurance.card order by id limit 4')),
    ...(await column('select id::text as value from slips.referral_slip order by id limit 4')),
    'absent',
  ];
  const units = await column(`select 'u' || number as value from hub.unit`);
  return {
    ids: { id: ids, citizen: ids, orgUnit: units, parent: units, facility: units },
    texts: {
      personalId: [
        ...(await column('select personal_id as value from citizens.citizen where personal_id is not null order by id limit 12')),
        '038',
      ],
      number: [...(await column('select number as value from insurance.card order by id limit 4')), 'DN4380123456789'],
      code: await column('select code as value from results.result where code is not null order by id limit 4'),
      text: ['nguyen', 'Nguyễn Văn An', 'tran', 'zz'],
      after: ['zzz'],
    },
  };
}

/** One caller of each kind that sees something, at the place where the demo world has him. */
async function readCallers(): Promise<readonly Caller[]> {
  const numberOf = async (code: string): Promise<number> =>
    Number(
      (await column(`select number::text as value from hub.unit where code = '${code}'`))[0] ??
        (await column('select min(number)::text as value from hub.unit'))[0],
    );
  const every = await column('select number::text as value from hub.unit order by number');
  const province = every.map((n) => `[${n},${String(Number(n) + 1)})`).join(',');
  const one = (n: number): string => `[${String(n)},${String(n + 1)})`;
  const facility = await numberOf('52901');
  const station = Number((await column(`select unit_no::text as value from citizens.citizen order by id limit 1`))[0]);
  const caller = (role: Role, unitNo: number, scope: string, scopeUnits: number): Caller => ({
    ...anyCaller,
    principal: {
      ...anyCaller.principal,
      id: role,
      role,
      unitNo,
      scope: `{${scope}}`,
      scopeUnits,
      permissions: permissionsOf[role],
    },
    purpose: defaultPurpose[role],
  });
  return [
    caller('integrator', Number(every[0]), province, every.length),
    caller('steward', Number(every[0]), province, every.length),
    caller('clerk', station, one(station), 1),
    caller('hospital', facility, one(facility), 1),
    caller('reader', Number(every[0]), province, every.length),
  ];
}

async function run(seed: number, count: number, against: Gateway): Promise<Comparison> {
  const comparison = newComparison();
  const generator = new OperationGenerator(gateway.schema, seed, known);
  while (comparison.ran < count) {
    const operation = generator.next();
    if (validate(gateway.schema, parse(operation.query)).length > 0) continue;
    const caller = callers[comparison.ran % 2 === 0 ? 0 : comparison.ran % callers.length];
    await compare(gateway, operation, comparison, { truth: against, ...(caller !== undefined && { caller }) });
  }
  return comparison;
}

test('over the real subgraphs compiled and stock executor give the same answers', async () => {
  const comparison = await run(3, wanted, truth);
  expect(comparison.differences.slice(0, 1)).toEqual([]);
  expect(comparison.compiled / comparison.ran).toBeGreaterThanOrEqual(0.95);
  for (const trait of traits) expect(comparison.traits[trait].ran / comparison.ran).toBeGreaterThanOrEqual(0.1);
  expect(comparison.withData / comparison.ran).toBeGreaterThan(0.5);
}, 600_000);

test('they also do while a subgraph is down', async () => {
  for (const { name } of allSubgraphs) {
    down = name;
    const comparison = await run(name.length, Math.ceil(wanted / 10), gateway);
    down = null;
    expect(comparison.differences.slice(0, 1)).toEqual([]);
  }
}, 600_000);
