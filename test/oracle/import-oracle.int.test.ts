import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '#kernel/auth/principal.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import type { ImportKind as Kind, RowProblem } from '#kernel/imports/import-kind.ts';
import { Importing, type ImportReport } from '#kernel/imports/import-run.ts';
import { citizensImport } from '../../subgraphs/citizens/import-citizens.ts';
import { cardsImport } from '../../subgraphs/insurance/import-cards.ts';
import { unitsImport } from '../../subgraphs/organisation/import-units.ts';
import { resultsImport } from '../../subgraphs/results/import-results.ts';
import { openCitizenWorld, type CitizenWorld } from '../kit/citizen-world.ts';
import { asScope } from '../kit/database.ts';
import { standing, watching } from '../kit/imports.ts';
import { caller, people, scopes, today, unit, unitOf } from '../kit/record-world.ts';
import { makeFile, type FileWish, type MadeFile } from './bad-rows.ts';
import {
  cardNumber,
  cell,
  judge,
  readDate,
  readGender,
  type ImportKind,
  type Level,
  type Problem,
  type Reason as OracleReason,
  type Row,
} from './oracle.ts';

/* The product's imports against the other opinion: what it refuses, where and why, and what comes in. */

/** What each of the product's reasons means to the oracle. A reason that is not here is one that the oracle knows no ground for. */
const meaning: Readonly<Partial<Record<Reason, readonly OracleReason[]>>> = {
  ROW_CELLS: ['shape'],
  ROW_REQUIRED: ['missing'],
  MASKED_VALUE: ['masked'],
  PERSONAL_ID_FORMAT: ['format'],
  OLD_ID_NUMBER_FORMAT: ['format'],
  NAME_CHARSET: ['format'],
  NAME_LENGTH: ['tooLong'],
  TEXT_LENGTH: ['tooLong'],
  DATE_FORMAT: ['format'],
  DATE_NOT_IN_CALENDAR: ['impossibleDate'],
  DATE_DAY_NEEDED: ['partialDate'],
  BIRTH_DATE_FUTURE: ['future'],
  PERIOD_ORDER: ['order'],
  GENDER_WORD: ['unknownCode'],
  ETHNICITY_CODE: ['unknownCode'],
  PHONE_FORMAT: ['format'],
  EMAIL_FORMAT: ['format'],
  COMMUNE_CODE_FORMAT: ['format'],
  COMMUNE_LIST: ['unknownCode'],
  UNIT_UNKNOWN: ['unknownUnit'],
  CARD_LENGTH: ['format'],
  CARD_FORMAT: ['format'],
  BHXH_NUMBER_FORMAT: ['format'],
  CARD_CATEGORY: ['cardObject'],
  CARD_BENEFIT: ['cardLevel'],
  CARD_ISSUER: ['cardPlace', 'contradictsNumber'],
  CARD_ISSUER_WORD: ['unknownCode'],
  FACILITY_CODE_FORMAT: ['format'],
  RESULT_CODE_FORMAT: ['format'],
  RESULT_KIND_WORD: ['unknownCode'],
  UNIT_LEVEL_WORD: ['unknownCode'],
  UNIT_LEVEL_ORDER: ['wrongParent'],
  UNIT_PARENT_NEEDED: ['missing', 'unknownUnit'],
};

const rowsWanted = Number(process.env.HUB_ORACLE_ROWS ?? '2000');
const identifierKey = Buffer.alloc(32, 7);
const numbers = { [people.an]: '038090000001', [people.binh]: '038085000002' } as const;
const steward: Caller = (() => {
  const who = caller('steward', { scope: scopes.centre1 });
  return { ...who, principal: { ...who.principal, id: randomUUID(), name: 'steward', kind: 'ACCOUNT', unitNo: unit.c1 } };
})();
/** The steward's part of the province, as the oracle is told of it. */
const units = new Map<string, Level>([
  ['c1', 'CENTRE'],
  ['x11', 'STATION'],
  ['x12', 'STATION'],
]);
const day: string = dayInVietnam(today);

