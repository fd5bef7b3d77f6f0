import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Transaction } from '../db/database.ts';
import type { ExportFileKind, ExportFormat } from '../db/hub.entity.ts';
import { refusal } from '../errors/hub-error.ts';
import { openFileStore, type FileStore } from '../files/file-store.ts';
import { Busy, defineRun, type RunJob, type RunTools } from '../jobs/define-job.ts';
import { exportHomes, textOf, type ExportKind, type Node } from './export-kind.ts';
import { headOf, lineOf, lookAhead, readPage, unitCodesOf, type Exporting } from './export-pages.ts';

/*
 * A list goes out as a run of the common mechanism: the list is walked by its cursors, page by page its records are read, written down and laid
 * aside as a part of the file, and the parts are put together at the end. What is there when the walk comes by is in the file, each record once.
 *
 * A part is there under its own name before its page is done; a page that runs twice makes the same part twice. Parts and files are kept for a
 * day: an export that rests longer than that cannot be ended any more and says so.
 */

export interface ExportPlan {
  readonly exportId: string;
}

/** From behind one cursor to a record, `null`: to the end of the list. */
export interface ExportRange {
  readonly no: number;
  readonly after: string | null;
  readonly until: string | null;
  /** Behind it the next page begins; `null`: there is none. */
  readonly end: string | null;
}

/** Pages of the list in one page of the run: some thousand records, a part of some hundred KiB. */
const listPages = 10;
/** Hours for which a file may be taken. */
const keptHours = 24;

/** What opens a run; the body is where the kind is. */
export type ExportOpening = Pick<RunJob, 'name' | 'kind' | 'subgraph' | 'queue' | 'permission' | 'checkPlan'>;

export function exportOpening(kind: ExportFileKind): ExportOpening {
  const { subgraph, permission } = exportHomes[kind];
  const name = `export-${kind.toLowerCase().replaceAll('_', '-')}`;
  return { name, kind: 'EXPORT', queue: 'files', subgraph, permission, checkPlan: (plan) => void planOf(plan) };
}

interface Source {
  readonly format: ExportFormat;
  readonly filter: object | null;
  readonly storedAs: string | null;
  readonly parts: number;
  readonly lastPart: number | null;
  readonly rows: number;
}

