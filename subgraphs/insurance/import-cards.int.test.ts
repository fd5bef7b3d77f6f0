import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '#kernel/auth/principal.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { Importing, type ImportReport } from '#kernel/imports/import-run.ts';
import { sweepWaiting, replicaTargets } from '../../workers/replicas.ts';
import { importFile, watching } from '../../test/kit/imports.ts';
import { openRecordWorld, people, scopes, today, unit, type RecordWorld } from '../../test/kit/record-world.ts';
import { cardsImport } from './import-cards.ts';
import { insurance } from './index.ts';

let world: RecordWorld;
let database: Database;
let steward: Caller;
let clerk11: Caller;
const identifierKey = Buffer.alloc(32, 7);
const numbers = { an: '038090000001', binh: '038085000002', chi: '038192000003' } as const;

beforeAll(async () => {
  world = await openRecordWorld(insurance, 'reader', { writes: true });
  database = await openDatabase({ url: world.database.roles.insurance, entities: [], connections: 2, applicationName: 'test' });
  steward = await world.account('steward', unit.p, scopes.province);
  clerk11 = await world.account('clerk', unit.x11, scopes.x11);
  for (const name of ['an', 'binh', 'chi'] as const) await known(people[name], numbers[name]);
}, 60_000);
afterAll(async () => {
  await database.close();
  await world.close();
});

/** What the replica says of a citizen's number. */
async function known(citizen: string, number: string): Promise<void> {
  await world.truth('update insurance.citizen set identifier_hashes = array[$2::bytea] where id = $1', [
    citizen,
    hashIdentifier(identifierKey, number),
  ]);
}

const importing = (who: Caller): Importing =>
  new Importing({ database, clock: { now: () => today }, identifierKey }, cardsImport, who);
const header = 'number,personal_id,full_name,valid_from,valid_to,registered_facility,issuer';
const send = (who: Caller, rows: readonly string[], headings = header): Promise<ImportReport> =>
  importFile(importing(who), Buffer.from([headings, ...rows].join('\n')));
const sums = ({ added, changed, unchanged, waiting, refused }: ImportReport): string =>
  [added, changed, unchanged, waiting, refused].join(' ');
const card = (number: string) => world.truth('select * from insurance.card where number = $1 order by id', [number]);

test('cards come to their citizens by number, with history, audit and message; again nothing changes', async () => {
  const rows = [
    `dn 4 38 0100000001,${numbers.an},Nguyễn Văn An,2026-01-01,2026-12-31,52901,`,
    `HT2380100000002,${numbers.binh},,01/02/2026,,,Bảo hiểm xã hội Việt Nam`,
  ];
  const report = await send(steward, rows);
  expect(sums(report)).toBe('2 0 0 0 0');
  const [made] = await card('DN4380100000001');
  expect(made).toMatchObject({
    version: 1,
    citizen_id: people.an,
    unit_no: unit.x11,
    bhxh_number: '0100000001',
    holder_name: 'Nguyễn Văn An',
    status: 'UNVERIFIED',
    registered_facility: '52901',
    issuer: 'BHXH_VN',
  });
  expect(
    await world.truth('select cause, cause_id, action, before, after from insurance.change where record_id = $1', [made?.id]),
  ).toEqual([
    {
      cause: 'IMPORT',
      cause_id: report.run,
      action: 'card.created',
      before: null,
      after: expect.objectContaining({ number: 'DN4380100000001', validFrom: '2026-01-01', citizen: people.an }) as unknown,
    },
  ]);
  expect(
    await world.truth(`select version, unit_after from hub.outbox where kind = 'CARD' and subject = $1`, [made?.id]),
  ).toEqual([{ version: 1, unit_after: unit.x11 }]);
  const [audited] = await world.truth<{ subjects: string[] }>(
    `select subjects from hub.audit_event where action = 'card.imported'`,
  );
  expect(audited?.subjects.sort()).toEqual([people.an, people.binh].sort());
  expect(sums(await send(steward, rows))).toBe('0 0 2 0 0');
  expect(sums(await send(steward, [`DN4380100000001,${numbers.an},,2026-01-01,2027-12-31,,`]))).toBe('0 1 0 0 0');
  expect((await card('DN4380100000001')).map(({ version }) => version)).toEqual([2]);
});

