import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MikroORM } from '@mikro-orm/postgresql';
import { randomUUID } from 'node:crypto';
import { AuditEventSchema } from '#kernel/audit/audit-event.entity.ts';
import { sealEntities } from '#kernel/audit/audit-seal.entity.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import { hubEntities } from '#kernel/db/hub.entity.ts';
import { asScope, unitsScope, withClient } from '../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../test/kit/postgres.ts';
import { Citizen, citizensEntities } from './citizens/citizen.entity.ts';
import { InsuranceCard, insuranceEntities } from './insurance/card.entity.ts';
import { organisationEntities } from './organisation/organisation.entity.ts';
import { resultsEntities } from './results/result.entity.ts';
import { ReferralSlip, slipsEntities } from './slips/slip.entity.ts';

const entities = [
  ...hubEntities,
  AuditEventSchema,
  ...sealEntities,
  ...citizensEntities,
  ...insuranceEntities,
  ...resultsEntities,
  ...slipsEntities,
  ...organisationEntities,
];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** What would have to be changed for the database to be as the entities say; columns, keys, checks, indexes, references, policies. */
async function drift(url: string): Promise<string> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities,
    // The replicas' trigger is SQL of the migration and no business of an entity; the queue's schema is its library's.
    schemaGenerator: { ignoreTriggers: true, ignoreSchema: ['bullmq'] },
  });
  try {
    return (await orm.schema.getUpdateSchemaSQL({ safe: false, dropTables: false, wrap: false })).trim();
  } finally {
    await orm.close(true);
  }
}

test('entities and migrated database agree', async () => {
  expect(await drift(database.ownerUrl)).toBe('');
});

