import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { checkout, freshDataDir, startHub, type TestHub } from '../kit/hub.ts';

/* A file comes in by the graph and by a signed link, over real processes. */

const dataDir = freshDataDir();
let hub: TestHub;
let clerk: string;

beforeAll(async () => {
  hub = await startHub({ dataDir });
  clerk = tokenOfAccount('clerk11');
}, 120_000);
afterAll(async () => {
  await hub.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function tokenOfAccount(login: string): string {
  const { stdout } = spawnSync('node', [join(checkout, 'cli', 'hub.mjs'), 'token', login, '--json'], {
    cwd: checkout,
    env: { PATH: process.env.PATH ?? '', HOME: dataDir, HUB_DATA_DIR: dataDir, PORT: '0' },
  });
  const last = JSON.parse(stdout.toString().trimEnd().split('\n').at(-1) ?? '{}') as { token?: string; access_token?: string };
  return last.token ?? last.access_token ?? '';
}

interface Sent {
  readonly ok: { readonly import: Record<string, unknown>; readonly upload: { readonly url: string } } | null;
  readonly error: { readonly code: string; readonly reason: string } | null;
}

async function ask(query: string, variables: object, token = clerk, address = hub.address): Promise<Record<string, unknown>> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
  expect(errors).toBeUndefined();
  return data;
}

async function begin(kind: string, size: number): Promise<Sent> {
  const { startImport } = await ask(
    `mutation S($input: StartImportInput!) { startImport(input: $input) { ok { import { id version state } upload { url expiresAt } } error { code reason } } }`,
    { input: { kind, fileName: 'C:\\tram\\dân số.csv', size } },
  );
  return startImport as Sent;
}

const put = (url: string, body: string | Buffer) => fetch(url, { method: 'PUT', body, headers: { 'content-type': 'text/csv' } });

async function until(id: unknown, states: readonly string[], runState?: string): Promise<Record<string, unknown>> {
  for (let left = 300; left > 0; left -= 1) {
    const { import: file } = (await ask(
      `query I($id: ID!) { import(id: $id) { id version state fileName communeList columns { heading column } planned { total added changed unchanged waiting refused }
         refusedRows { line field reason } refusal { code reason field } run { id state total done refused } } }`,
      { id },
    )) as { import: Record<string, unknown> };
    const run = file.run as { state: string } | null;
    if (states.includes(String(file.state)) && (runState === undefined || run?.state === runState)) return file;
    await pause(200);
  }
  throw new Error(`the import did not come to ${states.join(' or ')}`);
}

test('a file is sent by a signed link once, tried, applied when told so, and each refused row is told', async () => {
  const rows = ['full_name;date_of_birth;gender;unit_code;Ghi chú'];
  for (let n = 0; n < 700; n += 1)
    rows.push(`Người Gửi Tệp;1990-01-${String(1 + (n % 28)).padStart(2, '0')};1;${n === 5 ? 'x21' : 'x11'};${String(n)}`);
  const bytes = rows.join('\n');
  const started = await begin('CITIZENS', bytes.length);
  expect(started.error).toBeNull();
  const { url } = started.ok?.upload ?? { url: '' };
  expect(new URL(url).port).not.toBe(new URL(hub.address).port);
  expect((await put(`${url.slice(0, -3)}AAA`, bytes)).status).toBe(404);
  const cookies = await put(url, bytes);
  expect([cookies.status, cookies.headers.get('set-cookie')]).toEqual([201, null]);
  expect((await put(url, bytes)).status).toBe(404);
  const checked = await until(started.ok?.import.id, ['CHECKED']);
  expect(checked).toMatchObject({
    fileName: 'dân số.csv',
    communeList: '2025',
    refusedRows: [{ line: 7, field: 'unit_code', reason: 'UNIT_UNKNOWN' }],
    columns: expect.arrayContaining([{ heading: 'Ghi chú', column: null }]) as unknown,
  });
  const planned = checked.planned as Record<string, number>;
  expect(planned).toMatchObject({ total: 700, refused: 1 });
  const { applyImport } = (await ask(
    `mutation A($input: ApplyImportInput!) { applyImport(input: $input) { ok { run { id } } error { code reason } } }`,
    { input: { id: checked.id, version: checked.version } },
  )) as { applyImport: { error: unknown } };
  expect(applyImport.error).toBeNull();
  const applied = await until(checked.id, ['APPLIED'], 'DONE');
  expect(applied.run).toMatchObject({ total: 700, done: 699, refused: 1 });
  expect(applied.refusedRows).toEqual([{ line: 7, field: 'unit_code', reason: 'UNIT_UNKNOWN' }]);
  await takeRefused(String(checked.id), 'Người Gửi Tệp;1990-01-06;1;x21;5;7;unit_code;UNIT_UNKNOWN;');
}, 120_000);

/** The refused rows as a file: once, by whoever may, written down; sent again as it is. */
async function takeRefused(id: string, row: string): Promise<void> {
  const linkOf = async (token: string): Promise<string | null> => {
    const { import: file } = (await ask('query R($id: ID!) { import(id: $id) { refusedFile { url } } }', { id }, token)) as {
      import: { refusedFile: { url: string } | null } | null;
    };
    return file?.refusedFile?.url ?? null;
  };
  const url = (await linkOf(clerk)) ?? '';
  const answer = await fetch(url);
  const text = await answer.text();
  expect([answer.status, answer.headers.get('content-type'), answer.headers.get('x-content-type-options')]).toEqual([
    200,
    'text/csv; charset=utf-8',
    'nosniff',
  ]);
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="[a-z-]+[0-9a-f]{8}\.csv"$/);
  expect(text.split('\r\n')[1]?.startsWith(row)).toBe(true);
  expect(text.split('\r\n')).toHaveLength(3);
  expect((await fetch(url)).status).toBe(404);
  // Rows lie there as they were sent: not for whoever sees their numbers masked, not for whoever does not see the import.
  expect(await linkOf(tokenOfAccount('steward'))).toBeNull();
  expect(await linkOf(tokenOfAccount('clerk21'))).toBeNull();
  const { auditEvents } = (await ask(
    'query E($id: ID!) { auditEvents(filter: { action: "import.read", person: $id }) { nodes { subjects operation fields } } }',
    { id },
    tokenOfAccount('auditor'),
  )) as { auditEvents: { nodes: readonly { operation: string; fields: readonly string[] }[] } };
  expect(auditEvents.nodes).toMatchObject([{ subjects: [id], operation: 'refusedFile' }]);
  expect(auditEvents.nodes[0]?.fields).toContain('full_name');
  const again = await begin('CITIZENS', Buffer.byteLength(text));
  expect((await put(again.ok?.upload.url ?? '', text)).status).toBe(201);
  const tried = await until(again.ok?.import.id, ['CHECKED']);
  expect(tried.refusedRows).toEqual([{ line: 2, field: 'unit_code', reason: 'UNIT_UNKNOWN' }]);
}

