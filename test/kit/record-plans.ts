import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import { openReadDoor, type OpenReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { rangesOf } from '#kernel/unit-scope.ts';
import { insurance } from '../../subgraphs/insurance/index.ts';
import { results } from '../../subgraphs/results/index.ts';
import { slips } from '../../subgraphs/slips/index.ts';
import { withClient } from './database.ts';
import { ExplainingDoor, sessionOfTheDoor, type Looked } from './explaining-door.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { caller, today } from './record-world.ts';

/*
 * Every list of cards, results and slips, and every read of a citizen's records, explained as the reading role: as province, as a
 * centre with its stations, as a station, and as a hospital that issued a third of all slips.
 */

const centres = 12;
const stations = 166;
const hospitals = 20;
const firstStation = 2 + centres;
const firstHospital = firstStation + stations;
const unitCount = firstHospital + hospitals - 1;
const stationsOf = (centre: number): readonly number[] =>
  Array.from({ length: stations }, (_, n) => n).flatMap((n) => (n % centres === centre ? [firstStation + n] : []));

const scopes = {
  province: rangesOf(Array.from({ length: unitCount }, (_, n) => n + 1)),
  centre: rangesOf([2, ...stationsOf(0)]),
  station: rangesOf([firstStation]),
  facility: rangesOf([firstHospital]),
} as const;

const citizen = (n: number): string => `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

const filters = {
  insuranceCards: [
    '',
    'status: ACTIVE',
    'status: RECALLED',
    'status: UNVERIFIED, issuer: BHXH_VN',
    'status: EXPIRED, validOn: "2015-01-01"',
    'validOn: "2026-11-24"',
    'validOn: "2015-01-01"',
    'issuer: BHXH_BQP',
    'text: "DN4"',
    'text: "GD438000"',
    'text: "0001"',
    'number: "0000000001"',
    `citizen: "${citizen(4095)}"`,
    'orgUnit: "u3"',
    'orgUnit: "u20", status: RECALLED',
  ],
  digitizedResults: [
    '',
    'state: IN_FORCE',
    'state: REVOKED',
    'kind: CERTIFIED_COPY',
    'text: "038"',
    'text: "0380000"',
    'issuedFrom: "2026-10-30"',
    'issuedFrom: "2020-01-01"',
    'issuedFrom: "2024-05-01", issuedTo: "2024-05-02"',
    'issuedFrom: "2027-05-01"',
    'fileState: KEPT, issuedFrom: "2025-01-01"',
    `citizen: "${citizen(4095)}"`,
    'orgUnit: "u3", kind: DIGITIZED_PAPER',
  ],
  referralSlips: [
    '',
    'status: ISSUED',
    'status: CANCELLED',
    'status: EXPIRED',
    'facility: "38001"',
    'facility: "38005"',
    'facility: "99999"',
    'facility: "38005", status: CANCELLED',
    'number: "CT-77"',
    'issuedFrom: "2026-10-30"',
    'issuedFrom: "2026-01-01"',
    'issuedFrom: "2025-05-01", issuedTo: "2025-05-02"',
    'issuedFrom: "2025-01-01", issuedTo: "2026-05-02", facility: "38005"',
    `citizen: "${citizen(4095)}"`,
  ],
  reexaminationSlips: ['', 'status: CANCELLED', 'facility: "38005"', 'issuedFrom: "2026-10-30"'],
} as const;
type ListField = keyof typeof filters;
const subgraphOf = {
  insuranceCards: 'insurance',
  digitizedResults: 'results',
  referralSlips: 'slips',
  reexaminationSlips: 'slips',
} as const satisfies Record<ListField, string>;

const ofCitizens = {
  insurance: 'insuranceCards { number validFrom validTo } cardInForce { number }',
  results: 'digitizedResults(first: 5) { nodes { code name issuedOn } totalCount }',
  slips:
    'referralSlips(first: 5) { nodes { number status } } reexaminationSlips(first: 5) { nodes { id appointmentOn } totalCount }',
} as const;

export function recordPlansHold(options: { readonly rows: number; readonly milliseconds: number | null }): void {
  let database: TestDatabase;
  let open: OpenReadDoor;
  let door: ExplainingDoor;
  let client: Client;
  let runtimes: Readonly<Record<'insurance' | 'results' | 'slips', SubgraphRuntime>>;

  beforeAll(async () => {
    database = await createTestDatabase();
    await fill(database.ownerUrl, options.rows);
    client = new Client({ connectionString: database.roles.reader, options: sessionOfTheDoor });
    await client.connect();
    open = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
    door = new ExplainingDoor(open, client);
    const deps = { door, clock: { now: () => today }, identifierKey: Buffer.alloc(32) };
    const audit = { commit: () => Promise.resolve() };
    runtimes = {
      insurance: openRuntime(insurance, deps, audit),
      results: openRuntime(results, deps, audit),
      slips: openRuntime(slips, deps, audit),
    };
  }, 600_000);
  afterAll(async () => {
    for (const runtime of Object.values(runtimes)) await runtime.close();
    await client.end();
    await open.close();
    await database.close();
  });

  async function explained(
    subgraph: keyof typeof runtimes,
    scope: keyof typeof scopes,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly looked: readonly Looked[]; readonly data: unknown }> {
    door.looked = [];
    const who = caller('integrator', { scope: scopes[scope] });
    const answer = await runtimes[subgraph].execute({ query, variables, caller: who, signal: AbortSignal.timeout(30_000) });
    expect(answer.errors ?? []).toEqual([]);
    return { looked: door.looked, data: answer.data };
  }

  /** Looks at no more than 10,000 rows and, where it is a first page, ends in time. */
  async function holds(
    subgraph: keyof typeof runtimes,
    scope: keyof typeof scopes,
    query: string,
    what: 'first page' | 'count' | 'later page',
  ): Promise<unknown> {
    const { looked, data } = await explained(subgraph, scope, query);
    // A count stops by what it found; on its way it may meet a few that the planner knew to be rare.
    const bound = what === 'count' ? 10_250 : 10_001;
    for (const { statement, most } of looked)
      expect([query, statement, Math.max(most, bound)]).toEqual([query, statement, bound]);
    if (options.milliseconds === null || what !== 'first page') return data;
    const best = looked.map(({ milliseconds }) => milliseconds);
    const sum = (): number => best.reduce((total, one) => total + one, 0);
    // The machine does other things too: the statement itself is what is promised, so the best of several runs counts.
    for (let again = 0; again < 25 && sum() > options.milliseconds; again += 1) {
      for (const [index, { milliseconds }] of (await explained(subgraph, scope, query)).looked.entries()) {
        best[index] = Math.min(best[index] ?? Infinity, milliseconds);
      }
    }
    expect([query, Math.max(sum(), options.milliseconds)]).toEqual([query, options.milliseconds]);
    return data;
  }

  const fields = Object.keys(filters) as readonly ListField[];

  for (const scope of Object.keys(scopes) as (keyof typeof scopes)[]) {
    test.each(fields)(
      `as ${scope}, every page and count of %s looks at no more than 10,000 rows`,
      async (field) => {
        for (const filter of filters[field]) {
          const given = filter === '' ? '' : `filter: {${filter}}, `;
          const list = (more: string, asked: string): string => `{ ${field}(${given}first: 20${more}) { ${asked} } }`;
          const data = await holds(
            subgraphOf[field],
            scope,
            list('', 'nodes { id version orgUnit { id } citizen { id } } pageInfo { endCursor }'),
            'first page',
          );
          await holds(subgraphOf[field], scope, list('', 'totalCount totalCountIsEstimate'), 'count');
          const cursor = (data as Record<ListField, { pageInfo: { endCursor: string | null } }>)[field].pageInfo.endCursor;
          if (cursor !== null) await holds(subgraphOf[field], scope, list(`, after: "${cursor}"`, 'nodes { id }'), 'later page');
        }
      },
      300_000,
    );

    test(`as ${scope}, the records of twenty citizens are found by their index`, async () => {
      const representations = Array.from({ length: 20 }, (_, n) => ({ __typename: 'Citizen', id: citizen(n * 97 + 1) }));
      for (const subgraph of ['insurance', 'results', 'slips'] as const) {
        const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Citizen { ${ofCitizens[subgraph]} } } }`;
        const { looked } = await explained(subgraph, scope, query, { representations });
        for (const { statement, most } of looked) expect([statement, Math.max(most, 200)]).toEqual([statement, 200]);
      }
    });
  }
}

