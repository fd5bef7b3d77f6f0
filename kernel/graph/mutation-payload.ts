import type { Caller } from '../auth/principal.ts';
import type { Outcome, Refusal } from '../db/change.ts';
import { textOf } from '../errors/to-graphql.ts';
import type { Result } from '../result.ts';

/** What a mutation answers: `{ ok error }`, exactly one of them. */
export function mutationPayload(result: Result<Outcome, Refusal>, { locale }: Caller): object {
  if (result.ok) return { ok: result.value, error: null };
  const { code, reason, field } = result.error;
  return { ok: null, error: { code, message: textOf(reason, locale), field, reason } };
}
