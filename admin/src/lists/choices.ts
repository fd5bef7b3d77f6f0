import type { Filter } from '../api/resources.ts';
import type { MessageKey } from '../i18n/vi.ts';

/*
 * The choices of a list stand in its address, so that links, the way back and saved filters are all the same thing. Only what is known
 * as a choice gets in or out: a name or a number can never ride along.
 */

interface Labelled {
  readonly key: string;
  readonly label: MessageKey;
}
export interface EnumChoice extends Labelled {
  readonly kind: 'enum';
  readonly options: readonly { readonly value: string; readonly label: MessageKey }[];
  /** What stands in the list when nothing is chosen; absent: all. */
  readonly none?: MessageKey;
}
export interface PlainChoice extends Labelled {
  /**
   * `unit`: an id of the tree; `day`: a calendar day; `code`: of a facility; `id` and `principal`: an id of the hub that a link brought,
   * never typed.
   */
  readonly kind: 'unit' | 'day' | 'code' | 'id' | 'principal';
}
export type Choice = EnumChoice | PlainChoice;

const forms: Readonly<Record<PlainChoice['kind'], RegExp>> = {
  unit: /^u\d{1,9}$/,
  day: /^\d{4}-\d{2}-\d{2}$/,
  id: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  code: /^[0-9A-Z]{5}$/,
  principal: /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z][a-z0-9-]{1,62})$/,
};

export interface Order {
  readonly field: string;
  readonly order: 'ASC' | 'DESC';
}

function fits(choice: Choice, value: string): boolean {
  return choice.kind === 'enum' ? choice.options.some((option) => option.value === value) : forms[choice.kind].test(value);
}

export function readChoices(choices: readonly Choice[], query: string): Filter {
  const given = new URLSearchParams(query);
  return Object.fromEntries(
    choices.flatMap((choice) => {
      const value = given.get(choice.key);
      return value !== null && fits(choice, value) ? [[choice.key, value]] : [];
    }),
  );
}

export function readOrder(sortable: readonly string[], query: string): Order | null {
  const [field = '', order] = (new URLSearchParams(query).get('order') ?? '').split('.');
  return sortable.includes(field) && (order === 'ASC' || order === 'DESC') ? { field, order } : null;
}

/** The query part of an address, without `?`; empty when nothing is chosen. Always in the order of the choices, so that equal filters are equal text. */
export function writeChoices(choices: readonly Choice[], filter: Filter, order: Order | null): string {
  const written = new URLSearchParams();
  for (const choice of choices) {
    const value = filter[choice.key];
    if (value !== undefined && value !== '' && fits(choice, value)) written.set(choice.key, value);
  }
  if (order !== null) written.set('order', `${order.field}.${order.order}`);
  return written.toString();
}
