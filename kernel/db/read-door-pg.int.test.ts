import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import { createTestDatabase, testServer, type TestDatabase } from '../../test/kit/postgres.ts';
import type { RowScope } from '../auth/policy.ts';
import { openReadDoor, type OpenReadDoor } from './read-door-pg.ts';
import type { KeyedRead, PageRead } from './read-door.ts';

interface Person {
  id: string;
  unitNo: number;
}

/** How long a fault lasts; 60 in `test:long`. */
const faultSeconds = Number(process.env.HUB_FAULT_SECONDS ?? '5');
const units = 12;
const both = 'coalesce(unit_no <@ $1::int4multirange, false) and ($3::uuid is null or id = $3)';
const columns = 'id as key, id, unit_no as "unitNo"';
const byId: KeyedRead<Person> = {
  name: 'person',
  text: `select ${columns} from trial.person where id = any($2::uuid[]) and ${both}`,
};
const byUnit: KeyedRead<Person> = {
  name: 'person by unit',
  text: `select unit_no::text, id, unit_no as "unitNo" from trial.person where unit_no = any($2::int[]) and ${both}`,
};
/** Lock one is missing from the text. */
const unlocked: KeyedRead<Person> = {
  name: 'no predicate',
  text: `select ${columns} from trial.person where id = any($2::uuid[]) and $3::uuid is null`,
};
/** Lock two is missing: the same people without a policy. */
const unguarded: KeyedRead<Person> = { name: 'no policy', text: byId.text.replace('trial.person', 'trial.unguarded') };
const pages: PageRead<Person> = {
  name: 'people',
  text: `select nth, page.* from unnest($2::uuid[]) with ordinality as cursors(cursor, nth) cross join lateral (
    select id, unit_no as "unitNo" from trial.person
    where id > cursor and coalesce(unit_no <@ $1::int4multirange, false) and ($4::uuid is null or id = $4) order by id limit $3) page`,
};

let database: TestDatabase;
let owner: Client;
let door: OpenReadDoor;
let people: readonly Person[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const reader = new URL(database.roles.reader).username;
  await owner.query(`
    create schema trial;
    create table trial.person (id uuid primary key, unit_no int not null);
    insert into trial.person select uuidv7(), n % ${units} from generate_series(1, 240) n;
    create table trial.unguarded as select * from trial.person;
    alter table trial.person enable row level security;
    alter table trial.person force row level security;
    create policy scope on trial.person
      using (coalesce(unit_no <@ (select nullif(current_setting('hub.scope', true), '')::int4multirange), false));
    grant usage on schema trial to ${reader};
    grant select on all tables in schema trial to ${reader};`);
  people = (await owner.query<Person>('select id, unit_no as "unitNo" from trial.unguarded order by id')).rows;
  door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  await door.ping();
});

afterAll(async () => {
  await door.close();
  await owner.end();
  await database.close();
});

function scopeOf(numbers: readonly number[], citizenId: string | null = null): RowScope {
  return { units: `{${numbers.map((n) => `[${n},${n + 1})`).join(',')}}`, unitCount: numbers.length, citizenId };
}

function ids(rows: Iterable<Person>): string[] {
  return [...rows].map((row) => row.id).sort();
}

async function idsOf(answer: Promise<ReadonlyMap<string, readonly Person[]>>): Promise<string[]> {
  return ids([...(await answer).values()].flat());
}

const anyUnits = fc.uniqueArray(fc.nat({ max: units + 1 }), { maxLength: 10 });
const anyPerson = fc.nat({ max: 239 }).map((n) => people[n]!);

