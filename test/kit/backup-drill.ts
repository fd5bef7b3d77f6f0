import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { checkout, processesOf, startHub, type TestHub } from './hub.ts';

/*
 * The drill behind "restorable": a hub under writes is backed up, dies with its disk, is restored on an empty folder, and everybody who
 * wrote sends again what he sent.
 */

export interface DrillOptions {
  /** Beside the demo world's 2,000. */
  readonly generated: number;
  readonly writers: number;
  /** Written on for so long after the backup's end, and so long waited before the loss; seconds. */
  readonly after: number;
  readonly quiet: number;
}

export interface DrillReport {
  readonly backup: Readonly<Record<string, unknown>>;
  readonly restore: Readonly<Record<string, unknown>>;
  /** What verify-audit says of the restored copy. */
  readonly audit: Readonly<Record<string, unknown>>;
  readonly attempted: number;
  readonly acknowledged: number;
  readonly acknowledgedBeforeTheEnd: number;
  /** Acknowledged before the backup's end and not there after the restore. */
  readonly lost: readonly string[];
  /** Acknowledged later and not there: what lay in the last minute of the log. */
  readonly lostAfterTheEnd: readonly string[];
  /** After everything was sent again, twice: written more than once, or not at all. */
  readonly doubled: readonly string[];
  readonly missing: readonly string[];
  /** Citizens of the hub, and of the replica of cards when it had caught up. */
  readonly citizens: number;
  readonly replicated: number;
  readonly seconds: number;
}

/** Between two writes of one writer, milliseconds. */
const pace = 300;

interface Write {
  readonly key: string;
  readonly name: string;
  acknowledgedAt: Date | null;
}

/** Runs a command of the hub to its end; its last line as JSON. */
export async function hubCommand(
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; json: Record<string, unknown>; said: string }> {
  const child = spawn('node', [join(checkout, 'cli', 'hub.mjs'), ...args, '--json'], {
    cwd: checkout,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? dataDir,
      HUB_LANG: 'en',
      HUB_DATA_DIR: dataDir,
      PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
  const last = out.trim().split('\n').at(-1) ?? '';
  return { code, json: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : {}, said };
}

async function done(
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const { code, json, said } = await hubCommand(dataDir, args, env);
  if (code !== 0) throw new Error(`hub ${args.join(' ')}: exit ${code}\n${said}\n${JSON.stringify(json)}`);
  return json;
}

/** Names that no one of the demo world has: letters only, as names are. */
function nameOf(writer: number, n: number): string {
  const letters = String(n).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
  return `Phạm Sao Lưu ${'ABCDEFGHIJKLMNOPQRST'[writer] ?? 'Z'}${letters}`;
}

const create = `mutation ($input: CreateCitizenInput!) { createCitizen(input: $input) { ok { citizen { id } } error { code reason } } }`;

/** Sends once, and again as long as it is told to come back later. */
async function send(address: string, token: string, unit: string, write: Write): Promise<boolean> {
  for (;;) {
    const answer = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': write.key },
      body: JSON.stringify({ query: create, variables: { input: { orgUnitId: unit, fullName: write.name } } }),
      signal: AbortSignal.timeout(20_000),
    });
    const later = Number(answer.headers.get('retry-after') ?? 0);
    const said = (await answer.json()) as {
      data?: { createCitizen?: { ok?: { citizen?: { id?: string } } | null } | null } | null;
    };
    if (said.data?.createCitizen?.ok?.citizen?.id !== undefined) return true;
    if (answer.status !== 429) return false;
    await sleep(later * 1_000);
  }
}

async function station(address: string, token: string): Promise<string> {
  const answer = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ citizens(first: 1) { nodes { orgUnit { id } } } }' }),
  });
  const said = (await answer.json()) as { data?: { citizens?: { nodes: { orgUnit: { id: string } }[] } } };
  const id = said.data?.citizens?.nodes[0]?.orgUnit.id;
  if (id === undefined) throw new Error(`no unit: ${JSON.stringify(said)}`);
  return id;
}

