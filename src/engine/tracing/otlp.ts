/** Spans as an OTLP collector takes them: the JSON of ExportTraceServiceRequest (opentelemetry-proto 1.x). Pure. */
import type { Attributes, FinishedSpan, SpanKind } from './tracer.ts';

/** The numbers of the protocol. */
const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, client: 3, producer: 4, consumer: 5 };
const STATUS_ERROR = 2;

export interface Resource {
  readonly attributes: Attributes;
  /** Of what makes the spans. */
  readonly scope: { readonly name: string; readonly version: string };
}

export function exportRequest(spans: readonly FinishedSpan[], { attributes, scope }: Resource): object {
  return {
    resourceSpans: [
      { resource: { attributes: attributesOf(attributes) }, scopeSpans: [{ scope, spans: spans.map(spanOf) }] },
    ],
  };
}

function spanOf({ context, parentSpanId, name, kind, startedAt, endedAt, attributes, links, error }: FinishedSpan) {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: attributesOf(attributes),
    ...(links.length > 0 && { links: links.map(({ traceId, spanId }) => ({ traceId, spanId })) }),
    ...(error !== undefined && { status: { code: STATUS_ERROR, message: error } }),
  };
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(Math.round(value)) },
  }));
}
