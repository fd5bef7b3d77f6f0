import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid, unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countLimit, decodeCursor, parseFirst } from '#kernel/page.ts';
import { instantArgument } from '#kernel/records/arguments.ts';
import {
  shownChange,
  shownState,
  type Change,
  type ChangeRow,
  type HistoryFields,
  type RecordState,
  type StateRow,
} from '#kernel/records/history.ts';
import { countFrom, RecordPage } from '#kernel/records/record-page.ts';
import { lockOne } from '#kernel/records/record-table.ts';
import { lowestId, type BoundPage } from './pages.ts';

/** Units are no personal data: nothing is masked. */
const shown: HistoryFields = { code: null, name: null, level: null, parent: null, validFrom: null, validTo: null, reason: null };

/** The table keeps accounts and clients too, whose ids may look like that of a unit. */
const ofUnit = `from organisation.change h where h.record_id = $2::text and h.action like 'unit.%' and ${lockOne('h', ['unit_no'])}`;

/** What was done to one unit, the oldest first. */
export async function unitHistory(door: ReadDoor, scope: RowScope, number: number, page: BoundPage): Promise<RecordPage<Change>> {
  const first = parseFirst(page.first);
  const after = page.after ?? null;
  const id = unitId(number);
  const binding = (): string => page.cursors('units.history', id, 'id');
  const behind = after === null ? lowestId : String(decodeCursor(binding(), after, 1)[0]);
  if (behind !== lowestId && !isUuid(behind)) throw refusal('CURSOR_INVALID', { field: 'after' });
  const rows = await door.rows<ChangeRow>(
    'units.history',
    `select h.id::text as id, h.version, h.principal_name as who, h.cause, h.cause_id as "causeId", h.at as "knownAt",
       h.effective_from as "trueFrom", h.action, h.before, h.after ${ofUnit} and h.id > $3::uuid order by h.id limit $4::int`,
    scope,
    [id, behind, first + 1],
  );
  return new RecordPage(
    rows.map((row) => shownChange(row, shown, () => true)),
    { first, after, binding },
    async () => {
      const [counted] = await door.rows<{ readonly count: number }>(
        'units.history.count',
        `select count(*)::int as count from (select 1 ${ofUnit} limit $3::int) n`,
        scope,
        [id, countLimit + 1],
      );
      return countFrom(counted?.count ?? 0);
    },
  );
}

/** One unit as the hub knew it at an instant; `null`: it did not know it yet. */
export async function unitState(door: ReadDoor, scope: RowScope, number: number, at: unknown): Promise<RecordState | null> {
  const instant = instantArgument(at, 'at');
  if (instant === null) throw refusal('INSTANT_FORMAT', { field: 'at' });
  const [state] = await door.rows<StateRow>(
    'units.state',
    // What stands in `after` alone, as the reason of an end does, is said of the change and not of the unit.
    `select max(h.version) as version, jsonb_object_agg(e.key, e.value order by h.version, h.at, h.id)
        filter (where e.key is not null and (h.before is null or jsonb_exists(h.before, e.key))) as values
      from (select h.* ${ofUnit} and date_trunc('milliseconds', h.at) <= $3::timestamptz) h
      left join lateral jsonb_each(h.after) e on true`,
    scope,
    [unitId(number), instant.toISOString()],
  );
  return state === undefined ? null : shownState(state, shown, () => true);
}
