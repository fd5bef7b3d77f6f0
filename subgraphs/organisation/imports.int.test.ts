import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { verifyPassword } from '#kernel/auth/secrets.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import type { ImportKind } from '#kernel/imports/import-kind.ts';
import { Importing, type ImportReport } from '#kernel/imports/import-run.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { asScope } from '../../test/kit/database.ts';
import { importFile, standing, watching } from '../../test/kit/imports.ts';
import { caller, scopes, today, unit } from '../../test/kit/record-world.ts';
import { accountsImport } from './import-accounts.ts';
import { unitsImport } from './import-units.ts';

let world: CitizenWorld;
let database: Database;
const at = (role: 'steward' | 'centre', scope: string, unitNo: number): Caller => {
  const who = caller(role, { scope });
  return { ...who, principal: { ...who.principal, id: randomUUID(), kind: 'ACCOUNT', unitNo } };
};
const steward = at('steward', scopes.province, unit.p);
const centre = at('centre', scopes.centre1, unit.c1);

beforeAll(async () => {
  world = await openCitizenWorld();
  database = await openDatabase({
    url: world.database.roles.organisation,
    entities: [],
    connections: 2,
    applicationName: 'test',
  });
  await truth(`select setval('hub.unit_number', 100)`);
  for (const who of [steward, centre]) await standing(world.database.ownerUrl, who);
}, 60_000);
afterAll(async () => {
  await database.close();
  await world.close();
});

const importing = (kind: ImportKind, who: Caller): Importing =>
  new Importing({ database, clock: { now: () => today }, identifierKey: Buffer.alloc(32, 7) }, kind, who);
const send = (kind: ImportKind, who: Caller, rows: readonly string[]): Promise<ImportReport> =>
  importFile(importing(kind, who), Buffer.from(rows.join('\n')));
const sums = ({ added, changed, unchanged, waiting, refused }: ImportReport): string =>
  [added, changed, unchanged, waiting, refused].join(' ');
const truth = <Row extends object>(text: string) => asScope<Row>(world.database.ownerUrl, '{(,)}', text);

test('units are added below units that stand, named anew, and never moved; again nothing changes', async () => {
  const rows = [
    'code,name,level,parent_code,valid_from',
    'c9,Trung tâm 9,CENTRE,p,01/01/2026',
    'x91,Trạm 91,Trạm y tế,c9,',
    'x11,Trạm Một,STATION,c1,',
    'x12,Trạm,STATION,c2,',
    'x92,Trạm 92,STATION,không,',
    'x93,Trạm 93,CENTRE,x11,',
    'x94,Trạm 94,XÃ,c9,',
  ];
  const report = await send(unitsImport, steward, rows);
  expect(sums(report)).toBe('2 1 0 0 4');
  expect(report.problems.map(({ line, problems: [first] }) => [line, first?.field, first?.reason])).toEqual([
    [5, 'parent_code', 'UNIT_CHANGED_BY_HAND'],
    [6, 'parent_code', 'UNIT_CODE_FORMAT'],
    [7, 'level', 'UNIT_LEVEL_ORDER'],
    [8, 'level', 'UNIT_LEVEL_WORD'],
  ]);
  const made = await truth(`select u.name, u.level, p.code as parent, u.valid_from::text as since,
      (select count(*)::int from organisation.change c where c.unit_no = u.number and c.cause = 'IMPORT') as changes
    from hub.unit u join hub.unit p on p.number = u.parent_number where u.code in ('c9', 'x91', 'x11') order by u.code`);
  expect(made).toEqual([
    { name: 'Trung tâm 9', level: 'CENTRE', parent: 'p', since: '2026-01-01', changes: 1 },
    { name: 'Trạm Một', level: 'STATION', parent: 'c1', since: '2025-07-01', changes: 1 },
    { name: 'Trạm 91', level: 'STATION', parent: 'c9', since: '2026-11-24', changes: 1 },
  ]);
  expect(sums(await send(unitsImport, steward, rows))).toBe('0 0 3 0 4');
});

test('a unit may stand on a line above the one that it lies below', async () => {
  const rows = [
    'code,name,level,parent_code',
    'x81,Trạm 81,STATION,c8',
    'f81,Phòng khám 81,FACILITY,x81',
    'c8,Trung tâm 8,CENTRE,p',
  ];
  expect(sums(await send(unitsImport, steward, rows))).toBe('3 0 0 0 0');
  const report = await send(unitsImport, steward, [
    rows[0] ?? '',
    'x82,Trạm 82,STATION,c82',
    'c82,Trung tâm,CENTRE,không',
    'c83,Trung tâm,CENTRE,x83',
    'x83,Trạm 83,STATION,c8',
    'c84,Trung tâm,CENTRE,x84',
    'x84,Trạm,STATION,c84',
  ]);
  expect(report.problems.map(({ line, problems: [first] }) => [line, first?.field, first?.reason])).toEqual([
    [2, 'parent_code', 'UNIT_PARENT_NEEDED'],
    [3, 'parent_code', 'UNIT_CODE_FORMAT'],
    [4, 'level', 'UNIT_LEVEL_ORDER'],
    [6, 'parent_code', 'UNIT_PARENT_NEEDED'],
    [7, 'parent_code', 'UNIT_PARENT_NEEDED'],
  ]);
});

test('accounts get a first password that must be changed and is handed over once; rights are not changed by a file', async () => {
  const rows = [
    'login,full_name,unit_code,role,email',
    'tram11,Nguyễn Thị Trạm,x11,clerk,tram11@example.vn',
    'tram21,Trần Văn Xa,x21,Clerk,',
    'Tram 3,Ai,x11,clerk,',
    'tram4,Ai,x99,clerk,',
    'tram5,Ai,x11,integrator,',
  ];
  const file = Buffer.from(rows.join('\n'));
  const opened = await importing(accountsImport, steward).open({ bytes: file, name: 'a.csv' });
  if (!opened.ok) throw new Error(opened.error.reason);
  expect(await importing(accountsImport, steward).check(opened.value, watching)).toMatchObject({
    added: 2,
    refused: 3,
    handed: [],
  });
  const report = await importing(accountsImport, steward).apply(opened.value, watching);
  expect(sums(report)).toBe('2 0 0 0 3');
  const [first] = report.handed;
  const [stored] = await truth<{ hash: string; must: boolean }>(
    `select password_hash as hash, must_change_password as must from organisation.account where login = 'tram11'`,
  );
  expect(first?.name).toBe('tram11');
  expect(await verifyPassword(stored?.hash ?? null, first?.value ?? '')).toBe(true);
  expect(stored?.must).toBe(true);
  // It stands nowhere else.
  expect(await truth(`select from hub.run where report::text like '%${first?.value ?? ''}%'`)).toEqual([]);
  expect(sums(await send(accountsImport, steward, rows))).toBe('0 0 2 0 3');
  expect(sums(await send(accountsImport, steward, [rows[0] ?? '', 'tram11,Nguyễn Thị Trạm,x11,steward,']))).toBe('0 0 0 0 1');
});

test('whoever may not keep units or accounts imports none of them', () => {
  for (const kind of [unitsImport, accountsImport]) expect(() => importing(kind, centre)).toThrow('ROLE_LACKS_RIGHT');
});
