import type { SubgraphName } from '../audit/audit.ts';
import type { Permission } from '../auth/permissions.ts';
import type { ExportFileKind } from '../db/hub.entity.ts';

/* What a subgraph says about one list that goes out as a file; how lists are read, written down and put together is the same for all. */

/** A record as its list answers it. */
export type Node = Readonly<Record<string, unknown>>;
/** By column. */
export type Cells = Readonly<Record<string, string | null>>;

/** Who answers a list, under which right, and the field of an export's filter that narrows it. */
export const exportHomes = {
  CITIZENS: { subgraph: 'citizens', permission: 'citizen:read', filter: 'citizens' },
  CARDS: { subgraph: 'insurance', permission: 'card:read', filter: 'cards' },
  RESULTS: { subgraph: 'results', permission: 'result:read', filter: 'results' },
  REFERRAL_SLIPS: { subgraph: 'slips', permission: 'slip:read', filter: 'slips' },
  REEXAMINATION_SLIPS: { subgraph: 'slips', permission: 'slip:read', filter: 'slips' },
  DISCREPANCIES: { subgraph: 'citizens', permission: 'discrepancy:read', filter: 'discrepancies' },
  WORK_ITEMS: { subgraph: 'organisation', permission: 'work:read', filter: 'workItems' },
  AUDIT: { subgraph: 'organisation', permission: 'audit:read', filter: 'audit' },
} as const satisfies Readonly<
  Record<ExportFileKind, { readonly subgraph: SubgraphName; readonly permission: Permission; readonly filter: string }>
>;

export interface ExportKind {
  readonly kind: ExportFileKind;
  /** Of the command line, and of the file: `citizens`. */
  readonly word: string;
  /** Field of the graph, the type of its filter, and what is asked of each record; `id` among it. */
  readonly list: string;
  readonly filterType: string;
  readonly selection: string;
  /** `id`: ascending. `latest`: the latest first; nothing comes in between. */
  readonly order: 'id' | 'latest';
  /** Under the names that an import takes where there is one. `unitCodes` by id of the unit. */
  cells(node: Node, unitCodes: ReadonlyMap<string, string>): Cells;
}

/** A word of ours or a value of a record; `null`: there is none. */
export function textOf(node: Node | null, field: string): string | null {
  const value = node?.[field];
  return typeof value === 'string' ? value : null;
}

export function nodeIn(node: Node, field: string): Node | null {
  const value = node[field];
  return typeof value === 'object' && value !== null ? (value as Node) : null;
}

/** The listed fields as they are, under names of columns. */
export function plainCells(node: Node, columns: Readonly<Record<string, string>>): Cells {
  return Object.fromEntries(Object.entries(columns).map(([column, field]) => [column, textOf(node, field)]));
}