let world: CitizenWorld;
const open: Database[] = [];

beforeAll(async () => {
  world = await openCitizenWorld();
  await standing(world.database.ownerUrl, steward);
  await truth(`select setval('hub.unit_number', 100)`);
  for (const schema of ['insurance', 'results'])
    await world.insert(
      `${schema}.citizen`,
      Object.entries(numbers).map(([id, number]) => ({
        id,
        unit_no: unitOf[id as keyof typeof numbers],
        life_status: 'ACTIVE',
        version: 1,
        identifier_hashes: [hashIdentifier(identifierKey, number)],
      })),
    );
}, 60_000);
afterAll(async () => {
  for (const database of open) await database.close();
  await world.close();
});

const truth = <Found extends object>(text: string, values: readonly unknown[] = []) =>
  asScope<Found>(world.database.ownerUrl, '{(,)}', text, values);

interface Judged {
  readonly file: MadeFile;
  /** Rows that the oracle lets in; those that say it again are left out. */
  readonly fresh: readonly Row[];
  readonly id: string;
  readonly report: ImportReport;
}

/** Through the product, tried and applied: what it says of each line is what the oracle says. */
async function through(product: Kind, kind: ImportKind, wish: Omit<FileWish, 'kind' | 'today' | 'units'>): Promise<Judged> {
  const file = makeFile({ ...wish, kind, today: day, units, holders: Object.values(numbers) });
  const verdicts = judge(kind, file.rows, { today: day, units });
  const bad = new Map(verdicts.filter(({ problems }) => problems.length > 0).map(({ line, problems }) => [line, problems]));
  expect(new Set(bad.keys())).toEqual(new Set(file.faults.keys()));
  const database = await openDatabase({
    url: world.database.roles[product.subgraph],
    entities: [],
    connections: 2,
    applicationName: 'test',
  });
  open.push(database);
  const importing = new Importing({ database, clock: { now: () => today }, identifierKey }, product, steward);
  const opened = await importing.open({ bytes: Buffer.from(file.csv), name: null });
  if (!opened.ok) throw new Error(`${opened.error.reason} in line ${String(opened.error.line)}`);
  const id = opened.value;
  const differences = async (of: 'planned' | 'state'): Promise<string[]> => {
    const told = new Map<number, readonly RowProblem[]>();
    for await (const { line, problems } of importing.refused(id, of)) told.set(line, problems);
    return [...new Set([...bad.keys(), ...told.keys()])].flatMap((line) => {
      const [oracle, ours] = [bad.get(line) ?? [], told.get(line) ?? []];
      return agree(oracle, ours) ? [] : [JSON.stringify({ line, fault: file.faults.get(line), oracle, product: ours })];
    });
  };
  const planned = await importing.check(id, watching);
  expect(await differences('planned')).toEqual([]);
  const report = await importing.apply(id, watching);
  expect(await differences('state')).toEqual([]);
  for (const { total, added, changed, unchanged, waiting, refused } of [planned, report]) {
    expect({ total, refused, changed }).toEqual({ total: file.rows.length, refused: bad.size, changed: 0 });
    expect(added + changed + unchanged + waiting + refused).toBe(total);
  }
  expect(report).toMatchObject({ added: planned.added, unchanged: planned.unchanged, waiting: planned.waiting });
  expect(report.problems.map(({ line }) => line)).toEqual([...bad.keys()].sort((a, b) => a - b).slice(0, 100));
  const fresh = file.rows.filter(({ line }) => !bad.has(line) && !file.repeats.has(line));
  return { file, fresh, id, report };
}

