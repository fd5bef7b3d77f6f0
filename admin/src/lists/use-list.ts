import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useGetList, useLocation, useNavigate } from 'react-admin';
import type { Filter } from '../api/resources.ts';
import type { Count } from '../api/records.ts';
import { useAsk } from '../parts/use-hub.ts';
import { readChoices, readOrder, writeChoices, type Order } from './choices.ts';
import type { ListScreen } from './screen.ts';
import { onText, rememberText, textOf } from './tab-text.ts';

const perPage = 25;
/** One asks when the typing pauses so long, milliseconds. */
const pause = 120;
/** Where one was in each list, for the way back; in this tab alone. */
const pagesSeen = new Map<string, number>();

export interface ListState<Row> {
  readonly rows: readonly Row[] | undefined;
  readonly error: unknown;
  readonly again: () => void;
  readonly refreshing: boolean;
  readonly filter: Filter;
  /** The choices alone, without what was typed. */
  readonly chosen: Filter;
  readonly order: Order | null;
  readonly typed: string;
  readonly query: string;
  readonly count: Count | undefined;
  readonly page: number;
  readonly hasNext: boolean;
  choose(change: Filter): void;
  open(query: string): void;
  sortBy(field: string): void;
  type(text: string): void;
  turn(page: number): void;
}

function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  return text === '' ? '' : paused;
}

/** What goes on while nobody looks: asked again whenever one comes back, however short the while. */
const changesByItself: ReadonlySet<string> = new Set(['runs', 'imports', 'work']);

/** `rows: false`: how a list is filtered and how long it is, for a screen that reads its rows in its own way. */
export function useList<Row extends { readonly id: string }>(
  screen: ListScreen<Row>,
  { rows = true }: { readonly rows?: boolean } = {},
): ListState<Row> {
  const { resource, choices, columns, text } = screen;
  const { search, pathname } = useLocation();
  const navigate = useNavigate();
  const typed = useSyncExternalStore(onText, () => textOf(resource));
  const asked = text?.ask(usePaused(typed)) ?? null;
  const searchText = asked !== null && 'text' in asked ? asked.text : '';

  const chosen = readChoices(choices, search);
  const sortable = columns.flatMap(({ sort }) => sort ?? []);
  const order = readOrder(sortable, search);
  const filter: Filter = searchText === '' ? chosen : { ...chosen, text: searchText };
  const query = writeChoices(choices, chosen, order);
  const place = `${resource}?${query}#${searchText}`;
  const [, redraw] = useState(0);
  const page = pagesSeen.get(place) ?? 1;

  const list = useGetList<Row & { id: string }>(
    resource,
    { pagination: { page, perPage }, ...(order !== null && { sort: order }), filter },
    { placeholderData: keepPreviousData, enabled: rows, ...(changesByItself.has(resource) && { refetchOnMount: 'always' }) },
  );
  const counted = useAsk(['count', resource, filter], (hub, options) => hub.count(resource, filter, options), {
    enabled: !rows || list.data !== undefined,
    keep: true,
  });

  const go = (change: Filter, nextOrder: Order | null): void => {
    const next = writeChoices(choices, { ...chosen, ...change }, nextOrder);
    navigate(next === '' ? pathname : `${pathname}?${next}`, { replace: true });
  };
  return {
    rows: list.data,
    error: list.error,
    again: () => void list.refetch(),
    refreshing: list.isPlaceholderData,
    filter,
    chosen,
    order,
    typed,
    query,
    count: counted.data,
    page,
    hasNext: list.pageInfo?.hasNextPage ?? false,
    choose: (change) => go(change, order),
    open: (next) => navigate(next === '' ? pathname : `${pathname}?${next}`),
    sortBy(field) {
      const turned = order?.field === field && order.order === 'ASC' ? 'DESC' : 'ASC';
      go({}, order?.field === field && order.order === 'DESC' ? null : { field, order: turned });
    },
    type: (next) => rememberText(resource, next),
    turn(next) {
      pagesSeen.set(place, next);
      redraw((n) => n + 1);
      document.getElementById('content')?.scrollIntoView({ block: 'start' });
    },
  };
}
