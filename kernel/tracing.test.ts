import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMetrics } from './metrics.ts';
import { edgeSpanId, isTraced, openTracing } from './tracing.ts';

interface Sent {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Readonly<Record<string, unknown>>[] }[];
  }[];
}

function collector(status = 200): { sent: Sent[]; fetch: typeof fetch } {
  const sent: Sent[] = [];
  return {
    sent,
    fetch: (_address, init) => {
      sent.push(JSON.parse(init?.body as string) as Sent);
      return Promise.resolve(new Response('{}', { status }));
    },
  };
}

const traceId = '0af7651916cd43dd8448eb211c80319c';

test('spans reach the collector as OTLP, the edge above the rest, with fields of the log and no others', async () => {
  const { sent, fetch } = collector();
  const tracing = openTracing({
    endpoint: 'http://collector:4318/',
    share: 1,
    process: 'test',
    metrics: createMetrics('test'),
    fetch,
  });
  const edge = tracing.begin(traceId, 'operation', null)!;
  const below = tracing.begin(traceId, 'ask citizens', edge.id)!;
  below.end({ subgraph: 'citizens', ...{ fullName: 'Nguyễn Văn An' } }, true);
  edge.end({ operation: 'Q1\n038090000001' }, false);
  await tracing.close();
  const [first, second] = sent[0]!.resourceSpans[0]!.scopeSpans[0]!.spans;
  expect(first).toMatchObject({ traceId, parentSpanId: edgeSpanId(traceId), name: 'ask citizens', status: { code: 2 } });
  expect(second).toMatchObject({ traceId, spanId: edgeSpanId(traceId), kind: 2, status: { code: 0 } });
  expect(JSON.stringify(sent)).not.toMatch(/Nguyễn|038090000001/);
  expect(String(second!.endTimeUnixNano)).toMatch(/^\d{19}$/);
});

test('a collector that refuses or is away is counted and disturbs nobody', async () => {
  for (const fetch of [collector(503).fetch, () => Promise.reject(new Error('away'))]) {
    const metrics = createMetrics('test');
    const tracing = openTracing({ endpoint: 'http://collector:4318', share: 1, process: 'test', metrics, fetch });
    tracing.begin(traceId, 'operation', null)!.end({}, false);
    await tracing.close();
    expect(await metrics.registry.metrics()).toMatch(/hub_spans_total\{outcome="(refused|lost)",process="test"\} 1/);
  }
});

test('all processes trace the same requests, in about the share that was asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (percent) => {
      const ids = Array.from(
        { length: 1_000 },
        (_, n) => `${((n * 4_294_967) % 0x1_0000_0000).toString(16).padStart(8, '0')}${'0'.repeat(24)}`,
      );
      const traced = ids.filter((id) => isTraced(id, percent / 100)).length;
      expect(Math.abs(traced - percent * 10)).toBeLessThanOrEqual(10);
    }),
  );
});

test('what is not traced costs no span', () => {
  const tracing = openTracing({ endpoint: 'http://collector:4318', share: 0, process: 'test', metrics: createMetrics('test') });
  expect(tracing.begin(traceId, 'operation', null)).toBeNull();
});
