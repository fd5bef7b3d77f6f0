import { vi, type MessageKey } from '../i18n/vi.ts';
import type { EnumChoice } from './choices.ts';

type Enums = typeof vi.enum;

/** All values of a closed list, in the list's own order; `values` narrows it. */
export function optionsOf(list: keyof Enums, values: readonly string[] = Object.keys(vi.enum[list])): EnumChoice['options'] {
  return values.map((value) => ({ value, label: `enum.${list}.${value}` as MessageKey }));
}

/** A choice of them. */
export function enumChoice(key: string, label: MessageKey, list: keyof Enums, values?: readonly string[]): EnumChoice {
  return { key, label, kind: 'enum', options: optionsOf(list, values) };
}
