import type { Reason } from '#kernel/errors/catalogue.ts';
import { hasReservedKey } from './limits.ts';
import type { PersistedDocuments } from './persisted.ts';
import type { Operation } from './gateway.ts';
import type { RefusalFacts } from './refusal.ts';

/** Media types of an answer, the later specification first. */
export const answerTypes = ['application/graphql-response+json', 'application/json'] as const;
export type AnswerType = (typeof answerTypes)[number];

export type ReadRequest =
  | { readonly ok: true; readonly operation: Operation }
  | { readonly ok: false; readonly reason: Reason; readonly facts: RefusalFacts };

/** A name of the language, or nothing at all. */
const operationNameForm = /^(?:[_A-Za-z][_0-9A-Za-z]*)?$/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The body of a request by the GraphQL over HTTP specification; unknown members and unknown extensions are ignored. `persisted` is
 * null for whoever is not known: he neither stores a document nor learns which are stored.
 */
export function readRequest(body: Uint8Array, persisted: PersistedDocuments | null): ReadRequest {
  const sent = parseJson(body);
  if (Array.isArray(sent)) return sent.length === 0 ? invalid('JSON_INVALID') : invalid('BATCH', { which: 'batch' });
  if (!isRecord(sent)) return invalid('JSON_INVALID');
  const { query, operationName = null, variables = null, extensions = null } = sent;
  if (operationName !== null && (typeof operationName !== 'string' || !operationNameForm.test(operationName)))
    return invalid('REQUEST_SHAPE', { field: 'operationName' });
  if (variables !== null && !isRecord(variables)) return invalid('REQUEST_SHAPE');
  if (extensions !== null && !isRecord(extensions)) return invalid('REQUEST_SHAPE');
  if (variables !== null && hasReservedKey(variables)) return invalid('NAME_RESERVED');
  if (query !== undefined && query !== null && typeof query !== 'string') return invalid('QUERY_MISSING');
  const hash = hashIn(extensions);
  const text = typeof query === 'string' && query !== '' ? query : null;
  const rest = { operationName: operationName === '' ? null : operationName, variables: variables ?? {} };
  if (hash !== null && persisted === null && text === null) return invalid('NO_TOKEN');
  if (hash === null || persisted === null)
    return text === null ? invalid('QUERY_MISSING') : { ok: true, operation: { query: text, ...rest } };
  const found = persisted.resolve(text, hash);
  return 'reason' in found ? invalid(found.reason) : { ok: true, operation: { query: found.query, ...rest } };
}

function invalid(reason: Reason, facts: RefusalFacts = {}): ReadRequest {
  return { ok: false, reason, facts };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return undefined;
  }
}

function hashIn(extensions: Readonly<Record<string, unknown>> | null): string | null {
  const persisted = extensions?.persistedQuery;
  if (!isRecord(persisted) || persisted.version !== 1) return null;
  const { sha256Hash } = persisted;
  return typeof sha256Hash === 'string' && /^[0-9a-f]{64}$/.test(sha256Hash) ? sha256Hash : null;
}

/** Whether a body says of itself that it is JSON in UTF-8. */
export function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(contentType);
}

/** What the caller takes; `null`: none of ours. Without an Accept header the older type, as the specification has it. */
export function answerType(accept: string | undefined): AnswerType | null {
  if (accept === undefined || accept === '') return 'application/json';
  let best: { readonly type: AnswerType; readonly quality: number; readonly precise: number } | null = null;
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const type = range === '*/*' || range === 'application/*' ? 'application/json' : answerTypes.find((one) => one === range);
    if (type === undefined) continue;
    const charset = parameters.find((parameter) => parameter.startsWith('charset='));
    if (charset !== undefined && charset !== 'charset=utf-8') continue;
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1');
    const precise = range.includes('*') ? 0 : 1;
    if (!(quality > 0)) continue;
    if (best === null || quality > best.quality || (quality === best.quality && precise > best.precise))
      best = { type, quality, precise };
  }
  return best?.type ?? null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
