import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, everyUnit } from '#kernel/db/database.ts';
import { openQueue } from '#kernel/jobs/queue-backend.ts';
import { deaths } from '../test/kit/drill-job.ts';
import { from, openDrill, openPeer, scheduledRuns, timeOfDay, type Drill, type DrillWorker } from '../test/kit/drill.ts';
import { leaseTimes } from './page-worker.ts';
import { relayTimes } from './run-relay.ts';

let drill: Drill;
let alive: DrillWorker[] = [];
beforeAll(async () => {
  drill = await openDrill({ DRILL_LEASE: '0.7', DRILL_RECONCILE: '500' });
});
afterEach(async () => {
  for (const one of alive) one.kill('SIGKILL');
  await Promise.all(alive.map(({ ended }) => ended));
  alive = [];
});
afterAll(() => drill.close());

async function worker(env?: Readonly<Record<string, string>>): Promise<DrillWorker> {
  const one = await drill.worker(env);
  alive.push(one);
  return one;
}

const order = async (run: string, what: string): Promise<string | undefined> => {
  const { rows } = await drill.owner.query<{ answer: string }>('select answer from hub.order_run($1, null, $2)', [run, what]);
  return rows[0]?.answer;
};
const until = async (what: () => Promise<boolean>, milliseconds = 20_000): Promise<void> => {
  const end = performance.now() + milliseconds;
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`it did not happen: ${what.toString()}`);
    await sleep(50);
  }
};

test('a run is planned, worked off page by page and reported; SIGTERM drains within ten seconds', async () => {
  const one = await worker();
  const run = await drill.start({ pages: 250 });
  expect(await drill.over(run, 20_000)).toMatchObject({
    state: 'DONE',
    total: 500,
    done: 500,
    refused: 0,
    counts: { worked: 500 },
    report: { pages: 250 },
  });
  expect(await drill.effects(run)).toEqual(from(1, 250));

  const long = await drill.start({ pages: 2, milliseconds: 30_000 });
  await until(
    async () =>
      (await drill.owner.query(`select from hub.run_page where run_id = $1 and state = 'LEASED' and no > 0`, [long])).rowCount ===
      2,
  );
  const asked = performance.now();
  one.kill('SIGTERM');
  expect(await one.ended).toBe(0);
  expect(performance.now() - asked).toBeLessThan(10_000);
  // Returned by the worker itself: nobody waits for a lease, and no attempt is counted.
  const { rows } = await drill.owner.query<{ state: string; tries: number; reason: string }>(
    'select state, tries, reason from hub.run_page where run_id = $1 and no > 0 order by no',
    [long],
  );
  expect(rows).toEqual([
    { state: 'WAITING', tries: 0, reason: 'CUT_SHORT' },
    { state: 'WAITING', tries: 0, reason: 'CUT_SHORT' },
  ]);
  expect(await order(long, 'CANCEL')).toBe('DONE');
});

test.each(deaths.filter((death) => death !== 'always'))(
  'a worker that is killed %s leaves one effect per page and one key per call [F01]',
  async (death) => {
    const peer = await openPeer();
    try {
      const doomed = await worker({ DRILL_DEATH: death });
      const run = await drill.start({ pages: 8, peer: peer.url, deadly: 3 });
      expect(await doomed.ended).toBe('SIGKILL');
      await worker();
      expect(await drill.over(run, 60_000)).toMatchObject({ state: 'DONE', done: 16, refused: 0 });
      expect(await drill.effects(run)).toEqual(from(1, 8));
      expect([...peer.calls.keys()].sort()).toEqual(from(1, 8).map((no) => `${run}_${String(no)}`));
      expect(peer.calls.get(`${run}_3`)).toBe(death === 'after-call' || death === 'in-transaction' ? 2 : 1);
    } finally {
      await peer.close();
    }
  },
);

