import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import { dayArgument, instantArgument } from '#kernel/records/arguments.ts';
import { countLimit, decodeCursor, type CursorKey } from '#kernel/page.ts';
import { holdsMask } from '#kernel/domain/masking.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { fold, longestName } from '#kernel/domain/person-name.ts';
import { parsePlainDay, type PlainDay } from '#kernel/domain/plain-date.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import type { LifeStatus } from './citizen-reads.ts';
import type { FieldState } from './field-status.ts';

/** What a caller asks of a list of citizens, as the graph hands it over. */
export interface CitizenFilterInput {
  readonly text?: string | null;
  readonly orgUnit?: string | null;
  readonly lifeStatus?: LifeStatus | null;
  readonly fieldStatus?: { readonly field: CitizenField; readonly status: FieldState } | null;
  readonly bornFrom?: unknown;
  readonly bornTo?: unknown;
  readonly updatedSince?: unknown;
}

/** A search by name is for folded words in their order, the last from its start; a search by number is the number. */
export type TextSearch =
  | { readonly kind: 'name'; readonly words: readonly string[] }
  | { readonly kind: 'number'; readonly value: string }
  /** Holds a sign that neither names nor numbers have: it matches nobody, and signs mean only themselves. */
  | { readonly kind: 'nothing' };

export interface CitizenFilter {
  readonly text: TextSearch | null;
  readonly lifeStatus: LifeStatus | null;
  readonly fieldStatus: { readonly field: CitizenField; readonly status: FieldState } | null;
  readonly bornFrom: PlainDay | null;
  readonly bornTo: PlainDay | null;
  /** ISO instant. */
  readonly updatedSince: string | null;
}

export function parseCitizenFilter(input: CitizenFilterInput): CitizenFilter {
  return {
    text: parseTextSearch(input.text ?? ''),
    lifeStatus: input.lifeStatus ?? null,
    fieldStatus: input.fieldStatus ?? null,
    bornFrom: dayArgument(input.bornFrom, 'bornFrom'),
    bornTo: dayArgument(input.bornTo, 'bornTo'),
    updatedSince: instantArgument(input.updatedSince, 'updatedSince')?.toISOString() ?? null,
  };
}

/** Whether a filter narrows anything beyond leaving out merged records. */
export function isPlain(filter: CitizenFilter): boolean {
  return Object.values(filter).every((value) => value === null);
}

export function parseTextSearch(text: string): TextSearch | null {
  if (holdsMask(text)) throw refusal('MASKED_VALUE', { field: 'text' });
  if (text.length > 4 * longestName) return { kind: 'nothing' };
  const folded = fold(text);
  if (folded === '') return null;
  if (/[0-9]/.test(folded)) return { kind: 'number', value: text.replace(/[\s.-]/g, '').toUpperCase() };
  if (!/[a-z]/.test(folded) || !/^[a-z '.-]+$/.test(folded)) return { kind: 'nothing' };
  if (folded.length < 2) throw refusal('SEARCH_TOO_SHORT', { field: 'text' });
  return { kind: 'name', words: folded.split(' ') };
}

export type OrderBy = 'id' | 'fullName' | 'dateOfBirth' | 'updatedAt';

export interface CitizenOrder {
  readonly by: OrderBy;
  readonly descending: boolean;
}

export type CitizenOrderInput = Readonly<Partial<Record<OrderBy, 'ASC' | 'DESC' | null>>>;

export function parseOrder(input: CitizenOrderInput | null | undefined): CitizenOrder {
  if (input === null || input === undefined) return { by: 'id', descending: false };
  const { id, fullName, dateOfBirth, updatedAt } = input;
  const given = Object.entries({ id, fullName, dateOfBirth, updatedAt }).filter(
    (entry): entry is [OrderBy, 'ASC' | 'DESC'] => entry[1] !== null && entry[1] !== undefined,
  );
  const [first] = given;
  if (first === undefined || given.length > 1) throw refusal('ORDER_ONE', { field: 'orderBy' });
  return { by: first[0], descending: first[1] === 'DESC' };
}

/** Where a page begins: behind this place. `sort` is the text of the order's column, absent for the order by id. */
export interface Place {
  readonly id: string;
  readonly sort: string | null;
}

export function parsePlace(binding: string, after: string | null | undefined, order: CitizenOrder): Place | null {
  if (after === null || after === undefined) return null;
  const keys = decodeCursor(binding, after, order.by === 'id' ? 1 : 2);
  const [id, sort = null] = keys;
  const form = sortForms[order.by];
  if (typeof id !== 'string' || !isUuid(id) || !(sort === null ? form === null : form !== null && fits(form, sort))) {
    throw refusal('CURSOR_INVALID', { field: 'after' });
  }
  return { id, sort: sort as string | null };
}

/** What a cursor may hold, so that a forged one is refused before it reaches PostgreSQL. */
const sortForms: Readonly<Record<OrderBy, RegExp | null>> = {
  id: null,
  fullName: /^[^\0]{1,300}$/u,
  dateOfBirth: /^(\d{4}-\d\d-\d\d|infinity)$/,
  updatedAt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
};

function fits(form: RegExp, key: CursorKey): boolean {
  return (
    typeof key === 'string' && form.test(key) && (form !== sortForms.dateOfBirth || key === 'infinity' || parsePlainDay(key).ok)
  );
}

export function keysOf(place: Place): readonly CursorKey[] {
  return place.sort === null ? [place.id] : [place.id, place.sort];
}

/** A search that finds more than this looks for its page along the order instead of sorting what it found. */
export const candidateLimit = countLimit;