test('what is no table is refused by what it holds and never unpacked; too large a file is not kept [A34] [B83]', async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  const started = await begin('CARDS', bomb.length);
  expect((await put(started.ok?.upload.url ?? '', bomb)).status).toBe(201);
  expect(await until(started.ok?.import.id, ['REFUSED'])).toMatchObject({
    refusal: { code: 'UNSUPPORTED', reason: 'FILE_TYPE' },
  });
  expect((await begin('CARDS', 20 * 2 ** 20 + 1)).error).toMatchObject({ code: 'TOO_LARGE' });
  const large = await begin('CARDS', 100);
  const answer = await put(large.ok?.upload.url ?? '', Buffer.alloc(20 * 2 ** 20 + 1, 'a')).catch(() => null);
  expect([413, undefined]).toContain(answer?.status);
  // It may be sent once more, smaller.
  expect((await put(large.ok?.upload.url ?? '', 'number,full_name\nx,y\n')).status).toBe(201);
  expect(await until(large.ok?.import.id, ['REFUSED'])).toMatchObject({
    refusal: { code: 'BAD_INPUT', reason: 'FILE_COLUMN_MISSING', field: 'valid_from' },
  });
}, 120_000);

function command(...args: readonly string[]): { readonly code: number | null; readonly last: Record<string, unknown> } {
  const { stdout, status } = spawnSync('node', [join(checkout, 'cli', 'hub.mjs'), ...args, '--json'], {
    cwd: checkout,
    env: { PATH: process.env.PATH ?? '', HOME: dataDir, HUB_DATA_DIR: dataDir, PORT: '0' },
  });
  return { code: status, last: JSON.parse(stdout.toString().trimEnd().split('\n').at(-1) ?? '{}') as Record<string, unknown> };
}

