import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { WAIT_REASONS } from '../../src/engine/bridge/waits.ts';
import { createBridgeMetrics, createWorkerMetrics, waitLabelOf } from '../../src/money/metrics.ts';

test('every counter is there before its first event, at 0 for each of its labels', async () => {
  const registry = new Registry();
  createBridgeMetrics(registry, ['user-events', 'user-session-events', 'wallet-events']);
  createWorkerMetrics(registry);
  const samples = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const metric of await registry.getMetricsAsJSON()) {
    if (String(metric.type) !== 'counter') continue;
    const own = samples.filter((line) => line.startsWith(`${metric.name} `) || line.startsWith(`${metric.name}{`));
    assert.ok(own.length > 0, `${metric.name} is not there`);
    for (const line of own) assert.match(line, / 0$/);
  }
  for (const sample of [
    'money_enrichment_records_read_total{topic="wallet-events"} 0',
    'money_enrichment_transactions_total{outcome="failed"} 0',
    'money_enrichment_transactions_total{outcome="committed"} 0',
    'money_enrichment_dead_letters_total{reason="malformed"} 0',
    'money_enrichment_lookups_total{outcome="given-up"} 0',
  ]) {
    assert.ok(samples.includes(sample), sample);
  }
});

test('the reasons why a partition waits have the labels that dashboards know', () => {
  assert.deepEqual(WAIT_REASONS.map(waitLabelOf), ['taking', 'ends', 'commit', 'log', 'brake', 'batch', 'users']);
});
