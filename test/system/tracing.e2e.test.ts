/** One trace from the record of the producer to the record of the output, as a collector sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTraceparent } from '../../src/engine/tracing/trace-context.ts';
import { eventually } from '../support/eventually.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';
import { startTraceCollector, type CollectedSpan } from '../support/trace-collector.ts';

const USER = '11111111-2222-4333-8444-555555555555';
const SESSION = '00000000-0000-4000-8000-000000000901';
const PRODUCER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

function money(n: number, more: string, headers: ProducedRecord['headers'] = {}): ProducedRecord {
  const id = `00000000-0000-4000-8000-00000000000${n}`;
  const value =
    `{"type":"PaymentEvent","id":"${id}","userId":"${USER}","processedAt":"2026-01-31T10:00:0${n}.000Z",${more}` +
    '"amount":1,"openingBalance":1,"closingBalance":1,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":true}';
  return { input: 'money', key: USER, value, timestamp: Date.parse(`2026-01-31T10:00:0${n}.000Z`), headers };
}

test('a trace goes from the Kafka record through signal and workflow to the output record', async (t) => {
  const collector = await startTraceCollector(t);
  const system = await startSystem(t, {
    partitions: 1,
    env: {
      ENRICHMENT_IDLE_TIMEOUT: '1s',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-token=a%20b',
    },
  });
  const traceparent = `00-${PRODUCER.traceId}-${PRODUCER.spanId}`;
  await system.produce([
    money(1, '', { traceparent: `${traceparent}-01` }),
    // Its session is looked up.
    money(2, `"userSessionId":"${SESSION}",`, { traceparent: `${traceparent}-01`, tracestate: 'a=1' }),
    money(3, '', { traceparent: `${traceparent}-00` }),
    money(4, ''),
  ]);
  const bridge = await system.start('bridge');
  const worker = await system.start('worker');
  await eventually('all outputs', () => system.outputs.length >= 4, 60_000);
  await Promise.all([bridge.stop(), worker.stop()]);

  const { appId, topics } = system.config;
  const { spans } = collector;
  assert.deepEqual([[...collector.paths], [...collector.tokens]], [['POST /v1/traces'], ['a b']]);
  const headersOf = (offset: number) =>
    system.outputs.find(({ headers }) => headers['source-offset'] === String(offset))!.headers;
  const processed = (offset: number): CollectedSpan | undefined =>
    spans.find(
      ({ name, attributes }) =>
        name === `process ${topics.money}` && attributes['messaging.kafka.offset'] === String(offset),
    );
  for (const offset of [0, 1, 3]) {
    const read = processed(offset);
    const out = readTraceparent(headersOf(offset)['traceparent'] ?? '');
    const sent = spans.find(({ spanId }) => spanId === out?.spanId);
    assert.ok(read !== undefined && sent !== undefined && out !== undefined, `offset ${offset}`);
    assert.deepEqual([read.service, sent.service], [`${appId}-bridge`, `${appId}-worker`]);
    assert.deepEqual([sent.name, sent.parentSpanId], [`send ${topics.output}`, read.spanId]);
    assert.deepEqual([out.traceId, sent.traceId, out.sampled], [read.traceId, read.traceId, true]);
    assert.equal(sent.attributes['temporalWorkflowID'], `${appId}/${USER}`);
    assert.equal(sent.attributes['enrichment.stream'], offset === 1 ? 'resolved' : 'applied');
    // The first two go on with their producer's trace, the last one begins a trace.
    const parent = offset === 3 ? [undefined, false] : [PRODUCER.spanId, true];
    assert.deepEqual([read.parentSpanId, read.traceId === PRODUCER.traceId], parent);
    const signal = spans.find(({ spanId }) => spanId === read.links[0]?.spanId);
    assert.equal(signal?.name, 'SignalWithStartWorkflow:userEnrichment');
    if (offset !== 3) assert.ok(signal.links.some(({ spanId }) => spanId === PRODUCER.spanId));
  }
  // What its producer does not record nobody records, and it is handed on.
  assert.equal(processed(2), undefined);
  assert.equal(headersOf(2)['traceparent'], `${traceparent}-00`);
  assert.equal(headersOf(1)['tracestate'], 'a=1');
  assert.equal(spans.filter(({ name }) => name === `send ${topics.output}`).length, 3);
});
