/**
 * Spans of this process. A span goes on with the trace of its parent, if that is recorded; without a parent a share of them begins a
 * trace (OTEL_TRACES_SAMPLER). Where nothing is recorded there is no span, and nothing to pay for.
 */
import { newSpanId, newTraceId, type TraceContext } from './trace-context.ts';

export type SpanKind = 'internal' | 'client' | 'producer' | 'consumer';

export interface FinishedSpan {
  readonly context: TraceContext;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  readonly links: readonly TraceContext[];
  /** Why it failed. */
  readonly error?: string;
}

export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parent?: TraceContext | undefined;
  readonly attributes?: Attributes;
  readonly links?: readonly TraceContext[];
}

export interface Span {
  readonly context: TraceContext;
  /** Once. `error`: it failed. */
  end(error?: unknown): void;
}

export interface TracerOptions {
  /** Told of each span that is recorded. */
  readonly onSpan: (span: FinishedSpan) => void;
  /** From 0 to 1: of what has no parent. */
  readonly rootRatio: number;
  /** What has a parent is recorded as what has none, whatever was decided there. */
  readonly ignoresParents?: boolean;
  /** Epoch ms. */
  readonly now?: () => number;
}

export class Tracer {
  readonly #options: TracerOptions;
  readonly #now: () => number;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Undefined: it is not recorded. */
  start({ name, kind, parent, attributes = {}, links = [] }: SpanStart): Span | undefined {
    const traceId = parent?.traceId ?? newTraceId();
    const { rootRatio, ignoresParents = false } = this.#options;
    const sampled = (ignoresParents ? undefined : parent?.sampled) ?? isSampled(traceId, rootRatio);
    if (!sampled) return undefined;
    const context = { traceId, spanId: newSpanId(), sampled };
    const startedAt = this.#now();
    return {
      context,
      end: (error) =>
        this.#options.onSpan({
          context,
          ...(parent && { parentSpanId: parent.spanId }),
          name,
          kind,
          startedAt,
          endedAt: Math.max(startedAt, this.#now()),
          attributes,
          links,
          ...(error !== undefined && { error: error instanceof Error ? error.name : 'Error' }),
        }),
    };
  }
}

/** As OpenTelemetry's TraceIdRatioBased: all that decide by the same ratio decide alike. */
function isSampled(traceId: string, ratio: number): boolean {
  return ratio >= 1 || Number.parseInt(traceId.slice(-13), 16) < ratio * 2 ** 52;
}
