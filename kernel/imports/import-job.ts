import type { SubgraphName } from '../audit/audit.ts';
import type { Permission } from '../auth/permissions.ts';
import type { Database } from '../db/database.ts';
import type { ImportFileKind } from '../db/hub.entity.ts';
import { openFileStore } from '../files/file-store.ts';
import { Busy, defineRun, type RunJob, type RunTools } from '../jobs/define-job.ts';
import type { ImportKind } from './import-kind.ts';
import { Importing, type PageRange } from './import-run.ts';

/*
 * Files that came by the graph, as runs of the common mechanism: one that reads and tries the file as soon as its bytes are there, one that
 * applies it page by page when somebody has said so.
 */

/** Kinds that come by the graph. Accounts do not: their first passwords are handed over where the command runs, once. */
const homes = {
  CITIZENS: { subgraph: 'citizens', permission: 'import:send' },
  CARDS: { subgraph: 'insurance', permission: 'import:send' },
  RESULTS: { subgraph: 'results', permission: 'import:send' },
  UNITS: { subgraph: 'organisation', permission: 'unit:write' },
} as const satisfies Partial<Record<ImportFileKind, { subgraph: SubgraphName; permission: Permission }>>;
export type SentKind = keyof typeof homes;

export interface CheckPlan {
  readonly importId: string;
}
export interface ApplyPlan extends CheckPlan {
  /** Heading → column, as whoever applies it says; without entries as it was recognised. */
  readonly mapping: readonly { readonly heading: string; readonly column: string | null }[];
}

/** What opens a run; the bodies are where the kind is. */
export type ImportOpening = Pick<RunJob, 'name' | 'kind' | 'subgraph' | 'queue' | 'permission' | 'checkPlan'>;

export function importOpening(kind: SentKind, act: 'check' | 'apply'): ImportOpening {
  const name = act === 'check' ? `check-${kind.toLowerCase()}` : `import-${kind.toLowerCase()}`;
  return { name, kind: 'IMPORT', queue: 'files', ...homes[kind], checkPlan: (plan) => void planOf(plan) };
}

/** Seconds between two looks for bytes that are still awaited. */
const look = 2;

export function importJobs(kind: ImportKind): readonly RunJob[] {
  const { kind: name } = kind;
  if (name === 'ACCOUNTS') return [];
  const through = (tools: RunTools): Importing => {
    const database: Database = {
      transaction: (_session, body) => tools.transaction(body),
      untold: (_session, body) => tools.transaction(body),
      close: () => Promise.resolve(),
    };
    return new Importing({ database, clock: tools.clock, identifierKey: tools.identifierKey }, kind, tools.caller);
  };
  const whole = { from: 0, to: 0 };
  return [
    defineRun<CheckPlan, PageRange>({
      ...importOpening(name, 'check'),
      parsePlan: planOf,
      parsePage: rangeOf,
      async *plan(_tools, _plan, last) {
        await Promise.resolve();
        if (last === null) yield [{ page: whole, size: 1 }];
      },
      async work(tools, { importId }) {
        const importing = through(tools);
        const came = await importing.receive(importId, openFileStore(tools.settings.filesDir));
        if (came === 'awaited') throw new Busy(look);
        if (came === 'refused') return await tools.inPage(() => Promise.resolve({ done: 1, refused: 1 }));
        const report = await importing.check(importId, { signal: tools.signal, progress: () => undefined });
        if (!report.complete) throw new Busy(look);
        return await tools.inPage(() => Promise.resolve({ done: 1 }));
      },
    }),
    defineRun<ApplyPlan, PageRange>({
      ...importOpening(name, 'apply'),
      parsePlan: planOf,
      parsePage: rangeOf,
      async *plan(tools, { importId, mapping }, last) {
        const importing = through(tools);
        if (last === null && mapping.length > 0) await importing.remap(importId, mapping);
        yield* importing.pages(importId, last?.to ?? 0);
      },
      work: (tools, { importId }, range) => tools.inPage((tx) => through(tools).range(tx, importId, range)),
      finish: async (tools, { importId }) => await through(tools).summary(importId),
    }),
  ];
}

function planOf(json: unknown): ApplyPlan {
  if (typeof json !== 'object' || json === null || !('importId' in json) || typeof json.importId !== 'string')
    throw new Error('no plan of an import');
  const mapping: unknown = 'mapping' in json ? json.mapping : [];
  if (!Array.isArray(mapping)) throw new Error('no mapping of an import');
  return {
    importId: json.importId,
    mapping: mapping.map((one: unknown) => {
      if (typeof one !== 'object' || one === null || !('heading' in one) || typeof one.heading !== 'string')
        throw new Error('no mapping of an import');
      return { heading: one.heading, column: 'column' in one && typeof one.column === 'string' ? one.column : null };
    }),
  };
}

function rangeOf(json: unknown): PageRange {
  if (typeof json !== 'object' || json === null || !('from' in json) || !('to' in json)) throw new Error('no page of an import');
  return { from: Number(json.from), to: Number(json.to) };
}
