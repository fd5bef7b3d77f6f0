import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Simulator } from '#connectors/population/simulator.ts';
import { everyUnit } from '#kernel/db/database.ts';
import { demoWorld, citizensOf } from '#kernel/synthetic/world.ts';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import { openProvince, openWork, reconciling, run, type Province } from '../../test/kit/reconcile-world.ts';
import { askPage, writePage, type AskedPage, type Reconciling } from './reconcile.ts';
import { dueAfter, type DueRange } from './reconcile-reads.ts';

async function rowsOf<Row extends object>({ owner }: Province, text: string, ...values: unknown[]): Promise<readonly Row[]> {
  return (await owner.query<Row>(text, values)).rows;
}

async function counts(province: Province): Promise<Readonly<Record<string, string>>> {
  const [row] = await rowsOf<Record<string, string>>(
    province,
    `select (select count(*) from citizens.discrepancy) as work, (select count(*) from citizens.change) as changes,
       (select sum(version) from citizens.citizen) as versions, (select count(*) from hub.outbox) as told,
       (select md5(string_agg(c::text, '|' order by c.id)) from (select id, full_name, personal_id, old_id_number, date_of_birth, gender,
          birthplace, native_place, permanent_text, permanent_code, permanent_list, updated_at from citizens.citizen) c) as values`,
  );
  return row ?? {};
}

