import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { loadConfig, type Config } from '../../../src/money/config.ts';

const shown = (tracing: Config['tracing']) => tracing && { ...tracing, headers: tracing.headers() };

test("traces are sent where OpenTelemetry's own variables say, and nowhere without them", () => {
  const tracing = (env: NodeJS.ProcessEnv) => shown(loadConfig(env).tracing);
  assert.equal(tracing({}), undefined);
  assert.equal(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }), undefined);
  assert.equal(tracing({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }), undefined);
  assert.deepEqual(tracing({ OTEL_TRACES_EXPORTER: 'otlp' }), {
    url: 'http://localhost:4318/v1/traces',
    headers: {},
    rootRatio: 1,
    ignoresParents: false,
    resource: {},
  });
  const all = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x=y, b=2',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_SERVICE_NAME: 'money',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,service.name=of%20the%20pod',
  };
  assert.deepEqual(tracing(all), {
    url: 'http://c:4318/v1/traces',
    headers: { authorization: 'Bearer x=y', b: '2' },
    rootRatio: 0.25,
    ignoresParents: false,
    resource: { 'deployment.environment': 'prod', 'service.name': 'of the pod' },
    serviceName: 'money',
  });
  const own = {
    ...all,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t/x',
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
  };
  assert.deepEqual([tracing(own)?.url, tracing(own)?.rootRatio], ['https://t/x', 0]);
  const { OTEL_SERVICE_NAME: _, ...unnamed } = all;
  assert.equal(tracing(unnamed)?.serviceName, 'of the pod');
  const sampled = (name: string): unknown => {
    const { rootRatio, ignoresParents } = tracing({ ...all, OTEL_TRACES_SAMPLER: name })!;
    return [rootRatio, ignoresParents];
  };
  assert.deepEqual(['always_on', 'always_off', 'traceidratio'].map(sampled), [
    [1, true],
    [0, true],
    [0.25, true],
  ]);
  assert.equal(tracing({ ...all, OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'console' }), undefined);
  assert.throws(
    () => tracing({ ...all, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
    /OTEL_EXPORTER_OTLP_PROTOCOL="grpc": expected http\/json/,
  );
  assert.throws(
    () => tracing({ ...all, ENRICHMENT_FORWARD_HEADERS: 'none' }),
    /ENRICHMENT_FORWARD_HEADERS="none": expected names with traceparent/,
  );
  assert.deepEqual(tracing({ ...all, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'c=3' })?.headers, { c: '3' });
  assert.throws(
    () => tracing({ ...all, OTEL_EXPORTER_OTLP_HEADERS: 'secret' }),
    (error: Error) => error.message === 'OTEL_EXPORTER_OTLP_HEADERS: expected name=value, several separated by commas',
  );
});

test('the headers of traces may stand in a file, and are those that it has now', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headers-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'otlp');
  writeFileSync(file, 'authorization=Bearer%20old\n');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_HEADERS_FILE: file };
  const { tracing } = loadConfig(env);
  assert.deepEqual(tracing?.headers(), { authorization: 'Bearer old' });
  writeFileSync(file, 'authorization=Bearer%20new\n');
  await sleep(1_100);
  assert.deepEqual(tracing?.headers(), { authorization: 'Bearer new' });
  assert.throws(
    () => loadConfig({ ...env, OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }),
    /OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_HEADERS_FILE are both set/,
  );
});
