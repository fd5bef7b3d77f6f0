import Button from '@mui/material/Button';
import { useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';
import { LinkBase, useNavigate } from 'react-admin';
import { exportLimit } from '../api/data-provider.ts';
import { goesOutAsRun } from '../api/exports.ts';
import { GraphRefusal } from '../api/graph.ts';
import { amount } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { notice } from '../parts/notices.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';
import { usePreferences } from '../shell/use-preferences.ts';
import { csvOf, handOver } from './csv.ts';
import { Filters } from './filters.tsx';
import { ColumnChoice } from './column-choice.tsx';
import type { CellTools, Column, ListScreen } from './screen.ts';
import { useList, type ListState } from './use-list.ts';

/** A list: how it was filtered, its rows (cards on a phone), and the way on. The same habits for every kind of record. */
export function RecordList<Row extends { readonly id: string }>({
  screen,
  more,
}: {
  readonly screen: ListScreen<Row>;
  readonly more?: ReactNode;
}): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const navigate = useNavigate();
  const list = useList(screen);
  const [exporting, setExporting] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const switched = usePreferences().columns[screen.resource] ?? {};
  const columns = screen.columns.filter(({ key, spare }) => switched[key] ?? spare !== true);
  const tools: CellTools = { say, typed: list.filter.text ?? '' };

  const { resource } = screen;
  const { count } = list;
  const long =
    count !== undefined && (count.atLeast || count.value > exportLimit) && goesOutAsRun(resource) && may('export:start');
  const exportAll = async (): Promise<void> => {
    setExporting(true);
    setFailure(null);
    try {
      if (long) {
        const started = await hub.startExport(resource, list.filter, crypto.randomUUID());
        if (started.ok) navigate(`/runs/${started.run}/show`);
        else setFailure(new GraphRefusal(started.refused.message, 400, started.refused.code, null));
        return;
      }
      const { nodes, more: longer } = await hub.everything<Row>(screen.resource, list.filter, list.order);
      const lines = nodes.map((row) => columns.map(({ text }) => text(row, { ...tools, typed: '' })));
      handOver(`${screen.resource}.csv`, csvOf([columns.map(({ label }) => say(label)), ...lines]));
      notice(say(longer ? 'list.exportedPart' : 'list.exported', { smart_count: nodes.length }));
    } catch (error) {
      setFailure(error);
    } finally {
      setExporting(false);
    }
  };

  return (
    <div className="page list-page">
      {screen.tabs === undefined ? null : <Tabs resources={screen.tabs} />}
      <div className="title-line">
        <h1>{say(`title.${screen.resource}`)}</h1>
        <p className="count" aria-live="polite">
          {list.count === undefined
            ? ' '
            : say(list.count.atLeast ? 'list.countAtLeast' : 'list.count', { count: amount(list.count.value) })}
        </p>
        <div className="acts">
          {screen.create !== undefined && may(screen.create) ? (
            <Button size="small" variant="outlined" onClick={() => navigate(`/${screen.resource}/create`)}>
              {say('form.add')}
            </Button>
          ) : null}
          <ColumnChoice resource={screen.resource} columns={screen.columns} />
          <Button size="small" disabled={exporting} onClick={() => void exportAll()}>
            {say(exporting ? 'list.exporting' : long ? 'list.exportRun' : 'list.export')}
          </Button>
          <Button size="small" onClick={() => print()}>
            {say('list.print')}
          </Button>
        </div>
      </div>
      {failure === null ? null : <Refusal error={failure} />}
      {more}
      <Filters screen={screen} list={list} />
      {list.error !== null && list.error !== undefined ? (
        <Refusal error={list.error} again={list.again} />
      ) : (
        <Rows screen={screen} columns={columns} list={list} tools={tools} />
      )}
    </div>
  );
}

interface RowsProps<Row> {
  readonly screen: ListScreen<Row>;
  readonly columns: readonly Column<Row>[];
  readonly list: ListState<Row>;
  readonly tools: CellTools;
}

const skeletonRows = Array.from({ length: 12 }, (_, index) => index);

