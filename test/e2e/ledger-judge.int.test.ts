import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from '../kit/database.ts';
import { openCitizenWorld, type CitizenWorld } from '../kit/citizen-world.ts';
import { checkout } from '../kit/hub.ts';
import { Ledger } from '../kit/ledger.ts';
import { id, scopes, unit } from '../kit/record-world.ts';

/*
 * The judge is judged: each defect that a hub like this could have is planted and really run, and the ledger must report it; the same run without
 * the defect must be valid. The fifth defect, a server that acknowledges before it keeps, needs a crash of PostgreSQL: ledger.e2e.ts.
 */

let world: CitizenWorld;
const [an, chi] = [id(0x101), id(0x102)];

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  await world.add({ id: an, unitNo: unit.x11, fullName: 'Nguyễn Văn An' }, { id: chi, unitNo: unit.x21, fullName: 'Lê Thị Chi' });
  await withClient(world.database.ownerUrl, async (owner) => {
    await owner.query(`create schema planted; create table planted.fact (mark text); create table planted.queue (mark text);
      create table planted.effect (mark text); grant usage on schema planted to public;
      grant all on all tables in schema planted to public`);
  });
}, 60_000);
afterAll(() => world.close());

async function session<T>(url: string, body: (client: Client) => Promise<T>): Promise<T> {
  return withClient(url, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return body(client);
  });
}

const marksIn = (table: string): Promise<string[]> =>
  withClient(world.database.ownerUrl, async (client) =>
    (await client.query<{ mark: string }>(`select mark from planted.${table}`)).rows.map(({ mark }) => mark),
  );

describe('a relay that reads on behind the last id', () => {
  const insert = `insert into hub.outbox (kind, subject, version, unit_after, payload)
    values ('CITIZEN', $1, 1, 4, '{"hashes": [], "lifeStatus": "ACTIVE", "mergedInto": null}')`;

  test('loses the lower id that commits last, and the ledger says so; the hub delivers both [F13]', async () => {
    const { citizens, insurance, worker } = world.database.roles;
    const ledger = new Ledger();
    const [slow, fast] = [randomUUID(), randomUUID()];
    for (const mark of [slow, fast]) ledger.attempted(mark);
    const relayed: string[] = [];
    let cursor = '0';
    const relay = (): Promise<void> =>
      withClient(worker, async (client) => {
        const { rows } = await client.query<{ id: string; subject: string }>(
          'select id::text, subject from hub.outbox where id > $1 order by id',
          [cursor],
        );
        for (const row of rows) {
          relayed.push(row.subject);
          cursor = row.id;
        }
      });
    await session(citizens, async (first) => {
      await first.query('begin');
      await first.query(insert, [slow]);
      await session(citizens, async (second) => {
        await second.query('begin');
        await second.query(insert, [fast]);
        await second.query('commit');
        ledger.acknowledged(fast);
      });
      await relay();
      await first.query('commit');
      ledger.acknowledged(slow);
      await relay();
    });
    expect(ledger.judge(relayed)).toMatchObject({ valid: false, lost: [slow], doubled: [], unexpected: [] });

    const delivered: string[] = [];
    const until = Date.now() + 20_000;
    // Every test of this server holds the horizon back while it writes.
    while (delivered.length < 2 && Date.now() < until) {
      await session(insurance, async (client) => {
        const { rows } = await client.query<{ id: string; subject: string }>(
          `select id::text, subject from hub.take_event('insurance', 100)`,
        );
        await client.query(`select hub.finish_event('insurance', $1::bigint[])`, [rows.map((row) => row.id)]);
        delivered.push(...rows.map(({ subject }) => subject));
      });
      await sleep(50);
    }
    expect(ledger.judge(delivered)).toMatchObject({ valid: true, acknowledged: 2 });
  });
});

