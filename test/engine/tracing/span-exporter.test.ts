import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../../src/engine/log.ts';
import { SpanExporter } from '../../../src/engine/tracing/span-exporter.ts';
import { Tracer } from '../../../src/engine/tracing/tracer.ts';
import { startTraceCollector } from '../../support/trace-collector.ts';

test('spans go to the collector in batches; what it does not take is lost and counted, and nobody waits', async (t) => {
  const collector = await startTraceCollector(t);
  const token = 'secret';
  let told = 0;
  const exporter = new SpanExporter({
    url: `${collector.url}/v1/traces`,
    headers: () => ({ 'x-token': token }),
    resource: { attributes: { 'service.name': 's' }, scope: { name: 'x', version: '1' } },
    logger: silentLogger(),
    onLost: (spans) => (told += spans),
  });
  const tracer = new Tracer({ rootRatio: 1, onSpan: (span) => exporter.take(span) });
  const trace = (count: number): void => {
    for (let n = 0; n < count; n += 1) tracer.start({ name: `${n}`, kind: 'internal' })!.end();
  };
  trace(3);
  await exporter.close();
  assert.deepEqual(
    collector.spans.map(({ name, service }) => `${service} ${name}`),
    ['s 0', 's 1', 's 2'],
  );
  assert.deepEqual([[...collector.paths], [...collector.tokens]], [['POST /v1/traces'], ['secret']]);

  collector.answer = 503;
  trace(2);
  await exporter.close();
  assert.equal(exporter.lost, 2);
  // One batch of 512 is under way, and 2,048 find a place behind it.
  collector.answer = 200;
  trace(3_000);
  await exporter.close();
  assert.equal(exporter.lost, 2 + 3_000 - 512 - 2_048);
  assert.equal(told, exporter.lost);
  assert.equal(collector.spans.length, 3 + 512 + 2_048);
});
