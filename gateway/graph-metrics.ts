import type { Metrics } from '#kernel/metrics.ts';
import type { OperationAnswer } from './gateway.ts';
import type { Feature } from './compiled-document.ts';

interface CacheSizes {
  readonly limits: number;
  readonly persisted: number;
  readonly compiled: number;
}

/** What the gateway tells of itself: how long, which way, which kinds of document run compiled, how full its caches are. */
export interface GraphMetrics {
  answered(answer: OperationAnswer, milliseconds: number): void;
  readonly ran: (path: OperationAnswer['path'], features: readonly Feature[]) => void;
  caches(read: () => CacheSizes): void;
}

export function openGraphMetrics(metrics: Metrics): GraphMetrics {
  const seconds = metrics.histogram('hub_graph_seconds', 'Time of an operation at the gateway.', ['path']);
  const answers = metrics.counter('hub_graph_answers_total', 'Answers by class; OK when nothing was refused.', ['code']);
  const documents = metrics.counter('hub_graph_documents_total', 'Operations by way and by what stands in the document.', [
    'path',
    'feature',
  ]);
  return {
    answered(answer, milliseconds) {
      seconds.observe({ path: answer.path }, milliseconds / 1000);
      answers.inc({ code: answer.codes[0] ?? 'OK' });
    },
    ran(path, features) {
      documents.inc({ path, feature: 'any' });
      for (const feature of features) documents.inc({ path, feature });
    },
    caches(read) {
      metrics.gauges(
        'hub_graph_cache_entries',
        'Entries kept: inspected, persisted and compiled documents.',
        ['cache'],
        (set) => {
          for (const [cache, size] of Object.entries(read())) set({ cache }, size as number);
        },
      );
    },
  };
}
