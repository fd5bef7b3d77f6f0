import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askGraph, checkout, tokenOf, type TestHub } from './hub.ts';

/* A hub beside its population database, for tests: commands, faults, and what is open compared with what was planted. */

export interface CommandOutcome {
  readonly code: number | null;
  /** The last line, one JSON object. */
  readonly last: Readonly<Record<string, unknown>>;
  readonly said: string;
}

export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandOutcome>;
}

export function command(dataDir: string, ...args: readonly string[]): Command {
  const child = spawn('node', [join(checkout, 'cli', 'hub.mjs'), ...args, '--json'], {
    cwd: checkout,
    env: { PATH: process.env.PATH ?? '', HOME: dataDir, HUB_DATA_DIR: dataDir, PORT: '0', HUB_LANG: 'en' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<CommandOutcome>((resolve) => {
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('close', (code) => {
      const last = out.trimEnd().split('\n').at(-1) ?? '';
      resolve({ code, said, last: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {} });
    });
  });
  return { child, ended };
}

/** Switches a fault of the simulator on; `{}`: well again. */
export async function behave(dataDir: string, behaviour: Readonly<Record<string, unknown>>): Promise<void> {
  const { control } = simulatorOf(dataDir);
  const answer = await fetch(`${control}/behaviour`, { method: 'PUT', body: JSON.stringify(behaviour) });
  if (!answer.ok) throw new Error(await answer.text());
}

export interface SimulatorCalls {
  readonly count: number;
  readonly busiestSecond: number;
  readonly calls: readonly {
    readonly at: number;
    readonly operation: string;
    readonly requestId: string;
    readonly officer: string;
    readonly unit: string;
    readonly procedure: string;
    readonly outcome: string;
  }[];
}

export async function callsOf(dataDir: string): Promise<SimulatorCalls> {
  return (await (await fetch(`${simulatorOf(dataDir).control}/calls`)).json()) as SimulatorCalls;
}

export async function forgetCalls(dataDir: string): Promise<void> {
  await fetch(`${simulatorOf(dataDir).control}/calls`, { method: 'DELETE' });
}

function simulatorOf(dataDir: string): { readonly address: string; readonly control: string } {
  return JSON.parse(readFileSync(join(dataDir, 'population-simulator.json'), 'utf8')) as { address: string; control: string };
}

/** `citizen_id,kind,field` of what a comparison must find. */
export function plantedOf(dataDir: string): readonly string[] {
  return readFileSync(join(dataDir, 'demo-defects.csv'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line.endsWith(',reconcile'))
    .map((line) => line.replace(/,reconcile$/, ''))
    .sort();
}

/** The same of what is open, by the graph; an item that is there twice stands here twice. */
export async function openWork(hub: TestHub): Promise<readonly string[]> {
  const token = await tokenOf(hub);
  const found: string[] = [];
  for (let after: string | null = null; ;) {
    const { body } = await askGraph(
      hub,
      token,
      `query ($after: String) { discrepancies(filter: { foundBy: RECONCILE }, first: 100, after: $after) {
         nodes { kind field citizen { id } } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    const page = body.data?.discrepancies as {
      readonly nodes: readonly { readonly kind: string; readonly field: string; readonly citizen: { readonly id: string } }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
    };
    found.push(...page.nodes.map(({ kind, field, citizen }) => `${citizen.id},${kind},${field}`));
    if (!page.pageInfo.hasNextPage) return found.sort();
    after = page.pageInfo.endCursor;
  }
}

export async function stewardOf(hub: TestHub): Promise<string> {
  const { code, said, last } = await command(hub.dataDir, 'token', 'steward').ended;
  if (code !== 0 || typeof last.token !== 'string') throw new Error(`no token for steward: ${said}`);
  return last.token;
}

/** Starts a comparison on the graph; the id of its run. */
export async function startOnGraph(
  hub: TestHub,
  token: string,
  input: object,
  key: string = randomUUID(),
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${hub.address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({
      query: `mutation ($input: StartReconcileInput!) { startReconcile(input: $input) { ok { runId } error { code reason } } }`,
      variables: { input },
    }),
  });
  const { data } = (await answer.json()) as { readonly data: { readonly startReconcile: Record<string, unknown> } };
  return data.startReconcile;
}

export interface RunState {
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** The run, when it has ended or when patience has; milliseconds. */
export async function endOf(hub: TestHub, run: string, patience: number): Promise<RunState> {
  const until = performance.now() + patience;
  for (;;) {
    const state = await runOf(hub, run).catch(() => null);
    if (state !== null && ['DONE', 'FAILED', 'CANCELLED'].includes(state.state)) return state;
    if (performance.now() > until) return state ?? { state: 'NOT SEEN', total: 0, done: 0, counts: {} };
    await sleep(250);
  }
}

async function runOf(hub: TestHub, run: string): Promise<RunState | null> {
  const { body } = await askGraph(
    hub,
    await tokenOf(hub),
    `{ syncRuns(first: 50) { nodes { id state total done counts { name value } } } }`,
  );
  const nodes = (body.data?.syncRuns as { readonly nodes: readonly Record<string, unknown>[] } | null)?.nodes ?? [];
  const found = nodes.find(({ id }) => id === run);
  if (found === undefined) return null;
  const counts = found.counts as readonly { readonly name: string; readonly value: number }[];
  return {
    state: String(found.state),
    total: Number(found.total),
    done: Number(found.done),
    counts: Object.fromEntries(counts.map(({ name, value }) => [name, value])),
  };
}

const programs = {
  worker: /workers\/main\.ts/,
  hub: /cli\/hub-process\.ts/,
  postgres: /postgres -D/,
  insurance: /subgraphs\/main\.ts insurance/,
} as const;

/** SIGKILL to every process of that kind. */
export function killOf(hub: TestHub, victim: keyof typeof programs): void {
  const found = hub.processes().filter(({ command: line }) => programs[victim].test(line));
  if (found.length === 0) throw new Error(`no ${victim} is running`);
  for (const { pid } of found) process.kill(pid, 'SIGKILL');
}