describe('a run over the demo world', () => {
  let province: Province;
  beforeAll(async () => {
    province = await openProvince(7);
  });
  afterAll(() => province.close());
  beforeEach(() => province.simulator.behave({}));

  test('finds exactly the planted differences, Chi’s being open already, and overwrites nothing', async () => {
    const before = await counts(province);
    const sums = await run(province);
    expect(await openWork(province)).toEqual(province.planted);
    expect(sums.opened).toBe(province.planted.length - 1);
    expect(sums).toMatchObject({ busy: 0, refused: 0, stale: 0, changed: 0, withdrawn: 0 });
    expect(sums.matched + sums.differing + sums.unknown).toBe(sums.asked);
    const numbered = [...citizensOf(demoWorld(7, '2026-11-24' as PlainDay))].filter(({ ours }) => ours.personalId !== null);
    expect(sums.asked).toBe(numbered.length);
    const { work, told, ...same } = await counts(province);
    expect(same).toEqual({ changes: before.changes, versions: before.versions, values: before.values });
    expect(Number(work) - Number(before.work)).toBe(sums.opened);
    expect(Number(told) - Number(before.told)).toBe(sums.opened);
  });

  test('what agrees is green with source and time, what differs is not', async () => {
    const [an] = await rowsOf<{ states: string; source: string[]; at: Date[] }>(
      province,
      `select states, check_source as source, checked_at as at from citizens.citizen where personal_id = '038090000001'`,
    );
    // Telephone and e-mail are nobody's but ours.
    expect(an?.states).toBe('GGGGYGGYGG');
    expect(an?.source[0]).toBe('POPULATION');
    expect(an?.at[0]?.getTime()).toBeGreaterThan(Date.now() - 600_000);
    const [chi] = await rowsOf<{ states: string; conflicted: number }>(
      province,
      `select states, conflicted from citizens.citizen where personal_id = '038192000003'`,
    );
    expect(chi?.states.charAt(3)).toBe('Y');
    expect(chi?.conflicted).toBe(1 << 3);
    const verified = await rowsOf(
      province,
      `select from citizens.verification v join citizens.citizen c on c.id = v.citizen_id
       where c.personal_id = '038192000003' and v.outcome = 'MISMATCH' and v.field = 'DATE_OF_BIRTH' and v.source = 'POPULATION' and v.as_of is not null`,
    );
    expect(verified).toHaveLength(1);
  });

  test('numbers that were confirmed stand confirmed, and everybody who was asked about is in the audit, with no value', async () => {
    const [numbers] = await rowsOf<{ claimed: string }>(
      province,
      `select count(*) as claimed from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
       where i.system = 'PERSONAL_ID' and i.valid_to is null and i.standing = 'CLAIMED' and c.states like '__G%'`,
    );
    expect(numbers?.claimed).toBe('0');
    const audited = await rowsOf<{ asked: string; verified: string }>(
      province,
      `select sum(subject_count) filter (where action = 'citizen.asked') as asked,
         sum(subject_count) filter (where action = 'citizen.verified') as verified from hub.audit_event`,
    );
    expect(Number(audited[0]?.asked)).toBeGreaterThan(1_900);
    expect(audited[0]?.verified).toBe(audited[0]?.asked);
    expect(await rowsOf(province, `select from hub.audit_event where detail::text ~ '\\d{9}'`)).toEqual([]);
  });

  test('again it asks only about what is open, and finds nothing twice [F17]', async () => {
    const before = await counts(province);
    const sums = await run(province);
    expect(sums.asked).toBe(province.planted.length);
    expect(sums).toMatchObject({ opened: 0, withdrawn: 0 });
    expect(await counts(province)).toEqual(before);
  });

  test('a page that is delivered twice changes nothing the second time [F17]', async () => {
    const of = reconciling(province);
    const page = await askPage(of, await someDue(of, 10));
    const again: AskedPage = { ...page };
    await of.transaction((tx) => writePage(tx, of, page));
    const verifications = 'select count(*) as n from citizens.verification';
    const before = [await counts(province), await rowsOf(province, verifications)];
    await of.transaction((tx) => writePage(tx, of, again));
    // The next day, in another run.
    await of.transaction((tx) => writePage(tx, { ...of, run: randomUUID() }, again));
    expect([await counts(province), await rowsOf(province, verifications)]).toEqual(before);
  });

  test('while the clocks of a worker and of the population database are an hour ahead nothing is known as of the future [F19]', async () => {
    const [id = ''] = province.planted[0]?.split(',') ?? [];
    const trueTime = Date.now;
    Date.now = () => trueTime() + 3_600_000;
    try {
      const of = reconciling(province, { afterDays: 0 });
      const page = await askPage(of, only(id));
      expect(page.answered[0]?.answer.asOf?.getTime()).toBeGreaterThan(trueTime() + 3_000_000);
      expect(await of.transaction((tx) => writePage(tx, of, page))).toMatchObject({ stale: 0 });
    } finally {
      Date.now = trueTime;
    }
    // Else whatever they say in the next hour would be older than that.
    const future = 'select from citizens.verification where as_of > clock_timestamp() or checked_at > clock_timestamp()';
    expect(await rowsOf(province, future)).toEqual([]);
  });

  test('an answer that is older than what is known changes nothing and is counted [F18]', async () => {
    const { planted, simulator } = province;
    const [id = ''] = planted.find((item) => item.includes('DIFFERENT,FULL_NAME'))?.split(',') ?? [];
    const of = reconciling(province);
    const [person] = await rowsOf<{ number: string; name: string }>(
      province,
      'select personal_id as number, full_name as name from citizens.citizen where id = $1',
      id,
    );
    // Version 7: they corrected the name, to ours. Then version 6 arrives.
    await correct(simulator, { personalId: person?.number ?? '', elements: { Ten: person?.name.toUpperCase() ?? '' } });
    const seventh = await of.transaction(async () => askPage(of, only(id)));
    await simulator.behave({ mode: 'out-of-order' });
    const sixth = await askPage(of, only(id));
    const effect = await of.transaction((tx) => writePage(tx, of, seventh));
    expect(effect).toMatchObject({ matched: 1, withdrawn: 1 });
    const before = await counts(province);
    expect(await of.transaction((tx) => writePage(tx, of, sixth))).toMatchObject({
      stale: 1,
      matched: 0,
      differing: 0,
      opened: 0,
    });
    expect(await counts(province)).toEqual(before);
    expect(await rowsOf(province, `select from citizens.discrepancy where citizen_id = $1 and state = 'OPEN'`, id)).toEqual([]);
  });

  test('what an operator decided to keep is not raised again, until the other side says something else', async () => {
    const id = await ofKind(province, 'DIFFERENT,DATE_OF_BIRTH', 1);
    await province.owner.query(
      `update citizens.discrepancy set state = 'SETTLED', decision = 'KEEP', version = version + 1 where citizen_id = $1`,
      [id],
    );
    await touch(province, id);
    expect(await run(province)).toMatchObject({ opened: 0 });
    expect(await openOf(province, id)).toEqual([]);
    const [person] = await rowsOf<{ number: string }>(
      province,
      'select personal_id as number from citizens.citizen where id = $1',
      id,
    );
    await correct(province.simulator, { personalId: person?.number ?? '', elements: { Nam: '', NgayThangNam: '19010203' } });
    await touch(province, id);
    expect(await run(province)).toMatchObject({ opened: 1 });
    expect(await openOf(province, id)).toEqual([{ field: 'DATE_OF_BIRTH', theirs: '1901-02-03' }]);
  });

  test('what is to be asked again is asked next time, and open again with what was heard', async () => {
    const id = await ofKind(province, 'DIFFERENT,PERMANENT_ADDRESS', 0);
    await province.owner.query(`update citizens.discrepancy set state = 'LEASED', decision = 'ASK_AGAIN' where citizen_id = $1`, [
      id,
    ]);
    await run(province);
    expect(await rowsOf(province, 'select state, decision, version from citizens.discrepancy where citizen_id = $1', id)).toEqual(
      [{ state: 'OPEN', decision: null, version: 2 }],
    );
  });

  test('a citizen who is changed while he is asked about is asked again next time', async () => {
    const id = await ofKind(province, 'DIFFERENT,GENDER', 0);
    const of = reconciling(province);
    const page = await askPage(of, only(id));
    await province.owner.query(
      'update citizens.citizen set version = version + 1, updated_at = clock_timestamp() where id = $1',
      [id],
    );
    expect(await of.transaction((tx) => writePage(tx, of, page))).toMatchObject({ changed: 1, differing: 0 });
    expect((await askPage(of, only(id))).asked).toBe(1);
  });

  test('whoever may not see a citizen asks nothing about him', async () => {
    const nobody = reconciling(province, {
      units: '{[1,2)}',
      transaction: (body) => province.writing.transaction({ units: '{[1,2)}', principal: 'cli' }, body),
    });
    expect(
      await nobody.transaction((tx) => dueAfter(tx, { units: '{[1,2)}', after: null, days: 90, pageSize: 10, pages: 1 })),
    ).toEqual([]);
    const before = province.simulator.calls().length;
    const page = await askPage(nobody, only(await ofKind(province, 'DIFFERENT,GENDER', 0)));
    expect(page.answered).toEqual([]);
    expect(province.simulator.calls()).toHaveLength(before);
  });

  test.each(['html', 'truncated', 'wrong-type', 'utf8', 'huge'] as const)(
    'nonsense (%s) changes nothing of anybody [F16]',
    async (garbage) => {
      const before = await counts(province);
      await province.simulator.behave({ mode: 'garbage', garbage });
      const sums = await run(province);
      expect(sums.busy).toBe(sums.asked);
      expect(await counts(province)).toEqual(before);
    },
  );

  test('a refusal of everybody ends the asking, and is told', async () => {
    await province.simulator.behave({ mode: 'moved' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const of = reconciling(province, { atOnce: 1 });
    const range = await someDue(of, 20);
    const before = province.simulator.calls().length;
    const page = await askPage(of, range);
    expect(page).toMatchObject({ refusedAll: 'moved', answered: [] });
    expect(page.refused).toHaveLength(20);
    expect(province.simulator.calls().length - before).toBe(1);
  });
});

test('with a seed drawn now it finds exactly the planted differences as well', async () => {
  const seed = randomInt(1, 1_000_000);
  process.stderr.write(`reconcile: seed ${String(seed)}\n`);
  const province = await openProvince(seed);
  try {
    await run(province);
    expect({ seed, open: await openWork(province) }).toEqual({ seed, open: province.planted });
  } finally {
    await province.close();
  }
});

function only(id: string): DueRange {
  return { from: id, to: id, size: 1 };
}

async function someDue(of: Reconciling, size: number): Promise<DueRange> {
  const [range] = await of.transaction((tx) =>
    dueAfter(tx, { units: everyUnit, after: null, days: 90, pageSize: size, pages: 1 }),
  );
  if (range === undefined) throw new Error('nobody is due');
  return range;
}

async function correct(simulator: Simulator, correction: object): Promise<void> {
  const answer = await fetch(`${simulator.controlUrl}/people`, { method: 'POST', body: JSON.stringify(correction) });
  expect(answer.status).toBe(200);
}

async function ofKind(province: Province, kind: string, nth: number): Promise<string> {
  const [id = ''] = province.planted.filter((item) => item.includes(kind))[nth]?.split(',') ?? [];
  expect(id).not.toBe('');
  return Promise.resolve(id);
}

/** As a clerk's change does. */
async function touch({ owner }: Province, id: string): Promise<void> {
  await owner.query('update citizens.citizen set updated_at = clock_timestamp() where id = $1', [id]);
}

function openOf(province: Province, id: string): Promise<readonly { field: string; theirs: string | null }[]> {
  return rowsOf(
    province,
    `select field, theirs from citizens.discrepancy where citizen_id = $1 and state in ('OPEN','LEASED')`,
    id,
  );
}
