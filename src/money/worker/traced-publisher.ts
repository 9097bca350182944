/**
 * Traces what is published: a span for each output, in the trace of its money, and its context goes out with the output. Money that
 * is not traced goes out as it is.
 */
import type { Publisher } from '../../engine/publish/publisher.ts';
import { readTraceparent, writeTraceparent } from '../../engine/tracing/trace-context.ts';
import type { Span, Tracer } from '../../engine/tracing/tracer.ts';
import { traceOf, withTrace } from '../domain/traced.ts';
import type { Output } from '../domain/types.ts';

export function tracedPublisher(
  publisher: Publisher<Output>,
  tracer: Tracer,
  {
    topic,
    shard,
    workflowId,
  }: { readonly topic: string; readonly shard: number; readonly workflowId: (userId: string) => string },
): Publisher<Output> {
  return {
    async publish(request) {
      const spans: Span[] = [];
      const outputs = request.outputs.map((output, index) => {
        const { money } = output.enriched;
        const parent = readTraceparent(traceOf(money) ?? '');
        const span =
          parent &&
          tracer.start({
            name: `send ${topic}`,
            kind: 'producer',
            parent,
            attributes: {
              temporalWorkflowID: workflowId(request.key),
              'messaging.system': 'kafka',
              'messaging.operation.type': 'send',
              'messaging.destination.name': topic,
              'messaging.destination.partition.id': String(shard),
              'enrichment.stream': request.stream,
              'enrichment.seq': request.first + index,
            },
          });
        if (span === undefined) return output;
        spans.push(span);
        return { ...output, enriched: { ...output.enriched, money: withTrace(money, writeTraceparent(span.context)) } };
      });
      let at: number | void;
      try {
        at = await publisher.publish(spans.length === 0 ? request : { ...request, outputs });
      } catch (error) {
        for (const span of spans) span.end(error);
        throw error;
      }
      for (const span of spans) span.end();
      return at;
    },
  };
}
