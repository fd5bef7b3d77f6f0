import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RowScope } from '../auth/policy.ts';
import { HubError } from '../errors/hub-error.ts';
import { ReadConnection, type Statement } from './read-door-connection.ts';
import { ReadLine, type Job, type LineEvents, type ScopeKey } from './read-door-line.ts';
import { textArray } from './read-door-rows.ts';
import type { KeyedRead, PageRead, ReadDoor } from './read-door.ts';

export interface ReadDoorOptions {
  /** `postgresql://` URL of the reading role: `hub_reader`, apart the role of the subgraph. Never superuser, owner or BYPASSRLS. */
  readonly connection: string;
  readonly registry: Registry;
  /** Label of the metrics when a process has more than one door. Default `reader`. */
  readonly name?: string;
  /** Connections for keyed reads and plain pages. Default 2. */
  readonly keyedConnections?: number;
  /** Connections for filters, search, counts and exports, made when first missed. Default 4. */
  readonly wideConnections?: number;
  /** Milliseconds a statement may run. Default 5,000. */
  readonly statementTimeout?: number;
  /** Milliseconds a read may wait for a free connection before it is refused. Default 900, so that the refusal is out within 1 s. */
  readonly patience?: number;
  /** Reads that may wait for the keyed connections. Default 4,000. */
  readonly keyedWaiting?: number;
  /** Reads that may wait for the wide connections. Default 200. */
  readonly wideWaiting?: number;
}

export interface OpenReadDoor extends ReadDoor {
  /** Resolves when PostgreSQL answers through a keyed connection; rejects with `DEGRADED`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

// Type numbers of parameters. They are declared, so that a text need not use all of them.
const inferred = 0;
const int4 = 23;
const int4multirange = 4451;
const uuid = 2950;
const uuidArray = 2951;

/** `{}`, `{[1,4),[7,8)}`, `{(,)}`: what int4multirange reads, and nothing else. */
const multirange = /^\{(?:[[(]-?\d*,-?\d*[\])](?:,[[(]-?\d*,-?\d*[\])])*)?\}$/;
const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const lowestUuid = '00000000-0000-0000-0000-000000000000';

/**
 * The read door on PostgreSQL. Two lines: keyed reads and plain pages share few connections and are batched by tick; filters,
 * search and counts have capped connections of their own, so that a slow one stalls nobody.
 *
 * Only reads equal in unit numbers and legal basis ever meet in one batch, and each caller gets only what he asked for.
 */
export function openReadDoor(options: ReadDoorOptions): OpenReadDoor {
  return new PostgresReadDoor(options);
}

class PostgresReadDoor implements OpenReadDoor {
  readonly #keyed: ReadLine;
  readonly #wide: ReadLine;
  readonly #statements = new StatementList();
  readonly #scopes = new Map<string, ScopeKey>();

