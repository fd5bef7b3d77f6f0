import type { Caller } from '../auth/principal.ts';
import type { Outcome, Refusal } from '../db/change.ts';
import { textOf } from '../errors/to-graphql.ts';
import type { NewerChange } from '../errors/hub-error.ts';
import type { Result } from '../result.ts';

/** What a mutation answers: `{ ok error }`, exactly one of them; a refused undo also says what is newer. */
export function mutationPayload(result: Result<Outcome, Refusal>, { locale }: Caller): object {
  if (result.ok) return { ok: result.value, error: null };
  const { code, reason, field, newer } = result.error;
  const text = textOf(reason, locale);
  const message = newer === null ? text : told(text, newer);
  return { ok: null, error: { code, message, field, reason }, newer };
}

/** Names in braces stand for what is told of the newer change. */
function told(text: string, { id, who, knownAt }: NewerChange): string {
  return text.replace('{change}', id).replace('{who}', who).replace('{at}', knownAt);
}
