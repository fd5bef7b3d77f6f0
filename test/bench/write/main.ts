/*
 * How fast the hub writes: mutations by POST /graphql in one process, half of them new citizens, half of them changes of citizens, 16 clients, with
 * everything that a write does: both locks, audit, history, outbox, answer for repeats, one commit with fsync. Beside it, in the same run on the
 * same server, one bare insert per commit over as many connections.
 *
 *   npm run bench -- write [--json] [--short]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { usePostgres } from '../../../cli/postgres.ts';
import { hubCommand, startHub, withDatabase } from '../query/data.ts';
import type { LoadResult } from '../query/load-generator.ts';
import { cpuOf, startGenerator } from '../query/processes.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, short: { type: 'boolean', default: false } },
});
const clients = 16;
const rounds = options.short ? 1 : 3;
const writing = options.short ? 5_000 : 15_000;
const inserting = options.short ? 2_000 : 5_000;
/** Writes per second that must hold. */
const budget = 600;

const create = `mutation W($i: CreateCitizenInput!) { w: createCitizen(input: $i) { ok { citizen { id version } } error { code reason field } } }`;
const update = `mutation W($i: UpdateCitizenInput!) { w: updateCitizen(input: $i) { ok { citizen { id version } } error { code reason field } } }`;
const good = '{"data":{"w":{"ok":{"citizen":{';

let made = 0;
/** A newcomer with a number of his own. */
function newcomer(unit: string): string {
  made += 1;
  const i = {
    orgUnitId: unit,
    fullName: ['Nguyễn Văn An', 'Trần Thị Bình', 'Lê Minh Châu', 'Phạm Quốc Dũng'][made % 4],
    personalId: `0380${String(80_000_000 + made).padStart(8, '0')}`,
    dateOfBirth: `19${String(60 + (made % 40))}-0${String(1 + (made % 9))}-15`,
    gender: made % 2 === 0 ? 'MALE' : 'FEMALE',
    phone: `09${String(10_000_000 + made)}`,
    permanentAddress: { text: `Thôn ${String(made % 12)}` },
  };
  return JSON.stringify({ query: create, variables: { i } });
}

function changed(id: string, version: number): string {
  const i = {
    id,
    version,
    phone: `03${String(10_000_000 + version * 31 + (made % 1000))}`,
    birthplace: `Xã số ${String(version)}`,
  };
  return JSON.stringify({ query: update, variables: { i } });
}

interface Known {
  readonly id: string;
  version: number;
}

function mixed(known: Known[], count: number, unit: string): string[] {
  const bodies: string[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const one = known[nth % known.length];
    if (one === undefined) throw new Error('nobody to change');
    bodies.push(newcomer(unit), changed(one.id, one.version));
    one.version += 1;
  }
  return bodies;
}

