import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { silentLog } from '#kernel/log.ts';
import type { SubgraphDeps } from '#kernel/subgraph.ts';
import { compose, subgraphSources } from '../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import { compare, newComparison, type Comparison } from './compare.ts';
import { imaginedSubgraph, schemaOf } from './imagined-subgraphs.ts';
import { OperationGenerator, traits } from './operations.ts';

/*
 * The whole graph over subgraphs without a database: whatever is drawn from the schema answers the same, compiled and on the
 * stock executor. `HUB_DIFFERENTIAL` sets how many operations are drawn.
 */

const wanted = Number(process.env.HUB_DIFFERENTIAL ?? '300');
const noDeps = {} as SubgraphDeps;
const noAudit = { commit: async () => undefined };
let down: string | null = null;
let gateway: Gateway;

async function open(interpreted: boolean, late = false): Promise<Gateway> {
  const sources = subgraphSources();
  const doors = sources.map(({ name }): SubgraphDoor => {
    const module = imaginedSubgraph(name as SubgraphName, schemaOf(name), { failing: 15, breaching: 5, late });
    const runtime = openRuntime(module, noDeps, noAudit, { interpreted });
    return {
      name: runtime.name,
      execute: async (request) => (down === name ? Promise.reject(new Error('down')) : runtime.execute(request)),
    };
  });
  return await openGateway({ supergraph: compose(sources), doors, production: false, log: silentLog });
}

beforeAll(async () => {
  gateway = await open(false);
});
afterAll(async () => {
  await gateway.stop();
});

async function run(seed: number, count: number, tested = gateway, truth = tested): Promise<Comparison> {
  const comparison = newComparison();
  const generator = new OperationGenerator(gateway.schema, seed, { ids: {}, texts: {} });
  while (comparison.ran < count) {
    const operation = generator.next();
    if (validate(gateway.schema, parse(operation.query)).length > 0) continue;
    await compare(tested, operation, comparison, { truth });
  }
  return comparison;
}

test('compiled and stock executor give the same answers', async () => {
  const comparison = await run(7, wanted);
  expect(comparison.differences.slice(0, 1)).toEqual([]);
  expect(comparison.compiled / comparison.ran).toBeGreaterThanOrEqual(0.95);
  for (const trait of traits) expect(comparison.traits[trait].ran / comparison.ran).toBeGreaterThanOrEqual(0.1);
  expect(comparison.withData / comparison.ran).toBeGreaterThan(0.5);
  expect(comparison.withErrors).toBeGreaterThan(0);
}, 300_000);

test('they also do while a subgraph is down', async () => {
  for (const { name } of subgraphSources()) {
    down = name;
    const comparison = await run(name.length, Math.ceil(wanted / 10));
    expect(comparison.differences.slice(0, 1)).toEqual([]);
  }
  down = null;
}, 300_000);

test('compiled subgraphs give the answers of graphql-js', async () => {
  // Trouble comes late here: graphql-js leaves a rejected promise behind where a null rises at once beside one that comes later.
  const late = await open(false, true);
  const truth = await open(true, true);
  const comparison = await run(11, Math.ceil(wanted / 3), late, truth);
  await Promise.all([late.stop(), truth.stop()]);
  expect(comparison.differences.slice(0, 1)).toEqual([]);
}, 300_000);
