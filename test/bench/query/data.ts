import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { usePostgres } from '../../../cli/postgres.ts';
import { startProgram, type Started } from './processes.ts';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
const node = process.execPath;
const folder = join(root, 'test', 'bench', '.data');

/** A hub's data directory filled for measuring, kept for the next run as long as schema and generator stay the same. */
export interface BenchData {
  readonly dir: string;
  readonly citizens: number;
  /** Superuser: what the bare programs log in as. */
  readonly administratorUrl: string;
  postgresPid(): number;
  close(): Promise<void>;
}

/** What decides whether kept data still fit. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const file = `${path}/${entry.name}`;
      if (entry.isDirectory()) add(file);
      else if (!entry.name.includes('.test.')) hash.update(file).update(readFileSync(join(root, file)));
    }
  };
  for (const name of ['kernel/db/migrations', 'kernel/synthetic']) add(name);
  for (const name of ['citizens', 'insurance', 'results', 'slips', 'organisation']) {
    add(`subgraphs/${name}/migrations`);
    hash.update(readFileSync(join(root, `subgraphs/${name}/seed.ts`)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** The nightly run would begin within a measurement that is taken at its hour. */
function hubEnvironment(dir: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { HUB_DATA_DIR: dir, HUB_DEMO: '1', HUB_RECONCILE_AT: 'never', DATABASE_URL: '', REDIS_URL: '', PORT: '0', ...more };
}

/** Starts the hub as `npm start` does. */
export function startHub(dir: string, topology: 'one' | 'apart'): Promise<Started> {
  return startProgram([node, 'cli/start.mjs'], {
    cwd: root,
    env: hubEnvironment(dir, { HUB_PROCESSES: topology }),
    patience: 240_000,
  });
}

/** One command of `npm run hub`; its last line as JSON. */
export async function hubCommand(dir: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(node, ['cli/hub.mjs', ...args, '--json'], {
    cwd: root,
    env: { ...process.env, INIT_CWD: root, ...hubEnvironment(dir) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-4000)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const last = out.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new Error(`hub ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${last}\n${err}`);
  return JSON.parse(last) as Record<string, unknown>;
}

/** The demo world and a generated province, `citizens` people in all. */
export async function benchData(name: string, citizens: number, say: (text: string) => void): Promise<BenchData> {
  const dir = join(folder, name);
  const note = join(dir, 'bench.json');
  const wanted = JSON.stringify({ citizens, fingerprint: fingerprint() });
  if (!existsSync(note) || readFileSync(note, 'utf8') !== wanted) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    say(`${name}: demo world`);
    const hub = await startHub(dir, 'one');
    await hub.stop();
    say(`${name}: ${citizens} citizens`);
    const started = performance.now();
    await hubCommand(dir, 'generate', '--citizens', String(citizens - 2000), '--seed', '11');
    say(`${name}: generated in ${((performance.now() - started) / 1000).toFixed(0)} s`);
    writeFileSync(note, wanted);
  }
  const use = await usePostgres(dir, new AbortController().signal);
  const notes = JSON.parse(readFileSync(join(dir, 'postgres.json'), 'utf8')) as { administratorPassword: string };
  const url = new URL(use.ownerUrl);
  url.username = 'administrator';
  url.password = notes.administratorPassword;
  return { dir, citizens, administratorUrl: url.href, postgresPid: () => use.pid(), close: () => use.leave() };
}

export async function withDatabase<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** What is asked for: the same for every program. */
export interface Sequence {
  /** Personal numbers with exactly one holder. */
  readonly numbers: readonly string[];
  /** Ids behind which a page begins. */
  readonly cursors: readonly string[];
}

/** Numbers and places drawn by a seed: ordered by a hash, so that neighbours in time are no neighbours on disk. */
export async function drawSequence(url: string, seed: number, length: number): Promise<Sequence> {
  return withDatabase(url, async (client) => {
    const numbers = await client.query<{ value: string }>(
      `select min(i.value) as value from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
       where i.system = 'PERSONAL_ID' and c.life_status <> 'MERGED' group by i.value having count(*) = 1
       order by md5(min(i.value) || $1::text) limit $2`,
      [seed, length],
    );
    const cursors = await client.query<{ id: string }>(
      // The last pages would be short.
      `select id from citizens.citizen where life_status <> 'MERGED' and id < (select id from citizens.citizen order by id desc offset 100 limit 1)
       order by md5(id::text || $1::text) limit $2`,
      [seed, length],
    );
    return { numbers: numbers.rows.map((row) => row.value), cursors: cursors.rows.map((row) => row.id) };
  });
}

/** Units whose clients ask in the run with sixteen scopes: the province, centres and stations, by the same seed. */
export async function drawUnits(url: string, count: number): Promise<readonly { code: string; level: string }[]> {
  return withDatabase(url, async (client) => {
    const { rows } = await client.query<{ code: string; level: string }>(
      `(select code, level from hub.unit where level = 'PROVINCE' and valid_to is null order by number limit 1)
       union all (select u.code, u.level from hub.unit u where u.level = 'CENTRE' and u.valid_to is null
         and exists (select 1 from hub.unit s join citizens.citizen c on c.unit_no = s.number where s.parent_number = u.number)
         order by md5(u.code) limit 5)
       union all (select u.code, u.level from hub.unit u where u.level = 'STATION' and u.valid_to is null
         and (select count(*) from citizens.citizen c where c.unit_no = u.number) > 40 order by md5(u.code) limit 20)
       limit $1`,
      [count],
    );
    return rows;
  });
}