/** One row per commit, over as many connections as there are clients. */
async function bareInserts(url: string, milliseconds: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  const until = performance.now() + milliseconds;
  const began = performance.now();
  let done = 0;
  await Promise.all(
    connections.map(async (client) => {
      while (performance.now() < until) {
        await client.query({
          name: 'bare',
          text: 'insert into bench.bare (full_name, born, phone, unit_no) values ($1, $2, $3, $4)',
          values: ['Nguyễn Văn An', '1990-03-15', '0912345678', 4],
        });
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(connections.map((client) => client.end()));
  return done / seconds;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const dir = mkdtempSync(join(tmpdir(), 'lien-thong-bench-write-'));
const generator = startGenerator();
try {
  const hub = await startHub(dir, 'one');
  const postgres = await usePostgres(dir, new AbortController().signal);
  try {
    const notes = JSON.parse(readFileSync(join(dir, 'postgres.json'), 'utf8')) as { administratorPassword: string };
    const administrator = new URL(postgres.ownerUrl);
    administrator.username = 'administrator';
    administrator.password = notes.administratorPassword;
    const { secret } = await hubCommand(
      dir,
      ...['clients', 'add', 'bench-writer', '--name', 'Bench', '--unit', 'x11', '--role', 'integrator', '--points', '100000000'],
    );
    const { known, unit } = await withDatabase(administrator.href, async (sql) => {
      // No role of a machine writes: here, in a database of the bench's own, one may what a clerk may.
      await sql.query(`update organisation.client set role = 'clerk' where id = 'bench-writer'`);
      await sql.query(`create schema bench; create table bench.bare (id uuid primary key default uuidv7(), full_name text, born text,
        phone text, unit_no int)`);
      const { rows } = await sql.query<Known & { unit: number }>(
        `select c.id, c.version, c.unit_no as unit from citizens.citizen c join hub.unit u on u.number = c.unit_no
         where u.code = 'x11' and c.life_status = 'ACTIVE' order by c.id`,
      );
      return { known: rows, unit: `u${String(rows[0]?.unit ?? 0)}` };
    });
    const answer = await fetch(`${hub.ready}/oauth/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`bench-writer:${encodeURIComponent(String(secret))}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    });
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (token === undefined) throw new Error('no token');
    const { hostname, port } = new URL(hub.ready);
    const write = async (milliseconds: number): Promise<LoadResult> => {
      const result = await generator.run({
        host: hostname,
        port: Number(port),
        path: '/graphql',
        headers: [[`Authorization: Bearer ${token}`]],
        before: '',
        values: mixed(known, Math.ceil(milliseconds * 2), unit),
        after: '',
        offset: 0,
        good,
        clients,
        milliseconds,
        changes: true,
      });
      if (result.bad > 0 || result.requests === 0)
        throw new Error(`${String(result.bad)} of ${String(result.requests)} answers were bad: ${result.firstBad ?? ''}`);
      // What was prepared and not sent is not known to the hub: versions are read again.
      const { rows } = await withDatabase(administrator.href, (sql) =>
        sql.query<Known>('select id, version from citizens.citizen where id = any ($1)', [known.map(({ id }) => id)]),
      );
      const versions = new Map(rows.map(({ id, version }) => [id, version]));
      for (const one of known) one.version = versions.get(one.id) ?? one.version;
      return result;
    };
    await write(2_000);
    const written: (LoadResult & { readonly node: number; readonly postgres: number })[] = [];
    const inserted: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      inserted.push(await bareInserts(administrator.href, inserting));
      await sleep(500);
      const before = { node: cpuOf(hub.pid, postgres.pid()), postgres: cpuOf(postgres.pid()) };
      const result = await write(writing);
      const share = 1e6 / result.requests;
      written.push({
        ...result,
        node: (cpuOf(hub.pid, postgres.pid()) - before.node) * share,
        postgres: (cpuOf(postgres.pid()) - before.postgres) * share,
      });
      process.stderr.write(
        `round ${String(round + 1)}: ${(result.requests / result.seconds).toFixed(0)} writes/s, ${(inserted.at(-1) ?? 0).toFixed(0)} bare inserts/s\n`,
      );
    }
    const perSecond = median(written.map(({ requests, seconds }) => requests / seconds));
    const bare = median(inserted);
    const numbers = {
      writesPerSecond: Math.round(perSecond),
      p95Ms: Number(median(written.map(({ p95 }) => p95)).toFixed(1)),
      ratioToBareInsert: Number((perSecond / bare).toFixed(3)),
    };
    const table = [
      '| writes/s | p50, ms | p95, ms | p99, ms | CPU µs per write: Node / PostgreSQL | bare inserts/s | ratio |',
      '|---|---|---|---|---|---|---|',
      `| ${String(numbers.writesPerSecond)} | ${median(written.map(({ p50 }) => p50)).toFixed(1)} | ${String(numbers.p95Ms)} | ${median(written.map(({ p99 }) => p99)).toFixed(1)} | ${median(written.map(({ node }) => node)).toFixed(0)} / ${median(written.map(({ postgres: cpu }) => cpu)).toFixed(0)} | ${bare.toFixed(0)} | ${String(numbers.ratioToBareInsert)} |`,
    ];
    if (!options.short)
      recordResult(
        'write',
        [
          `Mutations by POST /graphql, topology \`one\`, ${String(clients)} clients, half create, half update, everything on; ${String(rounds)} rounds of ${String(writing / 1_000)} s, medians.`,
          `Budget: ${String(budget)} writes/s: ${perSecond >= budget ? 'holds' : '**missed**'}.`,
          '',
          ...table,
        ].join('\n'),
      );
    process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${table.join('\n')}\n`);
    if (perSecond < budget && !options.short) process.exitCode = 1;
  } finally {
    await postgres.leave();
    await hub.stop();
  }
} finally {
  generator.stop();
  rmSync(dir, { recursive: true, force: true });
}
