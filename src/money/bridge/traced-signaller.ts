/**
 * Traces what the bridge does. A signal carries money of many traces: it is a span of its own trace, with a link to each of them;
 * and each money gets a span in its own trace, from which what its workflow does goes on.
 */
import type { Batch, Signaller } from '../../engine/bridge/signaller.ts';
import type { PlacedEvent } from '../../engine/ordering/decoded.ts';
import { readTraceparent, writeTraceparent, type TraceContext } from '../../engine/tracing/trace-context.ts';
import type { Span, Tracer } from '../../engine/tracing/tracer.ts';
import type { Applicable, Money } from '../domain/types.ts';
import { traceOf, withTrace } from '../domain/traced.ts';

/** Of one signal: as many as OpenTelemetry keeps. */
const MAX_LINKS = 128;

/** `inputTopics`: by input. */
export function tracedSignaller(signaller: Signaller, tracer: Tracer, inputTopics: readonly string[]): Signaller {
  return {
    ...signaller,
    async signal(key, batch) {
      const parents = batch.records.map((record) => moneyOf(record)).map((money) => money && parentOf(money));
      const recorded = parents.flatMap((parent) => (parent?.sampled === true ? parent : []));
      const named = { temporalWorkflowID: signaller.workflowIdOf(key) };
      const whole = tracer.start({
        name: 'SignalWithStartWorkflow:userEnrichment',
        kind: 'client',
        links: recorded.slice(0, MAX_LINKS),
        attributes: { ...named, 'messaging.batch.message_count': batch.records.length },
      });
      const spans: Span[] = whole === undefined ? [] : [whole];
      const records = batch.records.map((record, index) => {
        const money = moneyOf(record);
        if (money === undefined) return record;
        const span = tracer.start({
          name: `process ${inputTopics[record.input]}`,
          kind: 'consumer',
          parent: parents[index],
          links: whole === undefined ? [] : [whole.context],
          attributes: { ...named, ...placeOf(batch, record, inputTopics) },
        });
        if (span === undefined) return record;
        spans.push(span);
        return { ...record, event: { type: 'money', money: withTrace(money, writeTraceparent(span.context)) } };
      });
      try {
        await signaller.signal(key, { ...batch, records });
      } catch (error) {
        for (const span of spans) span.end(error);
        throw error;
      }
      for (const span of spans) span.end();
    },
  };
}

function moneyOf(record: PlacedEvent<unknown>): Money | undefined {
  const event = record.event as Applicable['event'];
  return event.type === 'money' ? event.money : undefined;
}

function parentOf(money: Money): TraceContext | undefined {
  return readTraceparent(traceOf(money) ?? '');
}

/** In the words of OpenTelemetry's conventions for messaging. */
function placeOf({ partition }: Batch, { input, offset }: PlacedEvent<unknown>, inputTopics: readonly string[]) {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'process',
    'messaging.destination.name': inputTopics[input]!,
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': offset,
  };
}