export function exportJob(kind: ExportKind): RunJob {
  const partOf = (exportId: string, no: number): string =>
    createHash('sha256')
      .update(`${exportId}.${String(no)}`)
      .digest('hex')
      .slice(0, 32);

  async function opened(tools: RunTools, { exportId }: ExportPlan): Promise<{ source: Source; exporting: Exporting }> {
    const source = await tools.transaction((tx) => sourceOf(tx, exportId, tools.units));
    // The audit grows while it is read: what comes later is not in the file.
    const until = kind.order === 'latest' ? { to: tools.run.openedAt.toISOString() } : {};
    const filter = kind.order === 'latest' ? { ...until, ...source.filter } : source.filter;
    return { source, exporting: { kind, graph: await tools.graph(), caller: tools.caller, filter, signal: tools.signal } };
  }

  return defineRun<ExportPlan, ExportRange>({
    ...exportOpening(kind.kind),
    parsePlan: planOf,
    parsePage: rangeOf,
    async *plan(tools, plan, last) {
      if (last !== null && last.end === null) return;
      const { exporting } = await opened(tools, plan);
      let [no, after] = [last?.no ?? 0, last?.end ?? null];
      for (let more = true; more;) {
        const [from, ahead] = [after, { size: 0, until: null as string | null }];
        for (let n = 0; n < listPages && more; n += 1) {
          const page = await lookAhead(exporting, after);
          const id = textOf(page.nodes.at(-1) ?? null, 'id');
          ahead.size += page.nodes.length;
          ahead.until = id ?? ahead.until;
          [after, more] = [page.endCursor, page.more && page.endCursor !== null];
        }
        no += 1;
        const page = { no, after: from, until: more ? ahead.until : null, end: more ? after : null };
        yield [{ page, size: ahead.size }];
      }
    },
    async work(tools, plan, range) {
      const { source, exporting } = await opened(tools, plan);
      const unitCodes = await tools.transaction(unitCodesOf);
      const lines: string[] = [];
      for await (const node of nodesIn(exporting, range)) lines.push(lineOf(kind.cells(node, unitCodes), source.format));
      await kept(openFileStore(tools.settings.filesDir), partOf(plan.exportId, range.no), lines.join(''));
      return await tools.inPage(async (tx) => {
        await tx.query(
          `update hub.export_file set parts = parts + 1, rows = rows + $2, last_part = coalesce($3, last_part)
           where id = $1 and coalesce(unit_no <@ $4::int4multirange, false)`,
          [plan.exportId, lines.length, range.end === null ? range.no : null, tools.units],
        );
        return { done: lines.length };
      });
    },
    async finish(tools, plan) {
      const { source } = await opened(tools, plan);
      const { lastPart, parts, rows, format } = source;
      if (source.storedAs !== null) return { rows };
      if (lastPart === null || parts !== lastPart) throw refusal('EXPORT_INCOMPLETE');
      const store = openFileStore(tools.settings.filesDir);
      const names = Array.from({ length: lastPart }, (_, index) => partOf(plan.exportId, index + 1));
      let bytes = 0;
      const whole = async function* (): AsyncGenerator<Buffer> {
        yield Buffer.from(headOf(kind, format));
        for (const name of names) {
          tools.signal.throwIfAborted();
          const part = await store.read(name).catch(() => null);
          if (part === null) throw refusal('EXPORT_INCOMPLETE');
          bytes += part.length;
          yield part;
        }
      };
      const storedAs = await store.keep(Readable.from(whole()), Number.MAX_SAFE_INTEGER);
      await tools.transaction((tx) =>
        tx.query(
          `update hub.export_file set stored_as = $2, bytes = $3, filter = null, version = version + 1,
             expires_at = clock_timestamp() + make_interval(hours => $4)
           where id = $1 and coalesce(unit_no <@ $5::int4multirange, false)`,
          [plan.exportId, storedAs, bytes + Buffer.byteLength(headOf(kind, format)), keptHours, tools.units],
        ),
      );
      for (const name of names) await store.remove(name);
      return { rows };
    },
  });
}

/** The records of a range, whatever came in between since it was planned: each record of the list is in one range. */
async function* nodesIn(exporting: Exporting, { after, until }: ExportRange): AsyncGenerator<Node> {
  const byId = exporting.kind.order === 'id';
  let cursor = after;
  for (let n = 1; ; n += 1) {
    const page = await readPage(exporting, cursor);
    for (const node of page.nodes) {
      const id = textOf(node, 'id') ?? '';
      if (until !== null && byId && id > until) return;
      yield node;
      if (until !== null && id === until) return;
    }
    if (!page.more || page.endCursor === null || (until !== null && !byId && n >= listPages)) return;
    cursor = page.endCursor;
  }
}

async function kept(store: FileStore, name: string, text: string): Promise<void> {
  try {
    await store.put(name, Buffer.from(text));
  } catch (error) {
    // A full disk is made room on; nothing is lost by waiting.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOSPC') throw new Busy(30, error);
    throw error;
  }
}

async function sourceOf(tx: Transaction, id: string, units: string): Promise<Source> {
  const [found] = await tx.query<Source>(
    `select format, filter, stored_as as "storedAs", parts, last_part as "lastPart", rows from hub.export_file
     where id = $1 and coalesce(unit_no <@ $2::int4multirange, false)`,
    [id, units],
  );
  if (found === undefined) throw refusal('EXPORT_UNKNOWN');
  return found;
}

function planOf(json: unknown): ExportPlan {
  if (typeof json !== 'object' || json === null || !('exportId' in json) || typeof json.exportId !== 'string')
    throw new Error('no plan of an export');
  return { exportId: json.exportId };
}

function rangeOf(json: unknown): ExportRange {
  if (typeof json !== 'object' || json === null || !('no' in json)) throw new Error('no page of an export');
  const { no, after, until, end }: Readonly<Record<string, unknown>> = { ...json };
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { no: Number(no), after: text(after), until: text(until), end: text(end) };
}
