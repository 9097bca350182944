import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { mergeMetrics, startMetricsGateway } from '../../src/dev/metrics-gateway.ts';

const WORKER = `# HELP cpu_total Time
# TYPE cpu_total counter
cpu_total 1.5

# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="+Inf"} 3
wait_seconds_sum 0.5
wait_seconds_count 3
`;
const BRIDGE = `# HELP cpu_total Time
# TYPE cpu_total counter
cpu_total 7
`;

test('each family comes once, its samples told apart by process', () => {
  assert.equal(
    mergeMetrics({ worker: WORKER, bridge: BRIDGE }),
    `# HELP cpu_total Time
# TYPE cpu_total counter
cpu_total{process="worker"} 1.5
cpu_total{process="bridge"} 7
# HELP wait_seconds Wait
# TYPE wait_seconds histogram
wait_seconds_bucket{process="worker",le="0.1"} 2
wait_seconds_bucket{process="worker",le="+Inf"} 3
wait_seconds_sum{process="worker"} 0.5
wait_seconds_count{process="worker"} 3
`,
  );
});

test('a process that does not answer is named, the others are answered', async (t) => {
  const source = createServer((_, response) => response.end(BRIDGE));
  await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
  t.after(() => source.close());
  const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
  const gateway = await startMetricsGateway({
    sources: () => ({ worker: 'http://127.0.0.1:1', bridge: url }),
    port: 0,
    anyPortIfTaken: false,
  });
  t.after(() => gateway.stop());
  const text = await (await fetch(gateway.url)).text();
  assert.match(text, /^# worker does not answer: /);
  assert.match(text, /^cpu_total\{process="bridge"\} 7$/m);
});

test('a port that was chosen must be free; another is taken only for one that nobody chose', async (t) => {
  const sources = () => ({});
  const first = await startMetricsGateway({ sources, port: 0, anyPortIfTaken: false });
  t.after(() => first.stop());
  const port = Number(new URL(first.url).port);
  await assert.rejects(startMetricsGateway({ sources, port, anyPortIfTaken: false }), {
    code: 'CONFIG',
    message: new RegExp(`=${port} `),
  });
  const other = await startMetricsGateway({ sources, port, anyPortIfTaken: true });
  t.after(() => other.stop());
  assert.notEqual(other.url, first.url);
});
