import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/money/config.ts';
import { checkTracing } from '../../../src/tools/doctor/tracing.ts';
import { startTraceCollector } from '../../support/trace-collector.ts';

test('doctor: a collector that takes traces, one that refuses them, one that is away, and none', async (t) => {
  const collector = await startTraceCollector(t);
  const found = (endpoint: string): ReturnType<typeof checkTracing> =>
    checkTracing(
      loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'x-token=from%20doctor' }),
    );
  assert.deepEqual(await checkTracing(loadConfig({})), []);
  assert.deepEqual(await found(collector.url), [
    { level: 'ok', subject: 'traces', message: `the collector takes them at ${collector.url}/v1/traces` },
  ]);
  assert.deepEqual([[...collector.tokens], collector.spans], [['from doctor'], []]);
  collector.answer = 401;
  const [refused] = await found(collector.url);
  assert.equal(refused?.level, 'warning');
  assert.match(refused.message, /^POST http:\S+\/v1\/traces answers 401, expected 200; until then traces are lost/);
  const [away] = await found('http://127.0.0.1:1');
  assert.equal(away?.level, 'warning');
  assert.match(away.message, /^POST http:\/\/127\.0\.0\.1:1\/v1\/traces \(OTEL_EXPORTER_OTLP_ENDPOINT\): /);
});
