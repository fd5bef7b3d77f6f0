import type { Duplex } from 'node:stream';

export interface Column {
  readonly name: string;
  /** Number of its type in pg_type. */
  readonly dataTypeID: number;
}

/** What the server said no to. */
export class ServerError extends Error {
  readonly code: string;
  readonly severity: string;

  constructor(message: string, code: string, severity: string) {
    super(message);
    this.name = 'ServerError';
    this.code = code;
    this.severity = severity;
  }
}

/** Who listens to a connection; called in the order of the messages. */
export interface WireListener {
  /** The columns of the statement that was described. */
  columns(columns: readonly Column[]): void;
  /** One row: read its cells now, they are gone after the call. */
  row(cells: RowCells): void;
  /** The execution under way is complete. */
  complete(): void;
  failed(error: ServerError): void;
  /** The answer to a Sync. */
  ready(): void;
  /** The server does something that it was not asked for; the connection is of no more use. */
  astray(what: string): void;
}

/**
 * The cells of the row that has just arrived, as text. A text is cut out of the text of the whole piece that came from the socket, which
 * costs a fifth of decoding it alone; so whoever keeps one for long keeps some 64 KiB: copy what outlives the request.
 */
export class RowCells {
  #bytes: Buffer = Buffer.alloc(0);
  /** The piece as Latin-1: one letter per byte, hence right for all that is ASCII. */
  #letters = '';
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Lays it over a row whose cells begin at `at`. */
  lay(bytes: Buffer, letters: string, at: number): void {
    this.#bytes = bytes;
    this.#letters = letters;
    const count = int16(bytes, at);
    let next = at + 2;
    for (let nth = 0; nth < count; nth += 1) {
      const length = int32(bytes, next);
      next += 4;
      this.#starts[nth] = next;
      if (length > 0) next += length;
      this.#ends[nth] = length < 0 ? -1 : next;
    }
  }

  /** A cell of a type whose text is ASCII: numbers, uuids, days, instants, truth. */
  plain(nth: number): string | null {
    const end = this.#ends[nth] ?? -1;
    return end === -1 ? null : this.#letters.substring(this.#starts[nth] ?? 0, end);
  }

  text(nth: number): string | null {
    const end = this.#ends[nth] ?? -1;
    if (end === -1) return null;
    const start = this.#starts[nth] ?? 0;
    const letters = this.#letters.substring(start, end);
    return beyondAscii.test(letters) ? this.#bytes.toString('utf8', start, end) : letters;
  }
}

const beyondAscii = /[\x80-\xff]/;

/**
 * Reads the server's messages of the extended protocol from a connection that node-postgres has made and logged in; from then on
 * node-postgres hears nothing of it but its end.
 */
export function readWire(stream: Duplex, listener: WireListener): void {
  const cells = new RowCells();
  let rest: Buffer | null = null;
  stream.removeAllListeners('data');
  stream.on('data', (piece: Buffer) => {
    const bytes = rest === null ? piece : Buffer.concat([rest, piece]);
    const letters = bytes.toString('latin1');
    let at = 0;
    // Who listens may give the connection up in the midst of a piece.
    while (at + 5 <= bytes.length && !stream.destroyed) {
      const end = at + 1 + int32(bytes, at + 1);
      if (end > bytes.length) break;
      if (bytes[at] === dataRow) {
        cells.lay(bytes, letters, at + 5);
        listener.row(cells);
      } else heard(listener, bytes, at, end);
      at = end;
    }
    rest = at === bytes.length ? null : bytes.subarray(at);
  });
}

const dataRow = 'D'.charCodeAt(0);

function heard(listener: WireListener, bytes: Buffer, at: number, end: number): void {
  const letter = String.fromCharCode(bytes[at] ?? 0);
  switch (letter) {
    case '1': // parse complete
    case '2': // bind complete
    case '3': // close complete
    case 't': // types of parameters
    case 'n': // no data
    case 'S': // a setting of the session
    case 'N': // notice
    case 'A': // notification
      return;
    case 'T':
      listener.columns(columnsIn(bytes, at + 5));
      return;
    case 'C':
    case 'I': // an empty statement
      listener.complete();
      return;
    case 'Z':
      listener.ready();
      return;
    case 'E':
      listener.failed(errorIn(bytes, at + 5, end));
      return;
    default: // copy, portal suspended: nothing here asks for them
      listener.astray(`message ${letter}`);
  }
}

function columnsIn(bytes: Buffer, start: number): Column[] {
  const columns: Column[] = [];
  let at = start + 2;
  for (let left = int16(bytes, start); left > 0; left -= 1) {
    const end = bytes.indexOf(0, at);
    columns.push({ name: bytes.toString('utf8', at, end), dataTypeID: int32(bytes, end + 7) });
    at = end + 19;
  }
  return columns;
}

function errorIn(bytes: Buffer, start: number, end: number): ServerError {
  const fields = new Map<string, string>();
  for (let at = start; at < end && bytes[at] !== 0;) {
    const close = bytes.indexOf(0, at + 1);
    fields.set(String.fromCharCode(bytes[at] ?? 0), bytes.toString('utf8', at + 1, close));
    at = close + 1;
  }
  // V is the severity that no language translates.
  return new ServerError(fields.get('M') ?? '', fields.get('C') ?? '', fields.get('V') ?? fields.get('S') ?? '');
}

function int16(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function int32(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
