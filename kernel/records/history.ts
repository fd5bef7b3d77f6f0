import { mask } from '../domain/masking.ts';
import type { MaskedField } from '../auth/purposes.ts';

/** A row of a subgraph's history as the read door gives it; `before` and `after` hold values by the graph's field names. */
export interface ChangeRow {
  readonly id: string;
  readonly version: number;
  readonly who: string;
  readonly cause: string;
  readonly causeId: string | null;
  readonly knownAt: string;
  readonly trueFrom: string | null;
  readonly action: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface FieldValue {
  readonly field: string;
  readonly value: string | null;
}

export interface Change extends Omit<ChangeRow, 'before' | 'after'> {
  readonly before: readonly FieldValue[] | null;
  readonly after: readonly FieldValue[] | null;
}

/** The fields that history may show, in that order, each with the field by whose rule it is masked, or null. Others are left out. */
export type HistoryFields = Readonly<Record<string, MaskedField | null>>;

/** A record as it stood at an instant, as the read door gives it; `version` is null before it existed. */
export interface StateRow {
  readonly version: number | null;
  readonly values: unknown;
}

export interface RecordState {
  readonly version: number;
  readonly values: readonly FieldValue[];
}

/** A past state as the caller may see it, masked as the record is today; fields without a value are left out. */
export function shownState(
  { version, values }: StateRow,
  fields: HistoryFields,
  inClear: (field: MaskedField) => boolean,
): RecordState | null {
  if (version === null) return null;
  return { version, values: (shownValues(values, fields, inClear) ?? []).filter(({ value }) => value !== null) };
}

/** A change as the caller may see it: what he sees masked on the record he sees masked here. */
export function shownChange(row: ChangeRow, fields: HistoryFields, inClear: (field: MaskedField) => boolean): Change {
  return { ...row, before: shownValues(row.before, fields, inClear), after: shownValues(row.after, fields, inClear) };
}

function shownValues(
  values: unknown,
  fields: HistoryFields,
  inClear: (field: MaskedField) => boolean,
): readonly FieldValue[] | null {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return null;
  const stored = new Map<string, unknown>(Object.entries(values));
  return Object.entries(fields).flatMap(([field, rule]) => {
    if (!stored.has(field)) return [];
    const text = textOf(stored.get(field));
    return [{ field, value: text === null || rule === null || inClear(rule) ? text : mask(rule, text) }];
  });
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}
