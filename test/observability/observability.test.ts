/** Dashboard and alerts name metrics that exist, and each alert has its page. What the SDK serves is looked at in scenario.e2e.test.ts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import { Registry } from 'prom-client';
import { WAIT_REASONS } from '../../src/engine/bridge/waits.ts';
import { createBridgeMetrics, createWorkerMetrics, waitLabelOf } from '../../src/money/metrics.ts';
import { createProcessMetrics } from '../../src/money/metrics/process.ts';
import { alerts, ALERTS_FILE, dashboardQueries, metricsIn } from './queries.ts';

/** Made elsewhere: for certificates and tokens that end. */
const OF_CONNECTIONS = ['certificate', 'token'].map((kind) => `money_enrichment_${kind}_expires_timestamp_seconds`);

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

test('what is wrong at any value above 0 has an alert, and each reason for which a partition waits a word in the runbook', () => {
  const page = (name: string): string =>
    readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
  const rows = page('metrics.md').matchAll(/^(?:\| |\* )`(\w+)[^`]*`.*(?:\| any\b.*\||: any, .*)$/gm);
  const wrong = [...rows].map(([, name]) => (name!.startsWith('temporal_') ? name! : `money_enrichment_${name!}`));
  assert.ok(wrong.length >= 5, `${wrong.length} metrics`);
  const alerted = metricsIn(alerts().map(({ expr }) => expr));
  assert.deepEqual(
    wrong.filter((name) => !alerted.has(name)),
    [],
  );
  const [, section = ''] = /^## MoneyEnrichmentPartitionWaits\n\n(.*)$/m.exec(page('runbook.md')) ?? [];
  for (const reason of WAIT_REASONS) assert.ok(section.includes(`\`${waitLabelOf(reason)}\``), reason);
});

/** Where Prometheus' own grammar finds a fault, with what stands before it. */
function faultsOf(query: string): string[] {
  // Grafana puts a duration and a list of names there.
  const filled = query.replaceAll(/\$__\w+/g, '5m').replaceAll(/\$\{?\w+(:\w+)?\}?/g, 'x');
  const faults: string[] = [];
  parser.parse(filled).iterate({
    enter({ type, from }) {
      if (type.isError) faults.push(`${filled.slice(0, from)} <- here`);
    },
  });
  return faults;
}

test('what the dashboard and the alerts ask is PromQL', () => {
  const queries = [...dashboardQueries(), ...alerts().map(({ expr }) => expr)];
  assert.ok(queries.length > 60, `${queries.length} queries`);
  assert.deepEqual(queries.flatMap(faultsOf), []);
  assert.equal(faultsOf('sum(rate(a_total[5m]) by (b').length > 0, true);
});

/** Skips where there is no promtool. */
function promtool(t: TestContext, ...args: string[]): void {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  if (error !== undefined) return t.skip('promtool is not here: it comes with Prometheus (Debian: prometheus)');
  assert.equal(status, 0, stdout + stderr);
}

test('Prometheus itself takes the rules', (t) => promtool(t, 'check', 'rules', ALERTS_FILE));

test('the rules wake people for what is wrong, and for nothing else', (t) =>
  promtool(t, 'test', 'rules', fileURLToPath(new URL('alerts.test.yml', import.meta.url))));
