import type { Settings } from '#kernel/config.ts';
import type { VerbDatabase } from './database.ts';

/** What is shown to a person, in both languages; the terminal's language decides (`LANG`, Vietnamese first). */
export interface Wording {
  readonly en: string;
  readonly vi: string;
}

/**
 * 0 all was done · 1 some rows were refused, or the work failed half-way · 2 nothing was done, the input is unusable.
 * Anything thrown is exit 1; a {@link UsageError} is exit 2.
 */
export type ExitCode = 0 | 1 | 2;

/** `json` is the one object that `--json` prints as the last line. */
export interface VerbOutcome {
  readonly exit: ExitCode;
  readonly json: Readonly<Record<string, unknown>>;
}

/** What the caller wrote cannot be understood: nothing was done. */
export class UsageError extends Error {
  readonly wording: Wording;

  constructor(wording: Wording) {
    super(wording.en);
    this.name = 'UsageError';
    this.wording = wording;
  }
}

export interface VerbOption {
  readonly type: 'string' | 'boolean';
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What stands for the value in the help: `LOGIN`. */
  readonly value?: string;
  readonly help: Wording;
}

export interface Progress {
  /** `done` so far of `total`; a total of null draws a counter instead of a bar. */
  at(done: number, total: number | null): void;
  /** Leaves the last state standing and goes to the next line. */
  end(): void;
}

export interface VerbArguments {
  /** Words after the verb. */
  readonly words: readonly string[];
  readonly text: (option: string) => string | undefined;
  /** Of an option that may be given more than once. */
  readonly texts: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
}

export interface VerbContext {
  readonly settings: Settings;
  readonly language: 'vi' | 'en';
  /** For people: stdout, or stderr with `--json`, so that stdout stays one object. */
  say(line: string | Wording): void;
  progress(label: string | Wording): Progress;
  /**
   * The migrated database of this data directory, beside a running hub or without one (the embedded PostgreSQL is then started
   * for this verb and stopped after the last user leaves). Opened once; closed by the frame.
   */
  database(): Promise<VerbDatabase>;
  /** Aborted by Ctrl-C and SIGTERM: finish the page under way, then return. */
  readonly signal: AbortSignal;
}

/** One command of `npm run hub`. A module in `cli/` exports it as `verb` and is named in `cli/verbs.ts`. */
export interface Verb {
  /** After the verb's name: `citizens FILE.csv [--as LOGIN]`. */
  readonly usage: string;
  readonly help: Wording;
  readonly options: Readonly<Record<string, VerbOption>>;
  run(context: VerbContext, args: VerbArguments): Promise<VerbOutcome>;
}
