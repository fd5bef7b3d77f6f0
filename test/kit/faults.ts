import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { Random } from '#kernel/synthetic/random.ts';
import { behave } from './reconcile-drill.ts';
import type { TestHub } from './hub.ts';
import type { TestRedis } from './redis.ts';

/* What goes wrong with a running hub, by name. Each can be struck as often as one likes. */

export interface Fault {
  readonly name: string;
  strike(hub: TestHub): Promise<void>;
}

/** Superuser of the hub's own server, whatever port it has by now. */
export async function asAdministrator<T>(dataDir: string, body: (sql: Client) => Promise<T>): Promise<T> {
  const { administratorPassword, port } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as {
    administratorPassword: string;
    port: number;
  };
  const database = new URL((JSON.parse(readFileSync(join(dataDir, 'roles.json'), 'utf8')) as { citizens: string }).citizens)
    .pathname;
  const client = new Client({
    connectionString: `postgres://administrator:${encodeURIComponent(administratorPassword)}@127.0.0.1:${String(port)}${database}`,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** SIGKILL to every one of them at once. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with the one before.
    }
  }
}

function killed(name: string, pids: (hub: TestHub) => readonly number[]): Fault {
  return {
    name,
    strike(hub) {
      const found = pids(hub);
      // It may be on its way up again from the fault before: there is nothing to kill then.
      killAll(found);
      return Promise.resolve();
    },
  };
}

const commandHas =
  (...words: readonly string[]) =>
  (hub: TestHub): readonly number[] =>
    hub
      .processes()
      .filter(({ command }) => words.some((word) => command.includes(word)))
      .map(({ pid }) => pid);

/** Every process of PostgreSQL: the postmaster and all that it forked. */
export function postgresPids({ dataDir }: TestHub): readonly number[] {
  try {
    const postmaster = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const children = readFileSync(`/proc/${String(postmaster)}/task/${String(postmaster)}/children`, 'utf8').trim();
    return [
      postmaster,
      ...children
        .split(' ')
        .filter((pid) => pid !== '')
        .map(Number),
    ];
  } catch {
    // It is not there yet.
    return [];
  }
}

/** The process that serves everything in one; apart, the gateway and the subgraph that writes citizens. */
export const hubKilled = killed('hub', commandHas('hub-process', 'gateway/main', 'subgraphs/main.ts citizens'));
export const workerKilled = killed('worker', commandHas('workers/main'));
export const postgresKilled = killed('postgres', postgresPids);

/** The queue forgets everything, wherever it lives. */
export function queueEmptied(redis: TestRedis | null): Fault {
  return {
    name: 'queue',
    async strike({ dataDir }) {
      if (redis !== null) await redis.ask((server) => server.flushall());
      // PostgreSQL itself may be on its way up again.
      else await asAdministrator(dataDir, (sql) => sql.query('truncate bullmq.job cascade')).catch(() => undefined);
    },
  };
}

/** The population database answers after half a minute, for so many milliseconds. */
export function populationSlow(milliseconds: number): Fault {
  let well: NodeJS.Timeout | undefined;
  return {
    name: 'population',
    async strike({ dataDir }) {
      clearTimeout(well);
      await behave(dataDir, { mode: 'slow', slowDelay: 30_000 });
      well = setTimeout(() => void behave(dataDir, {}).catch(() => undefined), milliseconds);
    },
  };
}

/** So many of them in an order drawn from the seed; each comes once before any comes again. */
export function drawn(seed: number, faults: readonly Fault[], count: number): readonly Fault[] {
  const random = new Random(seed, 'fault', count);
  const order: Fault[] = [];
  while (order.length < count) {
    const left = [...faults];
    while (left.length > 0) order.push(...left.splice(random.below(left.length), 1));
  }
  return order.slice(0, count);
}
