import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { verifyPassword, verifySecret } from '#kernel/auth/secrets.ts';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { citizensOf, largeWorld } from '#kernel/synthetic/world.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { generateProvince, seedDemoWorld } from './seed.ts';

const identifierKey = Buffer.alloc(32, 7);
const clock = { now: () => new Date('2026-11-24T03:00:00Z') };

let database: TestDatabase;
let dataDir: string;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'domain-seed-'));
  client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  await client.query(`set hub.scope = '{(,)}'; set datestyle = iso`);
  await seedDemoWorld(options());
});

afterAll(async () => {
  await client.end();
  await database.close();
  await rm(dataDir, { recursive: true });
});

const options = (seed = 7) => ({ ownerUrl: database.ownerUrl, dataDir, seed, identifierKey, clock });

async function rows(text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  return (await client.query<Record<string, unknown>>(text, [...values])).rows;
}
async function count(text: string): Promise<number> {
  return Number((await rows(`select count(*) as n from ${text}`))[0]?.n);
}

/** Everything a seed decides, as one hash per table. */
async function content(owner: Client): Promise<readonly unknown[]> {
  await owner.query(`set hub.scope = '{(,)}'`);
  const tables = [
    'citizens.citizen',
    'citizens.identifier',
    'citizens.name_key',
    'citizens.change',
    'citizens.discrepancy',
    'insurance.card',
    'insurance.work',
    'insurance.change',
    'results.result',
    'slips.referral_slip',
    'slips.reexamination_slip',
    'slips.change',
    'organisation.work_item',
  ];
  const hashes: unknown[] = [];
  for (const table of tables) {
    const text = `select md5(string_agg(md5(t::text), '' order by t::text)) as hash, count(*) as n from ${table} t`;
    hashes.push({ table, ...(await owner.query<Record<string, unknown>>(text)).rows[0] });
  }
  return hashes;
}

