import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/*
 * Metrics of one process. The registry is made once and passed on; nothing registers itself in a global one. Labels take a
 * closed set of values (subgraph, code, part): never a principal's, a record's or a person's.
 */

export interface Metrics {
  readonly registry: Registry;
  /** Counts up. Names end in `_total`. */
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** A value that is read when Prometheus asks. */
  gauge(name: string, help: string, read: () => number): void;
  /** A value per label that is read when Prometheus asks. */
  gauges<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    read: (set: (labels: Record<L, string>, value: number) => void) => void,
  ): void;
  /** Durations in seconds. */
  histogram<L extends string>(name: string, help: string, labels?: readonly L[], buckets?: readonly number[]): Histogram<L>;
}

const durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15] as const;

export function createMetrics(process: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: labels, registers }),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
    },
    gauges<L extends string>(
      name: string,
      help: string,
      labels: readonly L[],
      read: (set: (labels: Record<L, string>, value: number) => void) => void,
    ) {
      const gauge: Gauge<L> = new Gauge<L>({
        name,
        help,
        labelNames: labels,
        registers,
        collect() {
          gauge.reset();
          read((values, value) => gauge.set(values as Partial<Record<L, string | number>>, value));
        },
      });
    },
    histogram: (name, help, labels = [], buckets = durations) =>
      new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers }),
  };
}
