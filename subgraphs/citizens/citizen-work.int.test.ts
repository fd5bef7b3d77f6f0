import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { withClient } from '../../test/kit/database.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { id, scopes, unit } from '../../test/kit/record-world.ts';

let world: CitizenWorld;
let clerk: Caller;

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  clerk = await world.account('clerk', unit.x11, scopes.x11);
}, 60_000);
afterAll(() => world.close());

async function mutate(verb: 'create' | 'update' | 'undo', input: object): Promise<string> {
  const name = verb === 'undo' ? 'undoCitizenChange' : `${verb}Citizen`;
  const type = verb === 'undo' ? 'UndoCitizenChangeInput' : `${verb === 'create' ? 'Create' : 'Update'}CitizenInput`;
  const answer = await world.ask(
    { ...clerk, idempotencyKey: randomUUID() },
    `mutation ($input: ${type}!) { done: ${name}(input: $input) { ok { citizen { id } } error { reason field } } }`,
    { input },
  );
  const { done } = answer.data as { done: { ok: { citizen: { id: string } } | null; error: unknown } };
  expect(done.error).toBeNull();
  return done.ok?.citizen.id ?? '';
}

async function truth(text: string, values: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return withClient(world.database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<Readonly<Record<string, unknown>>>(text, [...values])).rows;
  });
}

const work = (citizen: string) =>
  truth(
    'select kind, field, found_by, ours, state, unit_no, version from citizens.discrepancy where citizen_id = $1 order by id',
    [citizen],
  );
const told = (citizen: string) =>
  truth(
    `select version, unit_before, unit_after, payload ->> 'state' as state from hub.outbox where kind = 'WORK' and payload ->> 'citizenId' = $1 order by id`,
    [citizen],
  );

const open = { kind: 'INCONSISTENT', field: 'PERSONAL_ID', found_by: 'CLERK', state: 'OPEN', unit_no: unit.x11, version: 1 };
const fresh = { orgUnitId: 'u4', fullName: 'Nguyễn Thị Hoa' };

test('a number whose digits contradict sex or birth year is accepted, and somebody must look [B42]', async () => {
  const hoa = await mutate('create', { ...fresh, personalId: '038290000001', gender: 'FEMALE', dateOfBirth: '1990-03-15' });
  expect(await work(hoa)).toEqual([{ ...open, ours: '038290000001' }]);
  expect(await told(hoa)).toEqual([{ version: 1, unit_before: null, unit_after: unit.x11, state: 'OPEN' }]);
  // An unrelated change, or another contradiction, asks nothing twice.
  await mutate('update', { id: hoa, version: 1, phone: '0912345678' });
  await mutate('update', { id: hoa, version: 2, dateOfBirth: '1991-03-15' });
  expect(await work(hoa)).toHaveLength(1);
  await mutate('update', { id: hoa, version: 3, personalId: null });
  expect(await work(hoa)).toMatchObject([{ state: 'WITHDRAWN', version: 2 }]);
  expect(await told(hoa)).toMatchObject([{ state: 'OPEN' }, { state: 'WITHDRAWN', unit_before: unit.x11, version: 2 }]);
});

test('a correction opens the question, its undo closes it', async () => {
  const lan = await mutate('create', { ...fresh, personalId: '038190000002', gender: 'FEMALE', dateOfBirth: '1990-03-15' });
  expect(await work(lan)).toEqual([]);
  await mutate('update', { id: lan, version: 1, gender: 'MALE' });
  expect(await work(lan)).toEqual([{ ...open, ours: '038190000002' }]);
  const [change] = await truth('select id from citizens.change where citizen_id = $1 and version = 2', [lan]);
  await mutate('undo', { changeId: change?.id, version: 2 });
  expect(await work(lan)).toMatchObject([{ state: 'WITHDRAWN' }]);
});

test('an item that lies with a unit above stays the only one, and he who moves takes his own with him', async () => {
  const binh = id(0x501);
  await world.add({ id: binh, unitNo: unit.x11, fullName: 'Trần Bình', personalId: '038090000005' });
  await world.insert('citizens.discrepancy', [
    { id: id(0x502), citizen_id: binh, unit_no: unit.c1, field: 'PERSONAL_ID', kind: 'INCONSISTENT', found_by: 'IMPORT' },
  ]);
  await mutate('update', { id: binh, version: 1, gender: 'FEMALE' });
  expect(await work(binh)).toMatchObject([{ unit_no: unit.c1, state: 'OPEN', version: 1 }]);
});
