import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { catalogue } from '#kernel/errors/catalogue.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { asScope } from '../../test/kit/database.ts';
import { caller, id, scopes, today, unit } from '../../test/kit/record-world.ts';
import { Importing, type ImportReport } from '#kernel/imports/import-run.ts';
import { importFile, standing, watching } from '../../test/kit/imports.ts';
import { citizensImport } from './import-citizens.ts';

let world: CitizenWorld;
let database: Database;
const identifierKey = Buffer.alloc(32, 7);
const everywhere = '{(,)}';

beforeAll(async () => {
  world = await openCitizenWorld();
  await Promise.all([steward, clerk11, clerk21].map((who) => standing(world.database.ownerUrl, who)));
  database = await openDatabase({ url: world.database.roles.citizens, entities: [], connections: 2, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await world.close();
});

const at = (role: 'steward' | 'clerk' | 'centre', scope: string, unitNo: number): Caller => {
  const who = caller(role, { scope });
  return { ...who, principal: { ...who.principal, id: randomUUID(), name: role, kind: 'ACCOUNT', unitNo } };
};
const steward = at('steward', scopes.province, unit.p);
const clerk11 = at('clerk', scopes.x11, unit.x11);
const clerk21 = at('clerk', scopes.x21, unit.x21);

const importing = (who: Caller, through = database): Importing =>
  new Importing({ database: through, clock: { now: () => today }, identifierKey }, citizensImport, who);

const columns = 'personal_id,full_name,date_of_birth,gender,phone,permanent_address,permanent_commune,unit_code,source_key';

async function send(
  who: Caller,
  rows: readonly string[],
  header = columns,
  signal = AbortSignal.timeout(60_000),
): Promise<ImportReport> {
  const bytes = Buffer.from([header, ...rows].join('\n'));
  return await importFile(importing(who), bytes, { signal });
}

function sums({ added, changed, unchanged, waiting, refused }: ImportReport): string {
  return [added, changed, unchanged, waiting, refused].join(' ');
}

const all = <Row extends object>(text: string, values: readonly unknown[] = []) =>
  asScope<Row>(world.database.ownerUrl, everywhere, text, values);
const person = async (number: string) =>
  await all<Record<string, unknown>>('select * from citizens.citizen where personal_id = $1 order by id', [number]);

test('a new person comes in with numbers, search keys, history, replica message and audit, in one transaction', async () => {
  const report = await send(
    steward,
    ['038090100001,Nguyễn Văn An,15/03/1990,Nam,+84 912 345 678,Thôn Đông,00001,x11,K1'],
    columns,
  );
  expect(sums(report)).toBe('1 0 0 0 0');
  expect(report.decisions).toEqual({ communeList: '2024' });
  const [citizen] = await person('038090100001');
  expect(citizen).toMatchObject({
    version: 1,
    unit_no: unit.x11,
    full_name: 'Nguyễn Văn An',
    name_folded: 'nguyen van an',
    name_sort: 'An Văn Nguyễn',
    date_of_birth: '1990-03-15',
    gender: 'MALE',
    phone: '0912345678',
    permanent_code: '00001',
    permanent_list: '2024',
    permanent_current_code: '00097',
    permanent_confidence: 'EXACT',
    sender_unit_no: unit.p,
    source_key: 'K1',
    flags: [],
    states: 'YRYYYYRRRY',
  });
  const of = { citizen: citizen?.id };
  expect(
    await all('select system, value, standing, source from citizens.identifier where citizen_id = $1', [of.citizen]),
  ).toEqual([{ system: 'PERSONAL_ID', value: '038090100001', standing: 'CLAIMED', source: 'IMPORT' }]);
  expect(await all('select key from citizens.name_key where citizen_id = $1 order by key', [of.citizen])).toEqual([
    { key: 'an' },
    { key: 'nguyen van an' },
    { key: 'van an' },
  ]);
  expect(
    await all(
      'select version, principal_name, cause, cause_id, action, before, after from citizens.change where citizen_id = $1',
      [of.citizen],
    ),
  ).toEqual([
    {
      version: 1,
      principal_name: 'steward',
      cause: 'IMPORT',
      cause_id: report.run,
      action: 'citizen.created',
      before: null,
      after: expect.objectContaining({
        fullName: 'Nguyễn Văn An',
        personalId: '038090100001',
        permanentCommune: '00001',
        orgUnit: 'u4',
      }) as unknown,
    },
  ]);
  expect(
    await all('select kind, version, unit_before, unit_after, payload from hub.outbox where subject = $1', [of.citizen]),
  ).toEqual([
    {
      kind: 'CITIZEN',
      version: 1,
      unit_before: null,
      unit_after: unit.x11,
      payload: {
        hashes: [hashIdentifier(identifierKey, '038090100001').toString('hex')],
        lifeStatus: 'ACTIVE',
        mergedInto: null,
      },
    },
  ]);
  expect(
    await all(`select action, subjects, principal, detail from hub.audit_event where $1 = any (subjects)`, [of.citizen]),
  ).toEqual([
    { action: 'citizen.imported', subjects: [of.citizen], principal: steward.principal.id, detail: { run: report.run } },
  ]);
  expect(await all('select state, total, done, refused, counts, unit_no from hub.run where id = $1', [report.run])).toEqual([
    { state: 'DONE', total: 1, done: 1, refused: 0, counts: { added: 1, changed: 0, unchanged: 0, waiting: 0 }, unit_no: unit.p },
  ]);
  // Who is imported is found by the graph at once.
  const found = await world.ask(caller('integrator'), '{ citizens(filter: {text: "van an"}) { nodes { personalId } } }');
  expect(found.data).toEqual({ citizens: { nodes: [{ personalId: '038090100001' }] } });
});

test('a second time nothing changes: not a row, not a version, not a message', async () => {
  const rows = Array.from(
    { length: 30 },
    (_, n) =>
      `0380901100${String(n).padStart(2, '0')},Trần Văn ${'ABCDEFG'.charAt(n % 7)}n,1990,1,,,23938,x12,${n % 3 === 0 ? `S${String(n)}` : ''}`,
  );
  rows.push(',Không Số,1991-01-01,2,,Thôn 1,23938,x12,', ',Không Số,1991-01-01,2,,Thôn 1,00004,x12,');
  expect(sums(await send(steward, rows))).toBe('32 0 0 0 0');
  const state = () =>
    all(`select (select count(*) from citizens.change) h, (select count(*) from hub.outbox) o, (select sum(version) from citizens.citizen) v,
      (select count(*) from citizens.identifier) i, (select count(*) from citizens.name_key) k, (select count(*) from citizens.discrepancy) d`);
  const before = await state();
  expect(sums(await send(steward, rows))).toBe('0 0 32 0 0');
  expect(sums(await send(steward, [...rows].reverse()))).toBe('0 0 32 0 0');
  expect(await state()).toEqual(before);
});

test('an empty cell never erases, a stated value replaces an unconfirmed one and leaves its trace', async () => {
  await send(steward, ['038090120001,Lê Văn Cũ,1980,1,0912000001,Thôn 1,23938,x11,']);
  const report = await send(steward, ['038090120001,Lê Văn Mới,1980-05-06,1,,,,x11,']);
  expect(sums(report)).toBe('0 1 0 0 0');
  const [citizen] = await person('038090120001');
  expect(citizen).toMatchObject({
    version: 2,
    full_name: 'Lê Văn Mới',
    date_of_birth: '1980-05-06',
    phone: '0912000001',
    permanent_text: 'Thôn 1',
    permanent_code: '23938',
  });
  expect(
    await all('select version, before, after from citizens.change where citizen_id = $1 and version = 2', [citizen?.id]),
  ).toEqual([
    {
      version: 2,
      before: { fullName: 'Lê Văn Cũ', dateOfBirth: '1980' },
      after: { fullName: 'Lê Văn Mới', dateOfBirth: '1980-05-06' },
    },
  ]);
  expect(await all('select key from citizens.name_key where citizen_id = $1 order by key', [citizen?.id])).toEqual([
    { key: 'le van moi' },
    { key: 'moi' },
    { key: 'van moi' },
  ]);
});

test('a number that takes the place of another leaves the old one findable', async () => {
  await send(steward, ['038090130001,Phạm Văn Số,1985,1,,,,x11,SO-1']);
  expect(sums(await send(steward, ['038090130002,Phạm Văn Số,1985,1,,,,x11,SO-1']))).toBe('0 1 0 0 0');
  const [citizen] = await person('038090130002');
  expect(
    await all('select value, valid_to is not null as ended from citizens.identifier where citizen_id = $1 order by value', [
      citizen?.id,
    ]),
  ).toEqual([
    { value: '038090130001', ended: true },
    { value: '038090130002', ended: false },
  ]);
  const [event] = await all<{ payload: { hashes: string[] } }>(
    'select payload from hub.outbox where subject = $1 and version = 2',
    [citizen?.id],
  );
  expect(event?.payload.hashes.sort()).toEqual(
    ['038090130001', '038090130002'].map((number) => hashIdentifier(identifierKey, number).toString('hex')).sort(),
  );
  expect(sums(await send(steward, ['038090130001,Phạm Văn Số,1985,1,,,,x11,SO-1']))).toBe('0 0 1 0 0');
});

test('what differs from something confirmed becomes work, once, and changes nothing of the person', async () => {
  await world.add({
    id: id(0x801),
    unitNo: unit.x11,
    fullName: 'Võ Thị Vững',
    personalId: '038190140001',
    confirmed: ['FULL_NAME', 'DATE_OF_BIRTH'],
    more: { phone: '0912000009' },
  });
  const rows = ['038190140001,Võ Thị Vựng,1990-03-15,1,0912000009,,,x11,'];
  expect(sums(await send(clerk11, rows))).toBe('0 0 0 1 0');
  expect(sums(await send(clerk11, rows))).toBe('0 0 0 1 0');
  const [citizen] = await person('038190140001');
  expect(citizen).toMatchObject({ version: 1, full_name: 'Võ Thị Vững' });
  const work = await all<Record<string, unknown>>('select * from citizens.discrepancy where citizen_id = $1 order by kind', [
    citizen?.id,
  ]);
  expect(work).toMatchObject([
    {
      field: 'FULL_NAME',
      kind: 'DIFFERENT',
      found_by: 'IMPORT',
      ours: 'Võ Thị Vững',
      theirs: 'Võ Thị Vựng',
      state: 'OPEN',
      unit_no: unit.x11,
    },
  ]);
  expect(
    await all(
      `select subject, unit_after, payload->>'kind' as kind from hub.outbox where kind = 'WORK' and payload->>'citizenId' = $1`,
      [citizen?.id],
    ),
  ).toEqual([{ subject: work[0]?.id, unit_after: unit.x11, kind: 'DIFFERENT' }]);
  const shown = await world.ask(
    caller('integrator'),
    `{ citizen(personalId: "038190140001") { fieldStatuses { field conflict } } }`,
  );
  expect(shown.data).toMatchObject({
    citizen: { fieldStatuses: expect.arrayContaining([{ field: 'FULL_NAME', conflict: true }]) as unknown },
  });
});

test('two holders of one number both come in; the work belongs to the lowest unit above both, and nobody is told of it', async () => {
  const number = '038090150001';
  const first = await send(clerk11, [`${number},Bùi Văn Một,1990,1,,,,x11,`]);
  const second = await send(clerk21, [`${number},Bùi Văn Hai,1950,1,,,,x21,`]);
  expect([sums(first), sums(second)]).toEqual(['1 0 0 0 0', '1 0 0 0 0']);
  expect(await person(number)).toHaveLength(2);
  const work = await all<{ id: string; unit_no: number }>(
    `select id, unit_no from citizens.discrepancy where kind = 'TWO_HOLDERS' and ours = $1`,
    [number],
  );
  expect(work).toMatchObject([{ unit_no: unit.p }]);
  expect(await all(`select unit_after from hub.outbox where kind = 'WORK' and subject = $1`, [work[0]?.id])).toEqual([
    { unit_after: unit.p },
  ]);
  for (const who of [clerk11, clerk21]) {
    const seen = await world.ask(who, '{ discrepancies(filter: {kind: TWO_HOLDERS}) { totalCount } }');
    expect(seen.data).toEqual({ discrepancies: { totalCount: 0 } });
  }
  // The same two files again: nobody new, no second item.
  expect(sums(await send(clerk21, [`${number},Bùi Văn Hai,1950,1,,,,x21,`]))).toBe('0 0 1 0 0');
  expect(await all(`select from citizens.discrepancy where kind = 'TWO_HOLDERS' and ours = $1`, [number])).toHaveLength(1);
});

test('two holders in one file both come in, within the unit above both', async () => {
  const number = '038090150002';
  const rows = [`${number},Hồ Văn Ba,1990,1,,,,x11,`, `${number},Hồ Thị Tư,1960,2,,,,x12,`];
  expect(sums(await send(steward, rows))).toBe('2 0 0 0 0');
  expect(sums(await send(steward, rows))).toBe('0 0 2 0 0');
  expect(await all(`select unit_no from citizens.discrepancy where kind = 'TWO_HOLDERS' and ours = $1`, [number])).toEqual([
    { unit_no: unit.c1 },
  ]);
});

test('a unit out of scope is a unit that does not exist: nothing is imported into it and nobody there is found', async () => {
  await send(steward, ['038090160001,Ngô Văn Xa,1990,1,0912000016,,,x21,']);
  const report = await send(clerk11, [
    '038090160001,Ngô Văn Xa,1990,1,0987000016,,,x21,',
    '038090160002,Ngô Văn Gần,1990,1,,,,x99,',
    '038090160003,Ngô Văn Đây,1990,1,,,,x11,',
  ]);
  expect(sums(report)).toBe('1 0 0 0 2');
  expect(report.problems).toEqual([
    { line: 2, problems: [{ field: 'unit_code', reason: 'UNIT_UNKNOWN' }] },
    { line: 3, problems: [{ field: 'unit_code', reason: 'UNIT_UNKNOWN' }] },
  ]);
  expect(await person('038090160001')).toMatchObject([{ version: 1, phone: '0912000016' }]);
  // The same number under the importer's own unit: he is not found there, so a second holder comes in.
  expect(sums(await send(clerk11, ['038090160001,Ngô Văn Xa,1990,1,0987000016,,,x11,']))).toBe('1 0 0 0 0');
  expect((await person('038090160001')).map((citizen) => citizen.unit_no).sort()).toEqual([unit.x11, unit.x21]);
});

test('a person of another unit of the scope is not moved by a file', async () => {
  await send(steward, ['038090170001,Đỗ Văn Ở,1990,1,,,,x11,']);
  const report = await send(steward, ['038090170001,Đỗ Văn Ở,1990,1,,,,x12,']);
  expect(sums(report)).toBe('0 0 0 0 1');
  expect(report.problems).toEqual([{ line: 2, problems: [{ field: 'unit_code', reason: 'UNIT_DIFFERS' }] }]);
  expect(await person('038090170001')).toMatchObject([{ unit_no: unit.x11, version: 1 }]);
});

test('row 57 of 100 bad: 99 in, one reported with line, field and reason [B82]', async () => {
  const rows = Array.from(
    { length: 100 },
    (_, n) => `0380901${String(80000 + n)},Người Thứ,${n === 56 ? '31/02/1990' : '1990'},1,,,,x11,`,
  );
  const report = await send(steward, rows);
  expect(sums(report)).toBe('99 0 0 0 1');
  expect(report.problems).toEqual([{ line: 58, problems: [{ field: 'date_of_birth', reason: 'DATE_NOT_IN_CALENDAR' }] }]);
  expect(catalogue.DATE_NOT_IN_CALENDAR.code).toBe('BAD_INPUT');
});

test('rows of one file see each other: the same person twice is added and then completed', async () => {
  const rows = ['038090190001,Mai Văn Đôi,1990,1,,,,x11,', '038090190001,Mai Văn Đôi,1990-02-03,1,0912000019,,,x11,'];
  expect(sums(await send(steward, rows))).toBe('1 1 0 0 0');
  const citizens = await person('038090190001');
  expect(citizens).toMatchObject([{ version: 1, date_of_birth: '1990-02-03', phone: '0912000019' }]);
  expect(await all('select version, after from citizens.change where citizen_id = $1', [citizens[0]?.id])).toMatchObject([
    { version: 1, after: { phone: '0912000019' } },
  ]);
});

test('a merged record leads to the one that goes on', async () => {
  await world.add({ id: id(0x811), unitNo: unit.x11, fullName: 'Lý Văn Gốc', personalId: '038090200001' });
  await world.add({
    id: id(0x812),
    unitNo: unit.x11,
    fullName: 'Lý Văn Gốc',
    personalId: '038090200002',
    lifeStatus: 'MERGED',
    mergedInto: id(0x811),
  });
  expect(sums(await send(steward, ['038090200002,Lý Văn Gốc,1990-03-15,1,0912000020,,,x11,']))).toBe('0 1 0 0 0');
  expect(await all('select phone from citizens.citizen where id = $1', [id(0x811)])).toEqual([{ phone: '0912000020' }]);
});

test('with lock two open the importer still finds and writes nobody outside his scope', async () => {
  await send(steward, ['038090210001,Trương Văn Khóa,1990,1,,,,x21,KHOA']);
  const wide = await openDatabase({ url: world.database.roles.citizens, entities: [], connections: 1, applicationName: 'test' });
  // The session says every unit, as if the policy were not there; the texts still carry the scope of the caller.
  const open: Database = { ...wide, transaction: (session, body) => wide.transaction({ ...session, units: everywhere }, body) };
  try {
    const report = await importFile(
      importing(clerk11, open),
      Buffer.from(`${columns}\n038090210001,Trương Văn Khóa,1990,1,0912000021,,,x11,KHOA`),
    );
    expect(report).toMatchObject({ added: 1, changed: 0 });
    expect((await person('038090210001')).find((citizen) => citizen.unit_no === unit.x21)).toMatchObject({
      version: 1,
      phone: null,
    });
  } finally {
    await wide.close();
  }
});

test('an import that is stopped keeps the pages that are done and says how far it came; the rest follows', async () => {
  const rows = Array.from({ length: 1_200 }, (_, n) => `03809022${String(n).padStart(4, '0')},Dừng Giữa Chừng,1990,1,,,,x11,`);
  const stop = new AbortController();
  const bytes = Buffer.from([columns, ...rows].join('\n'));
  const report = await importFile(importing(steward), bytes, { signal: stop.signal, progress: () => { stop.abort(); } }); // prettier-ignore
  expect(report).toMatchObject({ complete: false, added: 500, total: 1_200 });
  expect(await all('select state, done from hub.run where id = $1', [report.run])).toEqual([{ state: 'PAUSED', done: 500 }]);
  const rest = await importing(steward).apply(report.run, watching);
  expect(rest).toMatchObject({ complete: true, added: 1_200, total: 1_200, refused: 0 });
  expect(await all('select state, done, counts from hub.run where id = $1', [report.run])).toEqual([
    { state: 'DONE', done: 1_200, counts: { added: 1_200, changed: 0, unchanged: 0, waiting: 0 } },
  ]);
  expect(sums(await send(steward, rows))).toBe('0 0 1200 0 0');
});

test('a dry run says what would happen and changes nothing; the rows of one person are tried together, wherever they stand', async () => {
  const person1 = (n: number, phone: string): string => `03809024${String(n).padStart(4, '0')},Chạy Thử,1990,1,${phone},,,x11,`;
  const rows = [...Array.from({ length: 700 }, (_, n) => person1(n, '')), person1(3, '0912000024'), person1(4, 'mười')];
  const state = () => all('select (select count(*) from citizens.citizen) c, (select count(*) from hub.outbox) o');
  const before = await state();
  const opened = await importing(steward).open({ bytes: Buffer.from([columns, ...rows].join('\n')), name: 'thu.csv' });
  if (!opened.ok) throw new Error(opened.error.reason);
  const planned = await importing(steward).check(opened.value, watching);
  expect(planned).toMatchObject({ total: 702, added: 700, changed: 1, refused: 1, dryRun: true, complete: true });
  expect(planned.problems).toEqual([{ line: 703, problems: [{ field: 'phone', reason: 'PHONE_FORMAT' }] }]);
  expect(await state()).toEqual(before);
  expect(await importing(steward).apply(opened.value, watching)).toMatchObject({
    total: 702,
    added: 700,
    changed: 1,
    refused: 1,
  });
});

test("headings may be mapped by whoever sends the file; nobody goes on with another one's import", async () => {
  const bytes = Buffer.from('Tên khai;date_of_birth;gender;unit_code;phone\nMai Thị Ghép;1990;2;x11;xxx\n');
  const mapping = new Map([
    ['Tên khai', 'full_name'],
    ['phone', null],
  ]);
  const opened = await importing(clerk11).open({ bytes, name: null, mapping });
  if (!opened.ok) throw new Error(opened.error.reason);
  await expect(importing(steward).apply(opened.value, watching)).rejects.toThrow('IMPORT_OF_ANOTHER');
  await expect(importing(clerk21).apply(opened.value, watching)).rejects.toThrow('IMPORT_UNKNOWN');
  expect(await importing(clerk11).apply(opened.value, watching)).toMatchObject({ added: 1, unknownColumns: ['phone'] });
  expect(await importing(clerk11).open({ bytes, name: null, mapping: new Map([['Tên', 'full_name']]) })).toMatchObject({
    ok: false,
    error: { reason: 'FILE_MAPPING', field: 'Tên' },
  });
});

test('who may not import does not; a file that cannot be used leaves nothing behind', async () => {
  const runs = async () => (await all('select from hub.run')).length;
  const before = await runs();
  await expect(send(caller('integrator'), ['038090230001,A,1990,1,,,,x11,'])).rejects.toThrow('ROLE_LACKS_RIGHT');
  await expect(send(steward, ['038090230001,A'], 'personal_id,full_name')).rejects.toThrow('FILE_COLUMN_MISSING');
  expect(await runs()).toBe(before);
  expect(await person('038090230001')).toEqual([]);
});

test('10,000 rows come in by sets: pages of some hundred, none of it row by row', async () => {
  const rows = Array.from(
    { length: 10_000 },
    (_, n) =>
      `0380903${String(n).padStart(5, '0')},Nguyễn Thị Hàng,1990-01-${String(1 + (n % 28)).padStart(2, '0')},2,,Thôn ${String(n)},23938,x1${String(1 + (n % 2))},B${String(n)}`,
  );
  let statements = 0;
  const counting: Database = {
    ...database,
    transaction: (session, body) =>
      database.transaction(session, (tx) =>
        body({
          em: tx.em,
          query: (text, values) => {
            statements += 1;
            return tx.query(text, values);
          },
        }),
      ),
  };
  const outcome = await importFile(importing(steward, counting), Buffer.from([columns, ...rows].join('\n')));
  expect(outcome).toMatchObject({ added: 10_000, refused: 0 });
  // How fast it is, `npm run bench -- import` tells.
  expect(statements).toBeLessThan(500);
}, 90_000);