test('with its real times a page is free again, and done, within a minute after its worker died [F01]', async () => {
  // Lease, look for lapsed ones, queue: what a dead worker can hold up at most.
  expect(leaseTimes.lease * 1_000 + 5_000 + relayTimes.look + relayTimes.reconcile).toBeLessThan(60_000);
  const doomed = await worker();
  const run = await drill.start({ pages: 6, milliseconds: 1_500 });
  await until(
    async () =>
      (await drill.owner.query(`select from hub.run_page where run_id = $1 and state = 'LEASED' and no > 0`, [run])).rowCount !==
      0,
  );
  // Its leases were renewed by then: they are shorter than the page.
  await sleep(1_000);
  doomed.kill('SIGKILL');
  await worker();
  await drill.over(run, 30_000);
  expect(await drill.effects(run)).toEqual(from(1, 6));
});

test('a page that kills every worker ends in the queue of the operators, the others go on, and it can be put back [F02]', async () => {
  const run = await drill.start({ pages: 6, deadly: 2 });
  for (let n = 0; n < 5; n += 1) {
    const doomed = await worker({ DRILL_DEATH: 'always' });
    expect(await doomed.ended).toBe('SIGKILL');
  }
  await worker({ DRILL_DEATH: 'always' });
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 10, refused: 2 });
  expect(await drill.effects(run)).toEqual([1, 3, 4, 5, 6]);
  const work = async () => {
    const { rows } = await drill.owner.query<{ source: string; kind: string; state: string }>(
      `select payload->>'source' as source, payload->>'kind' as kind, payload->>'state' as state from hub.outbox where subject = $1 order by id`,
      [run],
    );
    return rows;
  };
  expect(await work()).toEqual([{ source: 'JOBS', kind: 'POISON', state: 'OPEN' }]);

  for (const one of alive) one.kill('SIGKILL');
  expect(await order(run, 'RERUN')).toBe('DONE');
  await worker();
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 12, refused: 0 });
  expect(await drill.effects(run)).toEqual(from(1, 6));
  expect((await work()).map(({ state }) => state)).toEqual(['OPEN', 'SETTLED']);
});

test('what fails five times or is refused is counted, dropped or done again; the rest is not held up', async () => {
  await worker();
  const run = await drill.start({ pages: 4, refused: [2] });
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 6, refused: 2 });
  expect(await order(run, 'DROP')).toBe('NOTHING');
  expect(await order(run, 'RERUN')).toBe('DONE');
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 6, refused: 2 });
});

test('a paused run stands still and goes on where it stood; a cancelled one stays as it is', async () => {
  await worker();
  const run = await drill.start({ pages: 40, milliseconds: 50 });
  await until(async () => (await drill.run(run)).done > 4);
  expect(await order(run, 'PAUSE')).toBe('DONE');
  await sleep(500);
  const stood = await drill.run(run);
  await sleep(500);
  expect(await drill.run(run)).toEqual(stood);
  expect(await order(run, 'PAUSE')).toBe('STATE');
  expect(await order(run, 'RESUME')).toBe('DONE');
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 80 });
  expect(await drill.effects(run)).toEqual(from(1, 40));

  const other = await drill.start({ pages: 40, milliseconds: 50 });
  await until(async () => (await drill.run(other)).done > 4);
  expect(await order(other, 'CANCEL')).toBe('DONE');
  await sleep(300);
  const left = await drill.effects(other);
  await sleep(500);
  expect(await drill.effects(other)).toEqual(left);
});

test('a worker that was stopped in the middle of a page and wakes up changes nothing any more [F03]', async () => {
  const sleeper = await worker();
  const run = await drill.start({ pages: 2, milliseconds: 800 });
  await until(
    async () =>
      (await drill.owner.query(`select from hub.run_page where run_id = $1 and state = 'LEASED' and no > 0`, [run])).rowCount ===
      2,
  );
  sleeper.kill('SIGSTOP');
  await worker();
  expect(await drill.over(run, 20_000)).toMatchObject({ state: 'DONE', done: 4 });
  sleeper.kill('SIGCONT');
  await sleep(1_500);
  expect(await drill.effects(run)).toEqual([1, 2]);
  expect(await drill.run(run)).toMatchObject({ done: 4 });
});

test.each(['3600000', '-3600000', 'jumping'])(
  'leases follow the clock of the database, whatever the worker thinks the time is: %s ms [F19]',
  async (clock) => {
    await Promise.all([worker({ DRILL_CLOCK: clock }), worker()]);
    const run = await drill.start({ pages: 12, milliseconds: 150 });
    await drill.over(run, 20_000);
    expect(await drill.effects(run)).toEqual(from(1, 12));
  },
);

