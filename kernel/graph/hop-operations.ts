import type { SubgraphName } from '../audit/audit.ts';
import { decodeEnvelope, encodeEnvelope, type EnvelopeCall } from '../auth/envelope.ts';
import { hopHeader, type HopSigner } from '../auth/hop.ts';
import type { HopSend } from '../auth/organisation-hop.ts';
import { refusal } from '../errors/hub-error.ts';
import { toGraphQLError } from '../errors/to-graphql.ts';
import type { Declined, SubgraphAnswer, SubgraphDoor, SubgraphError, SubgraphRequest } from './subgraph-call.ts';

/*
 * Operations across the hop, both ends. What the gateway asks one subgraph within one tick travels as one sealed envelope; the
 * answers come back in the same order, each after its reads are audited, as one JSON object `{ "answers": [{ data, errors, declined }] }`.
 */

/** Where a subgraph of its own takes envelopes. */
export const operationsPath = '/operations';

interface Waiting {
  readonly call: EnvelopeCall;
  readonly resolve: (answer: SubgraphAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls in one envelope: beyond that a second one is sent beside it. */
const envelopeCalls = 64;
const done = Promise.resolve();
/** The subgraph has written it down before it answered. */
const audit = (): Promise<void> => done;

/** The way to a subgraph that runs as a process of its own. */
export function doorOverHop(name: SubgraphName, signer: HopSigner, send: HopSend): SubgraphDoor {
  let waiting: Waiting[] = [];

  async function post(body: string): Promise<unknown> {
    const answer = await send({
      method: 'POST',
      path: operationsPath,
      headers: {
        'content-type': 'application/json',
        [hopHeader]: signer.seal(name, 'operations', { method: 'POST', path: operationsPath, body }),
      },
      body: Buffer.from(body),
    });
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    const said: unknown = JSON.parse(answer.body.toString());
    return typeof said === 'object' && said !== null && 'answers' in said ? said.answers : null;
  }

  /** A read that met a connection just closed by the other side is asked once more; a mutation never is. */
  async function ask(calls: readonly EnvelopeCall[]): Promise<unknown> {
    const body = encodeEnvelope(calls);
    try {
      return await post(body);
    } catch (error) {
      const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
      const closed = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
      if (!closed || calls.some(({ query }) => /^\s*mutation\b/.test(query))) throw error;
      return await post(body);
    }
  }

  function flush(): void {
    const batch = waiting.slice(0, envelopeCalls);
    waiting = waiting.slice(envelopeCalls);
    if (waiting.length > 0) setImmediate(flush);
    ask(batch.map(({ call }) => call)).then(
      (answers) => {
        const list: readonly unknown[] = Array.isArray(answers) ? answers : [];
        for (const [index, one] of batch.entries()) {
          const answer = readAnswer(list[index]);
          if (answer === null) one.reject(refusal('SUBGRAPH_AWAY'));
          else one.resolve(answer);
        }
      },
      (cause: unknown) => {
        for (const one of batch) one.reject(refusal('SUBGRAPH_AWAY', { retryAfter: 2, cause }));
      },
    );
  }

  return {
    name,
    execute({ query, variables, caller, signal }: SubgraphRequest): Promise<SubgraphAnswer> {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(refusal('SUBGRAPH_AWAY', { cause: signal.reason }));
          return;
        }
        const stop = () => reject(refusal('SUBGRAPH_AWAY', { cause: signal.reason }));
        signal.addEventListener('abort', stop, { once: true });
        const settled = <T>(settle: (value: T) => void) => {
          return (value: T) => {
            signal.removeEventListener('abort', stop);
            settle(value);
          };
        };
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ call: { caller, query, variables }, resolve: settled(resolve), reject: settled(reject) });
      });
    },
  };
}

function readAnswer(value: unknown): SubgraphAnswer | null {
  if (typeof value !== 'object' || value === null || !('data' in value)) return null;
  const { data } = value;
  if (typeof data !== 'object') return null;
  const errors = 'errors' in value && Array.isArray(value.errors) ? (value.errors as SubgraphError[]) : undefined;
  const declined = 'declined' in value ? (value.declined as Declined) : undefined;
  return {
    data: data as Record<string, unknown> | null,
    ...(errors !== undefined && { errors }),
    ...(declined !== undefined && { declined }),
    audit,
  };
}

/** The other end: runs what an opened envelope asks. `null`: this is no envelope. No audit row, no data. */
export async function answerEnvelope(door: SubgraphDoor, body: string, signal: AbortSignal): Promise<string | null> {
  const calls = decodeEnvelope(body);
  if (calls === null) return null;
  const answers = await Promise.all(calls.map((call) => answerCall(door, call, signal)));
  return `{"answers":[${answers.join(',')}]}`;
}

async function answerCall(door: SubgraphDoor, { caller, query, variables }: EnvelopeCall, signal: AbortSignal): Promise<string> {
  try {
    const answer = await door.execute({ query, variables, caller, signal });
    await answer.audit();
    const { data, errors, declined } = answer;
    return JSON.stringify({ data, ...(errors !== undefined && { errors }), ...(declined !== undefined && { declined }) });
  } catch (error) {
    const { message, extensions } = toGraphQLError(error, caller);
    return JSON.stringify({ data: null, errors: [{ message, extensions: { ...extensions, subgraph: door.name } }] });
  }
}
