import { escapeLiteral, type Client } from 'pg';
import type { RowScope } from '#kernel/auth/policy.ts';
import { textArray } from '#kernel/db/read-door-rows.ts';
import type { KeyedRead, PageRead, ReadDoor } from '#kernel/db/read-door.ts';

/** Rows that one statement looks at, in each scan of a table: what it kept and what it threw away. */
export interface Looked {
  readonly statement: string;
  readonly most: number;
  readonly milliseconds: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

function scans(node: PlanNode): readonly number[] {
  const below = (node.Plans ?? []).flatMap(scans);
  if (node['Relation Name'] === undefined) return below;
  const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return [...below, Math.round(rows * node['Actual Loops'])];
}

/** What the read door sets for its sessions (kernel/db/read-door-connection.ts), as far as plans depend on it. */
export const sessionOfTheDoor =
  '-c timezone=UTC -c jit=off -c random_page_cost=1.1 -c enable_seqscan=off -c enable_bitmapscan=off -c max_parallel_workers_per_gather=0';

type Explained = readonly [
  read: { readonly name: string; readonly text: string },
  scope: RowScope,
  types: readonly string[],
  values: readonly (string | null)[],
  mode: 'force_generic_plan' | 'force_custom_plan',
];

/** A read door that explains each statement before it runs it, with the parameters and the plan mode of the real one. */
export class ExplainingDoor implements ReadDoor {
  readonly #door: ReadDoor;
  readonly #client: Client;
  looked: Looked[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(door: ReadDoor, client: Client) {
    this.#door = door;
    this.#client = client;
  }
  async byKeys<Row>(
    read: KeyedRead<Row>,
    scope: RowScope,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, readonly Row[]>> {
    await this.#explain(read, scope, ['unknown', 'uuid'], [textArray(keys), scope.citizenId], 'force_generic_plan');
    return this.#door.byKeys(read, scope, keys);
  }
  async page<Row>(read: PageRead<Row>, scope: RowScope, after: string | null, limit: number): Promise<readonly Row[]> {
    const cursor = `{${after ?? '00000000-0000-0000-0000-000000000000'}}`;
    await this.#explain(read, scope, ['uuid[]', 'int4', 'uuid'], [cursor, String(limit), scope.citizenId], 'force_generic_plan');
    return this.#door.page(read, scope, after, limit);
  }
  async rows<Row>(name: string, text: string, scope: RowScope, values: readonly unknown[]): Promise<readonly Row[]> {
    const texts = values.map((value) =>
      value === null ? null : Array.isArray(value) ? textArray(value.map(String)) : String(value as string | number),
    );
    await this.#explain({ name, text }, scope, values.map(() => 'unknown'), texts, 'force_custom_plan'); // prettier-ignore
    return this.#door.rows(name, text, scope, values);
  }

  /** Reads of one operation come at once, and there is one connection to explain them on. */
  #explain(...question: Explained): Promise<void> {
    const turn = this.#turn.then(() => this.#explainNow(...question));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #explainNow(...[read, scope, types, values, mode]: Explained): Promise<void> {
    const client = this.#client;
    await client.query('begin');
    await client.query(`select set_config('hub.scope', $1, true), set_config('plan_cache_mode', $2, true)`, [scope.units, mode]);
    await client.query(`prepare explained(${['int4multirange', ...types].join(', ')}) as ${read.text}`);
    const literals = [scope.units, ...values].map((value) => (value === null ? 'null' : escapeLiteral(value)));
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode; 'Execution Time': number }] }>(
      `explain (analyze, timing off, format json) execute explained(${literals.join(', ')})`,
    );
    await client.query('deallocate explained');
    await client.query('commit');
    const plan = rows[0]?.['QUERY PLAN'][0];
    if (plan === undefined) throw new Error('no plan');
    this.looked.push({ statement: read.name, most: Math.max(0, ...scans(plan.Plan)), milliseconds: plan['Execution Time'] });
  }
}