test('pages that were claimed and never told are told again; what is told twice is done once [F08]', async () => {
  const hub = await openDatabase({ url: drill.database.roles.worker, entities: [], connections: 1, applicationName: 'drill' });
  const queue = openQueue({ kind: 'postgres', url: drill.database.roles.worker }, 'internal', () => undefined);
  try {
    const run = await drill.start({ pages: 5 });
    // The relay dies here: page 0 is marked as told, and nobody was told.
    const claimed = await hub.transaction({ units: everyUnit, principal: 'hub' }, (tx) =>
      tx.query<{ readonly no: number }>('select no from hub.claim_pages($1::text[], 500)', [['drill-pages']]),
    );
    expect(claimed.map(({ no }) => no)).toContain(0);
    await worker();
    await drill.over(run, 20_000);
    await queue.add(
      from(1, 5).flatMap((no) =>
        ['a', 'b'].map((id) => ({ name: 'drill-pages', data: { run, no }, id: `again_${id}_${String(no)}` })),
      ),
    );
    await until(async () => (await queue.counts()).waiting + (await queue.counts()).active === 0);
    expect(await drill.effects(run)).toEqual(from(1, 5));
  } finally {
    await queue.close();
    await hub.close();
  }
});

test('a run whose transaction began first and commits last is not passed over [F13]', async () => {
  await worker();
  const gate = Promise.withResolvers<undefined>();
  let first = '';
  const late = drill.citizens.transaction({ units: everyUnit, principal: 'drill' }, async (tx) => {
    first = '01900000-0000-7000-8000-000000000001';
    await tx.query(
      `select hub.open_run($1, 'drill-pages', 'internal', 'SWEEP', 'citizens', 1, 'drill',
         '{"pages":2,"milliseconds":0,"failing":[],"refused":[],"peer":null,"deadly":null}'::jsonb, null, null)`,
      [first],
    );
    await gate.promise;
  });
  await until(() => Promise.resolve(first !== ''));
  const second = await drill.start({ pages: 2 });
  await drill.over(second, 20_000);
  gate.resolve(undefined);
  await late;
  expect(await drill.over(first, 20_000)).toMatchObject({ state: 'DONE', done: 4 });
});

test('a schedule opens one run each time, however many workers there are and whatever the queue forgets', async () => {
  await Promise.all([worker({ DRILL_EVERY: '2' }), worker({ DRILL_EVERY: '2' })]);
  await until(async () => (await scheduledRuns(drill)).length >= 2);
  for (const { runs, by } of await scheduledRuns(drill)) expect([runs, by]).toEqual([1, 'schedule']);
});

test('a nightly schedule opens its run when its time comes, not before and once, though two workers wait for it', async () => {
  await drill.owner.query('delete from hub.schedule');
  const before = (await scheduledRuns(drill)).length;
  const daily = await timeOfDay(drill, 4);
  await Promise.all([worker({ DRILL_DAILY: daily }), worker({ DRILL_DAILY: daily })]);
  await until(async () => (await scheduledRuns(drill)).length > before);
  await sleep(1_000);
  expect((await scheduledRuns(drill)).length).toBe(before + 1);
  for (const { runs, by, ahead } of await scheduledRuns(drill)) expect([runs, by, ahead]).toEqual([1, 'schedule', false]);
});

test('a job that nobody of the hub wrote is refused and leaves a security event [A43]', async () => {
  await worker();
  const queue = openQueue({ kind: 'postgres', url: drill.database.roles.worker }, 'internal', () => undefined);
  try {
    await queue.add([
      { name: 'drill-pages', data: { run: '01900000-0000-7000-8000-00000000dead', no: 1 }, id: 'forged_1' },
      { name: 'drill-pages', data: { citizen: '01900000-0000-7000-8000-00000000beef' }, id: 'forged_2' },
    ]);
    await until(
      async () => (await drill.owner.query(`select from organisation.security_event where kind = 'job.refused'`)).rowCount === 2,
    );
    expect(
      (await drill.owner.query(`select from citizens.drill where run_id = '01900000-0000-7000-8000-00000000dead'`)).rowCount,
    ).toBe(0);
  } finally {
    await queue.close();
  }
});
