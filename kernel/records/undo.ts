import type { Change } from '../db/change.ts';
import type { ChangedValues, ChangeCause } from '../db/shared.entity.ts';
import { isUuid } from '../domain/ids.ts';
import { refusal } from '../errors/hub-error.ts';
import { lockOne } from './record-table.ts';

/*
 * Undoing a change of any kind of record: what the change wrote is put back by a new change, where nothing newer stands on it. A newer
 * change stands on an older one when it wrote one of the same fields and was not undone itself.
 *
 * A kind does: {@link changeToUndo}, lock its record at the given version, {@link refuseBuiltUpon}, write {@link valuesBefore}, and
 * remember that with the columns of {@link undoing}.
 */

export interface UndoChange {
  readonly changeId: string;
  /** Of the record. */
  readonly version: number;
}

/** Where the changes of one kind of record stand. */
export interface ChangeTable {
  /** `insurance.change` */
  readonly table: string;
  /** Column with the id of the record. */
  readonly record: 'record_id' | 'citizen_id';
  readonly unitColumns: readonly string[];
}

export interface PastChange {
  readonly id: string;
  readonly recordId: string;
  readonly version: number;
  readonly action: string;
  readonly cause: ChangeCause;
  readonly causeId: string | null;
  readonly who: string;
  readonly knownAt: string;
  readonly before: ChangedValues | null;
  readonly after: ChangedValues;
}

/** A change in the caller's scope. What made the record is no change that can be undone: the record is withdrawn instead. */
export async function changeToUndo(change: Change, table: ChangeTable, changeId: string): Promise<PastChange> {
  const [row] = isUuid(changeId.toLowerCase())
    ? await change.transaction.query<StoredChange>(
        `select ${columns(table)} from ${table.table} h where h.id = $2 and ${lockOne('h', table.unitColumns)}`,
        [change.units, changeId],
      )
    : [];
  if (row === undefined) throw refusal('CHANGE_UNKNOWN', { field: 'changeId' });
  const past = parsed(row);
  if (past.before === null) throw refusal('CHANGE_FINAL', { field: 'changeId' });
  return past;
}

/** Asked behind the lock of the record: nothing newer can come any more. */
export async function refuseBuiltUpon(
  change: Change,
  table: ChangeTable,
  past: PastChange,
  fieldsOf = fieldsWritten,
): Promise<void> {
  const rows = await change.transaction.query<StoredChange>(
    `select ${columns(table)} from ${table.table} p join ${table.table} h on h.${table.record} = p.${table.record}
     where p.id = $2 and (h.version, h.at, h.id) > (p.version, p.at, p.id) and ${lockOne('h', table.unitColumns)}
     order by h.version desc, h.at desc, h.id desc`,
    [change.units, past.id],
  );
  const newer = standingOn(past, rows.map(parsed), fieldsOf);
  if (newer === null) return;
  const { id, version, who, knownAt, action } = newer;
  throw refusal('NEWER_CHANGE', { field: 'changeId', newer: { id, version, who, knownAt, action } });
}

/** Of newer changes, the newest first, the newest that stands on `past`. A change and its undo are together as if nothing had been. */
export function standingOn(past: PastChange, newer: readonly PastChange[], fieldsOf = fieldsWritten): PastChange | null {
  const fields = new Set(fieldsOf(past));
  const known = new Set(newer.map(({ id }) => id));
  const undone = new Set<string>();
  const standing = newer.filter((one) => {
    if (undone.has(one.id)) return false;
    if (one.cause !== 'UNDO' || one.causeId === null || !known.has(one.causeId)) return true;
    undone.add(one.causeId);
    return false;
  });
  return standing.find((one) => fieldsOf(one).some((field) => fields.has(field))) ?? null;
}

/**
 * Fields that a change wrote, by their names in the history. What stands in `after` alone, as the reason of a withdrawal does, is said of
 * the change and not of the record.
 */
export function fieldsWritten({ before, after }: PastChange): readonly string[] {
  return Object.keys(after).filter((field) => before === null || Object.hasOwn(before, field));
}

/** What stood where the change wrote. A field that the kind does not put back makes the change one that stays. */
export function valuesBefore(past: PastChange, known: readonly string[]): Readonly<Record<string, string | null>> {
  const fields = fieldsWritten(past);
  if (!fields.every((field) => known.includes(field))) throw refusal('CHANGE_FINAL', { field: 'changeId' });
  return Object.fromEntries(fields.map((field) => [field, past.before?.[field] ?? null]));
}

/** Columns of the new change: it names the one it puts back. */
export function undoing({ by }: Change, past: PastChange): Change['by'] {
  return { ...by, cause: 'UNDO', causeId: past.id };
}

interface StoredChange extends Omit<PastChange, 'before' | 'after'> {
  readonly before: string | null;
  readonly after: string | null;
}

function columns({ record }: ChangeTable): string {
  return `h.id, h.${record} as "recordId", h.version, h.action, h.cause, h.cause_id as "causeId", h.principal_name as who,
    to_char(h.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "knownAt", h.before::text as before, h.after::text as after`;
}

function parsed(row: StoredChange): PastChange {
  const side = (text: string | null): ChangedValues | null => (text === null ? null : (JSON.parse(text) as ChangedValues));
  return { ...row, before: side(row.before), after: side(row.after) ?? {} };
}
