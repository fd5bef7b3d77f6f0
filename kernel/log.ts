import { pino, type Logger } from 'pino';
import { HubError } from './errors/hub-error.ts';
import { openLogFile } from './log-file.ts';

/*
 * One JSON line per event. What may be logged is a list: a field that is not on it is dropped, whatever a caller passes, and
 * there is no field for variables, names, numbers or free text of a person.
 */

/** How each field is made safe. `word`: short text from inside the program or a name out of a document; `hex`: a trace id. */
const fieldKinds = {
  traceId: 'hex',
  operation: 'word',
  subgraph: 'word',
  principal: 'word', // id of an account or client, never a login or name
  role: 'word',
  purpose: 'word',
  action: 'word',
  code: 'word',
  reason: 'word',
  field: 'word',
  process: 'word',
  part: 'word',
  state: 'word',
  signal: 'word',
  address: 'word', // of a listener of ours
  method: 'word',
  route: 'word', // the pattern, never the URL
  statement: 'word', // name of a prepared statement, never its text or values
  queue: 'word',
  job: 'word',
  run: 'word',
  kind: 'word',
  version: 'word',
  subjects: 'number',
  rows: 'number',
  count: 'number',
  points: 'number',
  bytes: 'number',
  status: 'number',
  exitCode: 'number',
  pid: 'number',
  port: 'number',
  attempt: 'number',
  milliseconds: 'number',
  waiting: 'number',
  compiled: 'flag',
} as const;

interface ValueOf {
  hex: string;
  word: string;
  number: number;
  flag: boolean;
}
export type LogFields = { readonly [F in keyof typeof fieldKinds]?: ValueOf[(typeof fieldKinds)[F]] | null | undefined };

/**
 * One event per line, the event's name being a word of ours (`request`, `subgraph.failed`). Of an error its class, its code and
 * the places in the code are kept, never its message: PostgreSQL and parsers quote values there.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields, error?: unknown): void;
  error(event: string, fields?: LogFields, error?: unknown): void;
  /** Everything said so far is written; called before the process ends. */
  flush(): void;
}

const longest = 200;
// Controls, separators that some readers take for a new line, marks that turn the reading direction.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** Nine digits in a row are a number of somebody: names of operations are the caller's to choose. */
const numbers = /\d{9,}/g;

/** Text as it may stand in a log line: short, printable, on one line, without long numbers. */
export function safeWord(value: string): string {
  const short = value.length > longest ? `${value.slice(0, longest)}…` : value;
  return short.replace(unsafe, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`).replace(numbers, '•••');
}

/** Only what is on the list, made safe. */
export function safeFields(fields: LogFields): Record<string, string | number | boolean> {
  const safe: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    const kind = Object.hasOwn(fieldKinds, name) ? fieldKinds[name as keyof typeof fieldKinds] : undefined;
    switch (kind) {
      case 'hex':
        if (typeof value === 'string' && /^[0-9a-f-]{8,36}$/.test(value)) safe[name] = value;
        break;
      case 'word':
        if (typeof value === 'string') safe[name] = safeWord(value);
        break;
      case 'number':
        if (typeof value === 'number' && Number.isFinite(value)) safe[name] = value;
        break;
      case 'flag':
        if (typeof value === 'boolean') safe[name] = value;
        break;
      case undefined:
        break;
    }
  }
  return safe;
}

/** Class, code and places of an error and of its causes. */
export function safeError(error: unknown): Record<string, unknown> {
  const causes: unknown[] = [];
  for (let cause: unknown = error; cause !== undefined && cause !== null && causes.length < 4;) {
    if (!(cause instanceof Error)) {
      causes.push({ error: typeof cause });
      break;
    }
    const code = 'code' in cause && typeof cause.code === 'string' ? safeWord(cause.code) : undefined;
    const at = (cause.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8)
      .map((line) => safeWord(line.trim()));
    causes.push({
      error: safeWord(cause.name),
      ...(code === undefined ? {} : { code }),
      // The reason is a word of the catalogue.
      ...(cause instanceof HubError ? { reason: cause.reason } : {}),
      at,
    });
    cause = cause.cause;
  }
  return { errors: causes };
}

type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: Level;
  /** `null`: stdout. */
  readonly file: string | null;
  /** Name of the process on every line. */
  readonly process: string;
  /** Size at which the file is turned over, in MiB. */
  readonly turnOverMib?: number;
}

/** A log that writes lines to `write`: for tests. */
export function logTo(write: (line: string) => void, level: Level = 'debug', process = 'test'): Log {
  return wrap(pino({ level, base: { process }, timestamp: pino.stdTimeFunctions.isoTime }, { write }), () => undefined);
}

/** The log of this process. Lines are gathered for up to half a second (not errors), so that a request does not pay for a write. */
export function createLog(options: LogOptions): Log {
  const { file, turnOverMib = 32 } = options;
  const settings = { level: options.level, base: { process: options.process }, timestamp: pino.stdTimeFunctions.isoTime };
  if (file !== null) {
    // Opened at once, so that a process that ends early can still say why; a write to a file is a copy into memory.
    const lines = openLogFile(file, turnOverMib * 1024 * 1024);
    setInterval(() => lines.flush(), 500).unref();
    process.on('exit', () => lines.flush());
    return wrap(pino(settings, lines), () => lines.flush());
  }
  // Whoever reads a pipe slowly must not hold up the hub.
  const destination = pino.destination({ dest: 1, sync: false, minLength: 8192, maxLength: 4 * 1024 * 1024 });
  // Where it goes is full or gone: lines are lost, and nothing waits for them any more.
  let broken = false;
  destination.on('error', () => (broken = true));
  setInterval(() => destination.flush(), 500).unref();
  const flush = () => {
    try {
      if (!broken) destination.flushSync();
    } catch {
      // Not open yet, or already closed: nothing that could still be written.
    }
  };
  process.on('exit', flush);
  return wrap(pino(settings, destination), flush);
}

function wrap(logger: Logger, flush: () => void): Log {
  const line = (level: 'debug' | 'info' | 'warn' | 'error', event: string, fields: LogFields | undefined, error: unknown) => {
    if (!logger.isLevelEnabled(level)) return;
    const safe = fields === undefined ? {} : safeFields(fields);
    logger[level](error === undefined ? safe : { ...safe, ...safeError(error) }, safeWord(event));
  };
  return {
    debug: (event, fields) => line('debug', event, fields, undefined),
    info: (event, fields) => line('info', event, fields, undefined),
    warn: (event, fields, error) => line('warn', event, fields, error),
    error: (event, fields, error) => {
      line('error', event, fields, error);
      flush();
    },
    flush,
  };
}

/** For tests and tools that have nothing to say. */
export const silentLog: Log = logTo(() => undefined, 'silent', 'silent');
