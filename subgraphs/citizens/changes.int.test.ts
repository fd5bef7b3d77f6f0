import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { unitsScope, withClient } from '../../test/kit/database.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { caller, id, scopes, unit } from '../../test/kit/record-world.ts';
import { CitizenChanges } from './changes.ts';

let world: CitizenWorld;
let centre: Caller;
let clerk: Caller;
let service: CitizenChanges;

const [an, binh, chi] = [id(0x101), id(0x102), id(0x103)];
const numbers = { an: '038090000001', chi: '038090000003' };

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  centre = await world.account('centre', unit.c1, scopes.centre1);
  clerk = await world.account('clerk', unit.x11, scopes.x11);
  await world.add(
    { id: an, unitNo: unit.x11, fullName: 'Nguyễn Văn An', personalId: numbers.an, confirmed: ['PERSONAL_ID', 'FULL_NAME'] },
    { id: binh, unitNo: unit.x12, fullName: 'Trần Thị Bình' },
    { id: chi, unitNo: unit.x21, fullName: 'Lê Thị Chi', personalId: numbers.chi },
  );
  if (world.changes === null) throw new Error('opened without changes');
  service = new CitizenChanges(world.changes, Buffer.alloc(32, 7));
}, 60_000);
afterAll(() => world.close());

const newKey = (): string => randomUUID();
const keyed = (who: Caller, key: string | null = newKey()): Caller => ({ ...who, idempotencyKey: key });

interface Payload {
  readonly ok: { readonly citizen: Record<string, unknown> | null } | null;
  readonly error: {
    readonly code: string;
    readonly reason: string;
    readonly field: string | null;
    readonly message: string;
  } | null;
}

