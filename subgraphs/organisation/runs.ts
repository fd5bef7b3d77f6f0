import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { countLimit, cursorBinding, decodeCursor, parseFirst } from '#kernel/page.ts';
import { countFrom } from '#kernel/records/record-page.ts';
import { lockOne, unitsInScope, type Walk } from '#kernel/records/record-table.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import { emptyPage, LatestPage, type KeysetRow } from './pages.ts';

export type RunKind = 'RECONCILE' | 'IMPORT';

export interface Run extends KeysetRow {
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

const columns = `c.id::text as id, c.kind, c.state, c.started_at as "startedAt", c.ended_at as "endedAt", c.total, c.done, c.refused,
  c.counts, c.started_by as "startedBy"`;
const highestId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Runs of one kind, the latest first: few units are walked along `(unit_no, id)`, many along `(kind, id)`. */
export async function runPage(
  door: ReadDoor,
  scope: RowScope,
  walk: Walk,
  kind: RunKind,
  page: PageArguments,
): Promise<LatestPage<Run>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const binding = cursorBinding('runs', kind, 'LATEST');
  const behind = after === null ? highestId : String(decodeCursor(binding, after, 1)[0]);
  if (scope.unitCount === 0 || (!isUuid(behind) && behind !== highestId)) return emptyPage(binding);
  const rows = await door.rows<Omit<Run, 'key'>>(
    'runs.page',
    `select ${columns} from (${walked(walk, '$3::uuid', '$4::int')}) w join hub.run c on c.id = w.id and ${lockOne('c', ['unit_no'])}
      order by c.id desc limit $4::int`,
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

function walked(walk: Walk, behind: string, limit: string): string {
  const conditions = `c.kind = $2::text and c.id < ${behind} and ${lockOne('c', ['unit_no'])} order by c.id desc limit ${limit}`;
  if (walk === 'whole') return `select c.id from hub.run c where ${conditions}`;
  return `select x.id from ${unitsInScope} cross join lateral (
    select c.id from hub.run c where c.unit_no = u.no and ${conditions}) x`;
}