describe('a job that is enqueued after the commit', () => {
  /** A writer of its own process, killed in the moment after it has said that the fifth change stands. */
  async function killedWriter(together: boolean): Promise<Ledger> {
    const ledger = new Ledger();
    const program = `
      import { Client } from 'pg';
      const client = new Client({ connectionString: process.env.PLANTED });
      await client.connect();
      for (let n = 1; n <= 50; n += 1) {
        const mark = process.env.RUN + ' ' + n;
        console.log('try ' + mark);
        await client.query('begin');
        await client.query('insert into planted.fact values ($1)', [mark]);
        if (${String(together)}) await client.query('insert into planted.queue values ($1)', [mark]);
        await client.query('commit');
        console.log('ack ' + mark);
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (!${String(together)}) await client.query('insert into planted.queue values ($1)', [mark]);
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: checkout,
      env: { ...process.env, PLANTED: world.database.ownerUrl, RUN: together ? 'outbox' : 'after' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const [word, mark] = [line.slice(0, 3), line.slice(4)];
      if (word === 'try') ledger.attempted(mark);
      else ledger.acknowledged(mark);
      if (ledger.acknowledgements === 5) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    return ledger;
  }

  test('is lost with the process, and the ledger says so; in one transaction with the change it is not', async () => {
    const after = await killedWriter(false);
    const outbox = await killedWriter(true);
    const queued = await marksIn('queue');
    expect(after.judge(queued.filter((mark) => mark.startsWith('after')))).toMatchObject({ valid: false, lost: ['after 5'] });
    expect(outbox.judge(queued.filter((mark) => mark.startsWith('outbox')))).toMatchObject({ valid: true });
  });
});

describe('a worker that ends its page without asking whether it is still his', () => {
  /** Two workers: the first sleeps beyond its lease, another takes the page over, then the first wakes up. */
  async function sleeper(fenced: boolean): Promise<Ledger> {
    const ledger = new Ledger();
    const mark = fenced ? 'fenced' : 'unfenced';
    ledger.attempted(mark);
    await session(world.database.roles.citizens, async (client) => {
      const run = randomUUID();
      const ask = async <Row extends object>(text: string, values: readonly unknown[]): Promise<Row | undefined> =>
        (await client.query(text, [...values])).rows[0] as Row | undefined;
      await ask(`select hub.open_run($1, 'planted', 'planted', 'SWEEP', 'citizens', 1, 'test', '{}', '{}', null)`, [run]);
      const lease = async (no: number, seconds: number): Promise<number> => {
        const { rows } = await session(world.database.roles.worker, (worker) =>
          worker.query<{ verdict: string; epoch: number }>('select verdict, epoch from hub.lease_page($1, $2, $3)', [
            run,
            no,
            seconds,
          ]),
        );
        expect(rows[0]?.verdict).toBe('LEASED');
        return rows[0]?.epoch ?? 0;
      };
      const plan = await lease(0, 60);
      await ask(`select hub.add_pages($1, $2, array['{}'::jsonb], array[1])`, [run, plan]);
      await session(world.database.roles.worker, (worker) => worker.query('select hub.finish_plan($1, $2)', [run, plan]));
      const work = async (epoch: number): Promise<boolean> => {
        await client.query('begin');
        await client.query('insert into planted.effect values ($1)', [mark]);
        const mine = await ask<{ done: boolean }>(`select hub.finish_page($1, 1, $2, 1, 0, '{}') as done`, [run, epoch]);
        const ends = mine?.done === true || !fenced;
        await client.query(ends ? 'commit' : 'rollback');
        return ends;
      };
      const first = await lease(1, 0.1);
      await sleep(150);
      await session(world.database.roles.worker, (worker) => worker.query('select hub.lapse_pages()'));
      const second = await lease(1, 60);
      if (await work(second)) ledger.acknowledged(mark);
      await work(first);
    });
    return ledger;
  }

  test('doubles the effect, and the ledger says so; behind the epoch it does not', async () => {
    const unfenced = await sleeper(false);
    const fenced = await sleeper(true);
    const effects = await marksIn('effect');
    expect(unfenced.judge(effects.filter((mark) => mark === 'unfenced'))).toMatchObject({ valid: false, doubled: ['unfenced'] });
    expect(fenced.judge(effects.filter((mark) => mark === 'fenced'))).toMatchObject({ valid: true, acknowledged: 1 });
  });
});

describe('a scope that the program alone keeps', () => {
  async function strays(mark: string): Promise<Ledger> {
    const ledger = new Ledger();
    const clerk = { ...(await world.account('clerk', unit.x11, scopes.x11)), idempotencyKey: randomUUID() };
    ledger.attempted(`${mark} own`);
    // A statement that forgot lock one: it names whatever record it likes.
    const done = await world.changes?.mutate(
      { caller: clerk, operation: 'updateCitizen', permission: 'citizen:write', input: { mark } },
      async ({ transaction }) => {
        await transaction.query('update citizens.citizen set birthplace = $1 where id = $2', [`${mark} own`, an]);
        await transaction.query('update citizens.citizen set birthplace = $1 where id = $2', [`${mark} foreign`, chi]);
        return { citizen: an };
      },
    );
    if (done?.ok === true) ledger.acknowledged(`${mark} own`);
    return ledger;
  }
  const written = (mark: string): Promise<string[]> =>
    session(world.database.ownerUrl, async (client) => {
      const { rows } = await client.query<{ birthplace: string }>(
        'select birthplace from citizens.citizen where birthplace like $1',
        [`${mark}%`],
      );
      return rows.map(({ birthplace }) => birthplace);
    });
  const policies = (state: 'disable' | 'enable'): Promise<unknown> =>
    withClient(world.database.ownerUrl, (owner) => owner.query(`alter table citizens.citizen ${state} row level security`));

  test('writes where nobody was allowed to, and the ledger says so; the row policy does not let it', async () => {
    const locked = await strays('locked');
    expect(locked.judge(await written('locked'))).toMatchObject({ valid: true, acknowledged: 1 });
    await policies('disable');
    try {
      const open = await strays('open');
      expect(open.judge(await written('open'))).toMatchObject({ valid: false, unexpected: ['open foreign'] });
    } finally {
      await policies('enable');
    }
  });
});
