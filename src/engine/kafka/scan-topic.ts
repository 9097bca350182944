/** Reads all partitions of a topic, read_committed, up to given ends, as the only member of a group of its own, and commits nothing. */
import { randomUUID } from 'node:crypto';
import { CodedError } from '../errors.ts';
import { watchGone } from './gone.ts';
import type { InRecord, KafkaPort } from './port.ts';

export interface ScanOptions {
  readonly topic: string;
  /** Of the consumer group, which is gone with the scan. */
  readonly groupPrefix: string;
  /** By partition: the first offset to read and the one before which to stop. */
  readonly ranges: readonly { readonly from: number; readonly end: number }[];
  /** In the order of offsets within a partition. What it throws ends the scan. */
  readonly onRecord: (record: InRecord, partition: number) => void;
  /** Called after each batch; true lets the scan pause until {@link Scan.goOn}. */
  readonly mayPause?: () => boolean;
}

export interface Scan {
  readonly done: Promise<void>;
  /** Offsets passed. */
  readonly passed: number;
  goOn(): void;
  /** Ends it early; `done` rejects with `error`. */
  abort(error: unknown): void;
}

/** The ranges of a whole topic as it is now. Errors: TOPIC (it does not exist), KAFKA. */
export async function rangesOf(kafka: KafkaPort, topic: string): Promise<{ from: number; end: number }[]> {
  const [count] = await kafka.partitionCounts([topic]);
  if (!count) throw new CodedError('TOPIC', `the topic "${topic}" does not exist`);
  const bounds = await kafka.endOffsets(Array.from({ length: count }, (_, partition) => ({ topic, partition })));
  return bounds.toSorted((a, b) => a.partition - b.partition).map(({ start, end }) => ({ from: start, end }));
}

export function scanTopic(kafka: KafkaPort, options: ScanOptions): Scan {
  const { topic, groupPrefix, ranges, onRecord, mayPause } = options;
  const open = new Map(
    [...ranges.entries()].filter(([, { from, end }]) => from < end).map(([partition, { end }]) => [partition, end]),
  );
  const positions = ranges.map(({ from }) => from);
  let passed = 0;
  let paused = false;
  const member = kafka.joinGroup({ groupId: `${groupPrefix}-${randomUUID()}`, topics: [topic] });
  let fail: (error: unknown) => void = () => undefined;
  let unwatch: () => void = () => undefined;

  const read = new Promise<void>((resolve, reject) => {
    fail = reject;
    if (open.size === 0) return resolve();
    const handlers = {
      onAssigned: async (partitions: readonly number[]) => {
        for (const partition of partitions) {
          if (open.has(partition)) member.seek(topic, partition, positions[partition]!);
          else member.pause(topic, partition);
        }
      },
      onRecords: async (batch: {
        readonly partition: number;
        readonly fetchedFrom: number;
        readonly next: number;
        readonly records: readonly InRecord[];
      }) => {
        const { partition, fetchedFrom, next, records } = batch;
        const end = open.get(partition);
        if (end === undefined) return;
        try {
          for (const record of records) {
            if (record.offset >= positions[partition]! && record.offset < end) onRecord(record, partition);
          }
        } catch (error) {
          return reject(error);
        }
        passed += Math.max(0, Math.min(next, end) - Math.max(positions[partition]!, fetchedFrom));
        positions[partition] = Math.max(positions[partition]!, next);
        if (next >= end) {
          open.delete(partition);
          member.pause(topic, partition);
        }
        if (open.size === 0) return resolve();
        if (mayPause?.() === true && !paused) {
          paused = true;
          for (const each of open.keys()) member.pause(topic, each);
        }
      },
      onCrash: reject,
    };
    member.start(handlers).catch(reject);
    unwatch = watchGone(kafka, {
      awaited: () => (paused ? [] : [...open].map(([partition, end]) => ({ topic, partition, next: end - 1 }))),
      onGone: ({ partition }) => {
        passed += Math.max(0, open.get(partition)! - positions[partition]!);
        open.delete(partition);
        if (open.size === 0) resolve();
      },
      onError: reject,
    });
  });
  return {
    done: read.finally(() => {
      unwatch();
      return member.stop();
    }),
    get passed() {
      return passed;
    },
    goOn() {
      if (!paused) return;
      paused = false;
      for (const partition of open.keys()) member.resume(topic, partition);
    },
    abort: (error) => fail(error),
  };
}
