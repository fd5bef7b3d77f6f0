import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { systemClock } from '#kernel/clock.ts';
import type { FileRefusal } from '#kernel/csv-table.ts';
import { openDatabase } from '#kernel/db/database.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { catalogue, type Reason } from '#kernel/errors/catalogue.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import type { ImportKind } from '#kernel/imports/import-kind.ts';
import { Importing, problemsTold, type ImportReport } from '#kernel/imports/import-run.ts';
import { writeRefused } from '#kernel/imports/refused-file.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { asOption, operatorOf } from './operator.ts';
import { wordAt } from './register.ts';
import { UsageError, type Verb, type VerbArguments, type VerbContext, type VerbOutcome } from './verb.ts';

const kinds: ReadonlyMap<string, ImportKind> = new Map(
  allSubgraphs.flatMap(({ imports = [] }) => imports.map((kind) => [kind.kind.toLowerCase(), kind] as const)),
);

export const verb: Verb = {
  usage: `${[...kinds.keys()].join('|')} FILE.csv [--as LOGIN] [--dry-run] [--map HEADING=COLUMN] [--resume ID] [--refused FILE.csv]`,
  help: {
    en: 'Imports a CSV file: checks every row, adds and completes what may be, and reports each refused row. A second time changes nothing; stopped at any moment it goes on with --resume.',
    vi: 'Nhập tệp CSV: kiểm tra từng dòng, thêm và bổ sung những gì hợp lệ, báo cáo từng dòng bị từ chối. Nhập lại lần nữa không làm thay đổi gì; bị dừng lúc nào cũng làm tiếp được bằng --resume.',
  },
  options: {
    as: asOption,
    'dry-run': {
      type: 'boolean',
      help: { en: 'Says what would happen, and changes nothing.', vi: 'Cho biết điều sẽ xảy ra, không thay đổi gì.' },
    },
    map: {
      type: 'string',
      multiple: true,
      value: 'HEADING=COLUMN',
      help: {
        en: 'What a heading of the file means; without a column: left out. May be given again.',
        vi: 'Ý nghĩa của một tiêu đề trong tệp; không ghi cột nghĩa là bỏ qua. Có thể dùng nhiều lần.',
      },
    },
    resume: {
      type: 'string',
      value: 'ID',
      help: { en: 'Goes on with the import of this id, without a file.', vi: 'Làm tiếp lượt nhập có mã này, không cần tệp.' },
    },
    refused: {
      type: 'string',
      value: 'FILE.csv',
      help: {
        en: 'Writes the refused rows there, each with reason and remedy, to be mended and sent again.',
        vi: 'Ghi các dòng bị từ chối vào tệp này, kèm lý do và cách sửa, để sửa rồi gửi lại.',
      },
    },
  },
  async run(context, args) {
    const kind = kinds.get(args.words[0] ?? '');
    if (kind === undefined) {
      const known = [...kinds.keys()].join(', ');
      throw new UsageError({
        en: `Say what to import: ${known}; see --help.`,
        vi: `Hãy nêu loại tệp cần nhập: ${known}; xem --help.`,
      });
    }
    const resume = args.text('resume');
    if (resume !== undefined && !isUuid(resume)) throw new UsageError(wordsOf('IMPORT_UNKNOWN'));
    const source = resume === undefined ? wordAt(args, 1, 'FILE.csv') : null;
    const bytes = source === null ? null : await fileAt(source);
    const opened = await context.database();
    const { identifierKey } = opened;
    const database = await openDatabase({
      url: opened.roleUrl(kind.subgraph),
      entities: [],
      connections: 2,
      applicationName: 'hub-import',
    });
    try {
      const caller = await operatorOf(context, args, database, `import ${args.words[0] ?? ''}`);
      const importing = new Importing({ database, clock: systemClock, identifierKey }, kind, caller);
      if (bytes === null || source === null) return await go(context, args, importing, resume ?? '');
      const file = await importing.open({ bytes, name: basename(source), mapping: mappingOf(args) });
      return file.ok ? await go(context, args, importing, file.value) : unusable(context, file.error);
    } catch (error) {
      // Whoever has no right to import, or names no import of his, has done nothing.
      if (error instanceof HubError && (error.code === 'FORBIDDEN' || error.code === 'NOT_FOUND'))
        throw new UsageError(wordsOf(error.reason));
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

function mappingOf(args: VerbArguments): ReadonlyMap<string, string | null> {
  return new Map(
    args.texts('map').map((text) => {
      const at = text.lastIndexOf('=');
      if (at < 1) {
        throw new UsageError({
          en: `--map takes HEADING=COLUMN, not "${text}".`,
          vi: `--map nhận TIÊU ĐỀ=CỘT, không phải "${text}".`,
        });
      }
      const column = text.slice(at + 1).trim();
      return [text.slice(0, at), column === '' ? null : column];
    }),
  );
}

const nothing = { total: 0, added: 0, changed: 0, unchanged: 0, waiting: 0, refused: 0, rows: [] };

function unusable(context: VerbContext, { reason, field, line }: FileRefusal): VerbOutcome {
  const words = wordsOf(reason);
  const place = [field, line === null ? null : { en: `line ${String(line)}`, vi: `dòng ${String(line)}` }[context.language]];
  const where = place.filter((part) => part !== null).join(', ');
  context.say(`${where === '' ? '' : `${where}: `}${words[context.language]}`);
  return { exit: 2, json: { ...nothing, code: catalogue[reason].code, reason, field, line, error: words[context.language] } };
}

async function go(context: VerbContext, args: VerbArguments, importing: Importing, id: string): Promise<VerbOutcome> {
  const dryRun = args.flag('dry-run');
  if (!dryRun) context.say({ en: `Import ${id}`, vi: `Lượt nhập ${id}` });
  const bar = context.progress({ en: 'rows', vi: 'dòng' });
  const watch = { signal: context.signal, progress: (done: number, total: number) => { bar.at(done, total); } }; // prettier-ignore
  const report = dryRun ? await importing.check(id, watch) : await importing.apply(id, watch);
  bar.end();
  tell(context, report);
  const file = args.text('refused');
  if (file !== undefined) {
    const count = await writeRefused(importing, id, { path: file, of: dryRun ? 'planned' : 'state', language: context.language });
    context.say({ en: `${String(count)} refused rows are in ${file}`, vi: `${String(count)} dòng bị từ chối nằm trong ${file}` });
  } else if (report.refused > 0 && !dryRun) {
    context.say({
      en: `Get the refused rows as a file: --resume ${id} --refused FILE.csv`,
      vi: `Lấy tệp các dòng bị từ chối: --resume ${id} --refused FILE.csv`,
    });
  }
  return { exit: report.complete && report.refused === 0 ? 0 : 1, json: jsonOf(report, context.language) };
}

function tell(context: VerbContext, report: ImportReport): void {
  const { total, added, changed, unchanged, waiting, refused, unknownColumns, decisions, complete, dryRun } = report;
  if (unknownColumns.length > 0) {
    context.say({
      en: `Columns without meaning here, left out: ${unknownColumns.join(', ')}`,
      vi: `Các cột không dùng đến, đã bỏ qua: ${unknownColumns.join(', ')}`,
    });
  }
  const { communeList } = decisions;
  if (communeList !== undefined) {
    context.say({
      en: `Commune codes without a list of their own were read by the list of ${communeList}.`,
      vi: `Mã xã không ghi rõ danh mục được hiểu theo danh mục năm ${communeList}.`,
    });
  }
  for (const { line, problems } of report.problems) {
    for (const { field, reason } of problems) {
      context.say(
        `${context.language === 'vi' ? 'Dòng' : 'Line'} ${String(line)}${field === null ? '' : `, ${field}`}: ${wordsOf(reason)[context.language]}`,
      );
    }
  }
  for (const { name, value } of report.handed) {
    context.say({
      en: `First password of ${name}, to be changed at the first log-in, shown this once: ${value}`,
      vi: `Mật khẩu lần đầu của ${name}, phải đổi khi đăng nhập lần đầu, chỉ hiện một lần: ${value}`,
    });
  }
  const sums = [total, added, changed, unchanged, waiting, refused].map(String);
  const [all, ...each] = sums;
  context.say(
    dryRun
      ? {
          en: `Dry run: of ${String(all)} rows ${each.join(' / ')} would be added / changed / unchanged / waiting for a decision / refused. Nothing was changed.`,
          vi: `Chạy thử: trong ${String(all)} dòng có ${each.join(' / ')} dòng sẽ thêm mới / thay đổi / giữ nguyên / chờ xử lý / bị từ chối. Chưa có gì thay đổi.`,
        }
      : {
          en: `${String(total)} rows: ${String(added)} added, ${String(changed)} changed, ${String(unchanged)} unchanged, ${String(waiting)} waiting for a decision, ${String(refused)} refused.`,
          vi: `${String(total)} dòng: ${String(added)} thêm mới, ${String(changed)} thay đổi, ${String(unchanged)} giữ nguyên, ${String(waiting)} chờ xử lý, ${String(refused)} bị từ chối.`,
        },
  );
  if (!complete) {
    context.say({
      en: `Stopped before the end. It goes on with --resume ${report.run}.`,
      vi: `Đã dừng trước khi xong. Làm tiếp bằng --resume ${report.run}.`,
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
  const rows = problems.slice(0, problemsTold).map(({ line, problems: [first, ...more] }) => ({
    line,
    ...(first !== undefined && told(first)),
    ...(more.length > 0 && { more: more.map(told) }),
  }));
  const passwords = report.handed.map(({ name, value }) => ({ login: name, password: value }));
  return {
    total,
    added,
    changed,
    unchanged,
    waiting,
    refused,
    rows,
    run: id,
    complete,
    unknownColumns,
    ...decisions,
    ...(report.dryRun && { dryRun: true }),
    ...(passwords.length > 0 && { passwords }),
  };
}

function wordsOf(reason: Reason): { readonly en: string; readonly vi: string } {
  const { en, vi } = catalogue[reason];
  return { en, vi };
}
