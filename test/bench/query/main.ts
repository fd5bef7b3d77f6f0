/*
 * The two queries of the contract, asked of the hub with everything on and of bare programs over the same database, in turn, by one
 * load generator. Docs: docs/architecture.md, budgets below.
 *
 *   npm run bench -- query [--json] [--rounds N] [--short] [--only stock,floor,…]
 *
 * --short: the hub in one process against the stock federation over 20,000 citizens, fails below half of the budget; for CI.
 */
import { parseArgs } from 'node:util';
import { compareAnswers, compareScopes } from './compare.ts';
import { benchData, drawSequence, drawUnits, type BenchData, type Sequence } from './data.ts';
import { Measurement, measure, type Plan } from './measure.ts';
import {
  baselineFolder,
  hubClients,
  startBaseline,
  startHubProgram,
  type BaselineName,
  type HubClient,
  type Program,
} from './programs.ts';
import { memoryOf, startGenerator, type Generator } from './processes.ts';
import { budgets, jsonOf, tableOf } from './report.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    seed: { type: 'string', default: '20261123' },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const seed = Number(options.seed);
const rounds = options.short ? 2 : Number(options.rounds);
const baselines: readonly BaselineName[] = options.short ? ['stock', 'floor'] : ['floor', 'stock', 'hive', 'postgraphile'];
const only = options.only?.split(',') ?? null;
const wanted = (name: string): boolean => only === null || only.includes(name);

const clientCount = 16;
/** Milliseconds of each measurement. */
const times = options.short ? { q1: 1500, q2: 3000, q2wide: 2000, warm: 2500 } : { q1: 3000, q2: 5000, q2wide: 4000, warm: 4000 };
const plans: Record<'Q1' | 'Q2' | 'Q2wide', Plan> = {
  Q1: { query: 'Q1', clients: clientCount, milliseconds: times.q1 },
  Q2: { query: 'Q2', clients: clientCount, milliseconds: times.q2 },
  Q2wide: { query: 'Q2', clients: 64, milliseconds: times.q2wide },
};
type Which = keyof typeof plans;

const results = new Measurement();

async function warm(generator: Generator, program: Program, sequence: Sequence, data: BenchData): Promise<void> {
  await measure(generator, program, { ...plans.Q2, milliseconds: times.warm }, sequence, 40_000, data);
  await measure(generator, program, { ...plans.Q1, milliseconds: times.warm / 3 }, sequence, 40_000, data);
}

async function round(
  generator: Generator,
  program: Program,
  which: readonly Which[],
  nth: number,
  sequence: Sequence,
  data: BenchData,
): Promise<void> {
  for (const name of which) {
    const result = await measure(generator, program, plans[name], sequence, nth * 11_003, data);
    results.add(program.name, name, result);
    say(
      `  ${program.name.padEnd(13)} ${name.padEnd(6)} ${result.rps.toFixed(0).padStart(6)}/s  p99 ${result.p99.toFixed(0).padStart(5)} ms` +
        `  CPU ${result.nodeCpu.toFixed(0)} + ${result.postgresCpu.toFixed(0)} µs`,
    );
  }
}

async function growth(generator: Generator, large: BenchData, largeSequence: Sequence): Promise<void> {
  const small = await benchData('small', 20_000, say);
  try {
    const sequences = { small: await drawSequence(small.administratorUrl, seed, 15_000), large: largeSequence };
    const hubs = await Promise.all(
      (
        [
          ['small', small],
          ['large', large],
        ] as const
      ).map(
        async ([name, data]) =>
          [name, data, await startHubProgram(`growth-${name}`, 'one', data, () => clientsOf(data))] as const,
      ),
    );
    for (let nth = 0; nth < rounds + 1; nth += 1) {
      for (const query of ['Q1', 'Q2'] as const) {
        for (const [name, data, hub] of hubs) {
          const plan = { query, clients: 1, milliseconds: 2000 };
          const result = await measure(generator, hub, plan, sequences[name], nth * 3001, data);
          if (nth > 0) results.add(hub.name, query, result);
        }
      }
    }
    for (const [, , hub] of hubs) await hub.stop();
  } finally {
    await small.close();
  }
}