test('a card of somebody unknown waits at its sender and links itself when he comes', async () => {
  const row = `GD4380100000003,038090000777,Người Mới,2026-01-01,,,`;
  expect(sums(await send(clerk11, [row]))).toBe('0 0 0 1 0');
  expect(sums(await send(clerk11, [row]))).toBe('0 0 0 1 0');
  expect(await card('GD4380100000003')).toMatchObject([{ citizen_id: null, unit_no: unit.x11, version: 1 }]);
  const seen = (who: Caller) => world.ask(who, '{ insuranceCards(filter: {number: "GD4380100000003"}) { totalCount } }');
  expect((await seen(clerk11)).data).toEqual({ insuranceCards: { totalCount: 1 } });
  const citizen = '01900000-0000-7000-8000-000000000777';
  await world.insert('insurance.citizen', [{ id: citizen, unit_no: unit.x11, life_status: 'ACTIVE', version: 1 }]);
  await known(citizen, '038090000777');
  const target = replicaTargets.find(({ schema }) => schema === 'insurance');
  if (target === undefined) throw new Error('insurance follows nobody');
  await sweepWaiting(database, target);
  expect(await card('GD4380100000003')).toMatchObject([{ citizen_id: citizen, version: 2 }]);
  expect(sums(await send(clerk11, [row]))).toBe('0 0 1 0 0');
});

test('what contradicts a card that was confirmed becomes work, once, and changes nothing of it', async () => {
  await send(clerk11, [`TE1380100000004,${numbers.an},,2026-01-01,2026-12-31,,`]);
  await world.truth(`update insurance.card set status = 'ACTIVE' where number = 'TE1380100000004'`);
  for (let n = 0; n < 2; n += 1)
    expect(sums(await send(clerk11, [`TE1380100000004,${numbers.an},,2026-01-01,2028-12-31,,`]))).toBe('0 0 0 1 0');
  const [unchanged] = await card('TE1380100000004');
  expect(unchanged).toMatchObject({ version: 1, status: 'ACTIVE' });
  expect(
    await world.truth(`select kind, found_by, state from insurance.work where card_id = $1 and kind = 'DIFFERENT'`, [
      unchanged?.id,
    ]),
  ).toEqual([{ kind: 'DIFFERENT', found_by: 'IMPORT', state: 'OPEN' }]);
});

test('each bad cell is told by its column; a citizen of another unit is nobody, and his card does not come to him by us [B43][B44][B45][B46][B50][B52]', async () => {
  const report = await send(clerk11, [
    'DN6380100000005,,,2026-01-01,,,',
    'ZZ4380100000005,,,2026-01-01,,,',
    'DN4000100000005,,,2026-01-01,,,',
    'DN438O100000005,,,2026-01-01,,,',
    'DN4380100000005,,,2026-02-01,2026-01-01,,',
    'DN4380100000005,,,,,,',
    'DN4380100000005,,,2026-01-01,,,Ai đó',
    'DN4970100000005,,,2026-01-01,,,BHXH_VN',
    `DN4380100000006,${numbers.chi},,2026-01-01,,,`,
    'DN4380100000005,2026-01-01',
  ]);
  expect(report.problems.map(({ line, problems: [first] }) => [line, first?.field, first?.reason])).toEqual([
    [2, 'number', 'CARD_BENEFIT'],
    [3, 'number', 'CARD_CATEGORY'],
    [4, 'number', 'CARD_ISSUER'],
    [5, 'number', 'CARD_LETTER_O'],
    [6, 'valid_to', 'PERIOD_ORDER'],
    [7, 'valid_from', 'ROW_REQUIRED'],
    [8, 'issuer', 'CARD_ISSUER_WORD'],
    [9, 'number', 'CARD_ISSUER'],
    [11, null, 'ROW_CELLS'],
  ]);
  expect(report).toMatchObject({ total: 10, waiting: 1, refused: 9 });
  expect(await card('DN4380100000006')).toMatchObject([{ citizen_id: null, unit_no: unit.x11 }]);
});

