import { language } from '../shell/preferences.ts';

/*
 * One request to the hub's graph. The session cookie of the same origin speaks for the person: no token is ever in the browser.
 * What was asked for a screen that is gone is cancelled by the signal.
 */

/** Codes of FHIR PurposeOfUse under which an operator may see numbers in clear. */
export const revealPurposes = ['TREAT', 'ETREAT', 'PATRQT'] as const;
export type RevealPurpose = (typeof revealPurposes)[number];

export interface Asked {
  readonly signal?: AbortSignal | undefined;
  readonly purpose?: RevealPurpose;
  /** Of a change: a new one for each, the same for a repeat. */
  readonly idempotencyKey?: string;
}

interface GraphErrorEntry {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly reason?: string;
    readonly subgraph?: string;
    readonly traceId?: string;
    readonly retryAfter?: number;
  };
}

export interface Answer<Data> {
  readonly data: Data;
  /** Subgraphs that did not answer: what they own is missing, the rest stands. */
  readonly silent: readonly string[];
}

/** What was refused, in the words of the hub's catalogue. Not the framework's HttpError, which resets the prototype of what extends it. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly traceId: string | null;

  constructor(message: string, status: number, code: string, traceId: string | null) {
    super(message);
    this.status = status;
    this.name = 'GraphRefusal';
    this.code = code;
    this.traceId = traceId;
  }
}

const statusOf: Readonly<Record<string, number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403, NOT_FOUND: 404, RATE: 429 };

export async function askGraph<Data>(
  query: string,
  variables: Readonly<Record<string, unknown>>,
  { signal, purpose, idempotencyKey }: Asked = {},
): Promise<Answer<Data>> {
  const response = await fetch('/graphql', {
    method: 'POST',
    credentials: 'same-origin',
    cache: 'no-store',
    signal: signal ?? null,
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      'accept-language': language(),
      ...(purpose !== undefined && { 'x-hub-purpose': purpose }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json().catch(() => null)) as { data?: Data | null; errors?: readonly GraphErrorEntry[] } | null;
  const errors = body?.errors ?? [];
  // A part that is down is told beside the data; a refusal of what was asked is told instead of it.
  const nothing = Object.values(body?.data ?? {}).every((value) => value === null);
  const refusal =
    errors.find(({ extensions }) => extensions?.subgraph === undefined) ??
    (nothing ? errors.find(({ extensions }) => extensions?.code === 'FORBIDDEN') : undefined) ??
    (body?.data === null || body?.data === undefined ? errors[0] : undefined);
  if (refusal !== undefined) {
    const code = refusal.extensions?.code ?? 'INTERNAL';
    throw new GraphRefusal(refusal.message, statusOf[code] ?? response.status, code, refusal.extensions?.traceId ?? null);
  }
  if (body?.data === null || body?.data === undefined)
    throw new GraphRefusal('', response.status || 502, 'UNAVAILABLE', response.headers.get('x-trace-id'));
  return { data: body.data, silent: errors.flatMap(({ extensions }) => extensions?.subgraph ?? []) };
}

/** Why a change was not made, at which field, in the words of the hub. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  readonly field: string | null;
  readonly reason: string | null;
}
/** `told`: a password or secret that is answered this once. */
export type Changed =
  { readonly ok: true; readonly id: string | null; readonly told?: string } | { readonly ok: false; readonly refused: Refused };

/** Sends one change. What throws has no known outcome, or was no question of this change: it may be sent again under the same key. */
export async function changeGraph(
  mutation: string,
  input: Readonly<Record<string, unknown>>,
  idempotencyKey: string,
): Promise<Changed> {
  const { data } = await askGraph<{
    done: { ok: { record: { id: string } | null; told?: string | null } | null; error: Refused | null } | null;
  }>(mutation, { input }, { idempotencyKey });
  const { ok = null, error = null } = data.done ?? {};
  if (error !== null) return { ok: false, refused: error };
  if (ok === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
  return { ok: true, id: ok.record?.id ?? null, ...(typeof ok.told === 'string' && { told: ok.told }) };
}
