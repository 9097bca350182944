import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportRequest } from '../../../src/engine/tracing/otlp.ts';
import { Tracer, type FinishedSpan } from '../../../src/engine/tracing/tracer.ts';

const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };

function tracer(rootRatio: number) {
  const spans: FinishedSpan[] = [];
  let now = 1_769_853_600_000;
  return { spans, tracer: new Tracer({ rootRatio, onSpan: (span) => spans.push(span), now: () => (now += 5) }) };
}

test('a span goes on with the trace of its parent, whatever share of roots is recorded', () => {
  for (const ratio of [0, 1]) {
    const { spans, tracer: traces } = tracer(ratio);
    const span = traces.start({ name: 'a', kind: 'consumer', parent: PARENT });
    span!.end();
    assert.deepEqual(
      [spans[0]!.context.traceId, spans[0]!.parentSpanId, spans[0]!.context.sampled],
      [PARENT.traceId, PARENT.spanId, true],
    );
    assert.equal(traces.start({ name: 'b', kind: 'consumer', parent: { ...PARENT, sampled: false } }), undefined);
  }
});

test('where parents are ignored the share decides, and the trace stays that of the parent', () => {
  const spans: FinishedSpan[] = [];
  const all = new Tracer({ rootRatio: 1, ignoresParents: true, onSpan: (span) => spans.push(span) });
  all.start({ name: 'a', kind: 'consumer', parent: { ...PARENT, sampled: false } })!.end();
  assert.deepEqual([spans[0]!.context.traceId, spans[0]!.context.sampled], [PARENT.traceId, true]);
  const none = new Tracer({ rootRatio: 0, ignoresParents: true, onSpan: (span) => spans.push(span) });
  assert.equal(none.start({ name: 'b', kind: 'consumer', parent: PARENT }), undefined);
});

test('without a parent a share of them begins a trace', () => {
  const started = (ratio: number): number => {
    const { tracer: traces } = tracer(ratio);
    return Array.from({ length: 2_000 }, () => traces.start({ name: 'a', kind: 'client' })).filter(Boolean).length;
  };
  assert.deepEqual([started(0), started(1)], [0, 2_000]);
  // Six standard deviations of 2,000 throws.
  const half = started(0.5);
  assert.ok(half > 865 && half < 1_135, String(half));
});

test('a span is, on the wire, what OTLP says', () => {
  const { spans, tracer: traces } = tracer(1);
  const attributes = { 'messaging.system': 'kafka', 'messaging.kafka.offset': 7 };
  const span = traces.start({ name: 'send out', kind: 'producer', parent: PARENT, attributes, links: [PARENT] });
  span!.end(new TypeError('with what nobody may see'));
  const resource = { attributes: { 'service.name': 'app-bridge' }, scope: { name: 'x', version: '1' } };
  assert.deepEqual(exportRequest(spans, resource), {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'app-bridge' } }] },
        scopeSpans: [
          {
            scope: { name: 'x', version: '1' },
            spans: [
              {
                traceId: PARENT.traceId,
                spanId: span!.context.spanId,
                parentSpanId: PARENT.spanId,
                name: 'send out',
                kind: 4,
                startTimeUnixNano: '1769853600005000000',
                endTimeUnixNano: '1769853600010000000',
                attributes: [
                  { key: 'messaging.system', value: { stringValue: 'kafka' } },
                  { key: 'messaging.kafka.offset', value: { intValue: '7' } },
                ],
                links: [{ traceId: PARENT.traceId, spanId: PARENT.spanId }],
                status: { code: 2, message: 'TypeError' },
              },
            ],
          },
        ],
      },
    ],
  });
});
