import { systemClock } from '#kernel/clock.ts';
import { catalogue, type ErrorCode } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { openRegister, type Register } from '../subgraphs/organisation/index.ts';
import { UsageError, type VerbArguments, type VerbContext, type VerbOutcome, type Wording } from './verb.ts';

/*
 * What the commands on accounts, clients and legal bases share: they work on the register of organisation, and a refusal there
 * means that nothing was done (exit 2).
 */

const nothingDone: ReadonlySet<ErrorCode> = new Set(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']);

export async function withRegister(
  context: VerbContext,
  work: (register: Register) => Promise<VerbOutcome>,
): Promise<VerbOutcome> {
  const database = await context.database();
  const { identifierKey } = database;
  const register = openRegister({ url: database.roleUrl('organisation'), identifierKey, clock: systemClock });
  try {
    return await work(register);
  } catch (error) {
    if (!(error instanceof HubError) || !nothingDone.has(error.code)) throw error;
    const { en, vi } = catalogue[error.reason];
    const field = error.field === null ? '' : `${error.field}: `;
    throw new UsageError({ en: `${field}${en}`, vi: `${field}${vi}` });
  } finally {
    await register.close();
  }
}

/** The word at a place, or the refusal that says what belongs there. */
export function wordAt(args: VerbArguments, place: number, name: string): string {
  const word = args.words[place];
  if (word === undefined) throw new UsageError({ en: `${name} is missing; see --help.`, vi: `Thiếu ${name}; xem --help.` });
  return word;
}

export function textOf(args: VerbArguments, option: string): string {
  const text = args.text(option);
  if (text === undefined)
    throw new UsageError({ en: `--${option} is missing; see --help.`, vi: `Thiếu --${option}; xem --help.` });
  return text;
}

/** An instant, or a day: its first moment in Vietnam. */
export function instantOf(args: VerbArguments, option: string): Date | null {
  const text = args.text(option);
  if (text === undefined) return null;
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const at =
    day || /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(day ? `${text}T00:00:00+07:00` : text) : null;
  if (at !== null && !Number.isNaN(at.getTime())) return at;
  const { en, vi } = catalogue.BASIS_PERIOD;
  throw new UsageError({ en: `--${option}: ${en}`, vi: `--${option}: ${vi}` });
}

export function unknownAction(actions: readonly string[]): UsageError {
  const list = actions.join(', ');
  return new UsageError({ en: `Say what to do: ${list}; see --help.`, vi: `Hãy nêu việc cần làm: ${list}; xem --help.` });
}

/** A list for people: one line each, columns as wide as they must be. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value).replace(/^"|"$/g, '');
}

/** A secret is told once: nobody can read it again, only make another. */
export function told(what: Wording, secret: string): Wording {
  return {
    en: `${what.en}: ${secret}\nKeep it now, it is not shown again.`,
    vi: `${what.vi}: ${secret}\nHãy lưu lại ngay, hệ thống không hiển thị lần nữa.`,
  };
}
