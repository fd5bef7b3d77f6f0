/*
 * What each lock costs: the contract's page of twenty citizens with all subgraphs, answered in this process over the same rows, with both locks,
 * without lock one (the condition in the text of each read), without lock two (the row policies), without either. Audit on.
 *
 *   npm run bench -- locks [--json] [--rounds N]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Registry } from 'prom-client';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import { permissionsOf } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { parseRoleUrls } from '#kernel/db/roles.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { silentLog } from '#kernel/log.ts';
import { cursorBindings, encodeCursor } from '#kernel/page.ts';
import { rangesOf } from '#kernel/unit-scope.ts';
import { readSupergraph } from '../../../gateway/compose.ts';
import { openGateway, type Gateway } from '../../../gateway/gateway.ts';
import { allSubgraphs } from '../../../subgraphs/all.ts';
import { withoutLockOne } from '../../scope/probe-world.ts';
import { benchData, drawSequence, withDatabase } from '../query/data.ts';
import { ofContract, queryText } from '../query/queries.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
});
const page = queryText('Q2', ofContract);
const identifierKey = Buffer.alloc(32, 1);
const clients = 16;
const milliseconds = 2_500;

interface Policy {
  readonly table: string;
  readonly name: string;
  readonly using: string;
}

const data = await benchData('short', 20_000, (text) => void process.stderr.write(`${text}\n`));
const rates = new Map<string, number[]>();
try {
  const { cursors } = await drawSequence(data.administratorUrl, 3, 4_000);
  const reader = parseRoleUrls(readFileSync(join(data.dir, 'roles.json'), 'utf8')).reader;
  const { units, policies } = await withDatabase(data.administratorUrl, async (client) => ({
    units: (await client.query<{ number: number }>('select number from hub.unit')).rows.map(({ number }) => number),
    policies: (
      await client.query<Policy>(
        `select schemaname || '.' || tablename as table, policyname as name, qual as using from pg_policies where qual like '%hub.scope%'`,
      )
    ).rows,
  }));
  const setPolicies = (open: boolean) =>
    withDatabase(data.administratorUrl, async (client) => {
      for (const { table, name, using } of policies)
        await client.query(`alter policy ${name} on ${table} using (${open ? 'true' : using})`);
    });
  const registry = new Registry();
  const door = openReadDoor({ connection: reader, registry });
  const audit = openReadAudit({ connection: reader, registry });
  const graphs = new Map<boolean, Gateway>();
  const closing: (() => Promise<unknown>)[] = [];
  for (const one of [true, false]) {
    const deps = {
      door: one ? door : withoutLockOne(door),
      clock: { now: () => new Date() },
      identifierKey: Buffer.alloc(32, 1),
    };
    const runtimes = allSubgraphs.map((module) => openRuntime(module, deps, audit));
    const gateway = await openGateway({ supergraph: readSupergraph(), doors: runtimes, production: false, log: silentLog });
    graphs.set(one, gateway);
    closing.push(() => gateway.stop(), ...runtimes.map((runtime) => () => runtime.close()));
  }
  const caller: Caller = {
    principal: {
      id: 'bench',
      name: 'bench',
      kind: 'CLIENT',
      role: 'integrator',
      unitNo: 1,
      scope: rangesOf(units),
      scopeUnits: units.length,
      permissions: permissionsOf.integrator,
      purpose: 'HOPERAT',
      pointsPerMinute: 1_000_000,
    },
    purpose: 'HOPERAT',
    basis: null,
    locale: 'vi',
    traceId: '0'.repeat(32),
    operation: 'Q2',
    idempotencyKey: null,
  };
  let next = 0;
  async function rate(gateway: Gateway): Promise<number> {
    const until = performance.now() + milliseconds;
    let done = 0;
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (performance.now() < until) {
          const after = cursors[(next += 1) % cursors.length] ?? '';
          const answer = await gateway.answer(
            { query: page, operationName: 'Q2', variables: { after: encodeCursor(binding, [after]) } },
            caller,
            AbortSignal.timeout(10_000),
          );
          if (answer.codes.length > 0) throw new Error(answer.body.slice(0, 300));
          done += 1;
        }
      }),
    );
    return (done * 1_000) / milliseconds;
  }
  const binding = cursorBindings(identifierKey)('citizens', {}, 'id+');
  const variants = [
    { name: 'both', one: true, open: false },
    { name: 'policies only', one: false, open: false },
    { name: 'conditions only', one: true, open: true },
    { name: 'neither', one: false, open: true },
  ];
  try {
    for (let round = 0; round <= Number(options.rounds); round += 1) {
      for (const { name, one, open } of variants) {
        await setPolicies(open);
        const graph = graphs.get(one);
        if (graph === undefined) throw new Error('no graph');
        const measured = await rate(graph);
        if (round > 0) rates.set(name, [...(rates.get(name) ?? []), measured]);
      }
    }
  } finally {
    await setPolicies(false);
  }
  for (const close of closing) await close();
  await Promise.all([door.close(), audit.close()]);
} finally {
  await data.close();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

const bare = median(rates.get('neither') ?? []);
const shares = Object.fromEntries([...rates].map(([name, values]) => [name, Number((median(values) / bare).toFixed(3))]));
const rows = [...rates].map(
  ([name, values]) =>
    `| ${name} | ${median(values).toFixed(0)} | ${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)} | ${String(shares[name])} |`,
);
recordResult(
  'locks',
  [
    `Q2, ${clients} clients of one scope (the province), 20,000 citizens, in one process without HTTP; medians of ${options.rounds} interleaved rounds.`,
    '',
    '| locks | Q2/s | range | to neither |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n'),
);
process.stdout.write(options.json ? `${JSON.stringify({ ratios: shares })}\n` : `${rows.join('\n')}\n`);