describe('the demonstration', () => {
  test('has the units of the contract', async () => {
    const units = await rows(
      `select u.code, u.level, above.code as parent from hub.unit u left join hub.unit above on above.number = u.parent_number order by u.number`,
    );
    expect(units).toEqual([
      { code: 'p', level: 'PROVINCE', parent: null },
      { code: 'c1', level: 'CENTRE', parent: 'p' },
      { code: 'x11', level: 'STATION', parent: 'c1' },
      { code: 'x12', level: 'STATION', parent: 'c1' },
      { code: 'c2', level: 'CENTRE', parent: 'p' },
      { code: 'x21', level: 'STATION', parent: 'c2' },
      { code: '52901', level: 'FACILITY', parent: 'p' },
    ]);
  });

  test('has 2,000 citizens at the three stations, none of them merged, each with his replicas', async () => {
    expect(await count('citizens.citizen')).toBe(2000);
    const spread = await rows(
      `select u.code, count(*)::int as n from citizens.citizen c join hub.unit u on u.number = c.unit_no group by 1 order by 1`,
    );
    expect(spread.map(({ code }) => code)).toEqual(['x11', 'x12', 'x21']);
    for (const schema of ['insurance', 'results', 'slips']) {
      const differing = await count(
        `citizens.citizen c left join ${schema}.citizen r on (r.id, r.unit_no, r.life_status, r.version) = (c.id, c.unit_no, c.life_status, c.version)
         where r.id is null or cardinality(r.identifier_hashes) <> (select count(*) from citizens.identifier i where i.citizen_id = c.id)`,
      );
      expect(differing).toBe(0);
    }
    const hash = hashIdentifier(identifierKey, '038090000001');
    expect(
      await rows(
        `select c.full_name from insurance.citizen r join citizens.citizen c using (id) where r.identifier_hashes @> array[$1::bytea]`,
        [hash],
      ),
    ).toEqual([{ full_name: 'Nguyễn Văn An' }]);
  });

  test('An, Bình and Chi have exactly what the contract says', async () => {
    const fixed = await rows(`
      select c.full_name as name, u.code as unit, c.personal_id as number, c.date_of_birth as born, c.birth_precision as precision, c.gender,
        (select count(*)::int from insurance.card k where k.citizen_id = c.id) as cards,
        (select count(*)::int from results.result r where r.citizen_id = c.id) as results,
        (select count(*)::int from slips.referral_slip s where s.citizen_id = c.id) as referrals,
        (select count(*)::int from slips.reexamination_slip s where s.citizen_id = c.id) as reexaminations,
        (select count(*)::int from citizens.discrepancy d where d.citizen_id = c.id and d.state = 'OPEN') as open
      from citizens.citizen c join hub.unit u on u.number = c.unit_no order by c.id limit 3`);
    expect(fixed).toEqual([
      {
        name: 'Nguyễn Văn An',
        unit: 'x11',
        number: '038090000001',
        born: '1990-03-15',
        precision: 'DAY',
        gender: 'MALE',
        cards: 2,
        results: 2,
        referrals: 1,
        reexaminations: 1,
        open: 0,
      },
      {
        name: 'Trần Thanh Bình',
        unit: 'x12',
        number: '038085000002',
        born: '1985',
        precision: 'YEAR',
        gender: 'MALE',
        cards: 2,
        results: 0,
        referrals: 0,
        reexaminations: 0,
        open: 0,
      },
      {
        name: 'Lê Thị Chi',
        unit: 'x21',
        number: '038192000003',
        born: '1992-11-02',
        precision: 'DAY',
        gender: 'FEMALE',
        cards: 0,
        results: 0,
        referrals: 0,
        reexaminations: 0,
        open: 1,
      },
    ]);
    expect(
      await rows(
        `select status, valid_to is null as endless from insurance.card k join citizens.citizen c on c.id = k.citizen_id where c.personal_id = '038090000001' order by k.valid_from`,
      ),
    ).toEqual([
      { status: 'EXPIRED', endless: false },
      { status: 'ACTIVE', endless: true },
    ]);
    expect(
      await rows(
        `select d.kind, d.field, d.found_by, d.ours, d.theirs, w.state from citizens.discrepancy d join citizens.citizen c on c.id = d.citizen_id join organisation.work_item w on w.subject = d.id where c.personal_id = '038192000003'`,
      ),
    ).toEqual([
      {
        kind: 'DIFFERENT',
        field: 'DATE_OF_BIRTH',
        found_by: 'RECONCILE',
        ours: '1992-11-02',
        theirs: '1992-02-11',
        state: 'OPEN',
      },
    ]);
  });

  test('demo-defects.csv names citizens of the hub; whatever is open already is a row of it', async () => {
    const lines = (await readFile(join(dataDir, 'demo-defects.csv'), 'utf8')).trimEnd().split('\n');
    expect(lines[0]).toBe('citizen_id,kind,field,found_by');
    const ids = lines.slice(1).map((line) => line.split(',')[0]);
    expect((await rows(`select count(*)::int as n from citizens.citizen where id = any ($1)`, [ids]))[0]).toEqual({
      n: new Set(ids).size,
    });
    for (const { row } of await rows(
      `select concat_ws(',', citizen_id, kind, field, lower(found_by)) as row from citizens.discrepancy`,
    ))
      expect(lines).toContain(row);
  });

  test('what is wrong with cards is open from the start, Bình’s overlap among it, and is just what the hub itself would find', async () => {
    const open = await rows(
      `select concat_ws(',', w.citizen_id, w.kind, '', lower(w.found_by)) as row, i.unit_no = w.unit_no and i.state = 'OPEN' as queued
       from insurance.work w join organisation.work_item i on i.source = 'INSURANCE' and i.subject = w.card_id and i.kind = w.kind order by 1`,
    );
    const planted = (await readFile(join(dataDir, 'demo-defects.csv'), 'utf8')).trimEnd().split('\n');
    expect(open).toEqual(
      planted
        .filter((line) => line.endsWith(',cards'))
        .sort()
        .map((row) => ({ row, queued: true })),
    );
    expect(
      await rows(
        `select w.kind from insurance.work w join citizens.citizen c on c.id = w.citizen_id where c.personal_id = '038085000002'`,
      ),
    ).toEqual([{ kind: 'OVERLAP' }]);
    const before = await rows('select * from insurance.work order by id');
    await client.query('begin');
    await client.query('select insurance.keep_card_work(array(select id from insurance.citizen))');
    expect(await rows('select * from insurance.work order by id')).toEqual(before);
    await client.query('rollback');
  });

  test('log-ins and clients stand as the contract says', async () => {
    const accounts = await rows(
      `select a.login, a.role, u.code, a.password_hash from organisation.account a join hub.unit u on u.number = a.unit_no order by a.login`,
    );
    expect(accounts.map(({ login, role, code }) => [login, role, code])).toEqual([
      ['auditor', 'auditor', 'p'],
      ['centre1', 'centre', 'c1'],
      ['clerk11', 'clerk', 'x11'],
      ['clerk21', 'clerk', 'x21'],
      ['steward', 'steward', 'p'],
    ]);
    expect(await verifyPassword(String(accounts[0]?.password_hash), 'lien-thong-demo')).toBe(true);
    const clients = await rows(
      `select c.id, c.role, c.default_purpose, u.code, c.secret_hashes from organisation.client c join hub.unit u on u.number = c.unit_no order by c.id`,
    );
    expect(clients.map(({ id, role, default_purpose, code }) => [id, role, default_purpose, code])).toEqual([
      ['demo-integrator', 'integrator', 'HOPERAT', 'p'],
      ['hospital-a', 'hospital', 'TREAT', '52901'],
      ['insurer', 'insurer', 'HPAYMT', 'p'],
      ['reader', 'reader', 'HOPERAT', 'p'],
    ]);
    expect(await verifySecret(clients[1]?.secret_hashes as string[], 'hospital-a-secret')).toBe(true);
  });

  test('slips of facility A are read at facility A, and only those', async () => {
    const differing = await count(`slips.referral_slip where (from_facility = '52901') <> coalesce(facility_no = 7, false)`);
    expect(differing).toBe(0);
    expect(await count(`slips.referral_slip where facility_no = 7`)).toBeGreaterThan(500);
  });

  test('a second start changes nothing', async () => {
    const before = await content(client);
    const defects = await readFile(join(dataDir, 'demo-defects.csv'), 'utf8');
    await seedDemoWorld(options(8));
    expect(await content(client)).toEqual(before);
    expect(await readFile(join(dataDir, 'demo-defects.csv'), 'utf8')).toBe(defects);
  });

  test('same seed, same rows in every installation', async () => {
    const other = await createTestDatabase();
    const owner = new Client({ connectionString: other.ownerUrl });
    try {
      await owner.connect();
      await seedDemoWorld({ ...options(), ownerUrl: other.ownerUrl, identifierKey: Buffer.alloc(32, 9) });
      expect(await content(owner)).toEqual(await content(client));
    } finally {
      await owner.end();
      await other.close();
    }
  });
});

