import { Client, type QueryResult } from 'pg';

/*
 * A connection for mutations, which send the same few texts again and again and wait for each. What has parameters is prepared once and executed
 * by name: half of what PostgreSQL did for a write was planning under row policies. "begin" goes out with the first statement behind it instead
 * of alone, "commit" with the statement that says it is the last.
 */

/** What the text of a transaction's last statement begins with. Nothing may be sent behind it: it is committed with it. */
export const lastStatement = '/* last */ ';

/** Texts with a name; further ones are sent as they are, so that no connection of PostgreSQL keeps more plans than this. */
const mostNamed = 256;
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= mostNamed) return known;
  const name = `w${names.size.toString(36)}`;
  names.set(text, name);
  return name;
}

const nothing: QueryResult = { command: '', rowCount: null, rows: [], fields: [], oid: 0 };

/** A connection that prepares statements with parameters by itself. */
export class PreparingClient extends Client {
  /** The commit that went out with the last statement; where that failed, PostgreSQL makes a rollback of it. */
  #ending: Promise<QueryResult> | null = null;

  override query(...args: readonly unknown[]): never {
    const send = (...all: unknown[]): Promise<QueryResult> => super.query(...(all as [string]));
    const [text, values] = args;
    const { stream } = this.connection;
    if (this.#ending !== null) {
      const ending = this.#ending;
      this.#ending = null;
      if (text === 'commit') return ending as never;
      if (text === 'rollback') {
        return ending.then(
          () => nothing,
          () => nothing,
        ) as never;
      }
      // It would run outside of the transaction that it belongs to.
      throw new Error('a statement came behind the last one of its transaction');
    }
    if (text === 'begin') {
      // Held back until the next statement is written. Where it fails, that one fails with it.
      stream.cork();
      send(text).catch(() => undefined);
      return Promise.resolve(nothing) as never;
    }
    if (text === 'rollback') {
      if (stream.writableCorked > 0) stream.uncork();
      // A rollback that fails means that the connection is gone, and with it the transaction. Were it told, the builder of queries would keep the
      // place in the pool for ever; so the pool gets the connection back and drops it.
      return send(text).catch(() => {
        stream.destroy();
        return nothing;
      }) as never;
    }
    const name = typeof text === 'string' && Array.isArray(values) && values.length > 0 ? nameOf(text) : undefined;
    if (name !== undefined && typeof text === 'string' && text.startsWith(lastStatement)) {
      stream.cork();
      const answer = send({ name, text, values }, ...args.slice(2));
      this.#ending = send('commit');
      this.#ending.catch(() => undefined);
      while (stream.writableCorked > 0) stream.uncork();
      return answer as never;
    }
    const answer = name === undefined ? send(...args) : send({ name, text, values }, ...args.slice(2));
    if (stream.writableCorked > 0) stream.uncork();
    return answer as never;
  }
}
