import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricDefinitions, type MetricDefinition, type MetricName } from './definitions.js';

type Definitions = typeof metricDefinitions;
type LabelsOf<D> = D extends { readonly labels: readonly (infer L extends string)[] } ? L : never;
type InstrumentOf<D> = D extends { readonly type: 'counter' }
  ? Counter<LabelsOf<D>>
  : D extends { readonly type: 'gauge' }
    ? Gauge<LabelsOf<D>>
    : Histogram<LabelsOf<D>>;

/** Every metric as a prom-client instrument, by its name in the table of definitions, on one registry. */
export type Metrics = { readonly [N in MetricName]: InstrumentOf<Definitions[N]> } & { readonly registry: Registry };

function instrument(registry: Registry, { type, name, help, labels = [], buckets }: MetricDefinition) {
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'counter') return new Counter(common);
  if (type === 'gauge') return new Gauge(common);
  return new Histogram(buckets === undefined ? common : { ...common, buckets: [...buckets] });
}

/**
 * Makes the instruments of one process. `defaults` adds prom-client's own process metrics: once a process.
 */
export function createMetrics(options: { readonly defaults?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.defaults ?? false) collectDefaultMetrics({ register: registry });
  const instruments = Object.fromEntries(
    Object.entries(metricDefinitions).map(([key, definition]) => [key, instrument(registry, definition)]),
  );
  return { ...instruments, registry } as unknown as Metrics;
}