test('a withdrawn card does not come back by a file; whoever may not write cards imports none', async () => {
  await send(clerk11, [`DN4380100000007,${numbers.an},,2026-01-01,,,`]);
  await world.truth(`update insurance.card set status = 'WITHDRAWN' where number = 'DN4380100000007'`);
  const report = await send(clerk11, [`DN4380100000007,${numbers.an},,2026-01-01,,,`]);
  expect(report.problems).toEqual([{ line: 2, problems: [{ field: 'number', reason: 'ROW_WITHDRAWN' }] }]);
  expect(() => importing({ ...clerk11, principal: { ...clerk11.principal, permissions: ['import:send'] } })).toThrow(
    'ROLE_LACKS_RIGHT',
  );
  const gone = { ...clerk11, principal: { ...clerk11.principal, role: 'steward' as const } };
  await expect(send(gone, [`DN4380100000008,${numbers.an},,2026-01-01,,,`])).rejects.toThrow('ROLE_LACKS_RIGHT');
  expect(await card('DN4380100000008')).toEqual([]);
});

test('killed at any moment and gone on, an import ends like one that was never killed', async () => {
  const moments = Number(process.env.HUB_KILLS ?? '3');
  // Each of them has one card, so that no question about overlaps arises. More than can be done before the last kill.
  const count = 2_000 * moments;
  const [bad, good] = [count / 50, count - count / 50];
  const holders = Array.from({ length: count }, (_, n) => `0380950${String(n).padStart(5, '0')}`);
  await world.truth(
    `insert into insurance.citizen (id, unit_no, life_status, version, identifier_hashes)
     select uuidv7(), $2, 'ACTIVE', 1, array[decode(hash, 'hex')] from unnest($1::text[]) hash`,
    [holders.map((number) => hashIdentifier(identifierKey, number).toString('hex')), unit.x21],
  );
  const rows = holders.map((holder, n) => {
    const number = `DN438${String(2_000_000 + n).padStart(10, '0')}`;
    return n % 50 === 7 ? `${number},abc,,2026-01-01,,,` : `${number},${holder},,2026-01-01,,,`;
  });
  const opened = await importing(steward).open({ bytes: Buffer.from([header, ...rows].join('\n')), name: 'cards.csv' });
  if (!opened.ok) throw new Error(opened.error.reason);
  const child = fileURLToPath(new URL('../../test/kit/import-child.ts', import.meta.url));
  for (let n = 0; n < moments; n += 1) {
    const process_ = spawn(
      process.execPath,
      [child, world.database.roles.insurance, 'CARDS', opened.value, JSON.stringify(steward)],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const ended = new Promise((resolve) => process_.once('exit', (_code, signal) => resolve(signal)));
    await Promise.race([new Promise((resolve) => process_.stdout.once('data', resolve)), ended]);
    await new Promise((resolve) => setTimeout(resolve, 30 + Math.random() * 400));
    process_.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL'); // not before it was done
  }
  const report = await importing(steward).apply(opened.value, watching);
  expect(report).toMatchObject({ total: count, added: good, refused: bad, complete: true });
  expect(await world.truth(`select state, done, refused, counts from hub.run where id = $1`, [opened.value])).toEqual([
    { state: 'DONE', done: count, refused: bad, counts: { added: good, changed: 0, unchanged: 0, waiting: 0 } },
  ]);
  expect(
    await world.truth(
      `select count(*)::int as cards, count(distinct number)::int as numbers, sum(version)::int as versions,
         (select count(*)::int from insurance.change where cause_id = $1) as changes,
         (select count(*)::int from hub.outbox o where o.subject in (select record_id from insurance.change where cause_id = $1)) as messages
       from insurance.card where number like 'DN43800020%'`,
      [opened.value],
    ),
  ).toEqual([{ cards: good, numbers: good, versions: good, changes: good, messages: good }]);
}, 300_000);
