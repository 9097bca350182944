/** Reads one partition of the inputs up to fixed ends, as the only member of a group of its own, and commits nothing. */
import { randomUUID } from 'node:crypto';
import { InputLanes } from '../../engine/ordering/input-lanes.ts';
import type { LaneLimit } from '../../engine/ordering/lanes.ts';
import type { MoneyBridgeSettings } from '../../money/bridge/settings.ts';
import type { Clock } from '../../engine/clock.ts';
import type { DecoderSource } from '../../engine/values/value.ts';
import { CodedError } from '../../engine/errors.ts';
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

const QUEUED: LaneLimit = { records: 10_000, bytes: 8_000_000 };
const READ_BUDGET = 5_000;

/**
 * Resolves when all of it is applied. `onRead` gets the records read since its last call. Errors: CodedError KAFKA, TOPIC
 * (records are gone before they were read); the reason of `stopping`.
 */
export async function readTriple(
  history: TripleHistory,
  settings: MoneyBridgeSettings,
  { kafka, clock, logger, decoders }: ReadDeps,
  stopping: AbortSignal,
  onRead: (records: number) => void,
): Promise<void> {
  const { inputTopics, decode, maxRecordBytes } = settings;
  const { triple } = history;
  const { partition } = triple;
  if (history.finished) return;
  const member = kafka.joinGroup({ groupId: `${settings.appId}-bootstrap-${randomUUID()}`, topics: inputTopics });
  const ended = new AbortController();
  let fail: (error: unknown) => void = () => undefined;
  let wake = new AbortController();

  const reading = {
    nextFetch: (input: number) => triple.nextFetch(input),
    queued: (input: number) => triple.queued(input),
    fetched: (input: number) => history.fetched(input),
    offer: history.offer.bind(history),
  };
  const lanes = new InputLanes({
    inputTopics,
    decode,
    maxRecordBytes,
    member,
    decoders,
    clock,
    logger,
    ended: ended.signal,
    limit: QUEUED,
    reading: (each) => (each === partition ? reading : undefined),
    onGap: (_, input, from, to) => {
      fail(goneWhileRead(inputTopics[input]!, partition, from, to));
      return false;
    },
    onOffered: () => wake.abort('woken'),
    onFailure: (error) => fail(error),
  });

  const failed = new Promise<never>((_, reject) => {
    fail = reject;
    if (stopping.aborted) reject(stopping.reason);
    stopping.addEventListener('abort', () => reject(stopping.reason), { once: true });
  });
  const unwatch = watchGone(kafka, {
    awaited: () =>
      triple.inputs
        .filter((input) => !history.fetched(input) && !lanes.waits(partition, input))
        .map((input) => ({ topic: inputTopics[input]!, partition, next: triple.nextFetch(input) })),
    onGone: ({ topic, next }, start) => fail(goneWhileRead(topic, partition, next, start)),
    onError: (error) => fail(error),
  });
  const read = async (): Promise<void> => {
    while (!history.finished && !ended.signal.aborted) {
      wake = new AbortController();
      const records = history.step(READ_BUDGET);
      onRead(records);
      lanes.balance(partition);
      if (records === 0) await clock.sleep(1_000, wake.signal);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const start = async (): Promise<void> => {
    const assigned = new Promise<void>((resolve, reject) => {
      const handlers = {
        onAssigned: async (partitions: readonly number[]) => {
          lanes.reset();
          for (const each of partitions) if (each !== partition) lanes.hold(each, 'taken');
          lanes.seek(partition);
          lanes.balance(partition);
          resolve();
        },
        onRecords: async (batch: RecordBatch) => lanes.offer(batch),
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

function goneWhileRead(topic: string, partition: number, from: number, to: number): CodedError {
  return new CodedError(
    'TOPIC',
    `${topic}, partition ${partition}: the records from offset ${from} to before ${to} were deleted while they were read: raise its retention`,
  );
}
