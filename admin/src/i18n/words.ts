import { useTranslate } from 'react-admin';
import { vi, type MessageKey } from './vi.ts';

export type Say = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;

/** The words of the language in use; only keys that the dictionaries have. */
export function useSay(): Say {
  const translate = useTranslate();
  return (key, values) => translate(key, values);
}

type Enums = typeof vi.enum;

/** A value of a closed list in words; of a list that may grow, the value itself where no word is known yet. */
export function word<List extends keyof Enums>(
  say: Say,
  list: List,
  value: (keyof Enums[List] & string) | (string & {}),
): string {
  return value in vi.enum[list] ? say(`enum.${list}.${value}` as MessageKey) : value;
}

export function roleWord(say: Say, role: string): string {
  return role in vi.role ? say(`role.${role}` as MessageKey) : role;
}
