import { GraphQLError, type GraphQLErrorOptions } from 'graphql';
import { catalogue, type Reason } from './catalogue.ts';
import { HubError } from './hub-error.ts';

export type Locale = 'vi' | 'en';

export interface ErrorAudience {
  readonly locale: Locale;
  readonly traceId: string;
}

/** The catalogue's text for a reason: what is wrong, and what to do. */
export function textOf(reason: Reason, locale: Locale): string {
  return catalogue[reason][locale];
}

/** `vi` unless English is asked for first: the hub is Vietnamese. */
export function localeOf(acceptLanguage: string | undefined): Locale {
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part, index) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const quality = parameters.map((text) => /^\s*q=([01](?:\.[0-9]{1,3})?)\s*$/.exec(text)?.[1]).find((q) => q !== undefined);
      return { tag: tag.trim(), quality: quality === undefined ? 1 : Number(quality), index };
    })
    .filter(({ tag, quality }) => /^(?:vi|en)(?:-|$)/.test(tag) && quality > 0)
    .sort((one, other) => other.quality - one.quality || one.index - other.index);
  return wanted[0]?.tag.startsWith('en') === true ? 'en' : 'vi';
}

/**
 * What leaves the hub when something was refused or broke: class, reason, field, trace id, and the catalogue's text in the
 * caller's language. Whatever is no {@link HubError} becomes `INTERNAL` without any text of its own: no stack, SQL, host, path
 * or value can leave through a message.
 */
export function toGraphQLError(
  error: unknown,
  { locale, traceId }: ErrorAudience,
  where: Pick<GraphQLErrorOptions, 'nodes' | 'path'> = {},
): GraphQLError {
  const known = hubErrorIn(error);
  const reason = known?.reason ?? 'INTERNAL';
  const retryAfter = known?.retryAfter ?? null;
  return new GraphQLError(textOf(reason, locale), {
    ...where,
    extensions: {
      code: known?.code ?? 'INTERNAL',
      reason,
      field: known?.field ?? null,
      traceId,
      ...(retryAfter !== null && { retryAfter }),
    },
  });
}

/** A refusal thrown by a resolver arrives wrapped by the executor. */
function hubErrorIn(error: unknown): HubError | null {
  if (error instanceof HubError) return error;
  if (error instanceof GraphQLError && error.originalError instanceof HubError) return error.originalError;
  return null;
}
