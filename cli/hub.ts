import { parseArgs } from 'node:util';
import { refuseVendorTelemetry, settingsOrExit } from '#kernel/config.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { catalogue } from '#kernel/errors/catalogue.ts';
import { languageOf, progressBar, worded } from './terminal.ts';
import { UsageError, type ExitCode, type Verb, type VerbContext, type Wording } from './verb.ts';
import { openDatabase, type VerbDatabase } from './database.ts';
import { verbs } from './verbs.ts';

/*
 * npm run hub -- VERB …: the frame of every command: arguments, language, progress, the last line for machines, the exit code.
 */

const language = languageOf(process.env);

const words = {
  usage: { en: 'Usage', vi: 'Cách dùng' },
  unknown: (name: string): Wording => ({ en: `There is no command "${name}".`, vi: `Không có lệnh "${name}".` }),
  json: {
    en: 'for machines: the last line is one JSON object',
    vi: 'cho máy: dòng cuối cùng là một đối tượng JSON',
  },
  help: { en: 'this help', vi: 'trợ giúp này' },
  exit: {
    en: 'Exit: 0 all done · 1 some rows refused, or failed · 2 nothing done, unusable input',
    vi: 'Mã kết thúc: 0 xong hết · 1 có dòng bị từ chối hoặc lỗi giữa chừng · 2 chưa làm gì, đầu vào không dùng được',
  },
};

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(verbs).map(async ([name, load]) => {
      const { verb } = await load();
      return `  ${name} ${verb.usage}\n      ${worded(verb.help, language)}`;
    }),
  );
  return `${words.usage[language]}: npm run hub -- VERB …\n\n${rows.join('\n')}\n\n${words.exit[language]}\n`;
}

function helpOf(name: string, verb: Verb): string {
  const options = Object.entries(verb.options).map(
    ([option, { value, help }]) => `  --${option}${value === undefined ? '' : ` ${value}`}\n      ${worded(help, language)}`,
  );
  options.push(`  --json\n      ${words.json[language]}`, `  --help\n      ${words.help[language]}`);
  return `${words.usage[language]}: npm run hub -- ${name} ${verb.usage}\n\n${worded(verb.help, language)}\n\n${options.join('\n')}\n\n${words.exit[language]}\n`;
}

interface Outcome {
  readonly exit: ExitCode;
  readonly json: Readonly<Record<string, unknown>>;
}

function failed(exit: ExitCode, wording: Wording, more: Readonly<Record<string, unknown>> = {}): Outcome {
  process.stderr.write(`${wording[language]}\n`);
  return { exit, json: { ...more, error: wording[language] } };
}

/** What an error says to an operator. A {@link HubError} has its words in the catalogue; anything else is told as it is. */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof UsageError) return failed(2, error.wording);
  if (error instanceof HubError) {
    const { en, vi } = catalogue[error.reason];
    return failed(1, { en, vi }, { code: error.code, reason: error.reason, field: error.field });
  }
  const text = error instanceof Error ? error.message : String(error);
  return failed(1, { en: text, vi: text });
}

async function runVerb(name: string, verb: Verb, args: readonly string[]): Promise<Outcome> {
  let parsed;
  try {
    const own = Object.entries(verb.options).map(([option, { type, multiple = false }]) => [option, { type, multiple }] as const);
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...Object.fromEntries(own), json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new UsageError({ en: `${text}\n\n${helpOf(name, verb)}`, vi: `${text}\n\n${helpOf(name, verb)}` });
  }
  if (parsed.values.help === true) {
    process.stdout.write(helpOf(name, verb));
    return { exit: 0, json: {} };
  }
  const settings = settingsOrExit('operator');
  const out = args.includes('--json') ? process.stderr : process.stdout;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  let database: Promise<VerbDatabase> | null = null;
  const context: VerbContext = {
    settings,
    language,
    say: (line) => out.write(`${worded(line, language)}\n`),
    progress: (label) => progressBar(out, worded(label, language)),
    database: () => (database ??= openDatabase(settings, stop.signal)),
    signal: stop.signal,
  };
  const { values, positionals } = parsed;
  const value = (option: string): unknown => (Object.hasOwn(values, option) ? values[option as keyof typeof values] : undefined);
  try {
    return await verb.run(context, {
      words: positionals,
      text(option) {
        const found = value(option);
        return typeof found === 'string' ? found : undefined;
      },
      texts(option) {
        const found = value(option);
        return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
      },
      flag: (option) => value(option) === true,
    });
  } finally {
    const opened = database as Promise<VerbDatabase> | null;
    if (opened !== null) {
      await opened.then(
        (open) => open.close(),
        () => undefined,
      );
    }
  }
}

async function main(): Promise<void> {
  refuseVendorTelemetry();
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || name === 'help' || name === '--help') {
    process.stdout.write(await overview());
    process.exitCode = name === undefined ? 2 : 0;
    return;
  }
  let outcome: Outcome;
  try {
    const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (load === undefined) {
      const { en, vi } = words.unknown(name);
      const all = await overview();
      throw new UsageError({ en: `${en}\n\n${all}`, vi: `${vi}\n\n${all}` });
    }
    const { verb } = await load();
    outcome = await runVerb(name, verb, args);
  } catch (error) {
    outcome = outcomeOf(error);
  }
  process.exitCode = outcome.exit;
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(outcome.json)}\n`);
}

await main();