/** `rows` citizens with one card, three results and one slip of each kind; the first hospital issued a third of all slips. */
async function fill(ownerUrl: string, rows: number): Promise<void> {
  const stationOf = (n: string): string =>
    `${String(firstStation)} + (hashint4(${n})::bigint & 1073741823) % ${String(stations)}`;
  const idOf = (kind: string, n: string): string => `('01900000-0000-7000-${kind}-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
  const card = `lpad(((n::bigint * 7919 * 104729) % 10000000000)::text, 10, '0')`;
  await withClient(ownerUrl, async (client) => {
    await client.query(`set hub.scope = '{(,)}'`);
    await client.query(
      `insert into hub.unit (number, code, name, level, parent_number, valid_from)
       select n, 'u' || n, 'u' || n,
         case when n = 1 then 'PROVINCE' when n < $2 then 'CENTRE' when n < $3 then 'STATION' else 'FACILITY' end,
         case when n = 1 then null when n < $2 or n >= $3 then 1 else 2 + (n - $2) % $1 end, '2025-07-01'
       from generate_series(1, $4::int) n`,
      [centres, firstStation, firstHospital, unitCount],
    );
    for (const schema of ['insurance', 'results', 'slips']) {
      await client.query(
        `insert into ${schema}.citizen (id, unit_no, life_status, version)
         select ${idOf('8000', 'n')}, ${stationOf('n')}, 'ACTIVE', 1 from generate_series(1, $1::int) n`,
        [rows],
      );
    }
    await client.query(
      `insert into insurance.card (id, citizen_id, unit_no, number, bhxh_number, holder_name, valid_from, valid_to, status, issuer)
       select ${idOf('9000', 'n')}, ${idOf('8000', 'n')}, ${stationOf('n')},
         (array['DN4','GD4','HT3','TE1','HN2'])[1 + n % 5] || '38' || ${card}, ${card}, 'A', date '2026-01-01' - n % 1000,
         case when n % 3 > 0 then date '2027-01-01' + n % 700 end,
         case when n % 5000 = 0 then 'RECALLED' when n % 10 = 0 then 'UNVERIFIED' when n % 7 = 0 then 'EXPIRED' else 'ACTIVE' end, 'BHXH_VN'
       from generate_series(1, $1::int) n`,
      [rows],
    );
    await client.query(
      `insert into results.result (id, citizen_id, unit_no, code, name, kind, issued_on, state)
       select ${idOf('a000', 'i')}, ${idOf('8000', 'n')}, ${stationOf('n')},
         '038' || lpad(((i::bigint * 7919) % 1000000000)::text, 9, '0') || '.KQ.G18.000010.' || i, 'A', 'DIGITIZED_PAPER',
         date '2026-11-01' - ((hashint4(i)::bigint & 1073741823) % 2000)::int, case when i % 10000 = 0 then 'REVOKED' else 'IN_FORCE' end
       from generate_series(1, $1::int * 3) i cross join lateral (select 1 + (i - 1) / 3 as n) c`,
      [rows],
    );
    for (const [table, issuer, kind] of [
      ['referral_slip', 'from_facility', 'b000'],
      ['reexamination_slip', 'facility', '9001'],
    ] as const) {
      await client.query(
        `insert into slips.${table} (id, citizen_id, unit_no, facility_no, number, origin, status, issued_on, ${issuer})
         select ${idOf(kind, 'n')}, ${idOf('8000', 'n')}, ${stationOf('n')},
           case when n % 3 = 0 then $2::int when n % 7 = 0 then $2::int + 1 + n % ($3::int - 1) end, 'CT-' || n,
           case when n % 3 = 0 or n % 7 = 0 then 'SIGNED' else 'ENTERED' end, case when n % 4000 = 0 then 'CANCELLED' else 'ISSUED' end,
           date '2026-11-01' - ((hashint4(n * 3)::bigint & 1073741823) % 700)::int,
           case when n % 3 = 0 then '38001' else (38001 + n % 19)::text end
         from generate_series(1, $1::int) n`,
        [rows, firstHospital, hospitals],
      );
    }
    const tables = ['insurance.card', 'results.result', 'slips.referral_slip', 'slips.reexamination_slip'];
    const replicas = ['insurance.citizen', 'results.citizen', 'slips.citizen'];
    for (const table of [...tables, ...replicas]) await client.query(`vacuum analyze ${table}`);
  });
}