/** Each fault is told once by its column and its kind, and nothing is told that is none. A unit is looked for when the row is otherwise right. */
function agree(oracle: readonly Problem[], product: readonly RowProblem[]): boolean {
  const asked = oracle.length === 1 ? oracle : oracle.filter(({ reason }) => reason !== 'unknownUnit');
  const fits = (told: RowProblem, { field, orField, reason }: Problem): boolean =>
    [field, orField].includes(told.field ?? '') && meaning[told.reason]?.includes(reason) === true;
  return (
    product.length > 0 &&
    asked.every((problem) => product.some((told) => fits(told, problem))) &&
    product.every((told) => oracle.some((problem) => fits(told, problem)))
  );
}

/** As the hub keeps what a cell says; `null`: not stated. */
const text = (row: Row, column: string): string | null => cell(row, column) || null;
const name = (row: Row, column: string): string | null => cell(row, column).replaceAll('’', "'").replace(/\s+/g, ' ') || null;
function date(row: Row, column: string): string | null {
  const read = readDate(cell(row, column));
  return typeof read === 'string' ? null : read.value.slice(0, { DAY: 10, MONTH: 7, YEAR: 4 }[read.precision]);
}

/** Every row that was right stands as it was written, by its key, and nothing else came. */
function compare(
  made: readonly Readonly<Record<string, unknown>>[],
  fresh: readonly Row[],
  expected: (row: Row) => Readonly<Record<string, unknown>>,
  key: (values: Readonly<Record<string, unknown>>) => string,
): void {
  const standing = new Map(made.map((values) => [key(values), JSON.stringify(values)]));
  const wrong = fresh.flatMap((row) => {
    const values = expected(row);
    const stands = standing.get(key(values));
    return stands === JSON.stringify(values)
      ? []
      : [`${String(row.line)}: ${JSON.stringify(values)} stands as ${String(stands)}`];
  });
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(made).toHaveLength(fresh.length);
}

test(`of ${String(rowsWanted)} rows of citizens, 2 in 100 bad in every way, each bad one is told by column and reason, and each right one stands`, async () => {
  const began = performance.now();
  const { file, fresh, id, report } = await through(citizensImport, 'citizens', {
    rows: rowsWanted,
    share: 0.02,
    seed: 7,
    foreignUnit: 'x21',
    bom: true,
  });
  const seconds = (performance.now() - began) / 1000;
  expect(report).toMatchObject({ added: fresh.length, unchanged: file.repeats.size, waiting: 0 });
  const made = await truth<Record<string, unknown>>(
    `select c.personal_id, c.old_id_number, c.full_name, c.date_of_birth, c.gender, c.ethnicity, c.phone, c.email, c.birthplace, c.native_place,
         c.permanent_text, c.permanent_code, c.permanent_list, c.current_text, c.current_code, c.current_list, u.code as unit_code, c.source_key
       from citizens.citizen c join hub.unit u on u.number = c.unit_no
       where c.id in (select citizen_id from citizens.change where cause_id = $1)`,
    [id],
  );
  compare(
    made,
    fresh,
    (row) => ({
      personal_id: text(row, 'personal_id'),
      old_id_number: text(row, 'old_id_number'),
      full_name: name(row, 'full_name'),
      date_of_birth: date(row, 'date_of_birth'),
      gender: readGender(cell(row, 'gender')),
      ethnicity: text(row, 'ethnicity')?.padStart(2, '0') ?? null,
      phone: text(row, 'phone')?.replace(/\D/g, '').replace(/^84/, '0') ?? null,
      email: text(row, 'email')?.toLowerCase() ?? null,
      birthplace: text(row, 'birthplace'),
      native_place: text(row, 'native_place'),
      permanent_text: text(row, 'permanent_address'),
      permanent_code: text(row, 'permanent_commune'),
      permanent_list: text(row, 'permanent_commune') === null ? null : text(row, 'commune_list'),
      current_text: text(row, 'current_address'),
      current_code: text(row, 'current_commune'),
      current_list: text(row, 'current_commune') === null ? null : text(row, 'commune_list'),
      unit_code: text(row, 'unit_code'),
      source_key: text(row, 'source_key'),
    }),
    ({ personal_id, full_name, date_of_birth }) => JSON.stringify(personal_id ?? [full_name, date_of_birth]),
  );
  if (rowsWanted > 10_000)
    process.stdout.write(
      `import oracle: ${String(report.total)} rows, ${String(file.faults.size)} bad, ${String(report.refused)} found with column and reason, tried and applied in ${seconds.toFixed(0)} s\n`,
    );
}, 900_000);

