import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { openRun } from '#kernel/jobs/runs.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { drillRun, type DrillPlan } from './drill-job.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

export interface DrillWorker {
  readonly child: ChildProcess;
  readonly said: () => string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface DrillState {
  readonly state: string;
  readonly total: number | null;
  readonly done: number;
  readonly refused: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly report: unknown;
  readonly version: number;
}

/** A migrated database with one province and real workers that may be killed. */
export interface Drill {
  readonly database: TestDatabase;
  /** As the owner, over every unit. */
  readonly owner: Client;
  readonly citizens: Database;
  worker(env?: Readonly<Record<string, string>>): Promise<DrillWorker>;
  start(plan: Partial<DrillPlan>, caller?: Caller): Promise<string>;
  run(id: string): Promise<DrillState>;
  /** Until the run is over; throws after `milliseconds`. */
  over(id: string, milliseconds: number): Promise<DrillState>;
  /** Pages whose effect is there, each as often as it was committed. */
  effects(id: string): Promise<readonly number[]>;
  close(): Promise<void>;
}

export async function openDrill(env: Readonly<Record<string, string>> = {}): Promise<Drill> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'hub-drill-'));
  await writeFile(join(dataDir, 'roles.json'), JSON.stringify(database.roles), { mode: 0o600 });
  const owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('hub.scope', $1, false)`, [everyUnit]);
  await owner.query(
    `insert into hub.unit (number, code, name, level, valid_from) values (1, '52', 'Tỉnh', 'PROVINCE', '2025-07-01')`,
  );
  await owner.query(
    'create table citizens.drill (run_id uuid not null, no int not null, principal text not null, at timestamptz default clock_timestamp())',
  );
  const { rows } = await owner.query<{ role: string }>(`select role from hub.outbox_consumer where consumer = 'insurance'`);
  const role = (rows[0]?.role ?? '').replace(/insurance$/, 'citizens');
  await owner.query(`grant insert, select on citizens.drill to "${role}"`);
  const citizens = await openDatabase({ url: database.roles.citizens, entities: [], connections: 2, applicationName: 'drill' });
  const workers = new Set<DrillWorker>();

  async function run(id: string): Promise<DrillState> {
    const found = await owner.query<DrillState>(
      'select state, total, done, refused, counts, report, version from hub.run where id = $1',
      [id],
    );
    const [row] = found.rows;
    if (row === undefined) throw new Error('no such run');
    return row;
  }

  return {
    database,
    owner,
    citizens,
    async worker(more = {}) {
      const child = spawn(process.execPath, [fileURLToPath(new URL('drill-worker.ts', import.meta.url))], {
        env: { ...plain(), HUB_DATA_DIR: dataDir, HUB_ROLES_FILE: join(dataDir, 'roles.json'), ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      const ended = new Promise<number | NodeJS.Signals>((resolve) =>
        child.once('exit', (code, signal) => resolve(signal ?? code ?? -1)),
      );
      const one: DrillWorker = { child, said: () => text, kill: (signal) => void child.kill(signal), ended };
      workers.add(one);
      await new Promise<void>((resolve) => {
        const hear = (chunk: Buffer): void => {
          text += chunk.toString('utf8');
          if (text.includes('ready\n')) resolve();
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        void ended.then(() => resolve());
      });
      return one;
    },
    start: async (plan, caller) => {
      const id = await citizens.transaction({ units: caller?.principal.scope ?? everyUnit, principal: 'drill' }, (tx) =>
        openRun(tx, drillRun(null), caller === undefined ? { hub: { unitNo: 1, slot: null } } : { caller }, {
          pages: 10,
          milliseconds: 0,
          failing: [],
          refused: [],
          peer: null,
          deadly: null,
          ...plan,
        }),
      );
      if (id === null) throw new Error('the run was not opened');
      return id;
    },
    run,
    async over(id, milliseconds) {
      const until = performance.now() + milliseconds;
      for (;;) {
        const now = await run(id);
        if (now.state !== 'RUNNING') return now;
        if (performance.now() > until) {
          const { rows: open } = await owner.query(
            `select no, state, tries, reason, queued_at, lease_until from hub.run_page where run_id = $1 and state <> 'DONE' limit 5`,
            [id],
          );
          throw new Error(
            `still ${now.state}: ${JSON.stringify({ now, open })} ${[...workers].map(({ said }) => said()).join('\n')}`,
          );
        }
        await sleep(50);
      }
    },
    async effects(id) {
      const found = await owner.query<{ no: number }>('select no from citizens.drill where run_id = $1 order by no', [id]);
      return found.rows.map(({ no }) => no);
    },
    async close() {
      for (const one of workers) one.kill('SIGKILL');
      await Promise.all([...workers].map(({ ended }) => ended));
      await citizens.close();
      await owner.end();
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a worker needs of this process's environment, and nothing that belongs to a hub. */
function plain(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The time of day in Việt Nam so many seconds from now, by the clock of the database; what daily schedules are told. */
export async function timeOfDay({ owner }: Drill, ahead: number): Promise<string> {
  const { rows } = await owner.query<{ time: string }>(
    `select to_char(clock_timestamp() at time zone 'Asia/Ho_Chi_Minh' + make_interval(secs => $1), 'HH24:MI:SS') as time`,
    [ahead],
  );
  return rows[0]?.time ?? '';
}

/** Runs that schedules opened, by their time. */
export async function scheduledRuns({
  owner,
}: Drill): Promise<readonly { slot: string; runs: number; by: string; ahead: boolean }[]> {
  const { rows } = await owner.query<{ slot: string; runs: number; by: string; ahead: boolean }>(
    `select slot::text, count(*)::int as runs, min(started_by) as by, bool_or(created_at < slot) as ahead
     from hub.run where slot is not null group by slot`,
  );
  return rows;
}

export const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** Counts the calls by idempotency key. */
export async function openPeer(): Promise<{ url: string; calls: ReadonlyMap<string, number>; close(): Promise<void> }> {
  const calls = new Map<string, number>();
  const server = createServer((request, response) => {
    const key = String(request.headers['idempotency-key']);
    calls.set(key, (calls.get(key) ?? 0) + 1);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  return {
    url: `http://127.0.0.1:${String(typeof at === 'object' && at !== null ? at.port : 0)}/`,
    calls,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
