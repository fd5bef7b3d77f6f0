import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '#kernel/auth/principal.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { Importing, type ImportReport } from '#kernel/imports/import-run.ts';
import { importFile } from '../../test/kit/imports.ts';
import { openRecordWorld, people, scopes, today, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { resultsImport } from './import-results.ts';
import { results } from './index.ts';

let world: RecordWorld;
let database: Database;
let clerk11: Caller;
const identifierKey = Buffer.alloc(32, 7);
const an = '038090000001';

beforeAll(async () => {
  world = await openRecordWorld(results, 'reader', { writes: true });
  database = await openDatabase({ url: world.database.roles.results, entities: [], connections: 2, applicationName: 'test' });
  clerk11 = await world.account('clerk', unit.x11, scopes.x11);
  await world.truth('update results.citizen set identifier_hashes = array[$2::bytea] where id = $1', [
    people.an,
    hashIdentifier(identifierKey, an),
  ]);
}, 60_000);
afterAll(async () => {
  await database.close();
  await world.close();
});

const header = 'code;personal_id;name;kind;issued_on;valid_to;file';
const send = (rows: readonly string[]): Promise<ImportReport> =>
  importFile(
    new Importing({ database, clock: { now: () => today }, identifierKey }, resultsImport, clerk11),
    Buffer.from([header, ...rows].join('\n')),
  );
const sums = ({ added, changed, unchanged, waiting, refused }: ImportReport): string =>
  [added, changed, unchanged, waiting, refused].join(' ');

test('papers come to whoever their number or code names; one of somebody unknown waits; again nothing changes', async () => {
  const rows = [
    `${an}.KQ.G18.000010.1817;;Chứng chỉ hành nghề;Bản số hóa;01/02/2020;;..\\quét\\cchn.pdf`,
    `000.00.KQ.1;;Sai mã;;;;`,
    `TOCHUC01.KQ.G15.000038;${an};Xác nhận hôn nhân;;2024-05-06;2024-11-06;`,
    `038090000999.KQ.G15.000031;;Giấy khai sinh;;;;`,
    `${an}.KQ.G15.000008.1;;Phiếu lý lịch tư pháp;thẻ;2025-01-01;2024-01-01;`,
  ];
  const report = await send(rows);
  expect(sums(report)).toBe('2 0 0 1 2');
  expect(report.problems.map(({ line, problems }) => [line, problems.map(({ field, reason }) => [field, reason])])).toEqual([
    [3, [['code', 'RESULT_CODE_FORMAT']]],
    [6, [['kind', 'RESULT_KIND_WORD'], ['valid_to', 'PERIOD_ORDER']]], // prettier-ignore
  ]);
  expect(
    await world.truth(
      `select citizen_id, unit_no, kind, issued_on::text, file_name, state, file_state from results.result where code = $1`,
      [`${an}.KQ.G18.000010.1817`],
    ),
  ).toEqual([
    {
      citizen_id: people.an,
      unit_no: unit.x11,
      kind: 'DIGITIZED_PAPER',
      issued_on: '2020-02-01',
      file_name: 'cchn.pdf',
      state: 'IN_FORCE',
      file_state: 'NONE',
    },
  ]);
  expect(await world.truth(`select citizen_id, unit_no from results.result where code = '038090000999.KQ.G15.000031'`)).toEqual([
    { citizen_id: null, unit_no: unit.x11 },
  ]);
  const state = () => world.truth('select count(*) c, sum(version) v, (select count(*) from hub.outbox) o from results.result');
  const before = await state();
  expect(sums(await send(rows))).toBe('0 0 2 1 2');
  expect(await state()).toEqual(before);
  expect(sums(await send([`${an}.KQ.G18.000010.1817;;Chứng chỉ hành nghề dược;;;;`]))).toBe('0 1 0 0 0');
});
