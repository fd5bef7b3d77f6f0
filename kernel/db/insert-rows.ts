import type { ClientBase } from 'pg';

/**
 * Inserts many rows by one statement. The rows travel as one JSON value: row policies refuse COPY, and a parameter per value would
 * stop at 65,535. `columns` gives the type of each column; a row's properties have the columns' names, arrays are JSON arrays,
 * bytea is `\x…`. A row that the policy refuses fails them all.
 */
export async function insertRows<Row extends object>(
  client: ClientBase,
  table: string,
  columns: Readonly<Record<keyof Row & string, string>>,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(columns).join(', ');
  const types = Object.entries<string>(columns).map(([name, type]) => `${name} ${type}`);
  const text = `insert into ${table} (${names}) select ${names} from json_to_recordset($1::json) as row (${types.join(', ')})`;
  await client.query(text, [JSON.stringify(rows)]);
}
