/** How far a bridge has come in each partition, and how long what it reads takes to reach a workflow. */
import type { Gauge, Histogram, Registry } from 'prom-client';
import type { Bridge } from '../../engine/bridge/bridge.ts';
import { LONG_SECONDS, makersOf, SECONDS, SIZES } from './names.ts';

export interface ReadingMetrics {
  /** Records in the ordering buffers and waiting for their signal to be acknowledged. */
  readonly held: Gauge<'partition'>;
  /** Wall clock minus watermark, in seconds. */
  readonly watermarkLag: Gauge<'partition'>;
  readonly watermark: Gauge<'partition'>;
  readonly partitionIdle: Gauge<'partition'>;
  readonly lagRecords: Gauge<'topic' | 'partition'>;
  readonly lagSeconds: Gauge<'partition'>;
  readonly signalDuration: Histogram;
  readonly signalEvents: Histogram;
  readonly signalLatency: Histogram;
}

export function createReadingMetrics(registry: Registry): ReadingMetrics {
  const { gaugeBy, histogram } = makersOf(registry);
  return {
    held: gaugeBy('records_held', 'Records in memory: in order, or on their way to Temporal', 'partition'),
    watermarkLag: gaugeBy('watermark_lag_seconds', 'Wall clock minus watermark of a partition triple', 'partition'),
    watermark: gaugeBy('watermark_timestamp_seconds', 'Watermark of a partition triple, Unix time', 'partition'),
    partitionIdle: gaugeBy(
      'partition_idle',
      '1 while all inputs of a partition triple are read to their ends and silent',
      'partition',
    ),
    lagRecords: gaugeBy(
      'consumer_lag_records',
      'Offsets from the place of the group in an input to the end of its log, with what is held',
      'topic',
      'partition',
    ),
    lagSeconds: gaugeBy(
      'consumer_lag_seconds',
      'Age, by its Kafka timestamp, of the first record that is not acknowledged; 0 when there is none',
      'partition',
    ),
    signalDuration: histogram('signal_duration_seconds', 'Time of a signal to Temporal, failed or not', SECONDS),
    signalEvents: histogram('signal_events', 'Events in an acknowledged signal', SIZES),
    signalLatency: histogram(
      'signal_latency_seconds',
      'From the Kafka timestamp of a record to the acknowledgement of its signal',
      LONG_SECONDS,
    ),
  };
}

/** `topics`: the inputs, in their order. `now` in epoch ms. */
export function setReadingGauges(
  metrics: ReadingMetrics,
  triples: ReturnType<Bridge['describe']>,
  topics: readonly string[],
  now: number,
): void {
  const { held, watermark, watermarkLag, partitionIdle, lagRecords, lagSeconds } = metrics;
  for (const gauge of [held, watermark, watermarkLag, partitionIdle, lagRecords, lagSeconds]) gauge.reset();
  for (const triple of triples) {
    const partition = String(triple.partition);
    held.set({ partition }, triple.held + triple.released);
    partitionIdle.set({ partition }, triple.idle.length === topics.length ? 1 : 0);
    for (const [input, topic] of topics.entries()) lagRecords.set({ topic, partition }, triple.lag[input] ?? 0);
    lagSeconds.set({ partition }, secondsSince(triple.waitingSince, now));
    if (!Number.isFinite(triple.watermark)) continue;
    watermark.set({ partition }, triple.watermark / 1_000);
    watermarkLag.set({ partition }, (now - triple.watermark) / 1_000);
  }
}

function secondsSince(ts: number | undefined, now: number): number {
  return ts === undefined ? 0 : Math.max(0, now - ts) / 1_000;
}
