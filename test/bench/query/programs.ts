import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cursorBindings, encodeCursor } from '#kernel/page.ts';
import { hubCommand, root, startHub, withDatabase, type BenchData } from './data.ts';
import { startProgram, type Started } from './processes.ts';
import { ofContract, ofPostgraphile, type Spelling } from './queries.ts';

export type BaselineName = 'stock' | 'hive' | 'postgraphile' | 'floor';

/** A program that answers the two queries. */
export interface Program {
  readonly name: string;
  readonly url: URL;
  readonly spelling: Spelling;
  /** Header lines of each client. */
  readonly headers: readonly (readonly string[])[];
  /** The cursor of this program that stands for a page behind an id. */
  cursor(id: string): string;
  /** Roots of all its process trees, PostgreSQL apart. */
  readonly pids: readonly number[];
  /** Milliseconds from the start of the slowest process to ready. */
  readonly startedIn: number;
  stop(): Promise<void>;
}

const node = process.execPath;
const sources = join(root, 'test', 'bench', 'baselines');
const installed = join(root, 'test', 'bench', '.baselines');
const subgraphs = ['citizens', 'insurance', 'results', 'slips', 'organisation'] as const;

/**
 * The baselines with their packages, in a folder of their own; installed when the lock file says otherwise than what is there.
 * `own: false`: from the hub's own packages, which suffice for the stock federation and the floor.
 */
export function baselineFolder(own: boolean, say: (text: string) => void): string {
  if (!own) return sources;
  mkdirSync(installed, { recursive: true });
  for (const file of readdirSync(sources)) if (!file.startsWith('package')) cpSync(join(sources, file), join(installed, file));
  const lock = readFileSync(join(sources, 'package-lock.json'), 'utf8');
  const mark = join(installed, 'node_modules', '.installed');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== lock) {
    say('packages of the baselines');
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(sources, file), join(installed, file));
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
      cwd: installed,
      stdio: 'inherit',
    });
    writeFileSync(mark, lock);
  }
  return installed;
}

export async function startBaseline(name: BaselineName, folder: string, data: BenchData): Promise<Program> {
  const start = (...args: readonly string[]): Promise<Started> =>
    startProgram([node, ...args], {
      cwd: folder,
      env: {
        BENCH_DATABASE_URL: data.administratorUrl,
        NODE_ENV: 'production',
        GRAPHILE_ENV: 'production',
        APOLLO_TELEMETRY_DISABLED: 'true',
        PORT: '0',
      },
      patience: 60_000,
    });
  switch (name) {
    case 'floor': {
      const floor = await start('floor.mjs');
      return program(name, [floor], `http://127.0.0.1:${floor.ready}/graphql`, ofContract, ownCursor);
    }
    case 'postgraphile': {
      const views = readFileSync(join(folder, 'postgraphile.sql'), 'utf8');
      await withDatabase(data.administratorUrl, (client) => client.query(views));
      const server = await start('postgraphile.mjs');
      const url = `http://127.0.0.1:${server.ready}/graphql`;
      return program(name, [server], url, ofPostgraphile, await learnCursor(url, [], ofPostgraphile.list));
    }
    case 'stock': {
      const services = await Promise.all(subgraphs.map((subgraph) => start('stock-subgraph.mjs', subgraph)));
      const file = compose(
        folder,
        name,
        services.map(({ ready }) => `http://127.0.0.1:${ready}/`),
      );
      const gateway = await start('stock-gateway.mjs', file);
      return program(name, [gateway, ...services], `http://127.0.0.1:${gateway.ready}/`, ofContract, ownCursor);
    }
    case 'hive': {
      const services = await Promise.all(subgraphs.map((subgraph) => start('plain-subgraph.mjs', subgraph)));
      const file = compose(
        folder,
        name,
        services.map(({ ready }) => `http://127.0.0.1:${ready}/graphql`),
      );
      const gateway = await start('hive-gateway.mjs', file, String(await freePort()));
      return program(name, [gateway, ...services], `http://127.0.0.1:${gateway.ready}/graphql`, ofContract, ownCursor);
    }
  }
}

function compose(folder: string, name: string, urls: readonly string[]): string {
  const file = join(folder, `.${name}.graphql`);
  const services = subgraphs.map((subgraph, nth) => `${subgraph}=${urls[nth] ?? ''}`);
  writeFileSync(file, execFileSync(node, ['supergraph.mjs', ...services], { cwd: folder }));
  return file;
}

