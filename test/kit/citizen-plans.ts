import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import { openReadDoor, type OpenReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { rangesOf } from '#kernel/unit-scope.ts';
import { citizens } from '../../subgraphs/citizens/index.ts';
import { insertNameKeys } from '../../subgraphs/citizens/name-keys.ts';
import { withClient } from './database.ts';
import { ExplainingDoor, sessionOfTheDoor, type Looked } from './explaining-door.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { caller, today } from './record-world.ts';

/*
 * Every list and search of citizens, explained as the reading role, over a province whose stations came in one after the other: ids
 * say nothing of scope, which is the hard case for a walk by id.
 */

const centres = 12;
const stations = 120;
const stationsOf = (centre: number): readonly number[] =>
  Array.from({ length: stations }, (_, n) => 2 + centres + n).filter((_, n) => n % centres === centre);
const facility = 2 + centres + stations;
const everyone = Array.from({ length: facility }, (_, n) => n + 1);

const scopes = {
  province: rangesOf(everyone),
  centre: rangesOf([2, ...stationsOf(0)]),
  station: rangesOf([2 + centres]),
  facility: rangesOf([facility]),
} as const;

const filters: readonly string[] = [
  '',
  'text:"nguyen"',
  'text:"nguyen v"',
  'text:"thi"',
  'text:"hu"',
  'text:"van an"',
  'text:"yen"',
  'text:"khong co"',
  'text:"100000007"',
  'lifeStatus:ACTIVE',
  'lifeStatus:DECEASED',
  'lifeStatus:MERGED',
  'text:"nguyen",lifeStatus:DECEASED',
  'fieldStatus:{field:FULL_NAME,status:RED}',
  'fieldStatus:{field:PERMANENT_ADDRESS,status:GREEN}',
  'fieldStatus:{field:PHONE,status:RED}',
  'fieldStatus:{field:PERSONAL_ID,status:RED}',
  'bornFrom:"1990-03-15",bornTo:"1990-03-16"',
  'bornFrom:"1990-01-01"',
  'bornTo:"1950-01-01"',
  'updatedSince:"2026-11-20T00:00:00Z"',
  'updatedSince:"2026-01-01T00:00:00Z"',
  'updatedSince:"2027-01-01T00:00:00Z"',
  'text:"nguyen",fieldStatus:{field:PHONE,status:YELLOW},bornFrom:"1960-01-01"',
  'orgUnit:"u2"',
  'orgUnit:"u2",text:"tran"',
];
const orders = [
  '',
  'id:DESC',
  'fullName:ASC',
  'fullName:DESC',
  'dateOfBirth:ASC',
  'dateOfBirth:DESC',
  'updatedAt:ASC',
  'updatedAt:DESC',
] as const;
const work = ['', 'state:SETTLED', 'kind:TWO_HOLDERS', 'field:PHONE', 'foundBy:IMPORT,kind:DIFFERENT', 'orgUnit:"u2"'] as const;

export function plansHold(options: { readonly rows: number; readonly milliseconds: number | null }): void {
  let database: TestDatabase;
  let open: OpenReadDoor;
  let door: ExplainingDoor;
  let runtime: SubgraphRuntime;
  const client = { current: null as Client | null };

  beforeAll(async () => {
    database = await createTestDatabase();
    await fillProvince(database.ownerUrl, options.rows);
    client.current = new Client({ connectionString: database.roles.reader, options: sessionOfTheDoor });
    await client.current.connect();
    open = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
    door = new ExplainingDoor(open, client.current);
    runtime = openRuntime(
      citizens,
      { door, clock: { now: () => today }, identifierKey: Buffer.alloc(32) },
      { commit: () => Promise.resolve() },
    );
  }, 600_000);
  afterAll(async () => {
    await client.current?.end();
    await runtime.close();
    await open.close();
    await database.close();
  });

  async function explained(scope: keyof typeof scopes, query: string): Promise<readonly Looked[]> {
    door.looked = [];
    const who = caller('steward', { scope: scopes[scope] });
    const answer = await runtime.execute({ query, variables: {}, caller: who, signal: AbortSignal.timeout(30_000) });
    expect(answer.errors ?? []).toEqual([]);
    return door.looked;
  }

  async function holds(scope: keyof typeof scopes, query: string): Promise<void> {
    const looked = await explained(scope, query);
    for (const { statement, most } of looked)
      expect([query, statement, Math.max(most, 10_001)]).toEqual([query, statement, 10_001]);
    if (options.milliseconds === null) return;
    const best = looked.map(({ milliseconds }) => milliseconds);
    // The machine does other things too: the statement itself is what is promised, so the best of several runs counts.
    for (let again = 0; again < 25 && sum(best) > options.milliseconds; again += 1) {
      for (const [index, { milliseconds }] of (await explained(scope, query)).entries())
        best[index] = Math.min(best[index] ?? Infinity, milliseconds);
    }
    expect([query, looked.map(({ statement }) => statement), Math.max(sum(best), options.milliseconds)]).toEqual([
      query,
      looked.map(({ statement }) => statement),
      options.milliseconds,
    ]);
  }

  const selection =
    'nodes { id fullName lifeStatus orgUnit { id } phone fieldStatuses { field status } } pageInfo { endCursor hasNextPage }';

  for (const scope of Object.keys(scopes) as (keyof typeof scopes)[]) {
    test.each(filters)(
      `as ${scope}, the first page of citizens by {%s} in every order looks at no more than 10,000 rows`,
      async (filter) => {
        for (const order of orders) {
          const args = [
            'first: 20',
            ...(filter === '' ? [] : [`filter: {${filter}}`]),
            ...(order === '' ? [] : [`orderBy: {${order}}`]),
          ];
          await holds(scope, `{ citizens(${args.join(', ')}) { ${selection} } }`);
        }
      },
      120_000,
    );

    test(`as ${scope}, every count stops at 10,001`, async () => {
      for (const filter of filters) {
        const looked = await explained(
          scope,
          `{ citizens${filter === '' ? '' : `(filter: {${filter}})`} { totalCount totalCountIsEstimate } }`,
        );
        // A count stops by whom it found; one in a hundred of those it meets lives here no more.
        for (const { statement, most } of looked)
          expect([filter, statement, Math.max(most, 10_250)]).toEqual([filter, statement, 10_250]);
      }
    }, 120_000);

    test(`as ${scope}, every list of discrepancies and its count look at no more than 10,000 rows`, async () => {
      for (const filter of work) {
        await holds(
          scope,
          `{ discrepancies${filter === '' ? '' : `(filter: {${filter}})`} { nodes { id field citizen { id } } } }`,
        );
        const looked = await explained(scope, `{ discrepancies${filter === '' ? '' : `(filter: {${filter}})`} { totalCount } }`);
        for (const { most } of looked) expect(most).toBeLessThanOrEqual(10_001);
      }
    }, 120_000);

    test(`as ${scope}, later pages cost what the first one does`, async () => {
      for (const args of [
        '',
        'orderBy: {fullName: ASC}',
        'filter: {text: "nguyen"}',
        'filter: {text: "an"}, orderBy: {dateOfBirth: DESC}',
      ]) {
        let after: string | null = null;
        for (let page = 0; page < 4; page += 1) {
          const given = [`first: 50`, ...(args === '' ? [] : [args]), ...(after === null ? [] : [`after: "${after}"`])].join(
            ', ',
          );
          const query = `{ citizens(${given}) { nodes { id } pageInfo { endCursor } } }`;
          for (const { most } of await explained(scope, query)) expect(most).toBeLessThanOrEqual(10_001);
          const answer = await runtime.execute({
            query,
            variables: {},
            caller: caller('steward', { scope: scopes[scope] }),
            signal: AbortSignal.timeout(30_000),
          });
          after = (answer.data?.citizens as { pageInfo: { endCursor: string | null } } | null)?.pageInfo.endCursor ?? null;
          if (after === null) break;
        }
      }
    }, 120_000);
  }

  test('a number is found by its index', async () => {
    const looked = await explained('province', '{ citizen(personalId: "038000000007") { id fullName } }');
    expect(looked.map(({ most }) => most <= 10)).toEqual([true]);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Names as they are distributed: a third of all people share one surname. */
const surnames = [
  'Nguyễn',
  'Nguyễn',
  'Nguyễn',
  'Nguyễn',
  'Nguyễn',
  'Trần',
  'Trần',
  'Lê',
  'Phạm',
  'Huỳnh',
  'Phan',
  'Vũ',
  'Đặng',
  'Bùi',
  'Ksor',
];
const middles = ['Thị', 'Thị', 'Thị', 'Văn', 'Văn', 'Văn', 'Thị Thanh', 'Đức', 'Minh', 'Hữu', 'Ngọc', 'Quốc'];
const givens =
  'Anh Hùng Hương Hoa Lan Linh Mai Nam Nga Ngọc Phương Quang Sơn Tâm Thảo Thu Thủy Trang Tuấn Tú Vân Việt Yến An Bình Chi'.split(
    ' ',
  );

async function fillProvince(ownerUrl: string, rows: number): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query(`set hub.scope = '{(,)}'`);
    await client.query(
      `insert into hub.unit (number, code, name, level, parent_number, valid_from)
       select n, 'u' || n, 'u' || n, case when n = 1 then 'PROVINCE' when n <= 1 + $1 then 'CENTRE' when n < $3 then 'STATION' else 'FACILITY' end,
         case when n = 1 then null when n <= 1 + $1 or n = $3 then 1 else 2 + (n - 2 - $1) % $1 end, '2025-07-01'
       from generate_series(1, $3::int) n where n <= 1 + $1 + $2 or n = $3`,
      [centres, stations, facility],
    );
    const pick = (list: string, salt: number): string =>
      `(${list})[1 + ((hashint4(n * 31 + ${String(salt)})::bigint & 1073741823) % cardinality(${list}))]`;
    const share = (salt: number): string => `((hashint4(n * 17 + ${String(salt)})::bigint & 1073741823) % 1000)`;
    await client.query(
      `with person as (
         select n, (lpad(to_hex(1760000000000 + n), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid as id,
           2 + ${String(centres)} + (n::bigint * ${String(stations)} / ${String(rows)})::int as unit_no,
           ${pick('$1::text[]', 1)} as surname, ${pick('$2::text[]', 2)} as middle, ${pick('$3::text[]', 3)} as given,
           date '1930-01-01' + ((hashint4(n * 13)::bigint & 1073741823) % 34000)::int as born
         from generate_series(0, ${String(rows - 1)}) n)
       insert into citizens.citizen (id, unit_no, life_status, personal_id, full_name, name_folded, name_sort, date_of_birth, birth_precision, born_from,
         born_to, gender, phone, email, birthplace, permanent_text, confirmed, updated_at)
       select id, unit_no, case when ${share(4)} < 3 then 'DECEASED' when ${share(4)} < 12 then 'MOVED_AWAY' else 'ACTIVE' end,
         case when ${share(5)} < 970 then '038' || lpad(n::text, 9, '0') end,
         concat_ws(' ', surname, middle, given), hub.fold(concat_ws(' ', surname, middle, given)), concat_ws(' ', given, middle, surname),
         born::text, 'DAY', born, born, case when middle like 'Thị%' then 'FEMALE' else 'MALE' end,
         case when ${share(6)} < 600 then '09' || lpad(n::text, 8, '0') end, case when ${share(7)} < 100 then 'a' || n || '@example.vn' end,
         case when ${share(8)} < 800 then 'Xã A' end, 'Thôn ' || n,
         case when ${share(9)} < 600 then 45 else 0 end + case when ${share(10)} < 5 then 512 else 0 end,
         timestamptz '2026-11-24' - make_interval(secs => (${String(rows)} - n) * 86400.0 * 300 / ${String(rows)})
       from person`,
      [surnames, middles, givens],
    );
    await client.query(
      `insert into citizens.identifier (id, citizen_id, unit_no, system, value, standing, source)
       select gen_random_uuid(), id, unit_no, 'PERSONAL_ID', personal_id, 'CLAIMED', 'GENERATE' from citizens.citizen where personal_id is not null`,
    );
    await client.query(insertNameKeys.replace('where c.id = any ($1::uuid[])', ''));
    await client.query(
      `insert into citizens.discrepancy (id, citizen_id, unit_no, field, kind, found_by, state)
       select gen_random_uuid(), id, unit_no, (array['PHONE', 'FULL_NAME', 'GENDER'])[1 + n / 20 % 3], (array['DIFFERENT', 'INCONSISTENT', 'ONLY_OURS'])[1 + n / 60 % 3],
         (array['RECONCILE', 'IMPORT'])[1 + n / 20 % 2], case when n / 20 % 4 = 0 then 'SETTLED' else 'OPEN' end
       from (select id, unit_no, (row_number() over (order by id))::int as n from citizens.citizen) c where n % 20 = 0`,
    );
    for (const table of ['citizen', 'identifier', 'name_key', 'discrepancy'])
      await client.query(`vacuum analyze citizens.${table}`);
    await client.query('analyze hub.unit');
  });
}