async function clientsOf(data: BenchData): Promise<readonly HubClient[]> {
  return hubClients(data, await drawUnits(data.administratorUrl, clientCount));
}

async function main(): Promise<number> {
  const started = performance.now();
  const folder = baselineFolder(!options.short, say);
  const data = await benchData(options.short ? 'small' : 'large', options.short ? 20_000 : 200_000, say);
  const generator = startGenerator();
  const programs: Program[] = [];
  try {
    const sequence = await drawSequence(data.administratorUrl, seed, options.short ? 15_000 : 50_000);
    const units = await drawUnits(data.administratorUrl, clientCount);
    for (const name of baselines.filter(wanted)) programs.push(await startBaseline(name, folder, data));
    say(`started: ${programs.map(({ name }) => name).join(', ')}`);

    for (const topology of options.short ? (['one'] as const) : (['one', 'apart'] as const)) {
      const hub = await startHubProgram(topology, topology, data, () => clientsOf(data));
      results.note(`${topology}.start`, hub.startedIn);
      const compared = await compareAnswers([...programs, hub], sequence);
      const scoped = await hub.as(await clientsOf(data), 'scopes16');
      const ofScopes = await compareScopes(scoped, units, data.administratorUrl, sequence);
      say(
        `${topology}: ${compared} answers of ${programs.length + 1} programs are equal, ${ofScopes} pages of 16 scopes are right`,
      );
      await hub.stop();
    }

    for (const program of programs) await warm(generator, program, sequence, data);
    for (let nth = 0; nth < rounds; nth += 1) {
      say(`round ${nth + 1}`);
      const inTurn = [
        ...programs.slice(nth % Math.max(1, programs.length)),
        ...programs.slice(0, nth % Math.max(1, programs.length)),
      ];
      for (const program of inTurn) await round(generator, program, ['Q1', 'Q2', 'Q2wide'], nth, sequence, data);
      if (wanted('one')) {
        const hub = await startHubProgram('one', 'one', data, () => clientsOf(data));
        if (nth === 0) results.note('one.restMemory', await restMemory(hub));
        await warm(generator, hub, sequence, data);
        await round(generator, hub, ['Q1', 'Q2', 'Q2wide'], nth, sequence, data);
        if (!options.short) {
          const scoped = await hub.as(await clientsOf(data), 'scopes16');
          await measure(generator, scoped, { ...plans.Q2, milliseconds: 1500 }, sequence, 40_000, data);
          await round(generator, scoped, ['Q2'], nth, sequence, data);
        }
        await hub.stop();
      }
      if (!options.short && wanted('apart')) {
        const hub = await startHubProgram('apart', 'apart', data, () => clientsOf(data));
        await warm(generator, hub, sequence, data);
        await round(generator, hub, ['Q1', 'Q2', 'Q2wide'], nth, sequence, data);
        await hub.stop();
      }
    }
    for (const program of programs) await program.stop();
    if (!options.short && wanted('growth')) await growth(generator, data, sequence);
  } finally {
    generator.stop();
    for (const program of programs) await program.stop();
    await data.close();
  }
  const seconds = (performance.now() - started) / 1000;
  const table = tableOf(results, { citizens: data.citizens, rounds, seconds });
  process.stdout.write(`${table}\n`);
  if (!options.short && only === null) recordResult('query', table);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(results))}\n`);
  const missed = budgets(results, options.short).filter(({ holds }) => !holds);
  for (const { name, found, budget } of missed) say(`missed: ${name}: ${found} instead of ${budget}`);
  return missed.length === 0 ? 0 : 1;
}

async function restMemory(hub: Program): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 3000));
  return hub.pids.reduce((sum, pid) => sum + memoryOf(pid), 0);
}

process.exitCode = await main();
