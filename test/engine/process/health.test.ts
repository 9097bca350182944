import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHealthServer } from '../../../src/engine/process/health.ts';
import { createBridgeMetrics, createRegistry, createWorkerMetrics } from '../../../src/money/metrics.ts';

const host = '127.0.0.1';

test('metrics, liveness and readiness', async (t) => {
  const registry = createRegistry();
  const metrics = createBridgeMetrics(registry, ['wallet-events']);
  createWorkerMetrics(registry);
  let kafka: string | null = 'not connected';
  let stuck: string | null = null;
  const server = await startHealthServer({
    port: 0,
    portSetting: 'METRICS_PORT',
    host,
    registry,
    moreMetrics: async () => 'temporal_request_total 4\n',
    ready: { kafka: () => kafka, temporal: () => null },
    beside: { sessionService: () => 'it gives no usable answer, for 9 s' },
    live: () => stuck,
  });
  t.after(() => server.close());
  const get = async (path: string) => {
    const response = await fetch(`http://${host}:${server.port}${path}`);
    return { status: response.status, text: await response.text(), type: response.headers.get('content-type') ?? '' };
  };

  metrics.recordsRead.inc({ topic: 'wallet-events' }, 3);
  const scraped = await get('/metrics');
  assert.equal(scraped.status, 200);
  assert.match(scraped.type, /^text\/plain/);
  assert.match(scraped.text, /^money_enrichment_records_read_total\{topic="wallet-events"\} 3$/m);
  assert.match(scraped.text, /^money_enrichment_dead_letters_total\{reason="too-large"\} 0$/m);
  assert.match(scraped.text, /^money_enrichment_lookups_total\{outcome="not-found"\} 0$/m);
  assert.match(scraped.text, /^process_resident_memory_bytes /m);
  assert.match(scraped.text, /^temporal_request_total 4$/m);

  const unready = await get('/readyz');
  assert.equal(unready.status, 503);
  assert.deepEqual(JSON.parse(unready.text), {
    ready: false,
    parts: {
      kafka: { ready: false, problem: 'not connected' },
      temporal: { ready: true },
      sessionService: { ready: false, problem: 'it gives no usable answer, for 9 s' },
    },
  });
  kafka = null;
  const ready = await get('/readyz?x=1');
  assert.equal(ready.status, 200, 'what is beside does not make it unready');
  assert.deepEqual(JSON.parse(ready.text), {
    ready: true,
    parts: {
      kafka: { ready: true },
      temporal: { ready: true },
      sessionService: { ready: false, problem: 'it gives no usable answer, for 9 s' },
    },
  });

  assert.deepEqual(JSON.parse((await get('/healthz')).text), { live: true });
  stuck = 'no progress for 60 s';
  const dead = await get('/healthz');
  assert.equal(dead.status, 503);
  assert.deepEqual(JSON.parse(dead.text), { live: false, problem: 'no progress for 60 s' });

  assert.equal((await get('/')).status, 404);
  assert.equal((await fetch(`http://${host}:${server.port}/metrics`, { method: 'POST' })).status, 405);
});

test('a port that is taken is a configuration error that names the variable, unless nobody chose it', async (t) => {
  const options = { host, portSetting: 'METRICS_PORT', registry: createRegistry(), ready: {} };
  const first = await startHealthServer({ ...options, port: 0 });
  t.after(() => first.close());
  await assert.rejects(startHealthServer({ ...options, port: first.port }), {
    code: 'CONFIG',
    message: `METRICS_PORT=${first.port}: the port is in use; expected a free port, or 0 to take any`,
  });
  const second = await startHealthServer({ ...options, port: first.port, anyPortIfTaken: true });
  t.after(() => second.close());
  assert.notEqual(second.port, first.port);
  assert.deepEqual([first.another, second.another], [false, true]);
});

test('two registries know nothing of each other', async () => {
  const [one, two] = [createRegistry(), createRegistry()];
  createBridgeMetrics(one, []).signals.inc();
  createBridgeMetrics(two, []);
  assert.match(await one.metrics(), /^money_enrichment_signals_total 1$/m);
  assert.match(await two.metrics(), /^money_enrichment_signals_total 0$/m);
});