  constructor(options: ReadDoorOptions) {
    const statementTimeout = options.statementTimeout ?? 5000;
    const patience = options.patience ?? 900;
    const metrics = doorMetrics(options.registry);
    const name = options.name ?? 'reader';
    const connections = (count: number, eager: boolean, statementLimit: number, settings: readonly string[]) => {
      return (onFree: () => void): readonly ReadConnection[] =>
        Array.from({ length: count }, () => {
          const connection = new ReadConnection({ url: options.connection, statementTimeout, statementLimit, settings }, onFree);
          if (eager) connection.open();
          return connection;
        });
    };
    this.#keyed = new ReadLine(
      // Keyed reads have one good plan whatever the keys; planning them anew would cost more than running them.
      connections(options.keyedConnections ?? 2, true, 200, [
        'plan_cache_mode=force_generic_plan',
        'max_parallel_workers_per_gather=0',
      ]),
      { batch: 64, batches: 8, waiting: options.keyedWaiting ?? 4000, patience },
      metrics.events(name, 'keyed'),
    );
    this.#wide = new ReadLine(
      // A filter's best index depends on its values.
      connections(options.wideConnections ?? 4, false, 100, ['plan_cache_mode=force_custom_plan']),
      { batch: 1, batches: 1, waiting: options.wideWaiting ?? 200, patience },
      metrics.events(name, 'wide'),
    );
    metrics.observe(name, 'keyed', this.#keyed);
    metrics.observe(name, 'wide', this.#wide);
  }

  byKeys<Row>(read: KeyedRead<Row>, scope: RowScope, keys: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    if (keys.length === 0) return Promise.resolve(new Map());
    const statement = this.#statements.get('keys', read.text);
    // Ids and numbers come from callers: what no key can be is asked of nobody, so that it spoils no one's batch.
    const possible = statement.uuidKeys ? (key: string) => uuidText.test(key) : (key: string) => !key.includes('\0');
    const asks = keys.every(possible) ? keys : keys.filter(possible);
    if (asks.length === 0) return Promise.resolve(new Map());
    return this.#ask(this.#keyed, scope, statement, {
      asks,
      shared: '',
      values: (union) => [scope.units, statement.uuidKeys ? `{${union.join(',')}}` : textArray(union), scope.citizenId],
      pick: (rows) => {
        const own = new Map<string, readonly Row[]>();
        for (const key of asks) {
          const found = rows.get(key);
          if (found !== undefined) own.set(key, found as readonly Row[]);
        }
        return own;
      },
    });
  }

  page<Row>(read: PageRead<Row>, scope: RowScope, after: string | null, limit: number): Promise<readonly Row[]> {
    const statement = this.#statements.get('page', read.text);
    const cursor = after ?? lowestUuid;
    if (!uuidText.test(cursor) || !Number.isInteger(limit) || limit < 1) {
      return Promise.reject(new HubError('BAD_INPUT', 'CURSOR_INVALID', { field: 'after' }));
    }
    const limitText = String(limit);
    return this.#ask(this.#keyed, scope, statement, {
      asks: [cursor],
      shared: limitText,
      values: (union) => [scope.units, `{${union.join(',')}}`, limitText, scope.citizenId],
      // The key of a page's row is the place of its cursor in the union, from 1.
      pick: (rows, union) => (rows.get(String(union.indexOf(cursor) + 1)) ?? []) as readonly Row[],
    });
  }

  rows<Row>(name: string, text: string, scope: RowScope, values: readonly unknown[]): Promise<readonly Row[]> {
    const statement = this.#statements.get('rows', text);
    // The door cannot see in the text which value is the citizen of a legal basis; without him the read would not be narrowed.
    if (scope.citizenId !== null && !values.includes(scope.citizenId))
      return refuse(`${name}: a legal basis that narrows nothing`);
    const texts = values.map(valueText);
    return this.#ask(this.#wide, scope, statement, {
      asks: [''],
      shared: null,
      values: () => [scope.units, ...texts],
      pick: (rows) => (rows.get('') ?? []) as readonly Row[],
    });
  }

  ping(): Promise<void> {
    const statement = this.#statements.get('rows', 'select 1 as one');
    const nothing: RowScope = { units: '{}', unitCount: 0, citizenId: null };
    return this.#ask(this.#keyed, nothing, statement, { asks: [''], shared: '', values: () => ['{}'], pick: () => undefined });
  }

  async close(): Promise<void> {
    await Promise.all([this.#keyed.close(), this.#wide.close()]);
  }

  #ask<Answer>(
    line: ReadLine,
    scope: RowScope,
    statement: DoorStatement,
    question: Pick<Job, 'asks' | 'shared' | 'values'> & {
      pick(rows: ReadonlyMap<string, readonly unknown[]>, union: readonly string[]): Answer;
    },
  ): Promise<Answer> {
    const key = this.#scopeKey(scope);
    if (key === null) return refuse('not a scope');
    if (scope.citizenId !== null && !statement.narrowsToCitizen) return refuse('this read cannot be narrowed to one citizen');
    return new Promise<Answer>((resolve, reject) => {
      line.add({
        scope: key,
        statement,
        asks: question.asks,
        shared: question.shared,
        values: (union) => question.values(union),
        settle: (rows, union) => resolve(question.pick(rows, union)),
        fail: reject,
      });
    });
  }

  /** `null` for what is no multirange literal: it must never reach a setting or a statement. */
  #scopeKey({ units, citizenId }: RowScope): ScopeKey | null {
    const text = citizenId === null ? units : `${units} ${citizenId}`;
    const known = this.#scopes.get(text);
    if (known !== undefined) return known;
    if (!multirange.test(units) || (citizenId !== null && !uuidText.test(citizenId))) return null;
    const key = { units, text };
    if (this.#scopes.size >= 1000) this.#scopes.clear();
    this.#scopes.set(text, key);
    return key;
  }
}