function program(
  name: string,
  started: readonly Started[],
  url: string,
  spelling: Spelling,
  cursor: (id: string) => string,
  headers: readonly (readonly string[])[] = [],
): Program {
  return {
    name,
    url: new URL(url),
    spelling,
    headers,
    cursor,
    pids: started.map(({ pid }) => pid),
    startedIn: Math.max(...started.map(({ startedIn }) => startedIn)),
    stop: async () => {
      await Promise.all(started.map((one) => one.stop()));
    },
  };
}

const ownCursor = (id: string): string => Buffer.from(id).toString('base64url');

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

/** Cursors that hold an id in readable form are made for another id by putting it there; the comparison proves it right. */
async function learnCursor(url: string, headers: readonly string[], list: string): Promise<(id: string) => string> {
  const text = `{ ${list}(first: 1) { pageInfo { endCursor } } }`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(headers.map((line) => line.split(': ') as [string, string])),
    },
    body: JSON.stringify({ query: text }),
  });
  const body = (await answer.json()) as { data?: { citizens?: { pageInfo: { endCursor: string } } } };
  const example = body.data?.citizens?.pageInfo.endCursor;
  if (example === undefined) throw new Error(`no cursor from ${url}: ${JSON.stringify(body).slice(0, 500)}`);
  const plain = Buffer.from(example, 'base64').toString();
  const id = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(plain)?.[0];
  if (id === undefined) throw new Error(`the cursor of ${url} holds no id`);
  const encoding = example.includes('=') || /[+/]/.test(example) ? 'base64' : 'base64url';
  return (other) => Buffer.from(plain.replace(id, other)).toString(encoding);
}

/** Cursors of the hub are sealed with the key of its installation; those of the benchmark are made as the hub makes them. */
function sealedCursors(dir: string): (id: string) => string {
  const { identifierKey } = JSON.parse(readFileSync(join(dir, 'keys.json'), 'utf8')) as { identifierKey: string };
  const binding = cursorBindings(Buffer.from(identifierKey, 'hex'))('citizens', {}, 'id+');
  return (id) => encodeCursor(binding, [id]);
}

/** A client of the hub with a secret. */
export interface HubClient {
  readonly id: string;
  readonly secret: string;
}

/** Clients of the benchmark with points that no benchmark uses up; made once per data directory, while the hub runs. */
export async function hubClients(data: BenchData, units: readonly { readonly code: string }[]): Promise<readonly HubClient[]> {
  const file = join(data.dir, 'bench-clients.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as HubClient[];
  const clients: HubClient[] = [];
  for (const [nth, { code }] of units.entries()) {
    const id = `bench-${nth}`;
    const added = await hubCommand(
      data.dir,
      ...['clients', 'add', id, '--name', `Bench ${nth}`, '--unit', code, '--role', 'integrator', '--points', '100000000'],
    );
    clients.push({ id, secret: String(added.secret) });
  }
  writeFileSync(file, JSON.stringify(clients), { mode: 0o600 });
  return clients;
}

async function tokenOf(address: string, { id, secret }: HubClient): Promise<string> {
  const answer = await fetch(`${address}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const body = (await answer.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token for ${id}: ${JSON.stringify(body)}`);
  return body.access_token;
}

export interface HubProgram extends Program {
  /** The same hub, asked by clients of other scopes. */
  as(clients: readonly HubClient[], name: string): Promise<Program>;
}

/** The hub with everything on, as `npm start` starts it. */
export async function startHubProgram(
  name: string,
  topology: 'one' | 'apart',
  data: BenchData,
  clientsOf: () => Promise<readonly HubClient[]>,
): Promise<HubProgram> {
  const hub = await startHub(data.dir, topology);
  const address = hub.ready;
  const clients = await clientsOf();
  const first = clients.slice(0, 1);
  const headersOf = async (some: readonly HubClient[]): Promise<string[][]> =>
    Promise.all(some.map(async (client) => [`Authorization: Bearer ${await tokenOf(address, client)}`]));
  const headers = await headersOf(first);
  const cursor = sealedCursors(data.dir);
  const made = (as: string, lines: readonly (readonly string[])[]): Program =>
    program(as, [hub], `${address}/graphql`, ofContract, cursor, lines);
  return { ...made(name, headers), as: async (others, otherName) => made(otherName, await headersOf(others)) };
}
