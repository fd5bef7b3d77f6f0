import { randomBytes } from 'node:crypto';
import type { SubgraphDoor } from './graph/subgraph-call.ts';
import { safeFields, type LogFields } from './log.ts';
import type { ProcessParts } from './main-process.ts';
import type { Metrics } from './metrics.ts';

/*
 * Traces of requests, sent as OpenTelemetry's OTLP over HTTP in its JSON form. Off, it costs one comparison per request.
 *
 * Whether a request is traced is decided by its trace id alone, and the span at the edge has an id made from it: so every process
 * traces the same requests and knows the parent of its spans, without a word about it on the hop. Attributes are those of the log:
 * never variables, names or numbers of people.
 */

export interface Span {
  readonly id: string;
  /** Ends it; to be called once. */
  end(fields: LogFields, failed: boolean): void;
}

export interface Tracing {
  /** `null`: this request is not traced. Without a parent it is the span of the edge. */
  begin(traceId: string, name: string, parent: string | null): Span | null;
  /** Sends what is left, for at most two seconds. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** Base address of the collector; spans go to `/v1/traces`. */
  readonly endpoint: string;
  /** 0 to 1. */
  readonly share: number;
  readonly process: string;
  readonly metrics: Metrics;
  readonly fetch?: typeof fetch;
}

/** Spans that wait; more are dropped and counted. */
const waitingSpans = 4_096;
const spansAtOnce = 512;
/** Milliseconds. */
const sendEvery = 2_000;
const patience = 2_000;

interface EndedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 1 | 2;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code: 0 | 2 };
}

/** Id of the span that the edge opened for a request. */
export function edgeSpanId(traceId: string): string {
  return traceId.slice(16);
}

/** The same requests in every process. */
export function isTraced(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(0, 8), 16) < share * 0x1_0000_0000;
}

export const noTracing: Tracing = { begin: () => null, close: () => Promise.resolve() };

/** By the settings of this process. */
export function tracingOf({ settings, metrics }: ProcessParts, process: string): Tracing {
  const { traceEndpoint: endpoint, traceShare: share } = settings;
  return endpoint === null ? noTracing : openTracing({ endpoint, share, process, metrics });
}

export function openTracing(options: TracingOptions): Tracing {
  const { share, process, metrics } = options;
  const send = options.fetch ?? fetch;
  const address = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
  const spans = metrics.counter('hub_spans_total', 'Spans by what became of them.', ['outcome']);
  let waiting: EndedSpan[] = [];
  let sending: Promise<void> | null = null;

  async function flush(): Promise<void> {
    const batch = waiting.slice(0, spansAtOnce);
    if (batch.length === 0) return;
    waiting = waiting.slice(spansAtOnce);
    const resource = { attributes: [attribute('service.name', 'lien-thong'), attribute('service.instance.id', process)] };
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'hub' }, spans: batch }] }] });
    try {
      const answer = await send(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(patience),
      });
      await answer.body?.cancel();
      spans.inc({ outcome: answer.ok ? 'sent' : 'refused' }, batch.length);
    } catch {
      // The collector is away: traces are a convenience, nobody waits for them.
      spans.inc({ outcome: 'lost' }, batch.length);
    }
  }
  const keepSending = () => {
    sending ??= flush().finally(() => {
      sending = null;
      if (waiting.length >= spansAtOnce) keepSending();
    });
  };
  const timer = setInterval(keepSending, sendEvery);
  timer.unref();

  return {
    begin(traceId, name, parent) {
      if (!isTraced(traceId, share)) return null;
      const spanId = parent === null ? edgeSpanId(traceId) : randomBytes(8).toString('hex');
      const startTimeUnixNano = now();
      return {
        id: spanId,
        end(fields, failed) {
          if (waiting.length >= waitingSpans) {
            spans.inc({ outcome: 'dropped' });
            return;
          }
          waiting.push({
            traceId,
            spanId,
            ...(parent !== null && { parentSpanId: parent }),
            name,
            kind: parent === null ? 2 : 1,
            startTimeUnixNano,
            endTimeUnixNano: now(),
            attributes: Object.entries(safeFields(fields)).map(([key, value]) => attribute(`hub.${key}`, value)),
            status: { code: failed ? 2 : 0 },
          });
          if (waiting.length >= spansAtOnce) keepSending();
        },
      };
    },
    async close() {
      clearInterval(timer);
      await sending;
      await flush();
    },
  };
}

/** Nanoseconds since 1970 as text: they do not fit a number. */
function now(): string {
  return (BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000)) * 1_000n).toString();
}

function attribute(key: string, value: string | number | boolean): { readonly key: string; readonly value: object } {
  if (typeof value === 'string') return { key, value: { stringValue: value } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
}

/** A door whose calls are spans: the gateway's below the edge's, a subgraph's own the same from its side. */
export function tracedDoor(door: SubgraphDoor, tracing: Tracing, side: 'ask' | 'serve'): SubgraphDoor {
  if (tracing === noTracing) return door;
  return {
    name: door.name,
    async execute(request) {
      const { traceId, operation } = request.caller;
      const span = tracing.begin(traceId, `${side} ${door.name}`, edgeSpanId(traceId));
      if (span === null) return door.execute(request);
      try {
        const answer = await door.execute(request);
        span.end({ subgraph: door.name, operation }, answer.errors !== undefined);
        return answer;
      } catch (error) {
        span.end({ subgraph: door.name, operation }, true);
        throw error;
      }
    },
  };
}
