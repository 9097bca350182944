/**
 * Sends spans to an OTLP collector over HTTP, in batches. It never holds anybody up: what finds no place, or is not taken, is lost
 * and counted, and the log says so once for each outage.
 */
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { exportRequest, type Resource } from './otlp.ts';
import type { FinishedSpan } from './tracer.ts';

export interface SpanExporterOptions {
  /** Where traces are sent, with `/v1/traces`. */
  readonly url: string;
  /** Asked for at each request: a secret in them may have been changed. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly resource: Resource;
  readonly logger: Logger;
  /** Told how many spans more no collector has taken. */
  readonly onLost?: (spans: number) => void;
}

/** As OpenTelemetry's batching processor, but for the interval, ms. */
const MAX_QUEUED = 2_048;
const BATCH = 512;
const INTERVAL = 1_000;
/** ms for an answer. */
const TIMEOUT = 5_000;

export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #timer: NodeJS.Timeout;
  #queue: FinishedSpan[] = [];
  #sending: Promise<void> | undefined;
  #lost = 0;
  #isAway = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#flush(), INTERVAL).unref();
  }

  /** Spans that no collector has taken. */
  get lost(): number {
    return this.#lost;
  }

  take(span: FinishedSpan): void {
    if (this.#queue.length >= MAX_QUEUED) {
      this.#lose(1);
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= BATCH) void this.#flush();
  }

  /** Sends what is left, as far as that takes no longer than one answer. Never throws. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
    await this.#flush();
  }

  #lose(spans: number): void {
    this.#lost += spans;
    this.#options.onLost?.(spans);
  }

  /** One request at a time. */
  async #flush(): Promise<void> {
    if (this.#sending !== undefined) return this.#sending;
    if (this.#queue.length === 0) return;
    const spans = this.#queue;
    this.#queue = [];
    this.#sending = this.#send(spans).finally(() => (this.#sending = undefined));
    await this.#sending;
  }

  async #send(spans: readonly FinishedSpan[]): Promise<void> {
    const { url, headers, resource, logger } = this.#options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers() },
        body: JSON.stringify(exportRequest(spans, resource)),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the collector answers ${response.status}`);
      if (this.#isAway) logger.info({ lost: this.#lost }, 'traces are sent again');
      this.#isAway = false;
    } catch (error) {
      this.#lose(spans.length);
      if (!this.#isAway) {
        logger.warn({ error: messageOf(error) }, 'traces are not sent, and lost: check OTEL_EXPORTER_OTLP_ENDPOINT');
      }
      this.#isAway = true;
    }
  }
}
