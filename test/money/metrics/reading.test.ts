import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createReadingMetrics, setReadingGauges } from '../../../src/money/metrics/reading.ts';

const TOPICS = ['users', 'sessions', 'wallet'];
const NOW = 1_000_000;

test('each partition says what it holds, how far it lags, and whether it is idle; one that is gone says nothing', async () => {
  const registry = new Registry();
  const metrics = createReadingMetrics(registry);
  const gauges = async () =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => /^money_enrichment_(records_held|partition|consumer|watermark)/.test(line))
      .map((line) => line.replace('money_enrichment_', ''));
  const silent = { partition: 1, watermark: -Infinity, held: 0, released: 0, idle: [0, 1, 2], lag: [0, 0, 0] };
  const busy = { partition: 0, watermark: 975_000, held: 7, released: 2, idle: [1], lag: [0, 3, 40] };
  setReadingGauges(
    metrics,
    [
      { ...busy, waitingSince: 970_000 },
      { ...silent, waitingSince: undefined },
    ],
    TOPICS,
    NOW,
  );
  assert.deepEqual(await gauges(), [
    'records_held{partition="0"} 9',
    'records_held{partition="1"} 0',
    'watermark_lag_seconds{partition="0"} 25',
    'watermark_timestamp_seconds{partition="0"} 975',
    'partition_idle{partition="0"} 0',
    'partition_idle{partition="1"} 1',
    'consumer_lag_records{topic="users",partition="0"} 0',
    'consumer_lag_records{topic="sessions",partition="0"} 3',
    'consumer_lag_records{topic="wallet",partition="0"} 40',
    'consumer_lag_records{topic="users",partition="1"} 0',
    'consumer_lag_records{topic="sessions",partition="1"} 0',
    'consumer_lag_records{topic="wallet",partition="1"} 0',
    'consumer_lag_seconds{partition="0"} 30',
    'consumer_lag_seconds{partition="1"} 0',
  ]);
  setReadingGauges(metrics, [], TOPICS, NOW);
  assert.deepEqual(await gauges(), []);
});
