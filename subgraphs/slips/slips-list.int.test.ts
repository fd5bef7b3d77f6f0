import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asScope, withClient } from '../../test/kit/database.ts';
import { caller, openRecordWorld, people, scopes, unit, unitOf, type RecordWorld } from '../../test/kit/record-world.ts';
import { slips } from './index.ts';

/*
 * Lists against a model: every filter, scope and page size gives exactly the slips that a plain look over all of them gives, in
 * their order, each once, however few fit and however often the search stops early.
 */

interface Slip {
  readonly id: string;
  readonly unit_no: number | null;
  readonly facility_no: number | null;
  readonly citizen_id: string | null;
  readonly number: string;
  readonly status: string;
  readonly issued_on: string;
  readonly from_facility: string;
}

const count = 6_000;
let world: RecordWorld;
let all: readonly Slip[];

beforeAll(async () => {
  world = await openRecordWorld(slips);
  const citizens = Object.entries(unitOf);
  await withClient(world.database.ownerUrl, async (client) => {
    await client.query('begin');
    await client.query(`select set_config('hub.scope', '{(,)}', true)`);
    // Ids in no order of insertion; one station holds most, so that its index is walked deep while the others end early.
    await client.query(
      `insert into slips.referral_slip (id, citizen_id, unit_no, facility_no, number, origin, status, issued_on, from_facility)
       select ('01900000-0000-7000-8000-' || substr(md5(i::text), 1, 12))::uuid, c.id, c.unit_no, f.no, 'CT-' || i % 50, case when c.id is null then 'SIGNED' else 'ENTERED' end,
         case when i % 997 = 0 then 'CANCELLED' when i % 7 = 0 then 'USED' when i % 11 = 0 then 'WITHDRAWN' else 'ISSUED' end,
         date '2026-01-01' + i % 300, case when i % 1009 = 0 then '38009' when i % 3 = 0 then '52901' else '38001' end
       from generate_series(1, $1) i
       cross join lateral (select (i * 7919) % 100 as part) p
       left join lateral (select * from unnest($2::uuid[], $3::int[]) with ordinality u(id, unit_no, at)
         where u.at = case when p.part < 70 then 1 when p.part < 80 then 2 when p.part < 90 then 3 end) c on true
       cross join lateral (select case when c.id is null or i % 3 = 0 then $4::int end as no) f`,
      [count, citizens.map(([id]) => id), citizens.map(([, no]) => no), unit.facilityA],
    );
    await client.query('commit');
    await client.query('analyze slips.referral_slip');
  });
  all = await asScope<Slip & Record<string, unknown>>(
    world.database.ownerUrl,
    '{(,)}',
    `select id, unit_no, facility_no, citizen_id, number, status, issued_on::text, from_facility from slips.referral_slip order by id`,
  );
});
afterAll(() => world.close());

const integrator = caller('integrator');
const principals = {
  integrator,
  centre1: caller('centre', { scope: scopes.centre1 }),
  x11: caller('clerk', { scope: scopes.x11 }),
  x21: caller('clerk', { scope: scopes.x21 }),
  hospital: caller('hospital', { scope: scopes.facilityA }),
} as const;
const seenBy: Readonly<Record<keyof typeof principals, readonly number[]>> = {
  integrator: Object.values(unit),
  centre1: [unit.c1, unit.x11, unit.x12],
  x11: [unit.x11],
  x21: [unit.x21],
  hospital: [unit.facilityA],
};

const day = fc.integer({ min: 0, max: 320 }).map((after) => new Date(Date.UTC(2025, 11, 20 + after)).toISOString().slice(0, 10));
const filters = fc.record(
  {
    status: fc.constantFrom('ISSUED', 'USED', 'CANCELLED', 'WITHDRAWN', 'EXPIRED'),
    facility: fc.constantFrom('38001', '52901', '38009', '99999'),
    number: fc.constantFrom('CT-7', 'CT-49', 'CT-50'),
    issuedFrom: day,
    issuedTo: day,
    citizen: fc.constantFrom(people.an, people.binh),
  },
  { requiredKeys: [] },
);

function fits(slip: Slip, who: keyof typeof principals, filter: Partial<Record<string, string>>): boolean {
  const inScope = (no: number | null): boolean => no !== null && seenBy[who].includes(no);
  if (!inScope(slip.unit_no) && !inScope(slip.facility_no)) return false;
  if (filter.status === undefined ? slip.status === 'WITHDRAWN' : slip.status !== filter.status) return false;
  if (filter.facility !== undefined && slip.from_facility !== filter.facility) return false;
  if (filter.number !== undefined && slip.number !== filter.number) return false;
  if (filter.issuedFrom !== undefined && slip.issued_on < filter.issuedFrom) return false;
  if (filter.issuedTo !== undefined && slip.issued_on > filter.issuedTo) return false;
  return filter.citizen === undefined || (slip.citizen_id === filter.citizen && inScope(slip.unit_no));
}

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount?: number;
}

const query = `query ($filter: SlipFilter, $first: Int, $after: String, $counted: Boolean!) {
  referralSlips(filter: $filter, first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } totalCount @include(if: $counted) } }`;

/** Walks the pages and compares; says how many of them were short although more came. Long lists: their first eight pages. */
async function compare(who: keyof typeof principals, filter: Partial<Record<string, string>>, first: number): Promise<number> {
  const expected = all.filter((slip) => fits(slip, who, filter)).map(({ id }) => id);
  const found: string[] = [];
  let after: string | null = null;
  let short = 0;
  for (let page = 0; page < 8; page += 1) {
    const answer = await world.ask(principals[who], query, { filter, first, after, counted: page === 0 });
    expect(answer.errors).toEqual([]);
    const { nodes, pageInfo, totalCount } = answer.data?.referralSlips as Page;
    found.push(...nodes.map(({ id }) => id));
    if (totalCount !== undefined) expect(totalCount).toBe(expected.length);
    if (!pageInfo.hasNextPage) {
      expect(found).toEqual(expected);
      return short;
    }
    if (nodes.length < first) short += 1;
    after = pageInfo.endCursor;
  }
  expect(found).toEqual(expected.slice(0, found.length));
  return short;
}

test('a list is what the model says, for whoever asks and however it is filtered and paged', async () => {
  const names = fc.constantFrom(...(Object.keys(principals) as (keyof typeof principals)[]));
  await fc.assert(
    fc.asyncProperty(names, filters, fc.constantFrom(7, 40, 100), async (who, filter, first) => {
      await compare(who, filter, first);
    }),
    { numRuns: 150, seed: 7 },
  );
});

test('a search that meets too few hits hands out short pages, even empty ones, and loses nothing', async () => {
  expect(await compare('x11', { facility: '99999' }, 20)).toBeGreaterThan(0);
  expect(await compare('x11', { facility: '38009' }, 20)).toBeGreaterThan(0);
  expect(await compare('x11', { facility: '38009', status: 'ISSUED' }, 20)).toBeGreaterThan(0);
});
