import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { mask, maskPatterns, maskSql, type MaskedFieldName } from './masking.ts';
import { fold, parsePersonName } from './person-name.ts';

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.roles.reader });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.close();
});

const fields = Object.keys(maskPatterns) as MaskedFieldName[];
/** What PostgreSQL can store as text. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '');
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map(storable),
  fc.stringMatching(/^[0-9]{6,13}$/),
  fc.emailAddress(),
  fc.stringMatching(/^[0-9]{12}\.KQ\.G[0-9]{2}\.[0-9]{6}(?:\.[0-9A-Z]{1,9})?$/),
  fc.stringMatching(/^[@.•a9]{0,9}$/),
);

test('PostgreSQL masks every field exactly as Node does', async () => {
  const columns = fields.map((field) => `${maskSql(field, 'given.value')} as "${field}"`).join(', ');
  await fc.assert(
    fc.asyncProperty(fc.array(texts, { minLength: 50, maxLength: 200 }), async (values) => {
      const { rows } = await client.query<Record<MaskedFieldName, string>>(
        `select ${columns} from unnest($1::text[]) with ordinality as given (value, place) order by place`,
        [values],
      );
      expect(rows).toEqual(values.map((value) => Object.fromEntries(fields.map((field) => [field, mask(field, value)]))));
    }),
    { numRuns: 30 },
  );
});

test('a value that is not there stays absent', async () => {
  for (const field of fields) {
    const { rows } = await client.query(`select ${maskSql(field, 'value')} as masked from (select null::text as value) as given`);
    expect(rows).toEqual([{ masked: null }]);
  }
});

test('PostgreSQL folds every accepted name as Node does', async () => {
  const names = fc
    .oneof(
      fc.stringMatching(/^[a-zA-ZđĐƀɃĂăÂâÊêÔôƠơƯưÀàẢảÃãÁáẠạẾếỆệỖỗỢợỨứỲỳỴỵøØłŁßæŒþð '.’-]{1,40}$/),
      fc.string({
        unit: fc.mapToConstant(
          { num: 0x250, build: (n) => String.fromCodePoint(n) },
          { num: 256, build: (n) => String.fromCodePoint(0x1e00 + n) },
        ),
        maxLength: 20,
      }),
    )
    .filter((name) => parsePersonName(name).ok);
  await fc.assert(
    fc.asyncProperty(fc.array(names, { minLength: 20, maxLength: 60 }), async (values) => {
      const given = values.flatMap((value) => [value, value.normalize('NFD')]);
      const { rows } = await client.query<{ folded: string }>(
        `select hub.fold(value) as folded from unnest($1::text[]) with ordinality as given (value, place) order by place`,
        [given],
      );
      expect(rows.map(({ folded }) => folded)).toEqual(given.map(fold));
    }),
    { numRuns: 30 },
  );
});