test('every table has an entity', async () => {
  const known = new Set(entities.map(({ meta }) => `${String(meta.schema)}.${meta.tableName}`));
  const { rows } = await withClient(database.ownerUrl, (client) =>
    client.query<{ name: string }>(`
      select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('hub','citizens','insurance','results','slips','organisation') and c.relkind in ('r','p') and not c.relispartition
        and c.relname <> 'migration'`),
  );
  expect(rows.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

describe('the comparison notices', () => {
  test.each([
    ['an open policy', 'alter policy scope on insurance.card using (true)', /policy/],
    ['a policy that lets everything be written', 'alter policy scope on slips.referral_slip with check (true)', /policy/],
    ['a table whose owner is not bound', 'alter table results.result no force row level security', /force row level security/],
    ['a missing index', 'drop index citizens.citizen_unit', /citizen_unit/],
    ['a missing check', 'alter table insurance.card drop constraint card_status', /card_status/],
    ['a column of its own', 'alter table organisation.account add column note text', /note/],
    ['another type', 'alter table results.result alter column use_count type bigint', /use_count/],
  ])('%s', async (_, statement, named) => {
    const other = await createTestDatabase();
    try {
      await withClient(other.ownerUrl, (client) => client.query(statement));
      expect(await drift(other.ownerUrl)).toMatch(named);
    } finally {
      await other.close();
    }
  });
});

describe('lock one, on entities', () => {
  let cards: Database;
  let slips: Database;
  const [inside, outside] = [randomUUID(), randomUUID()];
  const session = { units: unitsScope(3), principal: 'clerk11' };

  beforeAll(async () => {
    cards = await openDatabase({
      url: database.roles.insurance,
      entities: insuranceEntities,
      connections: 2,
      applicationName: 'test',
    });
    slips = await openDatabase({ url: database.roles.slips, entities: slipsEntities, connections: 2, applicationName: 'test' });
    await asScope(
      database.roles.insurance,
      unitsScope(3, 9),
      `insert into insurance.card (id, unit_no, number, bhxh_number) values ($1, 3, 'DN4380123456789', '0123456789'), ($2, 9, 'DN4380123456780', '0123456780')`,
      [inside, outside],
    );
    // Lock two is taken away in this database: what follows is lock one alone.
    await withClient(database.ownerUrl, (client) =>
      client.query(
        'alter policy scope on insurance.card using (true) with check (true); alter policy scope on slips.referral_slip using (true)',
      ),
    );
  });
  afterAll(async () => {
    await cards.close();
    await slips.close();
  });

  test('loads, counts, changes and deletes only rows of the scope, with the row policy off [A18]', async () => {
    await cards.transaction(session, async ({ em }) => {
      expect((await em.find(InsuranceCard, {})).map(({ id }) => id)).toEqual([inside]);
      expect(await em.findOne(InsuranceCard, { id: outside })).toBeNull();
      expect(await em.count(InsuranceCard, {})).toBe(1);
      expect(await em.nativeUpdate(InsuranceCard, { id: outside }, { holderName: 'x' })).toBe(0);
      expect(await em.find(InsuranceCard, { $or: [{ id: outside }, { id: inside }] })).toHaveLength(1);
    });
  });

  test('an entity manager that names no scope loads nothing', async () => {
    await cards.transaction(session, async ({ em }) => {
      const bare = em.fork();
      bare.setFilterParams('scope', {});
      await expect(bare.find(InsuranceCard, {})).rejects.toThrow();
    });
    await expect(
      cards.transaction({ units: `{[1,2)}'::int4multirange) or true --`, principal: 'x' }, ({ em }) =>
        em.find(InsuranceCard, {}),
      ),
    ).rejects.toThrow();
  });

  test('a slip is its unit’s and its facility’s', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    await asScope(
      database.roles.slips,
      unitsScope(3, 7, 9),
      `insert into slips.referral_slip (id, unit_no, facility_no, origin, status) values ($1, 3, null, 'ENTERED', 'ISSUED'), ($2, 9, 7, 'SIGNED', 'ISSUED'), ($3, 9, null, 'ENTERED', 'ISSUED')`,
      ids,
    );
    const seen = async (unit: number): Promise<number> =>
      slips.transaction({ units: unitsScope(unit), principal: 'x' }, ({ em }) => em.count(ReferralSlip, {}));
    expect(await Promise.all([3, 7, 9, 8].map(seen))).toEqual([1, 1, 2, 0]);
  });

  test('a change on a stale version is refused [B27]', async () => {
    await cards.transaction(session, async ({ em }) => {
      const card = await em.findOneOrFail(InsuranceCard, { id: inside });
      card.holderName = 'Trần Thị Thử';
    });
    await expect(
      cards.transaction(session, async ({ em }) => {
        const card = await em.findOneOrFail(InsuranceCard, { id: inside });
        expect(card.version).toBe(2);
        await asScope(database.roles.insurance, unitsScope(3), 'update insurance.card set version = 3 where id = $1', [inside]);
        card.holderName = 'Trần Văn Thử';
      }),
    ).rejects.toThrow(/optimistic lock/i);
  });
});

test('a citizen is written with a version, an instant and letters made by the database', async () => {
  const citizens = await openDatabase({
    url: database.roles.citizens,
    entities: citizensEntities,
    connections: 1,
    applicationName: 'test',
  });
  try {
    const id = randomUUID();
    const session = { units: unitsScope(3), principal: 'clerk11' };
    await citizens.transaction(session, async ({ em }) => {
      em.create(Citizen, {
        id,
        unitNo: 3,
        fullName: 'Nguyễn Văn Thử',
        nameFolded: 'nguyen van thu',
        nameSort: 'Thử Văn Nguyễn',
        dateOfBirth: '1985',
        birthPrecision: 'YEAR',
        bornFrom: '1985-01-01',
        bornTo: '1985-12-31',
        confirmed: 1,
      });
      await em.flush();
    });
    await citizens.transaction(session, async ({ em }) => {
      const citizen = await em.findOneOrFail(Citizen, { id });
      expect(citizen).toMatchObject({
        version: 1,
        bornFrom: '1985-01-01',
        birthSort: '1985-01-01',
        states: 'GRRYRRRRRR',
        flags: [],
      });
      expect(citizen.createdAt.getTime()).toBeGreaterThan(Date.now() - 60_000);
    });
  } finally {
    await citizens.close();
  }
});
