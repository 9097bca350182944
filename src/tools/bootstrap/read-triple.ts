/** Reads one partition of the three inputs up to fixed ends, as the only member of a group of its own, and commits nothing. */
import { randomUUID } from 'node:crypto';
import { fetchedOf } from '../../engine/ordering/fetched.ts';
import type { MoneyBridgeSettings } from '../../money/bridge/settings.ts';
import { WaitingBatches } from '../../engine/ordering/waiting-batches.ts';
import { INPUT_INDEXES, type InputIndex } from '../../engine/ordering/watermark.ts';
import type { Clock } from '../../engine/clock.ts';
import type { DecoderSource, ValueDecoder } from '../../engine/values/value.ts';
import { EnrichmentError } from '../../engine/errors.ts';
import { watchGone } from '../../engine/kafka/gone.ts';
import type { KafkaPort, RecordBatch } from '../../engine/kafka/port.ts';
import type { Logger } from '../../engine/log.ts';
import type { TripleHistory } from './partition-states.ts';

export interface ReadDeps {
  readonly kafka: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly decoders: DecoderSource;
}

/** Of one input: fetching pauses above, goes on below half. */
const MAX_QUEUED = 10_000;
const MAX_QUEUED_BYTES = 8_000_000;
const READ_BUDGET = 5_000;

/**
 * Resolves when all of it is applied. `onRead` gets the records read since its last call. Errors: EnrichmentError KAFKA, TOPIC
 * (records are gone before they were read); the reason of `stopping`.
 */
export async function readTriple(history: TripleHistory, settings: MoneyBridgeSettings, { kafka, clock, logger, decoders }: ReadDeps, stopping: AbortSignal, onRead: (records: number) => void): Promise<void> {
  const { inputTopics, decode, maxRecordBytes } = settings;
  const { triple } = history;
  const { partition } = triple;
  if (history.finished) return;
  const member = kafka.joinGroup({ groupId: `${settings.appId}-bootstrap-${randomUUID()}`, topics: inputTopics });
  const ended = new AbortController();
  const paused = new Set<InputIndex>();
  let fail: (error: unknown) => void = () => undefined;
  let wake = new AbortController();

  const pause = (input: InputIndex): void => {
    if (paused.has(input)) return;
    paused.add(input);
    member.pause(inputTopics[input], partition);
  };
  const balance = (input: InputIndex): void => {
    const { records, bytes } = triple.queued(input);
    if (history.fetched(input) || records >= MAX_QUEUED || bytes >= MAX_QUEUED_BYTES) return pause(input);
    if (!paused.has(input) || waiting.waits(String(input)) || records >= MAX_QUEUED / 2 || bytes >= MAX_QUEUED_BYTES / 2) return;
    paused.delete(input);
    member.resume(inputTopics[input], partition);
  };
  const waiting = new WaitingBatches({
    decoders, clock, logger,
    ended: ended.signal,
    onWaiting: (lane) => pause(Number(lane) as InputIndex),
    onCaughtUp: (lane) => balance(Number(lane) as InputIndex),
    onFailure: (error) => fail(error),
  });
  const handOn = ({ topic, fetchedFrom, next, records }: RecordBatch, input: InputIndex, decoder: ValueDecoder): void => {
    const from = triple.nextFetch(input);
    // What was fetched before a seek comes twice.
    if (next <= from) return;
    if (fetchedFrom > from) return fail(goneWhileRead(topic, partition, from, fetchedFrom));
    const fetched = records.filter(({ offset }) => offset >= from).map((record) => fetchedOf(record, decode(input, record, decoder)));
    history.offer(input, fetched, next);
    balance(input);
    wake.abort('woken');
  };

  const failed = new Promise<never>((_, reject) => {
    fail = reject;
    if (stopping.aborted) reject(stopping.reason);
    stopping.addEventListener('abort', () => reject(stopping.reason), { once: true });
  });
  const unwatch = watchGone(kafka, {
    awaited: () => INPUT_INDEXES.filter((input) => !history.fetched(input) && !waiting.waits(String(input))).map((input) => ({ topic: inputTopics[input], partition, next: triple.nextFetch(input) })),
    onGone: ({ topic, next }, start) => fail(goneWhileRead(topic, partition, next, start)),
    onError: (error) => fail(error),
  });
  const read = async (): Promise<void> => {
    while (!history.finished && !ended.signal.aborted) {
      wake = new AbortController();
      const records = history.step(READ_BUDGET);
      onRead(records);
      for (const input of INPUT_INDEXES) balance(input);
      if (records === 0) await clock.sleep(1_000, wake.signal);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const start = async (): Promise<void> => {
    const assigned = new Promise<void>((resolve, reject) => {
      const handlers = {
        onAssigned: async (partitions: readonly number[]) => {
          for (const each of partitions) {
            for (const input of INPUT_INDEXES) {
              if (each !== partition) member.pause(inputTopics[input], each);
              else member.seek(inputTopics[input], partition, triple.nextFetch(input));
            }
          }
          paused.clear();
          for (const input of INPUT_INDEXES) balance(input);
          resolve();
        },
        onRecords: async (batch: RecordBatch) => {
          if (batch.partition !== partition || ended.signal.aborted) return;
          const input = inputTopics.indexOf(batch.topic) as InputIndex;
          // What is too large is not decoded, so nothing need be known of it.
          const values = batch.records.flatMap(({ value }) => (value === null || value.length > maxRecordBytes ? [] : [value]));
          waiting.take(String(input), values, (decoder) => handOn(batch, input, decoder));
        },
        onCrash: (error: Error) => fail(error),
      };
      member.start(handlers).catch(reject);
    });
    await assigned;
    await read();
  };
  try {
    await Promise.race([start(), failed]);
  } finally {
    unwatch();
    ended.abort();
    wake.abort('woken');
    failed.catch(() => undefined);
    await member.stop();
  }
}

function goneWhileRead(topic: string, partition: number, from: number, to: number): EnrichmentError {
  return new EnrichmentError('TOPIC', `${topic}, partition ${partition}: the records from offset ${from} to before ${to} were deleted while they were read: raise its retention`);
}
