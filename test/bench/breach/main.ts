/*
 * How long the list of affected citizens takes (`hub breach-report`), and how fast the audit is sealed and verified.
 *
 * 1,000,000 audit rows over thirty days, 40,000 of them by the stolen credential within two hours, each a page of 100 persons; then the worst
 * case: a window that holds 1,000,000 rows of one principal. What a report costs grows with the answers in its window, not with the audit around
 * them (an index begins with the principal). So the drill at 30 million rows is projected from the answers that the rate limit lets through in two
 * hours, and the worst case (all 30 million rows are the thief's) from its own rows, both linearly.
 *
 *   npm run bench -- breach [--json] [--rows 1000000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { auditKey, auditPublicKeys, makeAuditKey } from '#kernel/audit/heads.ts';
import { breachReport } from '#kernel/audit/breach.ts';
import { openSealer } from '#kernel/audit/sealer.ts';
import type { Query } from '#kernel/audit/sealed-rows.ts';
import { verifyAudit } from '#kernel/audit/verify.ts';
import { readRoleUrls } from '#kernel/config.ts';
import { makeDataDir } from '../../../cli/data-dir.ts';
import { usePostgres } from '../../../cli/postgres.ts';
import { migrate } from '../../../subgraphs/migrate.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rows: { type: 'string', default: '1000000' } },
});
const rows = Number(options.rows);
const persons = 2_150_000;
const projectedRows = 30_000_000;
/** 60,000 points a minute for two hours, five points a list. */
const answersOfTheLimit = (60_000 / 5) * 120;
const say = (line: string) => void process.stderr.write(`${line}\n`);

const dataDir = mkdtempSync(join(tmpdir(), 'hub-bench-breach-'));
makeDataDir(dataDir);
const postgres = await usePostgres(dataDir, AbortSignal.timeout(120_000));

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`set statement_timeout = 0; set work_mem = '256MB'; set timezone = 'UTC'`);
  return client;
}

function queryOf(client: Client): Query {
  return async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row & Record<string, unknown>>(text, [...values])).rows;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}

/** Subject ids are numbers of 2,150,000 persons; the one credential asks for pages of 100 in no order. */
async function fill(
  client: Client,
  from: number,
  count: number,
  principal: string,
  subjects: string,
  spread: string,
): Promise<void> {
  await client.query(
    `insert into hub.audit_event (id, at, principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects, fields, subject_count, operation, trace_id)
     select gen_random_uuid(), ${spread}, ${principal}, 'CLIENT', 'Ứng dụng', 'integrator', 1, 'HOPERAT', case when n % 3 = 0 then 'card.read' else 'citizen.read' end, 'citizens',
       array(select ('00000000-0000-4000-8000-' || lpad(((n::bigint * 7919 + k * 104729) % ${String(persons)})::text, 12, '0'))::uuid from generate_series(1, ${subjects}) k),
       case n % 3 when 0 then array['InsuranceCard.number'] when 1 then array['Citizen.fullName','Citizen.phone'] else array['Citizen.fullName','Citizen.personalId'] end,
       ${subjects}, 'List', md5(n::text) from generate_series($1::int, $2::int) n`,
    [from, from + count - 1],
  );
}

async function report(client: Client, from: string, to: string): Promise<{ seconds: number; persons: number; events: number }> {
  let found = 0;
  let events = 0;
  const took = await seconds(async () => {
    const made = await breachReport({ principal: 'stolen', from: new Date(from), to: new Date(to) }, { query: queryOf(client) });
    events = made.events;
    for await (const page of made.pages()) found += page.length;
  });
  return { seconds: took, persons: found, events };
}