test('what goes out comes in again and changes nothing; each page is audited with everyone in it [A39]', async () => {
  for (const kind of ['citizens', 'cards']) {
    const file = join(dataDir, `${kind}.csv`);
    const out = command('export', kind, file);
    expect(out.code).toBe(0);
    expect(out.last.total).toBeGreaterThan(1_000);
    const back = command('import', kind, file);
    expect({ kind, ...back.last }).toMatchObject({ kind, total: out.last.total, added: 0, changed: 0, refused: 0 });
  }
  const { auditEvents } = (await ask(
    '{ auditEvents(filter: { principal: "cli", action: "citizen.read" }, first: 5) { nodes { subjects operation } } }',
    {},
    tokenOfAccount('auditor'),
  )) as { auditEvents: { nodes: readonly { subjects: readonly string[]; operation: string }[] } };
  expect(auditEvents.nodes[0]).toMatchObject({ operation: 'export citizens' });
  expect(Math.max(...auditEvents.nodes.map(({ subjects }) => subjects.length))).toBe(100);
  const own = command('export', 'citizens', join(dataDir, 'own.jsonl'), '--as', 'clerk11', '--jsonl');
  const text = readFileSync(join(dataDir, 'own.jsonl'), 'utf8');
  expect(text.trimEnd().split('\n')).toHaveLength(Number(own.last.total));
  expect(text).not.toContain('"unit_code":"x21"');
}, 180_000);

interface Exported {
  readonly id: string;
  readonly rows: number;
  readonly size: number | null;
  readonly file: { readonly url: string } | null;
  readonly run: { readonly id: string; readonly state: string; readonly done: number; readonly total: number | null };
}

async function exported(hubAddress: string, token: string, input: object): Promise<Exported> {
  const { startExport } = (await ask(
    'mutation S($input: StartExportInput!) { startExport(input: $input) { ok { export { id } } error { code reason field } } }',
    { input },
    token,
    hubAddress,
  )) as { startExport: { ok: { export: { id: string } } | null; error: unknown } };
  expect(startExport.error).toBeNull();
  for (let left = 300; left > 0; left -= 1) {
    const { export: file } = (await ask(
      'query X($id: ID!) { export(id: $id) { id rows size keptUntil file { url } run { id state done total } } }',
      { id: startExport.ok?.export.id },
      token,
      hubAddress,
    )) as { export: Exported };
    if (['DONE', 'FAILED'].includes(file.run.state)) return file;
    await pause(200);
  }
  throw new Error('the export did not end');
}

