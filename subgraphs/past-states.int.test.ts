import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { withClient } from '../test/kit/database.ts';
import { openCitizenWorld } from '../test/kit/citizen-world.ts';
import { caller, openRecordWorld, people, scopes, unit, type Answer } from '../test/kit/record-world.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { insurance } from './insurance/index.ts';
import { organisation } from './organisation/index.ts';
import { results } from './results/index.ts';
import { slips } from './slips/index.ts';

/*
 * Random changes of every kind of record, each followed by a look at the row itself; afterwards the graph must give back each of those
 * rows from the history alone.
 */

/** Changes in all; the long run draws 5,000. */
const replayed = Number(process.env.HUB_REPLAYS ?? 300);
const seed = Number(process.env.HUB_SEED ?? Date.now() % 1_000_000);

type Values = Readonly<Record<string, string | null>>;
type Draw = (below: number) => number;

interface World {
  readonly database: { readonly ownerUrl: string };
  ask(who: Caller, query: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer>;
  close(): Promise<void>;
}

interface Kind {
  /** Type of the graph; the names of its mutations and of its answer hang on it. */
  readonly type: string;
  readonly answer: string;
  /** Root field that gives one by id; `null`: only references lead to it. */
  readonly query: string | null;
  readonly share: number;
  /** `version` and the values by the names of the history, null where there is none. */
  readonly row: string;
  readonly change: { readonly table: string; readonly record: string };
  open(): Promise<{ readonly world: World; readonly who: Caller }>;
  created(draw: Draw): object;
  changed(draw: Draw): object;
  withdrawn(draw: Draw): object;
}

const some = <T>(draw: Draw, from: readonly T[]): T => from[draw(from.length)]!;
const digits = (draw: Draw, count: number): string => Array.from({ length: count }, () => String(draw(10))).join('');
/** Some of the fields, at least one. */
function picked<T extends object>(draw: Draw, fields: T): Partial<T> {
  const names = Object.keys(fields) as (keyof T)[];
  const kept = names.filter(() => draw(4) === 0);
  const chosen = kept.length === 0 ? [some(draw, names)] : kept;
  return Object.fromEntries(chosen.map((name) => [name, fields[name]])) as unknown as Partial<T>;
}

const wards = ['Thôn 1', 'Thôn 2', 'Xóm Đình', null];
const kinds: readonly Kind[] = [
  {
    type: 'Citizen',
    answer: 'citizen',
    query: 'citizen',
    share: 0.5,
    row: `select c.version, 'u' || c.unit_no as "orgUnit", c.life_status as "lifeStatus", c.personal_id as "personalId",
        c.old_id_number as "oldIdNumber", c.full_name as "fullName", c.date_of_birth as "dateOfBirth", c.gender, c.ethnicity, c.phone,
        c.email, c.birthplace, c.native_place as "nativePlace", c.permanent_text as "permanentAddress", c.permanent_code as "permanentCommune",
        c.current_text as "currentAddress", c.current_code as "currentCommune" from citizens.citizen c where c.id = $1`,
    change: { table: 'citizens.change', record: 'citizen_id' },
    async open() {
      const world = await openCitizenWorld({ writes: true });
      return { world, who: await world.account('centre', unit.c1, scopes.centre1) };
    },
    created: (draw) => ({ orgUnitId: `u${String(unit.x11)}`, fullName: 'Nguyễn Văn An', ...picked(draw, citizen(draw)) }),
    changed: (draw) => ({ ...picked(draw, citizen(draw)), ...(draw(8) === 0 && { lifeStatus: 'ACTIVE' }) }),
    withdrawn: (draw) => ({ lifeStatus: some(draw, ['MOVED_AWAY', 'DECEASED']), reason: 'Thử' }),
  },
  {
    type: 'InsuranceCard',
    answer: 'insuranceCard',
    query: 'insuranceCard',
    share: 0.2,
    row: `select c.version, c.number, c.valid_from::text as "validFrom", c.valid_to::text as "validTo", c.status,
        c.registered_facility as "registeredFacility", c.issuer, c.holder_name as "holderName" from insurance.card c where c.id = $1`,
    change: { table: 'insurance.change', record: 'record_id' },
    open: () => openRecords(insurance),
    created: (draw) => ({ citizenId: people.an, ...card(draw) }),
    changed: (draw) => picked(draw, card(draw)),
    withdrawn: () => ({ reason: 'Thử' }),
  },
  {
    type: 'DigitizedResult',
    answer: 'digitizedResult',
    query: 'digitizedResult',
    share: 0.1,
    row: `select c.version, c.code, c.name, c.kind, c.issuing_agency as "issuingAgency", c.issued_on::text as "issuedOn",
        c.valid_to::text as "validTo", c.excerpt, c.state, c.file_state as "fileState", c.use_count::text as "useCount"
      from results.result c where c.id = $1`,
    change: { table: 'results.change', record: 'record_id' },
    open: () => openRecords(results),
    created: (draw) => ({ citizenId: people.an, name: 'Giấy khai sinh', ...picked(draw, paper(draw)) }),
    changed: (draw) => ({ ...picked(draw, paper(draw)), ...(draw(6) === 0 && { state: some(draw, ['EXPIRED', 'REPLACED']) }) }),
    withdrawn: () => ({ reason: 'Thử' }),
  },
  {
    type: 'ReferralSlip',
    answer: 'referralSlip',
    query: 'referralSlip',
    share: 0.1,
    row: `select c.version, c.number, c.origin, c.status, c.issued_on::text as "issuedOn", c.valid_to::text as "validTo",
        c.from_facility as "fromFacility", c.to_facility as "toFacility", c.reason from slips.referral_slip c where c.id = $1`,
    change: { table: 'slips.change', record: 'record_id' },
    open: () => openRecords(slips),
    created: (draw) => ({ citizenId: people.an, ...referral(draw) }),
    changed: (draw) => ({ ...picked(draw, referral(draw)), ...(draw(6) === 0 && { status: some(draw, ['SHOWN', 'ACCEPTED']) }) }),
    withdrawn: () => ({ reason: 'Thử' }),
  },
  {
    type: 'ReexaminationSlip',
    answer: 'reexaminationSlip',
    query: 'reexaminationSlip',
    share: 0.1,
    row: `select c.version, c.number, c.origin, c.status, c.issued_on::text as "issuedOn", c.appointment_on::text as "appointmentOn",
        c.facility from slips.reexamination_slip c where c.id = $1`,
    change: { table: 'slips.change', record: 'record_id' },
    open: () => openRecords(slips),
    created: (draw) => ({ citizenId: people.an, ...reexamination(draw) }),
    changed: (draw) => picked(draw, reexamination(draw)),
    withdrawn: () => ({ reason: 'Thử' }),
  },
  {
    type: 'OrgUnit',
    answer: 'orgUnit',
    query: null,
    share: 0.1,
    row: `select c.version, c.code, c.name, c.level, 'u' || c.parent_number as parent, c.valid_from::text as "validFrom",
        c.valid_to::text as "validTo" from hub.unit c where 'u' || c.number = $1`,
    change: { table: 'organisation.change', record: 'record_id' },
    async open() {
      const world = await openRecordWorld(organisation, 'reader', { writes: true });
      await world.truth(`select setval('hub.unit_number', 7)`);
      return { world, who: await world.account('steward', unit.p, scopes.province) };
    },
    created: (draw) => ({ code: `x${digits(draw, 8)}`, level: 'STATION', parentId: `u${String(unit.c1)}`, name: 'Trạm mới' }),
    changed: (draw) => picked(draw, place(draw)),
    withdrawn: () => ({ reason: 'Thử' }),
  },
];

async function openRecords(module: SubgraphModule): Promise<{ readonly world: World; readonly who: Caller }> {
  const world = await openRecordWorld(module, 'reader', { writes: true });
  const known = caller('clerk', { scope: scopes.x11 });
  const { id } = known.principal;
  await world.insert('organisation.account', [{ id, login: id, name: 'clerk', unit_no: unit.x11, role: 'clerk' }]);
  return { world, who: { ...known, principal: { ...known.principal, kind: 'ACCOUNT', unitNo: unit.x11 } } };
}

function citizen(draw: Draw) {
  return {
    fullName: some(draw, ['Nguyễn Văn An', 'Trần Thị Bình', 'Lê Thị Chi', 'Phạm Văn Dũng']),
    personalId: some(draw, [null, `038090${digits(draw, 6)}`]),
    oldIdNumber: some(draw, [null, digits(draw, 9)]),
    dateOfBirth: some(draw, [null, '1990-03-15', '1985', '1979-11']),
    gender: some(draw, [null, 'MALE', 'FEMALE']),
    phone: some(draw, [null, '0912345678', '0987654321']),
    email: some(draw, [null, 'an@example.org']),
    birthplace: some(draw, wards),
    nativePlace: some(draw, wards),
    permanentAddress: { text: some(draw, wards), code: some(draw, [null, '21550']), listVersion: '2024' },
    currentAddress: some(draw, [null, { text: 'Thôn 3' }]),
    orgUnitId: some(draw, [`u${String(unit.x11)}`, `u${String(unit.x12)}`, `u${String(unit.c1)}`]),
  };
}

function card(draw: Draw) {
  return {
    number: some(draw, [`DN4380${digits(draw, 9)}`, `GD4380${digits(draw, 9)}`, digits(draw, 10)]),
    validFrom: some(draw, [null, '2025-01-01', '2026-01-01', `2026-02-${String(10 + draw(18))}`]),
    validTo: some(draw, [null, '2026-12-31', '2027-06-30']),
    registeredFacility: some(draw, [null, '52001', '52901']),
    holderName: some(draw, [null, 'Nguyễn Văn An']),
  };
}

function paper(draw: Draw) {
  return {
    name: some(draw, ['Giấy khai sinh', 'Giấy chứng nhận', 'Thẻ']),
    kind: some(draw, [null, 'ELECTRONIC_ORIGINAL', 'DIGITIZED_PAPER']),
    issuingAgency: some(draw, [null, 'Sở Y tế']),
    issuedOn: some(draw, [null, '2025-01-01', '2026-01-01']),
    validTo: some(draw, [null, '2026-12-31', '2027-06-30']),
    excerpt: some(draw, [null, 'Trích yếu']),
  };
}

function place(draw: Draw) {
  return {
    code: `x${digits(draw, 8)}`,
    name: some(draw, ['Trạm Y tế 1', 'Trạm Y tế 2', 'Trạm Y tế 3']),
    level: some(draw, ['STATION', 'FACILITY']),
    parentId: some(draw, [`u${String(unit.p)}`, `u${String(unit.c1)}`, `u${String(unit.c2)}`]),
  };
}

function referral(draw: Draw) {
  return {
    number: `CT-${digits(draw, 8)}`,
    issuedOn: some(draw, [null, '2026-01-01', '2026-03-05']),
    validTo: some(draw, [null, '2026-12-31']),
    fromFacility: some(draw, [null, '52901', '52001']),
    toFacility: some(draw, [null, '52901', '52002']),
    reason: some(draw, [null, 'Quá khả năng']),
  };
}

function reexamination(draw: Draw) {
  return {
    number: `TK-${digits(draw, 8)}`,
    issuedOn: some(draw, [null, '2026-01-01', '2026-03-05']),
    appointmentOn: some(draw, [null, '2026-12-31']),
    facility: some(draw, [null, '52901', '52001']),
  };
}

/** mulberry32: the same seed, the same changes. */
function drawing(from: number): Draw {
  let state = from >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Seen {
  readonly version: number;
  readonly values: Values;
  /** Of its change, in milliseconds. */
  readonly at: number;
  readonly change: string;
  readonly fields: readonly string[];
}

type States = Readonly<Record<string, { version: number; values: { field: string; value: string }[] } | null>>;

interface Payload {
  readonly ok: Readonly<Record<string, { readonly id: string } | null>> | null;
  readonly error: { readonly code: string; readonly reason: string } | null;
  readonly newer?: { readonly id: string } | null;
}

describe.each(kinds)('a past state of $type', (kind) => {
  let world: World;
  let who: Caller;
  const draw = drawing(seed + kind.type.length);

  beforeAll(async () => {
    const opened = await kind.open();
    world = opened.world;
    who = { ...opened.who, purpose: 'TREAT' };
  }, 60_000);
  afterAll(() => world.close());

  async function mutate(name: string, input: object): Promise<Payload> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
    const newer = name.startsWith('undo') ? 'newer { id }' : '';
    const answer = await world.ask(
      { ...who, idempotencyKey: randomUUID() },
      `mutation M($input: ${type}) { done: ${name}(input: $input) { ok { ${kind.answer} { id } } error { code reason } ${newer} } }`,
      { input },
    );
    expect(answer.errors).toEqual([]);
    return (answer.data as { done: Payload }).done;
  }

  async function truth<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return withClient(world.database.ownerUrl, async (client) => {
      await client.query(`select set_config('hub.scope', '{(,)}', false)`);
      return (await client.query(text, [...values])).rows as Row[];
    });
  }

  async function look(id: string): Promise<Seen> {
    const [row] = await truth<{ version: number } & Record<string, string | null>>(kind.row, [id]);
    const [last] = await truth<{ id: string; at: string; after: object; before: object | null }>(
      `select id, (extract(epoch from date_trunc('milliseconds', at)) * 1000)::bigint::text as at, before, after from ${kind.change.table}
       where ${kind.change.record} = $1 order by version desc, at desc limit 1`,
      [id],
    );
    if (row === undefined || last === undefined) throw new Error('The record is not there.');
    const { version, ...values } = row;
    const fields = Object.keys(last.after).filter((field) => last.before === null || field in last.before);
    return { version, values, at: Number(last.at), change: last.id, fields };
  }

  async function lived(steps: number): Promise<{ readonly id: string; readonly seen: readonly Seen[] }> {
    const made = await mutate(`create${kind.type}`, kind.created(draw));
    const id = made.ok?.[kind.answer]?.id ?? '';
    const seen = [await look(id)];
    for (let step = 1; step < steps; step += 1) {
      const now = seen.at(-1)!;
      const what = draw(10);
      const past = seen[draw(seen.length)]!;
      const payload =
        what < 6
          ? await mutate(`update${kind.type}`, { id, version: now.version, ...kind.changed(draw) })
          : what < 7
            ? await mutate(`withdraw${kind.type}`, { id, version: now.version, ...kind.withdrawn(draw) })
            : await mutate(`undo${kind.type}Change`, { changeId: past.change, version: now.version });
      const after = await look(id);
      if (payload.error !== null || after.version === now.version) {
        // A refusal changes nothing; one that names a newer change is right about it.
        expect({ seed, ...after }).toEqual({ seed, ...now });
        if (payload.error?.reason !== 'NEWER_CHANGE') continue;
        const newer = seen.find(({ change }) => change === payload.newer?.id);
        expect(seen.indexOf(newer ?? past)).toBeGreaterThan(seen.indexOf(past));
        expect(newer?.fields.some((field) => past.fields.includes(field))).toBe(true);
        continue;
      }
      expect({ seed, version: after.version }).toEqual({ seed, version: now.version + 1 });
      if (what >= 7) {
        const stood = seen[seen.indexOf(past) - 1]!;
        for (const field of past.fields.filter((name) => name in after.values))
          expect({ seed, field, value: after.values[field] }).toEqual({ seed, field, value: stood.values[field] });
        const others = Object.keys(after.values).filter((field) => !past.fields.includes(field));
        for (const field of others)
          expect({ seed, field, value: after.values[field] }).toEqual({ seed, field, value: now.values[field] });
      }
      seen.push(after);
    }
    return { id, seen };
  }

  test('is given back exactly, at every instant', async () => {
    const records = Math.max(4, Math.round(replayed / 150));
    const steps = Math.ceil((replayed * kind.share) / records);
    for (let record = 0; record < records; record += 1) {
      const { id, seen } = await lived(steps);
      const instants = seen.flatMap(({ at }, index) => {
        const next = seen[index + 1]?.at ?? at + 5;
        return [at, at - 1, at + draw(Math.max(1, next - at))];
      });
      for (let from = 0; from < instants.length; from += 60) {
        const asked = instants.slice(from, from + 60);
        const fields = asked
          .map((at, index) => `s${String(index)}: asOf(at: "${new Date(at).toISOString()}") { version values { field value } }`)
          .join(' ');
        const { data, errors } = await (kind.query === null
          ? world.ask(
              who,
              `query Q($representations: [_Any!]!) { one: _entities(representations: $representations) { ... on ${kind.type} { ${fields} } } }`,
              { representations: [{ __typename: kind.type, id }] },
            )
          : world.ask(who, `query Q($id: ID!) { one: ${kind.query}(id: $id) { ${fields} } }`, { id }));
        expect(errors).toEqual([]);
        const { one } = data as { one: States | readonly States[] };
        const states: States = Array.isArray(one) ? (one as readonly States[])[0]! : (one as States);
        asked.forEach((at, index) => {
          const stood = seen.filter((state) => state.at <= at).at(-1);
          const given = states[`s${String(index)}`] ?? null;
          const shown = given && {
            version: given.version,
            values: Object.fromEntries(given.values.map(({ field, value }) => [field, value])),
          };
          expect({ seed, at, state: shown }).toEqual({ seed, at, state: stood === undefined ? null : present(stood) });
        });
      }
    }
  }, 600_000);
});

function present({ version, values }: Seen): { readonly version: number; readonly values: Values } {
  return { version, values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) };
}

test('a past state is masked as the record is', async () => {
  const world = await openCitizenWorld({ writes: true });
  const who = await world.account('clerk', unit.x11, scopes.x11);
  const made = await world.ask(
    { ...who, idempotencyKey: randomUUID() },
    `mutation { createCitizen(input: {orgUnitId: "u${String(unit.x11)}", fullName: "Nguyễn Văn An", personalId: "038090000001", phone: "0912345678"}) {
       ok { citizen { id } } } }`,
  );
  const { id } = (made.data as { createCitizen: { ok: { citizen: { id: string } } } }).createCitizen.ok.citizen;
  const asked = `query { citizen(id: "${id}") { asOf(at: "2999-01-01T00:00:00Z") { values { field value } } } }`;
  const { data } = await world.ask(who, asked);
  expect(JSON.stringify(data)).toContain('038•••••0001');
  expect(JSON.stringify(data)).not.toMatch(/038090000001|0912345678/);
  const foreign = await world.account('clerk', unit.x21, scopes.x21);
  expect((await world.ask(foreign, asked)).data).toEqual({ citizen: null });
  await world.close();
}, 60_000);
