import { Client, type QueryResultRow } from 'pg';

/** Scope text of some unit numbers, as a principal carries it. */
export function unitsScope(...numbers: readonly number[]): string {
  return `{${[...numbers]
    .sort((a, b) => a - b)
    .map((number) => `[${String(number)},${String(number + 1)})`)
    .join(',')}}`;
}

/** Runs `body` with one connection of its own and closes it, whatever happens. */
export async function withClient<T>(url: string, body: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** One statement in a transaction of its own, under a scope (`null`: none set). */
export function asScope<Row extends QueryResultRow>(
  url: string,
  scope: string | null,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  return withClient(url, async (client) => {
    await client.query('begin');
    if (scope !== null) await client.query(`select set_config('hub.scope', $1, true)`, [scope]);
    const { rows } = await client.query<Row>(text, [...values]);
    await client.query('commit');
    return rows;
  });
}