try {
  await migrate({ ownerUrl: postgres.ownerUrl, dataDir });
  const owner = await connected(postgres.ownerUrl);
  const [today] = (await owner.query<{ day: string }>(`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day`)).rows;
  const day = today?.day ?? '';
  const stolen = Math.round(rows * 0.04);
  // The index by person plays no part here and would take most of the time of filling.
  await owner.query('drop index hub.audit_event_subjects');
  say('filling …');
  const month = `date_trunc('month', now()) + (now() - date_trunc('month', now())) * ((n * 7919::bigint) % 1000003) / 1000003.0`;
  for (let at = 0; at < rows - stolen; at += 100_000)
    await fill(owner, at, Math.min(100_000, rows - stolen - at), `'p' || n % 600`, '20', month);
  await fill(
    owner,
    rows,
    stolen,
    `'stolen'`,
    '100',
    `'${day}T00:00:00Z'::timestamptz + interval '2 hours' * ((n * 7919::bigint) % 100003) / 100003.0 * 0.5`,
  );
  await owner.query('vacuum analyze hub.audit_event');

  say('sealing …');
  const jwk = makeAuditKey();
  const roleUrl = readRoleUrls({ rolesFile: join(dataDir, 'roles.json') });
  const sealer = await openSealer({ url: roleUrl('sealer'), key: auditKey(jwk), headsDir: join(dataDir, 'audit-heads') });
  const sealing = await seconds(() => sealer.round());
  await sealer.publish();
  await sealer.close();
  await owner.query('vacuum analyze hub.audit_seal');
  say('verifying …');
  const auditors = await Promise.all([connected(roleUrl('auditor')), connected(roleUrl('auditor'))]);
  let problems = 0;
  const verifying = await seconds(async () => {
    const verified = await verifyAudit({
      queries: auditors.map(queryOf),
      keys: auditPublicKeys([jwk]),
      headsDirs: [join(dataDir, 'audit-heads')],
      sealing: true,
    });
    problems = verified.problems.length;
  });
  await Promise.all(auditors.map((client) => client.end()));

  say('reporting …');
  const drill = await report(owner, `${day}T00:00:00Z`, `${day}T02:00:00Z`);
  say('worst case …');
  for (let at = 0; at < rows - stolen; at += 100_000)
    await fill(
      owner,
      3 * rows + at,
      Math.min(100_000, rows - stolen - at),
      `'stolen'`,
      '20',
      `'${day}T00:00:00Z'::timestamptz + interval '1 hour' * ((n * 7919::bigint) % 100003) / 100003.0`,
    );
  await owner.query('analyze hub.audit_event');
  const worst = await report(owner, `${day}T00:00:00Z`, `${day}T02:00:00Z`);
  await owner.end();

  const result = {
    rows,
    sealedPerSecond: Math.round(rows / sealing),
    verifiedPerSecond: Math.round(rows / verifying),
    problems,
    drill: { ...drill, seconds: Number(drill.seconds.toFixed(1)) },
    worst: { ...worst, seconds: Number(worst.seconds.toFixed(1)) },
    projectedMinutesAt30Million: Number(((drill.seconds * answersOfTheLimit) / Math.max(drill.events, 1) / 60).toFixed(1)),
    projectedMinutesIfAllAreTheThiefs: Number(((worst.seconds * projectedRows) / Math.max(worst.events, 1) / 60).toFixed(1)),
  };
  recordResult(
    'breach',
    `${rows.toLocaleString('en')} audit rows. Sealed ${result.sealedPerSecond.toLocaleString('en')} rows/s, verified ${result.verifiedPerSecond.toLocaleString('en')} rows/s (two connections, ${problems} problems).

| report on | answers | persons | seconds |
|---|---|---|---|
| a stolen credential, two hours, pages of 100 persons | ${drill.events.toLocaleString('en')} | ${drill.persons.toLocaleString('en')} | ${drill.seconds.toFixed(1)} |
| the worst case: every row of the window is the thief's | ${worst.events.toLocaleString('en')} | ${worst.persons.toLocaleString('en')} | ${worst.seconds.toFixed(1)} |

Projected to 30,000,000 rows, linearly in the answers: a thief who uses the whole rate limit for two hours (${answersOfTheLimit.toLocaleString('en')} answers of 100 persons) ${String(result.projectedMinutesAt30Million)} minutes; all 30,000,000 rows the thief's, which the limit rules out, ${String(result.projectedMinutesIfAllAreTheThiefs)} minutes; budget 60.`,
  );
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else say(JSON.stringify(result, null, 2));
  process.exitCode = problems === 0 && result.projectedMinutesAt30Million <= 60 ? 0 : 1;
} finally {
  await postgres.leave(30_000);
  rmSync(dataDir, { recursive: true, force: true });
}