function refuse(why: string): Promise<never> {
  return Promise.reject(new HubError('INTERNAL', 'INTERNAL', { cause: new Error(`read door: ${why}`) }));
}

function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return textArray(value.map((item: unknown) => valueText(item) ?? ''));
  return JSON.stringify(value);
}

interface DoorStatement extends Statement {
  readonly uuidKeys: boolean;
  readonly narrowsToCitizen: boolean;
}

/** One object per text, so that equal texts are one statement wherever they were built. Bounded: texts may be built at run time. */
class StatementList {
  readonly #byKind = {
    keys: new Map<string, DoorStatement>(),
    page: new Map<string, DoorStatement>(),
    rows: new Map<string, DoorStatement>(),
  };

  get(kind: 'keys' | 'page' | 'rows', text: string): DoorStatement {
    const list = this.#byKind[kind];
    const known = list.get(text);
    if (known !== undefined) return known;
    if (list.size >= 1000) list.clear();
    const made = statementOf(kind, text);
    list.set(text, made);
    return made;
  }
}

function statementOf(kind: 'keys' | 'page' | 'rows', text: string): DoorStatement {
  switch (kind) {
    case 'keys':
      return {
        text,
        types: [int4multirange, inferred, uuid],
        keyColumns: 1,
        uuidKeys: text.includes('$2::uuid[]'),
        narrowsToCitizen: /\$3\b/.test(text),
      };
    case 'page':
      return {
        text,
        types: [int4multirange, uuidArray, int4, uuid],
        keyColumns: 1,
        uuidKeys: true,
        narrowsToCitizen: /\$4\b/.test(text),
      };
    case 'rows':
      return { text, types: [int4multirange], keyColumns: 0, uuidKeys: false, narrowsToCitizen: true };
  }
}

interface DoorMetrics {
  events(door: string, line: string): LineEvents;
  observe(door: string, line: string, of: ReadLine): void;
}

const metricsOf = new WeakMap<Registry, DoorMetrics>();

/** One set of metrics per registry, however many doors a process opens. */
function doorMetrics(registry: Registry): DoorMetrics {
  const known = metricsOf.get(registry);
  if (known !== undefined) return known;
  const registers = [registry];
  const lines: { door: string; line: string; of: ReadLine }[] = [];
  const labelNames = ['door', 'line'] as const;
  const jobs = new Histogram({
    name: 'hub_read_batch_jobs',
    help: 'Reads that went to PostgreSQL in one batch',
    labelNames,
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  });
  const seconds = new Histogram({
    name: 'hub_read_batch_seconds',
    help: 'Time from sending a batch to its end',
    labelNames,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  });
  const executions = new Counter({
    name: 'hub_read_executions_total',
    help: 'Statements executed by the read door',
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: 'hub_read_retries_total',
    help: 'Reads run a second time',
    labelNames: [...labelNames, 'why'],
    registers,
  });
  const refused = new Counter({
    name: 'hub_read_refused_total',
    help: 'Reads refused',
    labelNames: [...labelNames, 'why'],
    registers,
  });
  const gauge = (name: string, help: string, value: (line: ReadLine) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const { door, line, of } of lines) this.set({ door, line }, value(of));
      },
    });
  gauge('hub_read_waiting', 'Reads that wait for a connection', (line) => line.waiting);
  gauge('hub_read_connections', 'Connections that stand', (line) => line.connections.filter((one) => one.connected).length);
  gauge(
    'hub_read_connections_busy',
    'Connections with a batch under way',
    (line) => line.connections.filter((one) => one.connected && !one.free).length,
  );
  gauge('hub_read_prepared_statements', 'Prepared statements over all connections', (line) =>
    line.connections.reduce((sum, one) => sum + one.statements, 0),
  );
  const made: DoorMetrics = {
    events(door, line) {
      const labels = { door, line };
      const ofJobs = jobs.labels(labels);
      const ofSeconds = seconds.labels(labels);
      const ofExecutions = executions.labels(labels);
      return {
        batch(count, executed, milliseconds) {
          ofJobs.observe(count);
          ofSeconds.observe(milliseconds / 1000);
          ofExecutions.inc(executed);
        },
        retried: (why) => retries.inc({ ...labels, why }),
        refused: (why) => refused.inc({ ...labels, why }),
      };
    },
    observe: (door, line, of) => void lines.push({ door, line, of }),
  };
  metricsOf.set(registry, made);
  return made;
}