async function mutate(
  who: Caller,
  name: 'createCitizen' | 'updateCitizen' | 'withdrawCitizen',
  input: Record<string, unknown>,
): Promise<Payload> {
  const type = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}Input!`;
  const answer = await world.ask(
    who,
    `mutation M($input: ${type}) { ${name}(input: $input) {
       ok { citizen { id version fullName phone personalId lifeStatus orgUnit { id } dateOfBirth { value precision }
         permanentAddress { text code listVersion currentCode } fieldStatuses { field status }
         identifiers { system value standing source period { end } } } }
       error { code reason field message } } }`,
    { input },
  );
  expect(answer.errors).toEqual([]);
  return (answer.data as Record<string, Payload>)[name]!;
}

/** Past every lock. */
async function truth<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return withClient(world.database.ownerUrl, async (client) => {
    // Kept answers are seen by their principal alone, so those of the clerk are counted.
    await client.query(`select set_config('hub.scope', '{(,)}', false), set_config('hub.principal', $1, false)`, [
      clerk.principal.id,
    ]);
    return (await client.query(text, [...values])).rows as Row[];
  });
}

async function counts(): Promise<Record<string, number>> {
  const [row] = await truth<Record<string, number>>(`select (select count(*) from citizens.citizen)::int as citizens,
    (select count(*) from citizens.change)::int as changes, (select count(*) from citizens.idempotency)::int as keys,
    (select count(*) from hub.outbox)::int as messages, (select sum(version) from citizens.citizen)::int as versions,
    (select count(*) from hub.audit_event where action in ('citizen.created','citizen.changed','citizen.withdrawn'))::int as audited`);
  return row ?? {};
}

describe('a new citizen', () => {
  test('is there with history, audit, message, search keys and number, and is answered masked', async () => {
    const who = keyed(clerk);
    const { ok, error } = await mutate(who, 'createCitizen', {
      orgUnitId: `u${String(unit.x11)}`,
      fullName: '  Phạm   Văn Dũng ',
      personalId: '038190000017',
      dateOfBirth: '3/1990',
      phone: '0912345678',
      permanentAddress: { text: 'Thôn 1' },
    });
    expect(error).toBeNull();
    expect(ok?.citizen).toMatchObject({
      version: 1,
      fullName: 'Phạm Văn Dũng',
      lifeStatus: 'ACTIVE',
      orgUnit: { id: `u${String(unit.x11)}` },
      dateOfBirth: { value: '1990-03', precision: 'MONTH' },
      permanentAddress: { text: 'Thôn 1', code: null, listVersion: null, currentCode: null },
      identifiers: [{ system: 'PERSONAL_ID', standing: 'CLAIMED', source: 'CLERK', period: { end: null } }],
    });
    const made = String(ok?.citizen?.id);
    const history = await truth(
      `select version, principal, principal_name, cause, cause_id, action, before, after, unit_no
      from citizens.change where citizen_id = $1`,
      [made],
    );
    expect(history).toEqual([
      {
        version: 1,
        principal: clerk.principal.id,
        principal_name: 'clerk',
        cause: 'MUTATION',
        cause_id: 'trace',
        action: 'citizen.created',
        before: null,
        after: {
          orgUnit: `u${String(unit.x11)}`,
          lifeStatus: 'ACTIVE',
          fullName: 'Phạm Văn Dũng',
          personalId: '038190000017',
          dateOfBirth: '1990-03',
          phone: '0912345678',
          permanentAddress: 'Thôn 1',
        },
        unit_no: unit.x11,
      },
    ]);
    const audit = await truth(
      `select action, subjects, fields, principal, operation, purpose from hub.audit_event where action like 'citizen.c%' and subjects @> array[$1::uuid]`,
      [made],
    );
    expect(audit).toEqual([
      {
        action: 'citizen.created',
        subjects: [made],
        fields: ['Citizen.dateOfBirth', 'Citizen.fullName', 'Citizen.permanentAddress', 'Citizen.personalId', 'Citizen.phone'],
        principal: clerk.principal.id,
        operation: 'test',
        purpose: clerk.purpose,
      },
    ]);
    const events = await truth<{ payload: { hashes: string[] } }>(
      'select kind, version, unit_before, unit_after, payload from hub.outbox where subject = $1',
      [made],
    );
    expect(events).toEqual([
      {
        kind: 'CITIZEN',
        version: 1,
        unit_before: null,
        unit_after: unit.x11,
        payload: { hashes: [expect.stringMatching(/^[0-9a-f]{32}$/)], lifeStatus: 'ACTIVE', mergedInto: null },
      },
    ]);
    expect(await truth('select key from citizens.name_key where citizen_id = $1 order by key', [made])).toEqual([
      { key: 'dung' },
      { key: 'pham van dung' },
      { key: 'van dung' },
    ]);
  });

  test.each([
    [{ fullName: '1234' }, 'BAD_INPUT', 'NAME_CHARSET', 'fullName'],
    [{ fullName: 'An', personalId: '38090000001' }, 'BAD_INPUT', 'PERSONAL_ID_FORMAT', 'personalId'],
    [{ fullName: 'An', personalId: '038•••••0001' }, 'BAD_INPUT', 'MASKED_VALUE', 'personalId'],
    [{ fullName: 'An', dateOfBirth: '31/02/1990' }, 'BAD_INPUT', 'DATE_NOT_IN_CALENDAR', 'dateOfBirth'],
    [{ fullName: 'An', phone: '0912•••678' }, 'BAD_INPUT', 'MASKED_VALUE', 'phone'],
    [{ fullName: 'An', birthplace: ' ' }, 'BAD_INPUT', 'TEXT_EMPTY', 'birthplace'],
    [{ fullName: 'An', permanentAddress: { code: '99999' } }, 'BAD_INPUT', 'COMMUNE_UNKNOWN', 'permanentAddress.code'],
    [{ fullName: 'An', orgUnitId: 'x' }, 'BAD_INPUT', 'UNIT_ID_FORMAT', 'orgUnitId'],
    [{ fullName: 'An', orgUnitId: `u${String(unit.x21)}` }, 'BAD_INPUT', 'UNIT_NOT_YOURS', 'orgUnitId'],
    [{ fullName: 'An', orgUnitId: 'u9999' }, 'BAD_INPUT', 'UNIT_NOT_YOURS', 'orgUnitId'],
  ])('%j is refused as data and leaves nothing [A13]', async (input, code, reason, field) => {
    const before = await counts();
    const { ok, error } = await mutate(keyed(clerk), 'createCitizen', { orgUnitId: `u${String(unit.x11)}`, ...input });
    expect(ok).toBeNull();
    expect(error).toMatchObject({ code, reason, field });
    expect(await counts()).toEqual(before);
  });

  test('whose number is held by someone out of scope is refused without owner or place, audited at the holder, 20 times a day [A16]', async () => {
    const prober = await world.account('clerk', unit.x11, scopes.x11);
    const input = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Người Thử', personalId: numbers.chi };
    const before = await counts();
    const { ok, error } = await mutate(keyed(prober), 'createCitizen', input);
    expect(ok).toBeNull();
    expect(error).toMatchObject({ code: 'CONFLICT', reason: 'NUMBER_TAKEN', field: 'personalId' });
    expect(JSON.stringify(error)).not.toMatch(new RegExp(`${chi}|Chi|x21|u6`));
    expect(await counts()).toEqual(before);
    const audited = () =>
      truth<{ subjects: string[] }>(
        `select subjects from hub.audit_event where action = 'citizen.number-taken' and principal = $1`,
        [prober.principal.id],
      );
    const first = await audited();
    expect(first.length).toBeGreaterThan(0);
    expect(first.every(({ subjects }) => subjects.includes(chi))).toBe(true);
    for (let round = first.length; round < 20; round += 1) await service.create(keyed(prober), input);
    expect((await audited()).length).toBe(20);
    for (const personalId of [numbers.chi, '038190000099']) {
      expect(await service.create(keyed(prober), { ...input, personalId })).toMatchObject({
        ok: false,
        error: { code: 'RATE', reason: 'NUMBER_TAKEN_TOO_OFTEN' },
      });
    }
  });

  test('probed 60 times at once is told to be taken no more than 20 times [A16]', async () => {
    const prober = await world.account('clerk', unit.x11, scopes.x11);
    const input = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Người Thử', personalId: numbers.chi };
    const answers = await Promise.all(Array.from({ length: 60 }, () => service.create(keyed(prober), input)));
    const reasons = answers.map((answer) => (answer.ok ? 'made' : answer.error.reason));
    expect(reasons.filter((reason) => reason === 'NUMBER_TAKEN')).toHaveLength(20);
    expect(reasons.filter((reason) => reason === 'NUMBER_TAKEN_TOO_OFTEN')).toHaveLength(40);
    expect(
      await truth(`select from hub.audit_event where action = 'citizen.number-taken' and principal = $1`, [prober.principal.id]),
    ).toHaveLength(20);
  });
});

describe('a change', () => {
  test('takes back the confirmation of a field that differs, and of no other', async () => {
    const same = await mutate(keyed(clerk), 'updateCitizen', { id: an, version: 1, fullName: 'Nguyễn Văn An' });
    expect(same.ok?.citizen).toMatchObject({ version: 1 });
    const { ok } = await mutate(keyed(clerk), 'updateCitizen', {
      id: an,
      version: 1,
      fullName: 'Nguyễn Văn Ân',
      trueFrom: '2026-01-02',
    });
    expect(ok?.citizen).toMatchObject({ version: 2, fullName: 'Nguyễn Văn Ân' });
    const states = Object.fromEntries(
      (ok?.citizen?.fieldStatuses as { field: string; status: string }[]).map(({ field, status }) => [field, status]),
    );
    expect(states).toMatchObject({ FULL_NAME: 'YELLOW', PERSONAL_ID: 'GREEN' });
    expect(
      await truth('select version, action, before, after, effective_from::text from citizens.change where citizen_id = $1', [an]),
    ).toEqual([
      {
        version: 2,
        action: 'citizen.changed',
        before: { fullName: 'Nguyễn Văn An', confirmed: 'FULL_NAME' },
        after: { fullName: 'Nguyễn Văn Ân', confirmed: '' },
        effective_from: '2026-01-02',
      },
    ]);
    expect(await truth('select kind from hub.outbox where subject = $1', [an])).toEqual([]);
  });

  test('of a number ends the old one, which still finds him', async () => {
    const { ok } = await mutate(keyed(clerk), 'updateCitizen', { id: an, version: 2, personalId: '038090000077' });
    expect(ok?.citizen).toMatchObject({ version: 3 });
    const rows = await truth(
      'select value, valid_to is null as current from citizens.identifier where citizen_id = $1 order by valid_to nulls last',
      [an],
    );
    expect(rows).toEqual([
      { value: numbers.an, current: false },
      { value: '038090000077', current: true },
    ]);
    const [event] = await truth<{ payload: { hashes: string[] } }>('select payload from hub.outbox where subject = $1', [an]);
    expect(event?.payload.hashes).toHaveLength(2);
  });

  test('erases with null, and keeps what is not named', async () => {
    await mutate(keyed(clerk), 'updateCitizen', { id: an, version: 3, phone: '0912345678', birthplace: 'Vinh' });
    const { ok } = await mutate(keyed(clerk), 'updateCitizen', { id: an, version: 4, phone: null });
    expect(ok?.citizen).toMatchObject({ version: 5, phone: null, fullName: 'Nguyễn Văn Ân' });
    expect(await truth('select phone, birthplace from citizens.citizen where id = $1', [an])).toEqual([
      { phone: null, birthplace: 'Vinh' },
    ]);
    expect((await mutate(keyed(clerk), 'updateCitizen', { id: an, version: 5, fullName: null })).error).toMatchObject({
      code: 'BAD_INPUT',
      field: 'fullName',
    });
  });

  test('on another version than the stored one is refused [B27]', async () => {
    const before = await counts();
    for (const version of [2, 6, 0, -1]) {
      const { error } = await mutate(keyed(clerk), 'updateCitizen', { id: an, version, phone: '0912345679' });
      expect(error).toMatchObject({ code: 'CONFLICT_VERSION', reason: 'VERSION_STALE', field: 'version' });
    }
    expect(await counts()).toEqual(before);
  });

  test('into a unit of someone else is refused like one into a unit that does not exist [A13]', async () => {
    const before = await counts();
    const errors = [];
    for (const orgUnitId of [`u${String(unit.x21)}`, 'u4711']) {
      errors.push((await mutate(keyed(centre), 'updateCitizen', { id: binh, version: 1, orgUnitId })).error);
    }
    expect(errors[0]).toMatchObject({ code: 'BAD_INPUT', field: 'orgUnitId' });
    expect(errors[1]).toEqual(errors[0]);
    expect(await counts()).toEqual(before);
    expect(await truth('select unit_no from citizens.citizen where id = $1', [binh])).toEqual([{ unit_no: unit.x12 }]);
  });

  test('of a person out of scope is refused like one of nobody, without effect and without object [A14]', async () => {
    const before = await counts();
    const answers = [];
    for (const someone of [chi, id(0xdead), 'nonsense']) {
      answers.push(await mutate(keyed(centre), 'updateCitizen', { id: someone, version: 1, phone: '0912345678' }));
      answers.push(
        await mutate(keyed(centre), 'withdrawCitizen', { id: someone, version: 1, lifeStatus: 'DECEASED', reason: 'thử' }),
      );
    }
    expect(answers[0]).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await counts()).toEqual(before);
  });

  test('by a role that may not, or by an account that was disabled, is refused [A17]', async () => {
    const before = await counts();
    for (const role of ['reader', 'integrator', 'hospital', 'insurer', 'auditor'] as const) {
      const { error } = await mutate(keyed(caller(role)), 'updateCitizen', { id: an, version: 5, phone: '0912345678' });
      expect(error).toMatchObject({ code: 'FORBIDDEN', reason: 'ROLE_LACKS_RIGHT' });
    }
    const gone = await world.account('steward', unit.p, scopes.province);
    await truth('update organisation.account set disabled_at = now() where id = $1', [gone.principal.id]);
    const raised = { ...clerk, principal: { ...clerk.principal, role: 'steward' as const } };
    for (const who of [gone, raised, caller('steward')]) {
      const { error } = await mutate(keyed(who), 'updateCitizen', { id: an, version: 5, phone: '0912345678' });
      expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await counts()).toEqual(before);
  });

  test('of the unit takes everything of him along, and tells the others', async () => {
    await world.insert('citizens.discrepancy', [
      { id: id(0x901), citizen_id: binh, unit_no: unit.x12, field: 'GENDER', kind: 'DIFFERENT', found_by: 'IMPORT' },
    ]);
    await world.insert('citizens.verification', [
      {
        id: id(0x902),
        citizen_id: binh,
        unit_no: unit.x12,
        field: 'GENDER',
        outcome: 'MATCH',
        source: 'POPULATION',
        checked_at: '2026-01-01',
      },
    ]);
    const { ok } = await mutate(keyed(centre), 'updateCitizen', { id: binh, version: 1, orgUnitId: `u${String(unit.x11)}` });
    expect(ok?.citizen).toMatchObject({ version: 2, orgUnit: { id: `u${String(unit.x11)}` } });
    const places = await truth<{ unit_no: number }>(
      `select unit_no from citizens.citizen where id = $1
       union select unit_no from citizens.name_key where citizen_id = $1 union select unit_no from citizens.change where citizen_id = $1
       union select unit_no from citizens.discrepancy where citizen_id = $1 union select unit_no from citizens.verification where citizen_id = $1`,
      [binh],
    );
    expect(places).toEqual([{ unit_no: unit.x11 }]);
    expect(
      await truth('select kind, version, unit_before, unit_after from hub.outbox where subject = any ($1) order by kind', [
        [binh, id(0x901)],
      ]),
    ).toEqual([
      { kind: 'CITIZEN', version: 2, unit_before: unit.x12, unit_after: unit.x11 },
      { kind: 'WORK', version: 2, unit_before: unit.x12, unit_after: unit.x11 },
    ]);
    expect((await mutate(keyed(clerk), 'updateCitizen', { id: binh, version: 2, phone: '0912345678' })).error).toBeNull();
  });

  test('of the unit, to where another stands with the key of the same sender, lays the key down', async () => {
    const [here, there] = [id(0x111), id(0x112)];
    const key = { sender_unit_no: unit.p, source_key: 'K-1' };
    await world.add(
      { id: here, unitNo: unit.x11, fullName: 'Võ Thị Hoa', more: key },
      { id: there, unitNo: unit.x12, fullName: 'Võ Thị Huệ', more: key },
    );
    const keys = () =>
      truth(`select unit_no, source_key, sender_unit_no from citizens.citizen where id = any ($1) order by id`, [[here, there]]);
    const { error } = await mutate(keyed(centre), 'updateCitizen', { id: here, version: 1, orgUnitId: `u${String(unit.x12)}` });
    expect(error).toBeNull();
    expect(await keys()).toEqual([
      { unit_no: unit.x12, source_key: null, sender_unit_no: null },
      { unit_no: unit.x12, source_key: 'K-1', sender_unit_no: unit.p },
    ]);
    expect(await truth(`select before, after from citizens.change where citizen_id = $1`, [here])).toMatchObject([
      { before: { sourceKey: 'K-1' }, after: { sourceKey: null } },
    ]);
    // Where nobody else has it he keeps it: the sender still finds him by it.
    await mutate(keyed(centre), 'updateCitizen', { id: there, version: 1, orgUnitId: `u${String(unit.x11)}` });
    expect(await keys()).toMatchObject([{ source_key: null }, { unit_no: unit.x11, source_key: 'K-1' }]);
  });

  test('that says he died is written down with its reason, and can be taken back', async () => {
    const wrong = await mutate(keyed(clerk), 'withdrawCitizen', { id: binh, version: 3, lifeStatus: 'MERGED', reason: 'thử' });
    expect(wrong.error).toMatchObject({ code: 'BAD_INPUT', field: 'lifeStatus' });
    const none = await mutate(keyed(clerk), 'withdrawCitizen', { id: binh, version: 3, lifeStatus: 'DECEASED', reason: ' ' });
    expect(none.error).toMatchObject({ code: 'BAD_INPUT', field: 'reason' });
    const died = await mutate(keyed(clerk), 'withdrawCitizen', {
      id: binh,
      version: 3,
      lifeStatus: 'DECEASED',
      reason: 'Giấy chứng tử',
      trueFrom: '2026-11-01',
    });
    expect(died.ok?.citizen).toMatchObject({ version: 4, lifeStatus: 'DECEASED' });
    const back = await mutate(keyed(clerk), 'updateCitizen', { id: binh, version: 4, lifeStatus: 'ACTIVE' });
    expect(back.ok?.citizen).toMatchObject({ version: 5, lifeStatus: 'ACTIVE' });
    const history = await truth<object>(
      `select action, before, after, effective_from::text as "from" from citizens.change where citizen_id = $1 and version in (4, 5) order by version`,
      [binh],
    );
    expect(history).toEqual([
      {
        action: 'citizen.withdrawn',
        before: { lifeStatus: 'ACTIVE' },
        after: { lifeStatus: 'DECEASED', reason: 'Giấy chứng tử' },
        from: '2026-11-01',
      },
      { action: 'citizen.changed', before: { lifeStatus: 'DECEASED' }, after: { lifeStatus: 'ACTIVE' }, from: null },
    ]);
  });
});

describe('once', () => {
  test.each([null, '', 'short', 'k'.repeat(129), 'key-with\nline-feed', 'key with blank', 'kééééééy', 'a, b1234567'])(
    'the key %j is refused [B29] [B30] [B31]',
    async (key) => {
      const before = await counts();
      const { error } = await mutate(keyed(clerk, key), 'createCitizen', { orgUnitId: `u${String(unit.x11)}`, fullName: 'An' });
      expect(error).toMatchObject({ code: 'BAD_INPUT', reason: 'IDEMPOTENCY_KEY', field: 'idempotencyKey' });
      expect(await counts()).toEqual(before);
    },
  );

  test('a key with another body is refused, with the same body in another order it is the first answer [B32] [F26]', async () => {
    const who = keyed(clerk);
    const input = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Võ Thị Em', permanentAddress: { text: 'Xóm 2', code: null } };
    const first = await mutate(who, 'createCitizen', input);
    expect(first.error).toBeNull();
    const before = await counts();
    const turned = { permanentAddress: { code: null, text: 'Xóm 2' }, fullName: 'Võ Thị Em', orgUnitId: `u${String(unit.x11)}` };
    expect(await mutate(who, 'createCitizen', turned)).toEqual(first);
    const other = await mutate(who, 'createCitizen', { ...input, fullName: 'Võ Thị Êm' });
    expect(other.error).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH', field: 'idempotencyKey' });
    expect(await counts()).toEqual(before);
    // The key is his own: to another principal it says nothing.
    const stranger = await mutate({ ...centre, idempotencyKey: who.idempotencyKey }, 'createCitizen', {
      ...input,
      fullName: 'Em',
    });
    expect(stranger.error).toBeNull();
  });

  test('a repeat is answered under the scope of today', async () => {
    const who = keyed(centre);
    const input = { orgUnitId: `u${String(unit.x12)}`, fullName: 'Bùi Văn Phúc' };
    expect((await mutate(who, 'createCitizen', input)).ok?.citizen).not.toBeNull();
    const narrowed = { ...who, principal: { ...who.principal, scope: unitsScope(unit.c1), scopeUnits: 1 } };
    expect(await mutate(narrowed, 'createCitizen', input)).toEqual({ ok: { citizen: null }, error: null });
  });

  test('a refusal leaves the key unused', async () => {
    const who = keyed(clerk);
    const input = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Hồ Văn Giang', personalId: numbers.chi };
    expect((await service.create(who, input)).ok).toBe(false);
    expect((await service.create(who, { ...input, personalId: '038190000055' })).ok).toBe(true);
  });

  test('100 identical mutations at once with one key: one effect, 100 equal answers [L6] [F28]', async () => {
    const who = keyed(clerk);
    const input = { orgUnitId: `u${String(unit.x11)}`, fullName: 'Đỗ Thị Hạnh', personalId: '038190000061' };
    const before = await counts();
    const answers = await Promise.all(Array.from({ length: 100 }, () => service.create(who, input)));
    expect(answers[0]?.ok).toBe(true);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const after = await counts();
    expect(after).toEqual({
      citizens: (before.citizens ?? 0) + 1,
      changes: (before.changes ?? 0) + 1,
      keys: (before.keys ?? 0) + 1,
      messages: (before.messages ?? 0) + 1,
      versions: (before.versions ?? 0) + 1,
      audited: (before.audited ?? 0) + 1,
    });
  }, 60_000);

  test('200 updates at once from version 1: one success, 199 CONFLICT_VERSION, version 2 [L5]', async () => {
    const made = await service.create(keyed(clerk), { orgUnitId: `u${String(unit.x11)}`, fullName: 'Lý Văn Khoa' });
    if (!made.ok) throw new Error('not made');
    const { citizen } = made.value;
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        service.update(keyed(clerk), { id: citizen, version: 1, phone: `0912${String(n).padStart(6, '0')}` }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(answers.filter((answer) => !answer.ok && answer.error.code === 'CONFLICT_VERSION')).toHaveLength(199);
    expect(
      await truth(
        'select version, (select count(*)::int from citizens.change h where h.citizen_id = c.id) as changes from citizens.citizen c where id = $1',
        [citizen],
      ),
    ).toEqual([{ version: 2, changes: 2 }]);
  }, 60_000);

  test('two people who are given one number at the same moment: one of them gets it', async () => {
    const personalId = '038190000073';
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        service.create(keyed(clerk), {
          orgUnitId: `u${String(unit.x11)}`,
          fullName: `Người ${'ABCDEFGH'.charAt(n)}`,
          personalId,
        }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  }, 60_000);
});
