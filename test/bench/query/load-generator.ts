/*
 * Sends requests over kept-alive connections, each client one at a time, and measures. A process of its own, so that its work is
 * nobody's event loop; it speaks HTTP/1.1 over bare sockets, since on two cores a heavier client would be what is measured.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Header lines of each client, `name: value`; clients beyond the list begin again with the first. */
  readonly headers: readonly (readonly string[])[];
  /** Body of a request: `before`, one of `values`, `after`. */
  readonly before: string;
  readonly values: readonly string[];
  readonly after: string;
  /** Where in `values` to begin; goes round. */
  readonly offset: number;
  /** What every good answer begins with. */
  readonly good: string;
  readonly clients: number;
  readonly milliseconds: number;
  /** Mutations: every request has an idempotency key of its own, and no value is sent twice. */
  readonly changes?: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly bad: number;
  /** The beginning of the first bad answer. */
  readonly firstBad: string | null;
  readonly seconds: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

class Client {
  readonly #job: LoadJob;
  readonly #head: string;
  readonly #socket: Socket;
  readonly #next: () => string | null;
  readonly #done: (milliseconds: number, answer: Buffer) => void;
  readonly #over: (error: Error | null) => void;
  #started = 0;
  #pieces: Buffer[] = [];
  #length = 0;
  #need = 0;

  constructor(
    job: LoadJob,
    nth: number,
    next: () => string | null,
    done: (milliseconds: number, answer: Buffer) => void,
    over: (error: Error | null) => void,
  ) {
    this.#job = job;
    const headers = job.headers[nth % Math.max(1, job.headers.length)] ?? [];
    this.#head = [
      `POST ${job.path} HTTP/1.1`,
      `Host: ${job.host}:${job.port}`,
      'Content-Type: application/json',
      'Accept: application/json',
      ...headers,
      'Content-Length: ',
    ].join('\r\n');
    this.#next = next;
    this.#done = done;
    this.#over = over;
    this.#socket = connect({ host: job.host, port: job.port, noDelay: true });
    this.#socket.on('connect', () => {
      this.#send();
    });
    this.#socket.on('data', (piece) => {
      this.#read(piece);
    });
    this.#socket.on('error', (error) => {
      this.#over(error);
    });
    this.#socket.on('close', () => {
      this.#over(new Error('the server closed the connection'));
    });
  }

  #send(): void {
    const value = this.#next();
    if (value === null) {
      this.#over(null);
      this.#socket.destroy();
      return;
    }
    const body = `${this.#job.before}${value}${this.#job.after}`;
    this.#started = performance.now();
    const key = this.#job.changes === true ? `Idempotency-Key: ${randomUUID()}\r\n` : '';
    this.#socket.write(`${this.#head}${Buffer.byteLength(body)}\r\n${key}\r\n${body}`);
  }

  #read(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#need > this.#length) return;
    const all = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    const end = all.indexOf('\r\n\r\n');
    const whole = end === -1 ? null : bodyOf(all, end + 4);
    if (whole === null || 'need' in whole) {
      this.#pieces = [all];
      this.#need = whole?.need ?? 0;
      return;
    }
    this.#pieces = [];
    this.#length = 0;
    this.#need = 0;
    this.#done(performance.now() - this.#started, whole.body);
    this.#send();
  }
}

/** The body when it is all there, or how many bytes the answer will have at least. */
function bodyOf(answer: Buffer, start: number): { body: Buffer } | { need: number } {
  const head = answer.toString('latin1', 0, start).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return answer.length < end ? { need: end } : { body: answer.subarray(start, end) };
  }
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const line = answer.indexOf('\r\n', at);
    if (line === -1) return { need: answer.length + 1 };
    const size = Number.parseInt(answer.toString('latin1', at, line), 16);
    const end = line + 2 + size + 2;
    if (answer.length < end) return { need: end };
    if (size === 0) return { body: Buffer.concat(chunks) };
    chunks.push(answer.subarray(line + 2, line + 2 + size));
    at = end;
  }
}

async function run(job: LoadJob): Promise<LoadResult> {
  const times: number[] = [];
  let bad = 0;
  let bytes = 0;
  let firstBad: string | null = null;
  let at = job.offset;
  const good = Buffer.from(job.good);
  const started = performance.now();
  const until = started + job.milliseconds;
  const next = (): string | null => {
    if (performance.now() >= until || (job.changes === true && at >= job.values.length)) return null;
    const value = job.values[at % job.values.length] ?? null;
    at += 1;
    return value;
  };
  const done = (milliseconds: number, answer: Buffer): void => {
    times.push(milliseconds);
    bytes += answer.length;
    if (answer.subarray(0, good.length).equals(good) && !answer.includes('"errors":')) return;
    bad += 1;
    firstBad ??= answer.toString('utf8', 0, 400);
  };
  await Promise.all(
    Array.from(
      { length: job.clients },
      (_, nth) =>
        new Promise<void>((resolve) => {
          new Client(job, nth, next, done, (error) => {
            if (error !== null && performance.now() < until) {
              bad += 1;
              firstBad ??= error.message;
            }
            resolve();
          });
        }),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (q: number): number => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0;
  return { requests: times.length, bad, firstBad, seconds, bytes, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
}

process.on('message', (job: LoadJob) => {
  void run(job).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
