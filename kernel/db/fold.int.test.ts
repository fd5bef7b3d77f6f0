import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { fold, parsePersonName } from '../domain/person-name.ts';

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.roles.citizens });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});

const letters = 'aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵðøłßæœþüçñşžİı';
const letter = fc.constantFrom(...Array.from(`${letters}${letters.toUpperCase()}  '’-.`));
const name = fc.oneof(
  fc.string({ unit: letter, minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
);

test('a name folds in PostgreSQL as it does in the program, for every name that is accepted [B61]', async () => {
  const names = fc
    .sample(name, 4_000)
    .flatMap((text) => [text, text.normalize('NFD')])
    .filter((text) => parsePersonName(text).ok);
  expect(names.length).toBeGreaterThan(1_000);
  const { rows } = await client.query<{ folded: string }>(
    'select hub.fold(name) as folded from unnest($1::text[]) with ordinality n (name, place) order by place',
    [names],
  );
  expect(rows.map(({ folded }) => folded)).toEqual(names.map(fold));
});
