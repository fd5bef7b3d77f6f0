import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { decodeCursor, parseFirst } from '#kernel/page.ts';
import { isGiven } from '#kernel/records/arguments.ts';
import { citizenIs, textIs, wordIs, type Condition } from '#kernel/records/conditions.ts';
import { RecordList, type ListAnswer } from '#kernel/records/record-list.ts';
import { countFrom, RecordPage } from '#kernel/records/record-page.ts';
import type { RecordTable, Walk } from '#kernel/records/record-table.ts';
import type { BoundPage } from './pages.ts';

export interface WorkItemFilter {
  readonly state?: string | null;
  readonly source?: string | null;
  readonly kind?: string | null;
  readonly field?: string | null;
  readonly foundBy?: string | null;
  readonly citizen?: string | null;
  readonly orgUnit?: string | null;
}

export interface WorkItem {
  readonly id: string;
  readonly source: string;
  readonly kind: string;
  readonly subject: string;
  readonly field: string | null;
  readonly citizenId: string | null;
  /** Where he belongs now; unknown counts as nobody's. */
  readonly citizenUnitNo: number | null;
  readonly unitNo: number;
  readonly foundBy: string;
  readonly state: string;
  readonly raisedAt: string;
}

/** The queue holds no replica of citizens, and asks for none. */
const table: RecordTable = {
  table: 'organisation.work_item',
  replica: 'organisation.work_item',
  change: 'organisation.change',
  unitColumns: ['unit_no'],
  live: 'true',
};
const text = `c.id::text as id, c.source, c.kind, c.subject::text as subject, c.field, c.citizen_id::text as "citizenId",
  c.citizen_unit_no as "citizenUnitNo", c.unit_no as "unitNo", c.found_by as "foundBy", c.state, c.raised_at as "raisedAt"`;
const list = new RecordList<WorkItem>(table, 'work.list', { text, citizen: false });

export interface WorkCount {
  readonly kind: string;
  readonly week: number;
  readonly month: number;
  readonly older: number;
}

const counts = `select c.kind, count(*) filter (where c.age < interval '7 days')::int as week,
    count(*) filter (where c.age >= interval '7 days' and c.age <= interval '30 days')::int as month,
    count(*) filter (where c.age > interval '30 days')::int as older
  from (select w.kind, clock_timestamp() - w.raised_at as age from organisation.work_item w
    where w.state = 'OPEN' and coalesce(w.unit_no <@ $1::int4multirange, false)) c
  group by c.kind order by count(*) desc, c.kind`;

/** What is open, by kind and age; `scope` is already narrowed to the unit that is asked for. */
export async function workCounts(door: ReadDoor, scope: RowScope): Promise<readonly WorkCount[]> {
  return scope.unitCount === 0 ? [] : await door.rows<WorkCount>('work.counts', counts, scope, []);
}

/** `scope` is already narrowed to the unit of the filter. */
export async function workItemPage(
  door: ReadDoor,
  scope: RowScope,
  walk: Walk,
  filter: WorkItemFilter,
  page: BoundPage,
): Promise<RecordPage<WorkItem>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const binding = page.cursors('workItems', filter, 'ID');
  const behind = after === null ? null : String(decodeCursor(binding, after, 1)[0]);
  const place = { first, after, binding: () => binding };
  const citizen = filter.citizen ?? null;
  if (scope.unitCount === 0 || (citizen !== null && !isUuid(citizen))) {
    return new RecordPage<WorkItem>([], place, () => Promise.resolve(countFrom(0)));
  }
  const conditions: Condition[] = [wordIs('state', filter.state ?? 'OPEN', { kind: 'ordered', column: 'state', whole: false })];
  if (citizen !== null) conditions.push(citizenIs(citizen));
  if (isGiven(filter.source)) conditions.push(wordIs('source', filter.source, null));
  if (isGiven(filter.kind)) conditions.push(textIs('kind', filter.kind, null));
  if (isGiven(filter.field)) conditions.push(wordIs('field', filter.field, null));
  if (isGiven(filter.foundBy)) conditions.push(wordIs('found_by', filter.foundBy, null));
  const { rows, seenTo }: ListAnswer<WorkItem> =
    page.countsOnly === true
      ? { rows: [], seenTo: null }
      : await list.page(door, scope, walk, { conditions, after: behind, limit: first + 1 });
  return new RecordPage(rows, { ...place, seenTo }, async () => {
    const count = await list.count(door, scope, walk, conditions);
    page.counted?.(binding, count);
    return count;
  });
}
