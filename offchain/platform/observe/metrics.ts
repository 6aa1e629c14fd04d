import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Makes figures: `bursar_<what>_<unit>`, Prometheus text format. Whoever moves a figure declares it. */
export interface MetricsBuilder {
  counter<Label extends string = never>(name: string, help: string, labelNames?: Label[]): Counter<Label>;
  gauge<Label extends string = never>(name: string, help: string, labelNames?: Label[]): Gauge<Label>;
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames?: Label[],
  ): Histogram<Label>;
}

export interface Metrics extends MetricsBuilder {
  readonly registry: Registry;
}

/** One registry for the whole process. @param options.process whether the process's own figures are shown, too */
export function createMetrics(options: { process?: boolean } = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process !== false) collectDefaultMetrics({ register: registry, prefix: "bursar_" });
  return {
    registry,
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    histogram: (name, help, buckets, labelNames = []) =>
      new Histogram({ name, help, buckets, labelNames, registers }),
  };
}
