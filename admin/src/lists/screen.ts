import type { ReactNode } from 'react';
import type { ResourceName } from '../api/resources.ts';
import type { Permission } from '../api/rights.ts';
import type { MessageKey } from '../i18n/vi.ts';
import type { Say } from '../i18n/words.ts';
import type { Choice } from './choices.ts';

export interface CellTools {
  readonly say: Say;
  /** What is searched for, to mark it. */
  readonly typed: string;
}

export interface Column<Row> {
  readonly key: string;
  readonly label: MessageKey;
  /** As plain text: for the file, and on the screen where `cell` says nothing else. */
  readonly text: (row: Row, tools: CellTools) => string;
  readonly cell?: (row: Row, tools: CellTools) => ReactNode;
  readonly sort?: string;
  /** Off until chosen. */
  readonly spare?: boolean;
  readonly figures?: boolean;
  /** How much room it needs in a row; the styles know how much that is. Absent: some words. */
  readonly size?: 'name' | 'day' | 'instant' | 'number' | 'code' | 'phrase' | 'short' | 'long' | 'marks';
}

/** How a list typed into is searched: what of it may be asked, or why not yet. */
export interface TextSearch {
  readonly label: MessageKey;
  readonly ask: (typed: string) => { readonly text: string } | { readonly hint: MessageKey } | null;
}

export interface ListScreen<Row> {
  readonly resource: Exclude<ResourceName, 'units' | 'queues' | 'settings'>;
  readonly columns: readonly Column<Row>[];
  readonly choices: readonly Choice[];
  readonly text?: TextSearch;
  readonly address?: (row: Row) => string | null;
  /** Whoever has this right may add one by hand. */
  readonly create?: Permission;
  /** Screens of the same place, as tabs. */
  readonly tabs?: readonly ResourceName[];
}