function Rows<Row extends { readonly id: string }>({ screen, columns, list, tools }: RowsProps<Row>): ReactNode {
  const { say } = tools;
  if (list.rows?.length === 0 && list.page === 1) return <Nothing screen={screen} list={list} />;
  return (
    <>
      <table
        className={list.refreshing ? 'rows refreshing' : 'rows'}
        role="table"
        aria-busy={list.rows === undefined || list.refreshing}
      >
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <Heading key={column.key} column={column} list={list} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {list.rows === undefined
            ? skeletonRows.map((index) => (
                <tr key={index} role="row" className="skeleton" aria-hidden="true">
                  {columns.map(({ key }) => (
                    <td key={key} role="cell">
                      <span />
                    </td>
                  ))}
                </tr>
              ))
            : list.rows.map((row) => <Line key={row.id} row={row} screen={screen} columns={columns} tools={tools} />)}
        </tbody>
      </table>
      <nav className="pages" aria-label={say('list.page', { page: list.page })}>
        <Button size="small" variant="outlined" disabled={list.page === 1} onClick={() => list.turn(list.page - 1)}>
          {say('list.previous')}
        </Button>
        <span className="figures">{say('list.page', { page: list.page })}</span>
        <Button size="small" variant="outlined" disabled={!list.hasNext} onClick={() => list.turn(list.page + 1)}>
          {say('list.next')}
        </Button>
      </nav>
    </>
  );
}

function Heading<Row>({ column, list }: { readonly column: Column<Row>; readonly list: ListState<Row> }): ReactNode {
  const say = useSay();
  const { sort, label } = column;
  const room = `room-${column.size ?? 'words'}`;
  if (sort === undefined) {
    return (
      <th role="columnheader" scope="col" className={room}>
        {say(label)}
      </th>
    );
  }
  const now = list.order?.field === sort ? list.order.order : null;
  return (
    <th
      role="columnheader"
      scope="col"
      className={room}
      aria-sort={now === null ? 'none' : now === 'ASC' ? 'ascending' : 'descending'}
    >
      <button type="button" onClick={() => list.sortBy(sort)} title={say('list.sort', { name: say(label) })}>
        {say(label)}
        <span aria-hidden="true">{now === null ? '↕' : now === 'ASC' ? '↑' : '↓'}</span>
      </button>
    </th>
  );
}

function Line<Row extends { readonly id: string }>({
  row,
  screen,
  columns,
  tools,
}: {
  readonly row: Row;
  readonly screen: ListScreen<Row>;
  readonly columns: readonly Column<Row>[];
  readonly tools: CellTools;
}): ReactNode {
  const navigate = useNavigate();
  const to = screen.address?.(row) ?? null;
  const openRow = (event: MouseEvent): void => {
    // Links in the row open themselves, and marked text is meant to be copied.
    if (to === null || (event.target instanceof Element && event.target.closest('a, button') !== null)) return;
    if (getSelection()?.isCollapsed !== false) navigate(to);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && event.target === event.currentTarget && to !== null) navigate(to);
  };
  return (
    <tr role="row" data-row tabIndex={-1} className={to === null ? undefined : 'opens'} onClick={openRow} onKeyDown={onKey}>
      {columns.map(({ key, label, cell, text, figures, size }, index) => {
        const content = cell?.(row, tools) ?? text(row, tools);
        return (
          <td
            key={key}
            role="cell"
            data-label={tools.say(label)}
            className={figures === true ? 'figures' : undefined}
            title={size === 'long' ? text(row, tools) : undefined}
          >
            {index === 0 && to !== null ? (
              <LinkBase to={to} className="row-link">
                {content}
              </LinkBase>
            ) : (
              content
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** An empty list says why it is empty and what to do next. */
function Nothing<Row>({ screen, list }: { readonly screen: ListScreen<Row>; readonly list: ListState<Row> }): ReactNode {
  const say = useSay();
  const filtered = Object.keys(list.filter).length > 0;
  return (
    <div className="nothing">
      <p>{filtered ? say('list.emptyFiltered') : say(`empty.${screen.resource}`)}</p>
      {filtered ? (
        <>
          <p>{say('list.emptyNext')}</p>
          <Button
            variant="outlined"
            onClick={() => {
              list.type('');
              list.open('');
            }}
          >
            {say('list.clear')}
          </Button>
        </>
      ) : null}
    </div>
  );
}
