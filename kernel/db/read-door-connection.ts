import type { Client } from 'pg';
import { rowReader, type RowReader } from './read-door-rows.ts';
import { endsSession, StandingClient } from './standing-client.ts';
import { WireBatch } from './wire-batch.ts';
import { readWire, type Column, type RowCells, type WireListener } from './wire-reader.ts';

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

/** Reads under one scope: one implicit transaction. `end` is called once, after all of them; never inside {@link ReadConnection.run}. */
export interface Batch {
  /** int4multirange text of the scope. */
  readonly units: string;
  readonly executions: readonly Execution[];
  end(how: BatchEnd): void;
}

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
 * One connection of the read door. A batch is one implicit transaction: `set_config('hub.scope', …, true)`, each read, one Sync.
 * The scope ends with the transaction, so nothing of it is left for the next batch, also after an error. Several batches may
 * travel in one write; each is its own transaction and fails alone.
 *
 * It connects again by itself, with growing pauses up to 1 s, until it is closed.
 */
export class ReadConnection {
  readonly #options: ConnectionOptions;
  readonly #onFree: () => void;
  readonly #standing: StandingClient;
  /** Batches under way, in the order in which the server answers. */
  #underWay: Answer[] = [];
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
      up: (client) => {
        this.#prepared = new Map();
        this.#surplus = [];
        readWire(client.connection.stream, this.#listen(client));
        this.#onFree();
      },
      down: () => this.#lost(new Error('the connection is gone')),
    });
  }

  get free(): boolean {
    return this.#standing.client !== null && this.#underWay.length === 0;
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

  /** Only on a free connection. */
  run(batches: readonly Batch[]): void {
    const client = this.#standing.client;
    if (client === null || this.#underWay.length > 0) throw new Error('the connection is not free');
    const wire = new WireBatch();
    for (const name of this.#surplus) wire.closeStatement(name); // ahead of everything, where no error can skip them
    this.#surplus = [];
    const fresh = new Map<string, string>();
    this.#underWay = batches.map((batch) => new Answer(batch, this.#write(wire, batch, fresh)));
    // The server ends a slow batch itself; this is for a server or a network that says nothing at all.
    this.#guard = setTimeout(() => this.#standing.lose(client), (this.#options.statementTimeout + 1500) * batches.length + 1000);
    client.connection.stream.write(wire.bytes());
  }

  #write(wire: WireBatch, { units, executions }: Batch, fresh: Map<string, string>): readonly Place[] {
    wire.execute(scopeStatement, [units]);
    const places = executions.map((execution) => {
      const { statement, values } = execution;
      const known = this.#known(statement.text);
      let name = known?.name ?? fresh.get(statement.text);
      if (name === undefined) {
        this.#named += 1;
        name = `r${this.#named}`;
        fresh.set(statement.text, name);
        wire.parse(name, statement.text, statement.types);
      }
      // Described again where it stands twice: which of the two comes first to an answer is not known yet.
      if (known === undefined) wire.describe(name);
      wire.execute(name, values);
      return { execution, name, read: known?.read ?? null };
    });
    wire.sync();
    return places;
  }

  #listen(client: Client): WireListener {
    const place = (): Place | null => this.#underWay[0]?.place ?? null;
    return {
      columns: (columns) => {
        const at = place();
        if (at !== null) this.#keep(at, columns);
      },
      row: (cells) => this.#underWay[0]?.row(cells),
      complete: () => this.#underWay[0]?.complete(),
      failed: (error) => {
        const answer = this.#underWay[0];
        if (answer === undefined || endsSession(error)) {
          this.#lost(error);
          this.#standing.lose(client);
          return;
        }
        // Whatever was wrong with it ("cached plan must not change result type" after a migration), next time it is parsed anew.
        if (answer.place !== null) this.#drop(answer.place.execution.statement.text);
        answer.error = error;
      },
      ready: () => {
        // Answers are told apart by their order alone: where it is broken nothing is given to anybody.
        if (this.#underWay[0]?.whole !== true) {
          this.#lost(new Error('an answer is missing'));
          this.#standing.lose(client);
          return;
        }
        const answer = this.#underWay.shift();
        if (this.#underWay.length === 0) this.#over();
        answer?.end();
        if (this.free) this.#onFree();
      },
      astray: (what) => {
        this.#lost(new Error(what));
        this.#standing.lose(client);
      },
    };
  }

  #lost(error: Error & { readonly code?: string }): void {
    const answers = this.#underWay;
    this.#underWay = [];
    this.#over();
    for (const { batch } of answers) batch.end({ kind: 'lost', error });
  }

  #over(): void {
    if (this.#guard !== null) clearTimeout(this.#guard);
    this.#guard = null;
  }

  #known(text: string): Prepared | undefined {
    const known = this.#prepared.get(text);
    if (known !== undefined) {
      this.#prepared.delete(text);
      this.#prepared.set(text, known);
    }
    return known;
  }

  #keep(place: Place, columns: readonly Column[]): void {
    const { text, keyColumns } = place.execution.statement;
    place.read = rowReader(columns, keyColumns);
    this.#prepared.set(text, { name: place.name, read: place.read });
    if (this.#prepared.size <= this.#options.statementLimit) return;
    const oldest = this.#prepared.keys().next();
    if (oldest.done !== true) this.#drop(oldest.value);
  }

  #drop(text: string): void {
    const known = this.#prepared.get(text);
    if (known === undefined) return;
    this.#prepared.delete(text);
    this.#surplus.push(known.name);
  }

  /** What is under way ends as lost. */
  close(): Promise<void> {
    return this.#standing.close();
  }
}

/** An execution where it stands in a batch. */
interface Place {
  readonly execution: Execution;
  /** Of the prepared statement. */
  readonly name: string;
  /** `null` until its columns have been described. */
  read: RowReader | null;
}

/** A batch while it is answered. */
class Answer {
  readonly batch: Batch;
  readonly #places: readonly Place[];
  #at = -1; // -1: set_config is being answered
  place: Place | null = null;
  error: (Error & { readonly code?: string }) | null = null;

  constructor(batch: Batch, places: readonly Place[]) {
    this.batch = batch;
    this.#places = places;
  }

  row(cells: RowCells): void {
    const read = this.place?.read ?? null;
    if (this.place === null || read === null) return; // the answer of set_config
    const { execution } = this.place;
    execution.row(execution.statement.keyColumns === 1 ? (cells.text(0) ?? '') : '', read(cells));
  }

  complete(): void {
    this.place?.execution.done();
    this.#at += 1;
    this.place = this.#places[this.#at] ?? null;
  }

  /** Whether every read has been answered, or the batch was broken off. */
  get whole(): boolean {
    return this.error !== null || this.#at === this.#places.length;
  }

  end(): void {
    this.batch.end(this.error === null ? { kind: 'done' } : { kind: 'failed', error: this.error });
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