test('a list of any length goes out as a run: masked and scoped for whoever takes it, each page and the file written down [A15] [A39]', async () => {
  const own = await exported(hub.address, clerk, { kind: 'CITIZENS' });
  expect(own.run).toMatchObject({ state: 'DONE', done: own.rows, total: own.rows });
  const { citizens } = (await ask('{ citizens(first: 1) { totalCount } }', {})) as { citizens: { totalCount: number } };
  expect(own.rows).toBe(citizens.totalCount);
  const answer = await fetch(own.file?.url ?? '');
  const lines = (await answer.text()).trimEnd().split('\r\n');
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="citizens-[0-9-]{10}\.csv"$/);
  expect(lines).toHaveLength(own.rows + 1);

  expect(lines.filter((line) => /038090000001|,x21,/.test(line))).toEqual([]);
  expect(new Set(lines.slice(1)).size).toBe(own.rows);
  expect((await fetch(own.file?.url ?? '')).status).toBe(404);
  const steward = tokenOfAccount('steward');
  const other = (await ask(
    'query X($id: ID!) { export(id: $id) { rows file { url } } run(id: $id) { id } }',
    { id: own.id },
    steward,
  )) as {
    export: unknown;
  };
  expect(other.export).toEqual({ rows: own.rows, file: null });

  const narrowed = await exported(hub.address, steward, {
    kind: 'CITIZENS',
    format: 'JSONL',
    filter: { citizens: { text: 'nguyen van an' } },
  });
  const text = await (await fetch(narrowed.file?.url ?? '')).text();
  expect(narrowed.rows).toBeGreaterThan(0);
  expect(
    text
      .trimEnd()
      .split('\n')
      .every((line) => /nguyễn văn an/i.test((JSON.parse(line) as { full_name: string }).full_name)),
  ).toBe(true);
  for (const kind of ['CARDS', 'RESULTS', 'REFERRAL_SLIPS', 'REEXAMINATION_SLIPS', 'DISCREPANCIES', 'WORK_ITEMS'])
    expect(await exported(hub.address, steward, { kind })).toMatchObject({ run: { state: 'DONE' } });

  const auditor = tokenOfAccount('auditor');
  const audit = await exported(hub.address, auditor, { kind: 'AUDIT', filter: { audit: { action: 'export.read' } } });
  const events = (await (await fetch(audit.file?.url ?? '')).text()).trimEnd().split('\r\n');
  expect(events).toHaveLength(3);
  const { startExport } = (await ask(
    'mutation S($input: StartExportInput!) { startExport(input: $input) { ok { export { id } } error { code reason field } } }',
    { input: { kind: 'CITIZENS', filter: { cards: {} } } },
  )) as { startExport: { error: unknown } };
  expect(startExport.error).toMatchObject({ code: 'BAD_INPUT', reason: 'EXPORT_FILTER', field: 'filter.cards' });
  const refused = (await ask('mutation S($input: StartExportInput!) { startExport(input: $input) { error { code } } }', {
    input: { kind: 'AUDIT' },
  })) as { startExport: { error: unknown } };
  expect(refused.startExport.error).toEqual({ code: 'FORBIDDEN' });
}, 180_000);

test('the files origin takes pages of the hub and of nobody else', async () => {
  const started = await begin('CARDS', 10);
  const from = async (origin: string) => {
    const answer = await fetch(started.ok?.upload.url ?? '', { method: 'OPTIONS', headers: { origin } });
    return [answer.status, answer.headers.get('access-control-allow-origin')];
  };
  expect(await from(hub.address)).toEqual([204, hub.address]);
  expect(await from('https://evil.example')).toEqual([204, null]);
});

test('with every process apart a file comes in, its refused rows and a list go out, over the same links', async () => {
  const apart = await startHub({ processes: 'apart' });
  try {
    const { stdout } = spawnSync('node', [join(checkout, 'cli', 'hub.mjs'), 'token', 'clerk11', '--json'], {
      cwd: checkout,
      env: { PATH: process.env.PATH ?? '', HOME: apart.dataDir, HUB_DATA_DIR: apart.dataDir, PORT: '0' },
    });
    const last = JSON.parse(stdout.toString().trimEnd().split('\n').at(-1) ?? '{}') as Record<string, string>;
    const token = last.token ?? last.access_token ?? '';
    const { startImport } = (await ask(
      'mutation S($input: StartImportInput!) { startImport(input: $input) { ok { import { id } upload { url } } error { code } } }',
      { input: { kind: 'CITIZENS', fileName: 'a.csv', size: 100 } },
      token,
      apart.address,
    )) as { startImport: Sent };
    expect(startImport.error).toBeNull();
    const rows = 'full_name,date_of_birth,gender,unit_code\nNgười Gửi Tệp,1990,1,x21\n';
    const { url } = startImport.ok?.upload ?? { url: '' };
    expect([(await put(url, rows)).status, (await put(url, rows)).status]).toEqual([201, 404]);
    let link = '';
    for (let left = 300; left > 0 && link === ''; left -= 1) {
      await pause(200);
      const { import: file } = (await ask(
        'query R($id: ID!) { import(id: $id) { refusedFile { url } } }',
        { id: startImport.ok?.import.id },
        token,
        apart.address,
      )) as { import: { refusedFile: { url: string } | null } };
      link = file.refusedFile?.url ?? '';
    }
    expect(await (await fetch(link)).text()).toContain('UNIT_UNKNOWN');
    expect((await fetch(link)).status).toBe(404);
    const own = await exported(apart.address, token, { kind: 'CITIZENS', format: 'JSONL' });
    const text = await (await fetch(own.file?.url ?? '')).text();
    expect(text.trimEnd().split('\n')).toHaveLength(own.rows);
  } finally {
    await apart.stop();
  }
}, 180_000);
