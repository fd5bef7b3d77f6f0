import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { systemClock } from '#kernel/clock.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import type { Cells, ExportKind } from '#kernel/exports/export-kind.ts';
import { headOf, lineOf, readPage, unitCodesOf } from '#kernel/exports/export-pages.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { asOption, operatorOf } from './operator.ts';
import { wordAt } from './register.ts';
import { UsageError, type Verb, type VerbArguments, type VerbContext } from './verb.ts';

/*
 * Records as a file. They are read like any other answer of the graph, a hundred at a time: under the scope of whoever asks as it is at that page,
 * masked as his role and purpose say, and audited with everyone whose data are in it before the page is written.
 */

const kinds = new Map(
  allSubgraphs.flatMap(({ name, exports = [] }) => exports.map((kind) => [kind.word, { kind, subgraph: name }])),
);

/** Milliseconds after which it is looked again who asks and what he may. */
const recheck = 5_000;

export const verb: Verb = {
  usage: `${[...kinds.keys()].join('|')} FILE [--as LOGIN] [--jsonl]`,
  help: {
    en: 'Writes records as CSV or JSON lines, as far as the account sees them, masked as its role says; audited page by page. A CSV of citizens, cards or results can be imported again.',
    vi: 'Ghi hồ sơ ra tệp CSV hoặc JSON từng dòng, trong phạm vi và mức che dữ liệu của tài khoản; ghi nhật ký theo từng trang. Tệp CSV công dân, thẻ, kết quả có thể nhập lại.',
  },
  options: {
    as: asOption,
    jsonl: { type: 'boolean', help: { en: 'One JSON object a line.', vi: 'Mỗi dòng một đối tượng JSON.' } },
  },
  async run(context, args) {
    const name = args.words[0] ?? '';
    const found = kinds.get(name);
    if (found === undefined) {
      const known = [...kinds.keys()].join(', ');
      throw new UsageError({ en: `Say what to export: ${known}.`, vi: `Hãy nêu loại hồ sơ cần ghi ra: ${known}.` });
    }
    const { kind, subgraph } = found;
    const format = args.flag('jsonl') ? 'JSONL' : 'CSV';
    const path = wordAt(args, 1, 'FILE');
    const opened = await context.database();
    const { identifierKey } = opened;
    const { registry } = createMetrics('hub-export');
    const door = openReadDoor({ connection: opened.roleUrl('reader'), registry });
    const audit = openReadAudit({ connection: opened.roleUrl('reader'), registry });
    const database = await openDatabase({
      url: opened.roleUrl(subgraph),
      entities: [],
      connections: 1,
      applicationName: 'hub-export',
    });
    const module = allSubgraphs.find((one) => one.name === subgraph);
    if (module === undefined) throw new Error(`no subgraph ${subgraph}`);
    const auditor =
      kind.kind === 'AUDIT' ? openReadDoor({ connection: opened.roleUrl('auditor'), registry, name: 'auditor' }) : null;
    const deps = { door, clock: systemClock, identifierKey, ...(auditor !== null && { auditor }) };
    const runtime = openRuntime(module, deps, audit);
    const part = `${path}.part`;
    const progress = context.progress({ en: 'records', vi: 'hồ sơ' });
    let total = 0;
    try {
      const lines = async function* (): AsyncGenerator<string> {
        yield headOf(kind, format);
        for await (const page of pagesOf(context, args, { name, kind, database, runtime })) {
          total += page.length;
          yield page.map((cells) => lineOf(cells, format)).join('');
          progress.at(total, null);
        }
      };
      await pipeline(Readable.from(lines()), createWriteStream(part, { mode: 0o600 }), { signal: context.signal });
      // Half a file is never taken for a whole one.
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    } finally {
      progress.end();
      await runtime.close();
      await Promise.all([audit.close(), door.close(), auditor?.close(), database.close()]);
    }
    context.say({ en: `${String(total)} records are in ${path}`, vi: `${String(total)} hồ sơ nằm trong ${path}` });
    return { exit: 0, json: { total, file: path } };
  },
};

interface Reading {
  readonly name: string;
  readonly kind: ExportKind;
  readonly database: Database;
  readonly runtime: SubgraphRuntime;
}

async function* pagesOf(
  context: VerbContext,
  args: VerbArguments,
  { name, kind, database, runtime }: Reading,
): AsyncGenerator<readonly Cells[]> {
  const unitCodes = await database.transaction({ units: everyUnit, principal: 'cli' }, unitCodesOf);
  // The audit grows while it is read: what comes later is not in the file.
  const filter = kind.order === 'latest' ? { to: systemClock.now().toISOString() } : null;
  let caller: Caller | null = null;
  let checkedAt = 0;
  for (let after: string | null = null; ;) {
    if (caller === null || performance.now() - checkedAt > recheck) {
      caller = await operatorOf(context, args, database, `export ${name}`);
      checkedAt = performance.now();
    }
    const page = await readPage({ kind, graph: runtime, caller, filter, signal: context.signal }, after);
    if (page.nodes.length > 0) yield page.nodes.map((node) => kind.cells(node, unitCodes));
    if (!page.more || page.endCursor === null) return;
    after = page.endCursor;
  }
}
