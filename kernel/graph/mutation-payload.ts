import type { Outcome, Refusal } from '../db/change.ts';
import { textOf } from '../errors/to-graphql.ts';
import type { NewerChange } from '../errors/hub-error.ts';
import type { Result } from '../result.ts';
import type { Call } from '../subgraph.ts';

/** What a mutation answers: `{ ok error }`, exactly one of them; a refused undo also says what is newer. A refusal is noted on the call. */
export function mutationPayload(result: Result<Outcome, Refusal>, call: Call): object {
  if (result.ok) return { ok: result.value, error: null };
  const { code, reason, field, newer, words } = result.error;
  call.decline({ code, reason });
  const message = filled(textOf(reason, call.caller.locale), newer === null ? words : { ...words, ...wordsOf(newer) });
  return { ok: null, error: { code, message, field, reason }, newer };
}

function wordsOf({ id, who, knownAt }: NewerChange): Readonly<Record<string, string>> {
  return { change: id, who, at: knownAt };
}

/** Names in braces stand for words of the refusal. */
function filled(text: string, words: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (named, name: string) => words[name] ?? named);
}