export async function backupDrill(options: DrillOptions): Promise<DrillReport> {
  const began = performance.now();
  const root = mkdtempSync(join(tmpdir(), 'lien-thong-drill-'));
  const lostDir = join(root, 'lost');
  const newDir = join(root, 'new');
  const env = { HUB_BACKUP_DIR: join(root, 'backups'), HUB_BACKUP_KEY: '5e'.repeat(32) };
  const hubs: TestHub[] = [];
  try {
    const first = await startHub({ dataDir: lostDir, env });
    hubs.push(first);
    if (options.generated > 0) await done(lostDir, ['generate', '--citizens', String(options.generated)], env);
    const token = String((await done(lostDir, ['token', 'steward'], env)).token);
    const unit = await station(first.address, token);

    const writes: Write[] = [];
    const stop = new AbortController();
    const writers = Promise.all(
      Array.from({ length: options.writers }, async (_, writer) => {
        for (let n = 0; !stop.signal.aborted; n += 1) {
          const write: Write = { key: `drill-${writer}-${n}-0000`, name: nameOf(writer, n), acknowledgedAt: null };
          writes.push(write);
          if (await send(first.address, token, unit, write).catch(() => false)) write.acknowledgedAt = new Date();
          // An operator may write 600 times a minute.
          await sleep(pace);
        }
      }),
    );
    await sleep(1_000);
    const backup = await done(lostDir, ['backup'], env);
    await sleep(options.after * 1_000);
    stop.abort();
    await writers;
    await sleep(options.quiet * 1_000);
    for (const { pid } of processesOf(lostDir)) process.kill(pid, 'SIGKILL');
    while (processesOf(lostDir).length > 0) await sleep(50);
    rmSync(lostDir, { recursive: true, force: true });

    const restore = await done(newDir, ['restore'], env);
    const audit = await done(newDir, ['verify-audit'], env);
    const second = await startHub({ dataDir: newDir, env });
    hubs.push(second);
    const again = String((await done(newDir, ['token', 'steward'], env)).token);
    const found = await namesIn(newDir);
    const acknowledged = writes.filter(({ acknowledgedAt }) => acknowledgedAt !== null);
    const end = new Date(String(backup.endedAt));
    const before = acknowledged.filter(({ acknowledgedAt }) => acknowledgedAt !== null && acknowledgedAt < end);
    const later = acknowledged.filter((write) => !before.includes(write));
    const absent = (list: readonly Write[]) => list.filter(({ name }) => !found.has(name)).map(({ name }) => name);
    const lost = absent(before);
    const lostAfterTheEnd = absent(later);

    for (const round of [1, 2]) {
      const waiting = [...writes];
      const sender = async () => {
        for (let write = waiting.shift(); write !== undefined; write = waiting.shift()) {
          if (!(await send(second.address, again, unit, write))) throw new Error(`round ${round}: ${write.name} was refused`);
        }
      };
      await Promise.all(Array.from({ length: options.writers }, sender));
    }
    const names = await namesIn(newDir);
    const { citizens, replicated } = await caughtUp(newDir);
    return {
      backup,
      restore,
      audit,
      attempted: writes.length,
      acknowledged: acknowledged.length,
      acknowledgedBeforeTheEnd: before.length,
      lost,
      lostAfterTheEnd,
      doubled: writes.filter(({ name }) => (names.get(name) ?? 0) > 1).map(({ name }) => name),
      missing: writes.filter(({ name }) => !names.has(name)).map(({ name }) => name),
      citizens,
      replicated,
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  } finally {
    for (const hub of hubs) if (processesOf(hub.dataDir).length > 0) await hub.stop();
    rmSync(root, { recursive: true, force: true });
  }
}

async function asOwner<Row extends object>(dataDir: string, text: string): Promise<readonly Row[]> {
  const { ownerPassword, port } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as {
    ownerPassword: string;
    port: number;
  };
  const client = new Client({ host: '127.0.0.1', port, user: 'hub_owner', password: ownerPassword, database: 'hub' });
  await client.connect();
  try {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function namesIn(dataDir: string): Promise<ReadonlyMap<string, number>> {
  const rows = await asOwner<{ name: string; count: number }>(
    dataDir,
    `select full_name as name, count(*)::int as count from citizens.citizen where name_folded like 'pham sao luu %' group by 1`,
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

async function caughtUp(dataDir: string): Promise<{ citizens: number; replicated: number }> {
  for (const until = performance.now() + 30_000; ;) {
    const [row] = await asOwner<{ citizens: number; replicated: number }>(
      dataDir,
      `select (select count(*)::int from citizens.citizen) as citizens, (select count(*)::int from insurance.citizen) as replicated`,
    );
    if (row !== undefined && (row.citizens === row.replicated || performance.now() > until)) return row;
    await sleep(200);
  }
}
