import type { Client, Connection, Submittable } from 'pg';
import { rowReader, type Column, type RowReader, type RowText } from './read-door-rows.ts';
import { endsSession, StandingClient } from './standing-client.ts';
import { WireBatch } from './wire-batch.ts';

/** One statement of a batch. `types` are type numbers for `Parse` (0: PostgreSQL infers it). */
export interface Statement {
  readonly text: string;
  readonly types: readonly number[];
  /** How many leading columns are the key and no part of the row. */
  readonly keyColumns: 0 | 1;
}

/** One execution of a statement inside a batch; rows arrive in the order of the statement. */
export interface Execution {
  readonly statement: Statement;
  readonly values: readonly (string | null)[];
  /** `key` is the first column, or `''` where the statement has no key. */
  row(key: string, row: Readonly<Record<string, unknown>>): void;
  /** All rows are there. A later error of the same batch does not take them back: they were read under both locks. */
  done(): void;
}

/** `lost`: the connection is gone, nobody knows how far the server came. `failed`: the server said no; the connection lives. */
export type BatchEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: Error & { readonly code?: string } }
  | { readonly kind: 'lost'; readonly error: Error & { readonly code?: string } };

interface Prepared {
  readonly name: string;
  readonly read: RowReader;
}

export interface ConnectionOptions {
  /** `postgresql://` URL of a role that is neither superuser nor BYPASSRLS. */
  readonly url: string;
  /** Milliseconds one statement may run. */
  readonly statementTimeout: number;
  /** Prepared statements kept on the connection; the one unused for longest is closed. */
  readonly statementLimit: number;
  /** Further settings of the session, `name=value`. */
  readonly settings: readonly string[];
}

/**
 * One connection of the read door. A batch is one buffer and one implicit transaction: `set_config('hub.scope', …, true)`, each
 * read, one Sync. The scope ends with the transaction, so nothing of it is left for the next batch, also after an error.
 * It connects again by itself, with growing pauses up to 1 s, until it is closed.
 */
export class ReadConnection {
  readonly #options: ConnectionOptions;
  readonly #onFree: () => void;
  readonly #standing: StandingClient;
  #batch: Batch | null = null;
  #prepared = new Map<string, Prepared>();
  #surplus: string[] = [];
  #named = 0;
  #guard: NodeJS.Timeout | null = null;