describe('a generated province', () => {
  test('stopped half-way and run again it is the same as in one go, and once more adds nothing', async () => {
    const [one, two] = [await createTestDatabase(), await createTestDatabase()];
    const owners = [one, two].map(({ ownerUrl }) => new Client({ connectionString: ownerUrl }));
    try {
      for (const owner of owners) await owner.connect();
      const [whole, halves] = owners as [Client, Client];
      const given = { ...options(42), citizens: 1_700, dirty: 0.02 };
      const done = await generateProvince({ ...given, ownerUrl: one.ownerUrl });
      expect(done).toMatchObject({ added: 1_700, total: 1_700, stopped: false, secondHolders: 0 });

      const stop = new AbortController();
      const half = await generateProvince({
        ...given,
        ownerUrl: two.ownerUrl,
        signal: stop.signal,
        progress: () => stop.abort(),
      });
      expect(half.stopped).toBe(true);
      expect(half.added).toBeLessThan(1_700);
      expect(await generateProvince({ ...given, ownerUrl: two.ownerUrl })).toMatchObject({
        added: 1_700 - half.added,
        stopped: false,
      });
      expect(await content(halves)).toEqual(await content(whole));

      expect(await generateProvince({ ...given, ownerUrl: two.ownerUrl })).toMatchObject({ added: 0, stopped: false });
      expect(await content(halves)).toEqual(await content(whole));
      const run = await halves.query<object>(`select kind, state, total, done from hub.run`);
      expect(run.rows).toEqual([{ kind: 'GENERATE', state: 'DONE', total: 1_700, done: 1_700 }]);
    } finally {
      for (const owner of owners) await owner.end();
      await one.close();
      await two.close();
    }
  });

  test('beside the demonstration it stays below the same province and shares no number with it', async () => {
    const before = await count('citizens.citizen');
    await generateProvince({ ...options(7), citizens: 600, dirty: 0.02 });
    expect(await count('citizens.citizen')).toBe(before + 600);
    expect(
      await count(`(select value from citizens.identifier group by value having count(distinct citizen_id) > 1) as shared`),
    ).toBe(0);
    expect(await count(`hub.unit u where level = 'CENTRE' and parent_number <> 1`)).toBe(0);
    const ends = await rows(`select c.full_name from citizens.citizen c order by c.id limit 1`);
    expect(ends).toEqual([{ full_name: 'Nguyễn Văn An' }]);
  });

  test('a number that somebody holds already comes in as a claim', async () => {
    const plan = largeWorld(8, 100, 0, '2026-11-24' as PlainDay);
    const confirmed = [...citizensOf(plan)].find(({ confirmed: fields }) => fields.includes('PERSONAL_ID'));
    const value = confirmed?.ours.personalId;
    await rows(
      `insert into citizens.identifier (id, citizen_id, unit_no, system, value, standing, source)
       select uuidv7(), id, unit_no, 'PERSONAL_ID', $1, 'CONFIRMED', 'POPULATION' from citizens.citizen where personal_id = '038090000001'`,
      [value],
    );
    expect(await generateProvince({ ...options(8), citizens: 100, dirty: 0 })).toMatchObject({ added: 100, secondHolders: 1 });
    const standings = await rows(`select standing from citizens.identifier where value = $1 order by 1`, [value]);
    expect(standings).toEqual([{ standing: 'CLAIMED' }, { standing: 'CONFIRMED' }]);
  });

  test('of another size than the one from this seed that is there, it is refused', async () => {
    await expect(generateProvince({ ...options(8), citizens: 101, dirty: 0 })).rejects.toMatchObject({
      name: 'SeedTaken',
      citizens: 100,
    });
  });
});
