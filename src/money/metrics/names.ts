/** How metrics are made: one prefix, and series that are there before their first event. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const PREFIX = 'money_enrichment_';

/** Seconds, from a quick request to one that was given up. */
export const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds, with the out-of-orderness and with money that waits for its session. */
export const LONG_SECONDS = [0.5, 1, 2.5, 5, 10, 20, 25, 30, 60, 120, 300, 1_800, 3_600, 7_200];
/** Of records in something that has up to 1,000. */
export const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

export interface Makers {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** At 0 for each of the values of its label. */
  counterBy<L extends string>(name: string, help: string, label: L, values: readonly string[]): Counter<L>;
  gaugeBy<L extends string>(name: string, help: string, ...labels: readonly L[]): Gauge<L>;
  histogram(name: string, help: string, buckets: number[]): Histogram;
  histogramBy<L extends string>(
    name: string,
    help: string,
    buckets: number[],
    label: L,
    values: readonly string[],
  ): Histogram<L>;
}

export function makersOf(registry: Registry): Makers {
  const registers = [registry];
  return {
    counter: (name, help) => new Counter({ name: `${PREFIX}${name}`, help, registers }),
    gauge: (name, help) => new Gauge({ name: `${PREFIX}${name}`, help, registers }),
    counterBy(name, help, label, values) {
      const counter = new Counter({ name: `${PREFIX}${name}`, help, labelNames: [label], registers });
      for (const value of values) counter.labels(value).inc(0);
      return counter;
    },
    gaugeBy: (name, help, ...labelNames) => new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers }),
    histogram: (name, help, buckets) => new Histogram({ name: `${PREFIX}${name}`, help, buckets, registers }),
    histogramBy(name, help, buckets, label, values) {
      const histogram = new Histogram({ name: `${PREFIX}${name}`, help, buckets, labelNames: [label], registers });
      for (const value of values) (histogram as Histogram).zero({ [label]: value });
      return histogram;
    },
  };
}