describe('what callers get when they ask in the same moment', () => {
  test('nobody gets a row outside his scope or that he did not ask for, everybody gets all of his [A08]', async () => {
    const question = fc.record({
      units: anyUnits,
      basis: fc.option(anyPerson, { freq: 5 }),
      kind: fc.constantFrom('byId', 'byUnit', 'page', 'unlocked', 'unguarded'),
      persons: fc.array(anyPerson, { minLength: 1, maxLength: 30 }),
      limit: fc.integer({ min: 1, max: 5 }),
    });
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(question, { minLength: 1, maxLength: 40 }), async (questions) => {
        await Promise.all(
          questions.map(async ({ units: numbers, basis, kind, persons, limit }) => {
            const scope = scopeOf(numbers, kind === 'unlocked' ? null : (basis?.id ?? null));
            const mine = people.filter(
              (one) => numbers.includes(one.unitNo) && (scope.citizenId === null || one.id === scope.citizenId),
            );
            const asked = persons.map((one) => one.id);
            switch (kind) {
              case 'byUnit': {
                const wanted = new Set(persons.map((one) => one.unitNo));
                const found = await idsOf(door.byKeys(byUnit, scope, [...wanted].map(String)));
                expect(found).toEqual(ids(mine.filter((one) => wanted.has(one.unitNo))));
                break;
              }
              case 'page': {
                const after = limit === 1 ? null : asked[0]!;
                const found = await door.page(pages, scope, after, limit);
                expect(found.map((one) => one.id)).toEqual(
                  mine
                    .filter((one) => after === null || one.id > after)
                    .slice(0, limit)
                    .map((one) => one.id),
                );
                break;
              }
              case 'byId':
              case 'unlocked':
              case 'unguarded': {
                const read = { byId, unlocked, unguarded }[kind];
                const found = await door.byKeys(read, scope, asked);
                expect([...found.keys()].every((key) => asked.includes(key))).toBe(true);
                expect(ids([...found.values()].flat())).toEqual(ids(mine.filter((one) => asked.includes(one.id))));
                seen += found.size;
              }
            }
          }),
        );
      }),
      { numRuns: 200 },
    );
    expect(seen).toBeGreaterThan(300);
  });

  test('jobs of one statement share one execution', async () => {
    const registry = new Registry();
    const counted = openReadDoor({ connection: database.roles.reader, registry, keyedConnections: 1 });
    await counted.ping();
    const scope = scopeOf([0, 1, 2]);
    await Promise.all(people.slice(0, 30).map((one) => counted.byKeys(byId, scope, [one.id])));
    const metric = await registry.getSingleMetric('hub_read_executions_total')?.get();
    expect(metric?.values.find((value) => value.labels.line === 'keyed')?.value).toBe(2); // ping, and one for all thirty
    await counted.close();
  });
});

describe('either lock alone', () => {
  test('the policy holds where the text forgot the scope [A18]', async () => {
    const everyone = people.map((one) => one.id);
    expect(await idsOf(door.byKeys(unlocked, scopeOf([3]), everyone))).toEqual(ids(people.filter((one) => one.unitNo === 3)));
    expect(await idsOf(door.byKeys(unlocked, scopeOf([]), everyone))).toEqual([]);
    expect(
      await door.rows<Person>('all', 'select id from trial.person where $1::text is not null', scopeOf([3]), []),
    ).toHaveLength(20);
  });

  test('the text holds where a table has no policy [A18]', async () => {
    const everyone = people.map((one) => one.id);
    expect(await idsOf(door.byKeys(unguarded, scopeOf([3]), everyone))).toEqual(ids(people.filter((one) => one.unitNo === 3)));
  });

  test('after a failed transaction the same connection still knows only the scope of the next caller [A18]', async () => {
    const single = openReadDoor({
      connection: database.roles.reader,
      registry: new Registry(),
      keyedConnections: 1,
      wideConnections: 1,
    });
    const broken: KeyedRead<Person> = {
      name: 'broken',
      text: `select ${columns}, 1 / (unit_no - unit_no) from trial.person where id = any($2::uuid[]) and ${both}`,
    };
    const everyone = people.map((one) => one.id);
    for (let round = 0; round < 3; round += 1) {
      await expect(single.byKeys(broken, scopeOf([1, 2, 3, 4, 5]), everyone)).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(await idsOf(single.byKeys(unlocked, scopeOf([7]), everyone))).toEqual(ids(people.filter((one) => one.unitNo === 7)));
      await expect(
        single.rows('broken', 'select 1 / 0 from trial.person where $1::text is not null', scopeOf([1]), []),
      ).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(await single.rows('all', 'select id from trial.person where $1::text is not null', scopeOf([]), [])).toEqual([]);
    }
    await single.close();
  });

  test('a job that fails takes no other with it', async () => {
    const broken: KeyedRead<Person> = {
      name: 'broken',
      text: `select ${columns}, 1 / 0 from trial.person where id = any($2::uuid[]) and ${both}`,
    };
    const scope = scopeOf([0, 1, 2, 3]);
    const mine = people.filter((one) => one.unitNo < 4);
    const answers = await Promise.allSettled(mine.map((one, nth) => door.byKeys(nth % 5 === 0 ? broken : byId, scope, [one.id])));
    answers.forEach((answer, nth) => expect(answer.status).toBe(nth % 5 === 0 ? 'rejected' : 'fulfilled'));
  });
});

