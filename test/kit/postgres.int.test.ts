import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('a test has a migrated database of its own, with a login for each role', async () => {
  const client = new Client({ connectionString: database.roles.reader });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; count: number }>(
      `select current_database() as name, (select count(*)::int from citizens.citizen) as count`,
    );
    expect(rows).toEqual([{ name: database.name, count: 0 }]);
  } finally {
    await client.end();
  }
});
