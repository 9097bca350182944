/** One run of the whole bridge over Kafka in memory, from the first record to the last commit; what came of it. */
import { Bridge } from '../../src/engine/bridge/bridge.ts';
import { decodeMetadata } from '../../src/engine/ordering/checkpoint.ts';
import type { MoneyBridgeSettings } from '../../src/money/bridge/settings.ts';
import type { Signaller } from '../../src/engine/bridge/signaller.ts';
import { INPUTS } from '../../src/money/domain/events.ts';
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { KafkaPort } from '../../src/engine/kafka/port.ts';
import type { Random } from '../../src/engine/random.ts';
import { silentLogger } from '../../src/engine/log.ts';
import type { EventBatch } from '../../workflows/messages.ts';
import { RULES } from '../../test/money/domain/given.ts';
import { KafkaInMemory } from '../../src/library/testing/kafka/kafka-in-memory.ts';
import type { StoredRecord } from '../../src/library/testing/kafka/partition-log.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { HostileRecord } from './records.ts';
import { stopwatch } from './stopwatch.ts';
import { decoding } from '../../src/money/bridge/settings.ts';
import { eventBatchOf } from '../../src/money/bridge/event-batch.ts';
import type { Limits } from '../../src/money/codec/decode.ts';

export const PARTITIONS = 2;
/** A small skew: valid records from just within it would otherwise make all others late. */
export const LIMITS: Limits = { maxRecordBytes: 3_000, maxFutureSkew: 2_000 };
export const SETTINGS: MoneyBridgeSettings = {
  appId: 'app',
  groupId: 'bridges',
  inputTopics: ['user', 'session', 'money'],
  deadLetterTopic: 'dead',
  deadLetterPartitions: 1,
  outOfOrderness: 20_000,
  idleTimeout: 5_000,
  ...decoding(LIMITS),
  rules: RULES,
};

export interface Placed extends HostileRecord {
  readonly partition: number;
}

/** A signal that became durable, whether the bridge was told so or not. */
interface Delivered {
  readonly userId: string;
  readonly batch: EventBatch;
}

export interface BridgeRun {
  readonly delivered: readonly Delivered[];
  readonly deadLetters: readonly StoredRecord[];
  /** By input and partition: committed, and where the log ends. */
  readonly offsets: readonly {
    readonly input: MoneyInput;
    readonly partition: number;
    readonly committed: number | null;
    readonly end: number;
  }[];
  /** Committed at the end, by partition, epoch ms. */
  readonly watermarks: readonly number[];
  /** ms: the longest that the event loop was held. */
  readonly stall: number;
  /** It came to its end in time, and did not fail. */
  readonly problem?: string;
}

/** Of the clock. */
const MAX_STEPS = 5_000;
const STEP = 100;
const TURNS = 8;

export async function runBridge(records: readonly Placed[], random: Random): Promise<BridgeRun> {
  const kafka = new KafkaInMemory();
  kafka.fetchSize = 200 + random.below(800);
  for (const topic of SETTINGS.inputTopics) kafka.createTopic(topic, PARTITIONS);
  kafka.createTopic('dead', 1);
  for (const { input, partition, key, value, timestamp } of records) {
    kafka.append(input, partition, { key, value, timestamp });
  }

  const clock = new ManualClock();
  const delivered: Delivered[] = [];
  const signaller: Signaller = {
    workflowIdOf: (userId) => userId,
    history: async () => null,
    async signal(userId, batch) {
      if (random.chance(0.05)) throw new Error('the request was lost');
      delivered.push({ userId, batch: eventBatchOf(batch) });
      if (random.chance(0.05)) throw new Error('the answer was lost');
    },
  };
  const observer = {
    read: nothing,
    deadLettersWritten: nothing,
    deadLettersCut: nothing,
    late: nothing,
    signalled: nothing,
    signalFailed: nothing,
    committed: nothing,
    splitKey: nothing,
  };
  const start = (name: string) => {
    const bridge = new Bridge(SETTINGS, {
      kafka: turning(kafka.port(name)),
      signaller,
      clock,
      logger: silentLogger(),
      observer,
    });
    const state = { bridge, stopped: false, failure: undefined as unknown };
    bridge
      .run()
      .catch((error: unknown) => (state.failure = error))
      .finally(() => (state.stopped = true));
    return state;
  };
  const places = INPUTS.flatMap((input) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: input, partition })),
  );
  const observe = kafka.port('observer');
  const offsets = async () => {
    const [committed, ends] = await Promise.all([
      observe.committedOffsets(SETTINGS.groupId, places),
      observe.endOffsets(places),
    ]);
    return committed.map((place, n) => ({
      input: place.topic as MoneyInput,
      partition: place.partition,
      committed: place.offset,
      end: ends[n]!.end,
      metadata: place.metadata,
    }));
  };
  let stall = 0;
  const passes = async (check: () => boolean | Promise<boolean>): Promise<boolean> => {
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (await check()) return true;
      for (let turn = 0; turn < TURNS; turn += 1) {
        const elapsed = stopwatch();
        await new Promise((resolve) => setImmediate(resolve));
        stall = Math.max(stall, elapsed());
      }
      clock.advance(STEP);
    }
    return false;
  };

  let running = start('a');
  // Some runs are taken over in the middle, by a bridge that goes on at what the first has committed.
  const handOver = random.chance(0.3) ? random.below(records.length / 20) : Infinity;
  const isDone = async () => running.stopped || (await offsets()).every(({ committed, end }) => committed === end);
  let done = await passes(async () => delivered.length > handOver || isDone());
  if (done && delivered.length > handOver) {
    running.bridge.stop();
    await passes(() => running.stopped);
    if (running.failure === undefined) running = start('b');
    done = await passes(isDone);
  }
  running.bridge.stop();
  const ended = await passes(() => running.stopped);
  const final = await offsets();
  const problem =
    running.failure !== undefined
      ? `the bridge failed: ${String(running.failure)}`
      : !done
        ? `records wait for ever: ${JSON.stringify(running.bridge.describe())}`
        : ended
          ? undefined
          : 'the bridge does not stop';
  return {
    delivered,
    deadLetters: kafka.committed('dead'),
    offsets: final,
    stall,
    watermarks: Array.from({ length: PARTITIONS }, (_, n) =>
      Math.max(
        ...final
          .filter(({ partition }) => partition === n)
          .map(({ metadata }) => decodeMetadata(metadata)?.watermark ?? -Infinity),
      ),
    ),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The fake hands out all that there is at once; a real one takes a turn of the event loop for each fetch. */
function turning(port: KafkaPort): KafkaPort {
  return {
    ...port,
    joinGroup(options) {
      const member = port.joinGroup(options);
      return {
        start: (handlers) =>
          member.start({
            ...handlers,
            async onRecords(batch) {
              await handlers.onRecords(batch);
              await new Promise((resolve) => setImmediate(resolve));
            },
          }),
        pause: (topic, partition) => member.pause(topic, partition),
        resume: (topic, partition) => member.resume(topic, partition),
        seek: (topic, partition, offset) => member.seek(topic, partition, offset),
        stop: () => member.stop(),
      };
    },
  };
}

function nothing(): void {
  // Not judged here.
}
