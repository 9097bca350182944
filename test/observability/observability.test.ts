/** Dashboard and alerts name metrics that exist, and each alert has its page. What the SDK serves is looked at in scenario.e2e.test.ts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { createBridgeMetrics, createWorkerMetrics } from '../../src/money/metrics.ts';
import { createProcessMetrics } from '../../src/money/metrics/process.ts';
import { alerts, ALERTS_FILE, dashboardQueries, metricsIn } from './queries.ts';

/** Made elsewhere: for certificates and tokens that end. */
const OF_CONNECTIONS = ['money_enrichment_certificate_expires_timestamp_seconds'];

async function ours(): Promise<Set<string>> {
  const registry = new Registry();
  createBridgeMetrics(registry, ['wallet-events']);
  createWorkerMetrics(registry);
  createProcessMetrics(registry, 'worker');
  const names = (await registry.getMetricsAsJSON()).flatMap(({ name, type }) =>
    String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set([...names, ...OF_CONNECTIONS]);
}

test('every metric of ours that the dashboard or an alert names is one that bridge or worker exposes', async () => {
  const known = await ours();
  const named = metricsIn([...dashboardQueries(), ...alerts().map(({ expr }) => expr)]);
  assert.ok(named.size > 40, `${named.size} metrics are named`);
  assert.deepEqual(
    [...named].filter((name) => name.startsWith('money_enrichment_') && !known.has(name)),
    [],
  );
});

test('each alert has a section in docs/runbook.md, to which it leads, and each section an alert', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/runbook.md', import.meta.url)), 'utf8');
  const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
  assert.deepEqual(
    alerts().map(({ alert }) => alert),
    sections,
  );
  for (const { alert, runbook } of alerts()) assert.equal(runbook, `docs/runbook.md#${alert.toLowerCase()}`);
});

test('Prometheus itself takes the rules', (t) => {
  const checked = spawnSync('promtool', ['check', 'rules', ALERTS_FILE], { encoding: 'utf8' });
  if (checked.error !== undefined) return t.skip('promtool is not here: it comes with Prometheus (Debian: prometheus)');
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});