describe('what the door refuses', () => {
  test('a scope that is no multirange', async () => {
    for (const text of ['', '{', "{}'", '{[1,2)} ', '{[1,2);}', '[1,2)', '{[a,b)}', "{}'; reset role; --", '{[1,2)}\n']) {
      await expect(door.byKeys(byId, { units: text, unitCount: 1, citizenId: null }, [people[0]!.id])).rejects.toMatchObject({
        code: 'INTERNAL',
      });
    }
  });

  test('a read that a legal basis cannot narrow [A21]', async () => {
    const scope = scopeOf([1], people[0]!.id);
    const wide: KeyedRead<Person> = { name: 'wide', text: `select ${columns} from trial.person where id = any($2::uuid[])` };
    await expect(door.byKeys(wide, scope, [people[0]!.id])).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(door.rows('wide', 'select 1 where $1::text is not null', scope, [])).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(door.byKeys(byId, { ...scope, citizenId: 'x' }, [people[0]!.id])).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('keys that no row can have are asked of nobody', async () => {
    expect(await door.byKeys(byId, scopeOf([1]), ['1', "'; --", people[1]!.id.toUpperCase(), ''])).toEqual(new Map());
    const byName: KeyedRead<Person> = {
      name: 'text',
      text: `select id::text, id from trial.person where id::text = any($2::text[]) and ${both}`,
    };
    const one = people.find((person) => person.unitNo === 1)!;
    expect(await idsOf(door.byKeys(byName, scopeOf([1]), ['\0', '{"', '\\', '"},{', one.id]))).toEqual([one.id]);
  });

  test('a write', async () => {
    await expect(
      door.rows('write', 'insert into hub.audit_event (principal) select $1::text', scopeOf([1]), []),
    ).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('a role that no policy binds', async () => {
    const { administratorUrl } = await testServer();
    if (administratorUrl === null) throw new Error('This test needs a superuser.');
    const mighty = new URL(administratorUrl);
    mighty.pathname = `/${database.name}`;
    const open = openReadDoor({ connection: mighty.href, registry: new Registry(), patience: 300 });
    await expect(open.ping()).rejects.toMatchObject({ code: 'DEGRADED' });
    await open.close();
  });
});

describe('bounds', () => {
  test('a statement that takes too long is refused as a limit, alone', async () => {
    const quick = openReadDoor({ connection: database.roles.reader, registry: new Registry(), statementTimeout: 200 });
    const slow: KeyedRead<Person> = {
      name: 'slow',
      text: `select ${columns}, pg_sleep(2) from trial.person where id = any($2::uuid[]) and ${both}`,
    };
    const scope = scopeOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const [first, second, third] = await Promise.allSettled([
      quick.byKeys(slow, scope, [people[0]!.id]),
      quick.byKeys(byId, scope, [people[0]!.id]),
      quick.rows('slow', 'select pg_sleep(2) where $1::text is not null', scope, []),
    ]);
    expect(first).toMatchObject({ reason: { code: 'LIMIT', reason: 'READ_TOO_SLOW' } });
    expect(second.status).toBe('fulfilled');
    expect(third).toMatchObject({ reason: { code: 'LIMIT', reason: 'READ_TOO_SLOW' } });
    await quick.close();
  });

  test('connections that are all held refuse what waits within a second, and serve again when they are free [F11]', async () => {
    const held = openReadDoor({
      connection: database.roles.reader,
      registry: new Registry(),
      wideConnections: 2,
      wideWaiting: 50,
    });
    const scope = scopeOf([1]);
    const sleep = Array.from({ length: 2 }, () =>
      held.rows('sleep', 'select pg_sleep(2.5) where $1::text is not null', scope, []),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = performance.now();
    const answers = await Promise.allSettled(
      Array.from({ length: 80 }, () => held.rows('one', 'select 1 where $1::text is not null', scope, [])),
    );
    expect(performance.now() - started).toBeLessThan(1100);
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'DEGRADED', retryAfter: 1 } });
    // Keyed reads have connections of their own.
    expect(
      (
        await held.byKeys(
          byId,
          scope,
          people.map((one) => one.id),
        )
      ).size,
    ).toBe(20);
    await Promise.all(sleep);
    await expect(held.rows('one', 'select 1 where $1::text is not null', scope, [])).resolves.toHaveLength(1);
    await held.close();
  });

  test('prepared statements on a connection are bounded', async () => {
    const many = openReadDoor({ connection: database.roles.reader, registry: new Registry(), wideConnections: 1 });
    const scope = scopeOf([1]);
    for (let n = 0; n < 130; n += 1) await many.rows('n', `select ${n} as n where $1::text is not null`, scope, []);
    const [left] = await many.rows<{ n: number }>(
      'left',
      'select count(*) as n from pg_prepared_statements where $1::text is not null',
      scope,
      [],
    );
    expect(left?.n).toBeLessThanOrEqual(103);
    expect(await many.rows('n', 'select 0 as n where $1::text is not null', scope, [])).toEqual([{ n: 0 }]);
    await many.close();
  });
});

describe('a database that changes or goes away', () => {
  test('a column that is changed under a prepared statement is read in its new form', async () => {
    const read = 'select * from trial.changing where $1::text is not null';
    await owner.query(
      `create table trial.changing as select 1 as n; grant select on trial.changing to ${new URL(database.roles.reader).username}`,
    );
    expect(await door.rows('changing', read, scopeOf([1]), [])).toEqual([{ n: 1 }]);
    await owner.query(`alter table trial.changing add column t text default 'x'`);
    const answers = await Promise.all(Array.from({ length: 8 }, () => door.rows('changing', read, scopeOf([1]), [])));
    for (const answer of answers) expect(answer).toEqual([{ n: 1, t: 'x' }]);
  });

  test(
    'reads stay at least 99 % good while connections are cut [F10]',
    async () => {
      const shaken = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
      await shaken.ping();
      const reader = new URL(database.roles.reader).username;
      const until = performance.now() + faultSeconds * 1_000;
      let good = 0;
      let bad = 0;
      const ask = async (nth: number): Promise<void> => {
        const scope = scopeOf([nth % units]);
        while (performance.now() < until) {
          const found = await shaken
            .byKeys(
              byId,
              scope,
              people.map((one) => one.id),
            )
            .catch(() => null);
          if (found?.size === 20) good += 1;
          else bad += 1;
        }
      };
      const cut = async (): Promise<void> => {
        const { administratorUrl } = await testServer();
        const client = new Client({ connectionString: administratorUrl ?? database.ownerUrl });
        await client.connect();
        while (performance.now() < until) {
          await client.query(
            `select pg_terminate_backend(pid) from (select pid from pg_stat_activity where usename = $1 and datname = $2 order by random() limit 1) one`,
            [reader, database.name],
          );
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        await client.end();
      };
      await Promise.all([cut(), ...Array.from({ length: 8 }, (_, nth) => ask(nth))]);
      expect(good).toBeGreaterThan(500);
      expect(bad / (good + bad)).toBeLessThan(0.01);
      await shaken.close();
    },
    (faultSeconds + 30) * 1_000,
  );

  test('without a database the answer is DEGRADED within a second', async () => {
    const nowhere = new URL(database.roles.reader);
    nowhere.port = '1';
    const away = openReadDoor({ connection: nowhere.href, registry: new Registry() });
    const started = performance.now();
    await expect(away.byKeys(byId, scopeOf([1]), [people[0]!.id])).rejects.toMatchObject({
      code: 'DEGRADED',
      reason: 'DATABASE_AWAY',
    });
    expect(performance.now() - started).toBeLessThan(1100);
    await away.close();
  });
});
