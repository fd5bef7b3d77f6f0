import { readFile } from 'node:fs/promises';
import type { Caller, Principal } from '#kernel/auth/principal.ts';
import { systemClock } from '#kernel/clock.ts';
import { openDatabase, type Database } from '#kernel/db/database.ts';
import { catalogue, type Reason } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { importCitizens, type ImportReport } from '../subgraphs/citizens/index.ts';
import { openIdentity } from '../subgraphs/organisation/index.ts';
import { callerOf, ownOperator } from './own-operator.ts';
import { wordAt } from './register.ts';
import { UsageError, type Verb, type VerbContext, type VerbOutcome } from './verb.ts';

/** Refused rows that are told one by one. */
const rowsTold = 100;

export const verb: Verb = {
  usage: 'citizens FILE.csv [--as LOGIN]',
  help: {
    en: 'Imports a CSV file of citizens: checks every row, adds and completes what may be, and reports each refused row. A second time changes nothing.',
    vi: 'Nhập tệp CSV công dân: kiểm tra từng dòng, thêm và bổ sung những gì hợp lệ, báo cáo từng dòng bị từ chối. Nhập lại lần nữa không làm thay đổi gì.',
  },
  options: {
    as: {
      type: 'string',
      value: 'LOGIN',
      help: {
        en: "With the rights of this account. Default: the machine's own operator, for the whole province.",
        vi: 'Với quyền của tài khoản này. Mặc định: người vận hành máy chủ, phạm vi toàn tỉnh.',
      },
    },
  },
  async run(context, args) {
    const [kind] = args.words;
    if (kind !== 'citizens') {
      throw new UsageError({
        en: 'Say what to import: citizens; see --help.',
        vi: 'Hãy nêu loại tệp cần nhập: citizens; xem --help.',
      });
    }
    const bytes = await fileAt(wordAt(args, 1, 'FILE.csv'));
    const database = await openDatabase({
      url: (await context.database()).roleUrl('citizens'),
      entities: [],
      connections: 2,
      applicationName: 'hub-import',
    });
    try {
      const login = args.text('as');
      const principal = login === undefined ? await ownOperator(database) : await account(context, login);
      return await run(context, database, callerOf(principal, 'import citizens', context.language), bytes);
    } catch (error) {
      // Whoever has no right to import has done nothing.
      if (error instanceof HubError && error.code === 'FORBIDDEN') throw new UsageError(wordsOf(error.reason));
      throw error;
    } finally {
      await database.close();
    }
  },
};

async function fileAt(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch {
    throw new UsageError({ en: `The file ${path} cannot be read.`, vi: `Không đọc được tệp ${path}.` });
  }
}

async function account(context: VerbContext, login: string): Promise<Principal> {
  const opened = await context.database();
  const identity = openIdentity({
    url: opened.roleUrl('organisation'),
    identifierKey: opened.identifierKey,
    issuer: () => 'urn:hub:cli',
    clock: systemClock,
    report: () => undefined,
  });
  try {
    const principal = await identity.principals.find(`login:${login}`, systemClock.now());
    if (principal !== null) return principal;
  } finally {
    await identity.close();
  }
  throw new UsageError({
    en: `There is no account "${login}" that may log in.`,
    vi: `Không có tài khoản "${login}" đang được phép đăng nhập.`,
  });
}

async function run(context: VerbContext, database: Database, caller: Caller, bytes: Buffer): Promise<VerbOutcome> {
  const { identifierKey } = await context.database();
  const progress = context.progress({ en: 'rows', vi: 'dòng' });
  const outcome = await importCitizens(
    { database, clock: systemClock, identifierKey },
    { caller, bytes, signal: context.signal, progress: (done, total) => progress.at(done, total) },
  );
  if (!outcome.ok) {
    const { reason, field, line } = outcome.error;
    const words = wordsOf(reason);
    const place = [field, line === null ? null : { en: `line ${String(line)}`, vi: `dòng ${String(line)}` }[context.language]];
    const where = place.filter((part) => part !== null).join(', ');
    context.say(`${where === '' ? '' : `${where}: `}${words[context.language]}`);
    const nothing = { total: 0, added: 0, changed: 0, unchanged: 0, waiting: 0, refused: 0, rows: [] };
    return { exit: 2, json: { ...nothing, code: catalogue[reason].code, reason, field, line, error: words[context.language] } };
  }
  progress.end();
  const report = outcome.value;
  tell(context, report);
  return { exit: report.complete && report.refused === 0 ? 0 : 1, json: jsonOf(report, context.language) };
}

function tell(context: VerbContext, report: ImportReport): void {
  const { total, added, changed, unchanged, waiting, refused, unknownColumns, decisions, complete } = report;
  if (unknownColumns.length > 0) {
    context.say({
      en: `Columns without meaning here, left out: ${unknownColumns.join(', ')}`,
      vi: `Các cột không dùng đến, đã bỏ qua: ${unknownColumns.join(', ')}`,
    });
  }
  context.say({
    en: `Commune codes without a list of their own were read by the list of ${decisions.communeList}.`,
    vi: `Mã xã không ghi rõ danh mục được hiểu theo danh mục năm ${decisions.communeList}.`,
  });
  for (const { line, problems } of report.problems.slice(0, rowsTold)) {
    for (const { field, reason } of problems) {
      context.say(
        `${context.language === 'vi' ? 'Dòng' : 'Line'} ${String(line)}${field === null ? '' : `, ${field}`}: ${wordsOf(reason)[context.language]}`,
      );
    }
  }
  context.say({
    en: `${String(total)} rows: ${String(added)} added, ${String(changed)} changed, ${String(unchanged)} unchanged, ${String(waiting)} waiting for a decision, ${String(refused)} refused.`,
    vi: `${String(total)} dòng: ${String(added)} thêm mới, ${String(changed)} thay đổi, ${String(unchanged)} giữ nguyên, ${String(waiting)} chờ xử lý, ${String(refused)} bị từ chối.`,
  });
  if (!complete) {
    context.say({
      en: 'Stopped before the end. The same command goes on with the rest: what is in changes nothing a second time.',
      vi: 'Đã dừng trước khi xong. Chạy lại đúng lệnh này để làm tiếp: phần đã nhập không thay đổi khi nhập lại.',
    });
  }
}

function jsonOf(report: ImportReport, language: 'vi' | 'en'): Readonly<Record<string, unknown>> {
  const { total, added, changed, unchanged, waiting, refused, problems, run: id, unknownColumns, decisions, complete } = report;
  const told = ({ field, reason }: ImportReport['problems'][number]['problems'][number]): object => ({
    field,
    reason,
    message: wordsOf(reason)[language],
  });
  const rows = problems.slice(0, rowsTold).map(({ line, problems: [first, ...more] }) => ({
    line,
    ...told(first),
    ...(more.length > 0 && { more: more.map(told) }),
  }));
  return { total, added, changed, unchanged, waiting, refused, rows, run: id, complete, unknownColumns, ...decisions };
}

function wordsOf(reason: Reason): { readonly en: string; readonly vi: string } {
  const { en, vi } = catalogue[reason];
  return { en, vi };
}
