/** Whatever sends a statement with `$1`-parameters: a connection of pg, or an open transaction. */
export interface Statements {
  query(text: string, values: readonly unknown[]): Promise<unknown>;
}

/**
 * Inserts many rows by one statement. The rows travel as one JSON value: row policies refuse COPY, and a parameter per value would
 * stop at 65,535. `columns` gives the type of each column; a row's properties have the columns' names, arrays are JSON arrays,
 * bytea is `\x…`. `same` are columns that have one value in all rows. A row that the policy refuses fails them all.
 */
export async function insertRows<Row extends object>(
  client: Statements,
  table: string,
  columns: Readonly<Record<keyof Row & string, string>>,
  rows: readonly Row[],
  same: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (rows.length === 0) return;
  const names = Object.keys(columns).join(', ');
  const types = Object.entries<string>(columns).map(([name, type]) => `${name} ${type}`);
  const sameNames = Object.keys(same).map((name) => `, ${name}`);
  const sameValues = Object.keys(same).map((_, index) => `, $${index + 2}`);
  const text =
    `insert into ${table} (${names}${sameNames.join('')}) ` +
    `select ${names}${sameValues.join('')} from json_to_recordset($1::json) as row (${types.join(', ')})`;
  await client.query(text, [JSON.stringify(rows), ...Object.values(same)]);
}
