import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { countLimit, decodeCursor, parseFirst } from '#kernel/page.ts';
import { countFrom } from '#kernel/records/record-page.ts';
import { lockOne, unitsInScope, type Walk } from '#kernel/records/record-table.ts';
import { emptyPage, highestId, LatestPage, lowestId, type KeysetRow, type BoundPage } from './pages.ts';

export type RunKind = 'RECONCILE' | 'IMPORT' | 'EXPORT';

export interface Run extends KeysetRow {
  readonly version: number;
  readonly kind: string;
  readonly state: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly total: number | null;
  readonly done: number;
  readonly refused: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly startedBy: string;
}

const columns = `c.id::text as id, c.version, c.kind, c.state, c.started_at as "startedAt", c.ended_at as "endedAt", c.total, c.done, c.refused,
  c.counts, c.started_by as "startedBy"`;

export interface Queue {
  readonly name: string;
  readonly waiting: number;
  readonly leased: number;
  readonly oldest: number;
  readonly poison: number;
  readonly backend: string | null;
  readonly reachable: boolean | null;
  readonly seenAt: string | null;
}

/** Every queue that holds something or was looked at; numbers only, of every unit. */
export function queuesNow(door: ReadDoor, scope: RowScope): Promise<readonly Queue[]> {
  return door.rows<Queue>(
    'runs.queues',
    `select coalesce(n.queue, s.queue) as name, coalesce(n.waiting, 0) as waiting, coalesce(n.leased, 0) as leased, coalesce(n.oldest, 0) as oldest,
       coalesce(n.poison, 0) as poison, s.backend, s.reachable, s.at as "seenAt"
     from hub.queue_numbers() n full join hub.queue_seen s on s.queue = n.queue where $1::int4multirange is not null order by 1`,
    scope,
    [],
  );
}

/** One run of the units in scope. */
export async function oneRun(door: ReadDoor, scope: RowScope, id: string): Promise<Run | null> {
  if (!isUuid(id.toLowerCase())) return null;
  const [row] = await door.rows<Omit<Run, 'key'>>(
    'runs.one',
    `select ${columns} from hub.run c where c.id = $2::uuid and ${lockOne('c', ['unit_no'])}`,
    scope,
    [id.toLowerCase()],
  );
  return row === undefined ? null : { ...row, key: [row.id] };
}

/** Runs of one kind, the latest first: few units are walked along `(unit_no, kind, id)`, many along `(kind, id)`. */
export async function runPage(
  door: ReadDoor,
  scope: RowScope,
  walk: Walk,
  kind: RunKind,
  page: BoundPage,
): Promise<LatestPage<Run>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const binding = page.cursors('runs', kind, 'LATEST');
  const behind = after === null ? highestId : String(decodeCursor(binding, after, 1)[0]);
  if (scope.unitCount === 0 || (!isUuid(behind) && behind !== highestId)) return emptyPage(binding);
  const rows = await door.rows<Omit<Run, 'key'>>(
    'runs.page',
    // The inner limit holds the planner to one look-up by id for each of the few rows of a page.
    `select x.* from (select w.id from (${walked(walk, '$3::uuid', '$4::int')}) w order by w.id desc limit $4::int) p
      cross join lateral (select ${columns} from hub.run c where c.id = p.id and ${lockOne('c', ['unit_no'])} limit 1) x
      order by x.id desc`,
    scope,
    [kind, behind, first + 1],
  );
  return new LatestPage(
    rows.map((row) => ({ ...row, key: [row.id] })),
    { first, continued: after !== null, binding, seenTo: null },
    async () => {
      const [row] = await door.rows<{ count: number }>(
        'runs.count',
        `select count(*)::int as count from (select 1 from (${walked(walk, '$3::uuid', '$4::int')}) w limit $4::int) n`,
        scope,
        [kind, highestId, countLimit + 1],
      );
      return countFrom(row?.count ?? 0);
    },
  );
}

/**
 * Along an index in its own order. The kind is given as a range of whole entries: as an equality the planner drops it from the order
 * and may walk the runs of every kind.
 */
function walked(walk: Walk, behind: string, limit: string): string {
  const along = (columns: readonly string[], values: readonly string[]): string => {
    const entry = `(${[...columns, 'c.id'].join(', ')})`;
    const end = (id: string): string => `(${[...values, id].join(', ')})`;
    const order = [...columns, 'c.id'].map((column) => `${column} desc`).join(', ');
    return `select c.id from hub.run c where ${entry} < ${end(behind)} and ${entry} >= ${end(`'${lowestId}'::uuid`)}
      and ${lockOne('c', ['unit_no'])} order by ${order} limit ${limit}`;
  };
  if (walk === 'whole') return along(['c.kind'], ['$2::text']);
  return `select x.id from ${unitsInScope} cross join lateral (${along(['c.unit_no', 'c.kind'], ['u.no', '$2::text'])}) x`;
}
