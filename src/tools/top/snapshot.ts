/** What `top` shows at one moment, out of what Kafka and the processes say. Pure; what nobody told is null. */
import type { Sample, Scrape } from './samples.ts';

export interface KafkaSight {
  /** Epoch ms. */
  readonly at: number;
  /** By partition number of the inputs: over all of them. */
  readonly partitions: readonly { readonly end: number; readonly lag: number; readonly watermark: number | null }[];
  /** Sum of the ends of the output topic. */
  readonly outputEnd: number;
  readonly deadLetterEnd: number;
  /** Of the last records of each partition, by user, the busiest first. */
  readonly users: readonly { readonly user: string; readonly records: number }[];
  /** `topic-partition` that have no leader now: what is told of them is of before. */
  readonly withoutLeader: readonly string[];
}

interface PartitionRow {
  readonly partition: number;
  readonly lag: number;
  readonly perSecond: number | null;
  /** ISO. */
  readonly watermark: string | null;
  readonly watermarkLagSeconds: number | null;
  readonly held: number | null;
  readonly idle: boolean | null;
}

export interface TopSnapshot {
  readonly at: string;
  readonly processes: readonly { readonly url: string; readonly problem?: string }[];
  /** Records a second; null at the first look. */
  readonly throughput: { readonly in: number | null; readonly out: number | null };
  readonly partitions: readonly PartitionRow[];
  readonly users: KafkaSight['users'];
  readonly withoutLeader: KafkaSight['withoutLeader'];
  readonly waiting: {
    readonly pendingMoney: number | null;
    readonly awaitingLookup: number | null;
    readonly lookupsInFlight: number | null;
    readonly unpublished: number | null;
  };
  readonly deadLetters: { readonly inTopic: number; readonly byReason: Readonly<Record<string, number>> };
  readonly shards: readonly { readonly shard: number; readonly owner: string }[];
}

/** `before`: an earlier look, for what is said by the second. */
export function snapshotOf(kafka: KafkaSight, before: KafkaSight | undefined, scrapes: readonly Scrape[]): TopSnapshot {
  const samples = scrapes.flatMap((one) =>
    one.samples.map((sample) => ({ ...sample, from: sample.labels['process'] ?? one.url })),
  );
  const sum = (name: string): number | null => {
    const found = samples.filter((sample) => sample.name === name);
    return found.length === 0 ? null : found.reduce((total, { value }) => total + value, 0);
  };
  const ofPartition = (name: string, partition: number): number | null =>
    samples.find((one) => one.name === name && one.labels['partition'] === String(partition))?.value ?? null;
  const perSecond = (now: number, then: number | undefined): number | null =>
    then === undefined || before === undefined || kafka.at <= before.at
      ? null
      : Math.max(0, ((now - then) * 1_000) / (kafka.at - before.at));
  const endOf = (sight: KafkaSight): number => sight.partitions.reduce((total, { end }) => total + end, 0);
  return {
    at: new Date(kafka.at).toISOString(),
    processes: scrapes.map(({ url, problem }) => ({ url, ...(problem !== undefined && { problem }) })),
    throughput: {
      in: perSecond(endOf(kafka), before && endOf(before)),
      out: perSecond(kafka.outputEnd, before?.outputEnd),
    },
    partitions: kafka.partitions.map(({ end, lag, watermark }, partition) => {
      const seconds = ofPartition('watermark_timestamp_seconds', partition);
      // The bridge's own is newer than what it committed.
      const latest = seconds === null ? watermark : seconds * 1_000;
      const idle = ofPartition('partition_idle', partition);
      return {
        partition,
        lag,
        perSecond: perSecond(end, before?.partitions[partition]?.end),
        watermark: latest === null ? null : new Date(latest).toISOString(),
        watermarkLagSeconds: latest === null ? null : (kafka.at - latest) / 1_000,
        held: ofPartition('records_held', partition),
        idle: idle === null ? null : idle === 1,
      };
    }),
    users: kafka.users,
    withoutLeader: kafka.withoutLeader,
    waiting: {
      pendingMoney: sum('pending_money'),
      awaitingLookup: sum('money_awaiting_lookup'),
      lookupsInFlight: sum('lookups_in_flight'),
      unpublished: sum('unpublished_outputs'),
    },
    deadLetters: { inTopic: kafka.deadLetterEnd, byReason: byReason(samples) },
    shards: samples
      .filter(({ name, value }) => name === 'shard_owned' && value === 1)
      .map(({ labels, from }) => ({ shard: Number(labels['shard']), owner: from }))
      .sort((a, b) => a.shard - b.shard),
  };
}

/** Those that there are. */
function byReason(samples: readonly Sample[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    if (name !== 'dead_letters_total' || value === 0) continue;
    const reason = labels['reason'] ?? 'unknown';
    sums[reason] = (sums[reason] ?? 0) + value;
  }
  return sums;
}