  constructor(options: ConnectionOptions, onFree: () => void) {
    this.#options = options;
    this.#onFree = onFree;
    this.#standing = new StandingClient({
      url: options.url,
      applicationName: 'hub-read',
      settings: [
        `statement_timeout=${options.statementTimeout}`,
        // statement_timeout starts anew with each Execute of a batch; this one does not.
        `transaction_timeout=${options.statementTimeout + 1000}`,
        'lock_timeout=3000',
        'idle_in_transaction_session_timeout=10000',
        'default_transaction_read_only=on',
        'TimeZone=UTC',
        'DateStyle=ISO',
        'jit=off',
        // Every read here enters by an index and ends early. Behind a policy the planner guesses that few rows fit, and would rather
        // read all of a unit, or the table, and sort; what is hot lies in memory, whatever the server thinks of its disk.
        'random_page_cost=1.1',
        'enable_seqscan=off',
        'enable_bitmapscan=off',
        ...options.settings,
      ],
      begin,
      up: () => {
        this.#prepared = new Map();
        this.#surplus = [];
        this.#onFree();
      },
      down: () => this.#batch?.handleError(new Error('the connection is gone')),
    });
  }

  get free(): boolean {
    return this.#standing.client !== null && this.#batch === null;
  }

  get connected(): boolean {
    return this.#standing.client !== null;
  }

  get statements(): number {
    return this.#prepared.size;
  }

  /** Begins to connect; {@link ReadConnection.free} tells when it is there. It stays connected until it is closed. */
  open(): void {
    this.#standing.open();
  }

  /** Only on a free connection. `end` is called once, never inside this call. */
  run(scope: string, executions: readonly Execution[], end: (how: BatchEnd) => void): void {
    const client = this.#standing.client;
    if (client === null || this.#batch !== null) throw new Error('the connection is not free');
    const batch = new Batch(scope, executions, this, (how) => {
      if (this.#guard !== null) clearTimeout(this.#guard);
      this.#guard = null;
      this.#batch = null;
      if (how.kind === 'lost') this.#standing.lose(client);
      end(how);
      if (this.free) this.#onFree();
    });
    this.#batch = batch;
    // The server ends a slow batch itself; this is for a server or a network that says nothing at all.
    this.#guard = setTimeout(() => this.#standing.lose(client), this.#options.statementTimeout + 2500);
    client.query(batch);
  }

  prepared(text: string): Prepared | undefined {
    const known = this.#prepared.get(text);
    if (known !== undefined) {
      this.#prepared.delete(text);
      this.#prepared.set(text, known);
    }
    return known;
  }

  newName(): string {
    this.#named += 1;
    return `r${this.#named}`;
  }

  keep(text: string, statement: Prepared): void {
    this.#prepared.set(text, statement);
    if (this.#prepared.size <= this.#options.statementLimit) return;
    const oldest = this.#prepared.keys().next();
    if (oldest.done !== true) this.drop(oldest.value);
  }

  drop(text: string): void {
    const known = this.#prepared.get(text);
    if (known === undefined) return;
    this.#prepared.delete(text);
    this.#surplus.push(known.name);
  }

  /** Names to be closed at the head of the next batch, where no error can skip them. */
  takeSurplus(): readonly string[] {
    const names = this.#surplus;
    if (names.length > 0) this.#surplus = [];
    return names;
  }

  /** What is under way ends as lost. */
  close(): Promise<void> {
    return this.#standing.close();
  }
}

const scopeStatement = 'scope';

/** Lock two binds neither a superuser nor a role with BYPASSRLS: through such a role the door stays shut. */
async function begin(client: Client): Promise<void> {
  const { rows } = await client.query<{ mighty: boolean }>(
    'select rolsuper or rolbypassrls as mighty from pg_roles where rolname = current_user',
  );
  if (rows[0]?.mighty !== false) throw new Error('the reading role must be neither superuser nor BYPASSRLS');
  await client.query({ name: scopeStatement, text: "select set_config('hub.scope', $1, true)", values: ['{}'] });
}

/** A custom query of node-postgres, as pg-cursor is one: it writes the batch and gets the messages in order. */
class Batch implements Submittable {
  readonly #scope: string;
  readonly #executions: readonly Execution[];
  readonly #connection: ReadConnection;
  readonly #end: (how: BatchEnd) => void;
  /** Readers of this batch by position; empty until its description has come. */
  readonly #readers: (RowReader | null)[] = [];
  readonly #names: string[] = [];
  #at = -1; // -1: set_config is being answered
  #execution: Execution | null = null;
  #reader: RowReader | null = null;
  #ended = false;

  constructor(scope: string, executions: readonly Execution[], connection: ReadConnection, end: (how: BatchEnd) => void) {
    this.#scope = scope;
    this.#executions = executions;
    this.#connection = connection;
    this.#end = end;
  }

  submit(connection: Connection): void {
    const statements = this.#connection;
    const wire = new WireBatch();
    for (const name of statements.takeSurplus()) wire.closeStatement(name);
    wire.execute(scopeStatement, [this.#scope]);
    const fresh = new Map<string, string>();
    for (const { statement, values } of this.#executions) {
      const known = statements.prepared(statement.text);
      let name = known?.name ?? fresh.get(statement.text);
      if (name === undefined) {
        name = statements.newName();
        fresh.set(statement.text, name);
        wire.parse(name, statement.text, statement.types);
      }
      // A statement that is described elsewhere in this batch is described again: its reader belongs to this position.
      if (known === undefined) wire.describe(name);
      this.#readers.push(known?.read ?? null);
      this.#names.push(name);
      wire.execute(name, values);
    }
    wire.sync();
    connection.stream.write(wire.bytes());
  }

  handleRowDescription(message: { readonly fields: readonly Column[] }): void {
    const execution = this.#executions[this.#at];
    const name = this.#names[this.#at];
    if (execution === undefined || name === undefined) return;
    const read = rowReader(message.fields, execution.statement.keyColumns);
    this.#readers[this.#at] = read;
    this.#reader = read;
    this.#connection.keep(execution.statement.text, { name, read });
  }

  handleDataRow(message: { readonly fields: RowText }): void {
    const execution = this.#execution;
    if (execution === null || this.#reader === null || this.#ended) return; // the answer of set_config
    const fields = message.fields;
    execution.row(execution.statement.keyColumns === 1 ? (fields[0] ?? '') : '', this.#reader(fields));
  }

  handleCommandComplete(): void {
    if (this.#ended) return;
    this.#execution?.done();
    this.#at += 1;
    this.#execution = this.#executions[this.#at] ?? null;
    this.#reader = this.#readers[this.#at] ?? null;
  }

  handleReadyForQuery(): void {
    this.#finish({ kind: 'done' });
  }

  handleError(error: Error & { code?: string }): void {
    const execution = this.#executions[this.#at];
    // Whatever was wrong with it ("cached plan must not change result type" after a migration), next time it is parsed anew.
    if (execution !== undefined) this.#connection.drop(execution.statement.text);
    this.#finish({ kind: endsSession(error) ? 'lost' : 'failed', error });
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  // Neither can happen: every Execute is without a row limit, and no statement of a read is a COPY.
  handlePortalSuspended(): void {
    this.handleError(new Error('portal suspended'));
  }
  handleCopyInResponse(): void {
    this.handleError(new Error('copy'));
  }
  handleCopyData(): void {
    this.handleError(new Error('copy'));
  }

  #finish(how: BatchEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end(how);
  }
}
