/**
 * How long a money record takes from its Kafka timestamp to its committed output: of one output a second, because no output carries the
 * timestamp of its source, and it is read from there. Where that may not be read nothing is measured, and it is tried again after a while.
 */
import { sourceIn } from '../../engine/workflow/output-headers.ts';
import type { Histogram } from 'prom-client';
import type { Clock } from '../../engine/clock.ts';
import type { KafkaPort, OutRecord } from '../../engine/kafka/port.ts';

/** ms between two samples, and after one that could not be read. */
const PACE = 1_000;
const PAUSE = 600_000;

export interface EndToEndOptions {
  readonly kafka: Pick<KafkaPort, 'recordAt'>;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  /** Of the money records. */
  readonly topic: string;
  readonly seconds: Pick<Histogram<'stream'>, 'observe'>;
}

export class EndToEnd {
  readonly #options: EndToEndOptions;
  #notBefore = -Infinity;

  constructor(options: EndToEndOptions) {
    this.#options = options;
  }

  /** An output was committed just now. Resolves when it is measured, or is not to be; never rejects. */
  async committed({ headers = {} }: Pick<OutRecord, 'headers'>): Promise<void> {
    const { kafka, clock, topic, seconds } = this.#options;
    if (clock.elapsed() < this.#notBefore) return;
    const source = sourceIn(headers);
    if (source === undefined) return;
    // While it is asked no other is.
    this.#notBefore = Infinity;
    const visibleAt = clock.now();
    let pause = PACE;
    try {
      const found = await kafka.recordAt?.({ topic, partition: source.partition }, source.offset);
      if (found === undefined) pause = PAUSE;
      else if (found !== null && found.timestamp > 0) {
        seconds.observe({ stream: String(headers['stream']) }, Math.max(0, visibleAt - found.timestamp) / 1_000);
      }
    } catch {
      // A measurement is worth no line in the log: that Kafka is away is said by others.
      pause = PAUSE / 10;
    }
    this.#notBefore = clock.elapsed() + pause;
  }
}
