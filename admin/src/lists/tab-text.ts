/*
 * What was typed into a list's search, by list. It may be a name or a number, so it lives in this tab's memory alone: not in an address,
 * not in storage.
 */

const texts = new Map<string, string>();
const listeners = new Set<() => void>();

export function textOf(list: string): string {
  return texts.get(list) ?? '';
}

export function rememberText(list: string, text: string): void {
  if (text === '') texts.delete(list);
  else texts.set(list, text);
  for (const listener of listeners) listener();
}

export function onText(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
