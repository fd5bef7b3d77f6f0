import { HubError } from '#kernel/errors/hub-error.ts';
import { catalogue, type ErrorCode, type Reason } from '#kernel/errors/catalogue.ts';
import { textOf, type ErrorAudience } from '#kernel/errors/to-graphql.ts';

/** An error as it leaves the hub: nothing else of an error ever does. */
export interface PublicError {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>> & { readonly code: ErrorCode };
}

/** Beside class and reason: which limit, which variable, names out of the document. Never a value. */
export interface RefusalFacts {
  readonly which?: string;
  readonly field?: string;
  readonly detail?: string;
  readonly retryAfter?: number;
  readonly subgraph?: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
}

export function refusal(reason: Reason, audience: ErrorAudience, facts: RefusalFacts = {}): PublicError {
  const { locations, ...rest } = facts;
  const text = textOf(reason, audience.locale);
  return {
    // Clients of automatic persisted queries send the document in full when they read exactly this.
    message: reason === 'PERSISTED_QUERY_NOT_FOUND' ? 'PersistedQueryNotFound' : text,
    ...(locations !== undefined && { locations }),
    extensions: { code: catalogue[reason].code, reason, ...rest, traceId: audience.traceId },
  };
}

export function refusalOf(error: unknown, audience: ErrorAudience): PublicError {
  if (!(error instanceof HubError)) return refusal('INTERNAL', audience);
  return refusal(error.reason, audience, {
    ...(error.field !== null && (error.reason === 'DOCUMENT_LIMIT' ? { which: error.field } : { field: error.field })),
    ...(error.retryAfter !== null && { retryAfter: error.retryAfter }),
  });
}

/** What executing gave: the subgraph's own words, where the error sits, and nothing the gateway's library added. */
export interface ExecutionError {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

const passedOn = ['code', 'reason', 'field', 'retryAfter', 'subgraph'] as const;

/** An error of a subgraph carries a reason of the catalogue; whatever does not was made by a library and becomes `INTERNAL`. */
export function publicError({ message, path, extensions }: ExecutionError, audience: ErrorAudience): PublicError {
  const where = path === undefined ? {} : { path };
  const reason = extensions?.reason;
  if (typeof reason !== 'string' || !Object.hasOwn(catalogue, reason)) return { ...refusal('INTERNAL', audience), ...where };
  const kept: Record<string, unknown> = {};
  for (const key of passedOn) {
    const value = extensions?.[key];
    if (value !== undefined && value !== null) kept[key] = value;
  }
  return { message, ...where, extensions: { ...kept, code: catalogue[reason as Reason].code, traceId: audience.traceId } };
}

/**
 * Texts of graphql-js that hold names of the document only. Everything else may quote a literal or a variable, and the text ends
 * before any suggestion, which would show names of the schema to whoever guesses.
 */
const namesOnly = [
  /^Cannot query field "\w+" on type "\w+"\./,
  /^Unknown argument "\w+" on field "[\w.]+"\./,
  /^Unknown (?:type|fragment|directive) "@?\w+"\./,
  /^Variable "\$\w+" (?:is not defined|is never used)(?: by operation "\w+"| in operation "\w+")?\./,
  /^Variable "\$\w+" of type "[\w![\]]+" used in position expecting type "[\w![\]]+"\./,
  /^Variable "\$\w+" of required type "[\w![\]]+" was not provided\./,
  /^There can be only one \w+ named "\$?\w+"\./,
  /^Fragment "\w+" (?:is never used|cannot be spread here)/,
  /^Cannot spread fragment "\w+" within itself/,
  /^Field "\w+" (?:must not have a selection|of type "[\w![\]]+" must have a selection of subfields)/,
  /^Field "\w+" argument "\w+" of type "[\w![\]]+" is required, but it was not provided\./,
  /^Fields "\w+" conflict because/,
  /^Directive "@\w+" (?:may not be used on \w+|argument "\w+" of type "[\w![\]]+" is required, but it was not provided)\./,
  /^This anonymous operation must be the only defined operation\./,
];

export function namesIn(message: string): string | undefined {
  for (const pattern of namesOnly) {
    const found = pattern.exec(message);
    if (found !== null) return found[0];
  }
  return undefined;
}
