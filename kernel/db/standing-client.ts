import { Client } from 'pg';

export interface StandingClientOptions {
  /** `postgresql://` URL. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Settings of the session, `name=value`. */
  readonly settings: readonly string[];
  /** What must succeed on a fresh connection before it is used; whoever throws here keeps it shut. */
  readonly begin: (client: Client) => Promise<void>;
  readonly up: (client: Client) => void;
  /** The connection is gone; what was under way on it has no known end. */
  readonly down: () => void;
}

/**
 * One connection that stands: when it is lost it is made again, at once and then with pauses that grow to 1 s, until it is
 * closed. Nothing is repeated here; who uses it knows what may be.
 */
export class StandingClient {
  readonly #options: StandingClientOptions;
  #client: Client | null = null;
  #connecting = false;
  #closed = false;
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;

  constructor(options: StandingClientOptions) {
    this.#options = options;
  }

  /** `null` while there is none. */
  get client(): Client | null {
    return this.#client;
  }

  /** Begins to connect, unless it is connected or about to be. */
  open(): void {
    if (this.#closed || this.#connecting || this.#client !== null || this.#pause !== null) return;
    this.#connecting = true;
    const { url, applicationName, settings, begin } = this.#options;
    const client = new Client({
      connectionString: url,
      options: settings.map((setting) => `-c ${setting}`).join(' '),
      application_name: applicationName,
      connectionTimeoutMillis: 3000,
      keepAlive: true,
    });
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    client
      .connect()
      .then(() => begin(client))
      .then(
        () => this.#opened(client),
        () => this.#again(client),
      );
  }

  #opened(client: Client): void {
    this.#connecting = false;
    if (this.#closed) {
      discard(client);
      return;
    }
    this.#failures = 0;
    this.#client = client;
    this.#options.up(client);
  }

  #again(client: Client): void {
    discard(client);
    this.#connecting = false;
    if (this.#closed) return;
    const pause = Math.min(1000, 25 * 2 ** this.#failures);
    this.#failures += 1;
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.open();
    }, pause);
  }

  /** Gives this connection up, e.g. because it says nothing any more, and makes another. */
  lose(client: Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    discard(client);
    this.#options.down();
    this.open();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    this.#options.down();
    await client.end().catch(() => undefined);
  }
}

function discard(client: Client): void {
  client.end().catch(() => undefined);
  client.connection.stream.destroy();
}

/** `57P01`–`57P03`: the server says goodbye. `25P04`: transaction_timeout, which ends the session. Class 08: the wire. */
export function endsSession(error: Error & { readonly code?: string; readonly severity?: string }): boolean {
  if (error.severity === 'FATAL' || error.severity === 'PANIC' || error.code === undefined) return true;
  return /^(08|57P0[1-3]|25P04)/.test(error.code);
}