test('citizens again with semicolons and Windows line ends, under a seed of its own', async () => {
  const { fresh, report } = await through(citizensImport, 'citizens', {
    rows: 300,
    share: 0.1,
    seed: 23,
    foreignUnit: 'x21',
    delimiter: ';',
    lineEnd: '\r\n',
  });
  expect(report.added).toBe(fresh.length);
});

test('cards: the bad ones told, the right ones with their holder or waiting for him', async () => {
  const { file, fresh, id, report } = await through(cardsImport, 'cards', { rows: 400, share: 0.1, seed: 9, foreignUnit: 'x21' });
  const holder = (row: Row): string | null =>
    Object.entries(numbers).find(([, number]) => number === cell(row, 'personal_id'))?.[0] ?? null;
  const waiting = fresh.filter((row) => holder(row) === null).length;
  expect(report.added).toBe(fresh.length - waiting);
  expect(report.unchanged + report.waiting).toBe(waiting + file.repeats.size);
  const made = await truth<Record<string, unknown>>(
    `select number, citizen_id, valid_from::text, valid_to::text, registered_facility, holder_name, holder_born, unit_no
     from insurance.card where id in (select record_id from insurance.change where cause_id = $1)`,
    [id],
  );
  compare(
    made,
    fresh,
    (row) => ({
      number: cardNumber(cell(row, 'number')),
      citizen_id: holder(row),
      valid_from: date(row, 'valid_from'),
      valid_to: date(row, 'valid_to'),
      registered_facility: text(row, 'registered_facility'),
      holder_name: name(row, 'full_name'),
      holder_born: date(row, 'date_of_birth'),
      unit_no: holder(row) === null ? unit.c1 : unitOf[holder(row) as keyof typeof unitOf],
    }),
    ({ number }) => String(number),
  );
});

test('results: the bad ones told, the right ones as they were written', async () => {
  const { fresh, id } = await through(resultsImport, 'results', {
    rows: 400,
    share: 0.1,
    seed: 8,
    foreignUnit: 'x21',
    delimiter: ';',
  });
  const made = await truth<Record<string, unknown>>(
    `select code, name, issuing_agency, issued_on::text, valid_to::text, excerpt, file_name
     from results.result where id in (select record_id from results.change where cause_id = $1)`,
    [id],
  );
  compare(
    made,
    fresh,
    (row) => ({
      code: text(row, 'code'),
      name: text(row, 'name'),
      issuing_agency: text(row, 'issuing_agency'),
      issued_on: date(row, 'issued_on'),
      valid_to: date(row, 'valid_to'),
      excerpt: text(row, 'excerpt'),
      file_name: text(row, 'file'),
    }),
    ({ code }) => String(code),
  );
});

test('units: the bad ones told, the right ones below the unit they name', async () => {
  const { file, fresh, id, report } = await through(unitsImport, 'units', { rows: 300, share: 0.1, seed: 6, foreignUnit: 'c2' });
  expect(report).toMatchObject({ added: fresh.length, unchanged: file.repeats.size, waiting: 0 });
  const made = await truth<Record<string, unknown>>(
    `select u.code, u.name, u.level, a.code as parent_code, u.valid_from::text from hub.unit u join hub.unit a on a.number = u.parent_number
     where u.number in (select unit_no from organisation.change where cause_id = $1)`,
    [id],
  );
  compare(
    made,
    fresh,
    (row) => ({
      code: text(row, 'code'),
      name: name(row, 'name'),
      level: text(row, 'level'),
      parent_code: text(row, 'parent_code'),
      valid_from: date(row, 'valid_from') ?? day,
    }),
    ({ code }) => String(code),
  );
});
