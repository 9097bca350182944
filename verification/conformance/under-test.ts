/** What the conformance suite needs of a Kafka, the real one or the simulated one. Times are the Kafka's own. */
import type { TestContext } from 'node:test';
import type {
  GroupHandlers,
  GroupMember,
  KafkaPort,
  OutRecord,
  RecordBatch,
  TransactionalProducer,
} from '../../src/engine/kafka/port.ts';

export interface KafkaUnderTest {
  /** Of the process of this name. */
  port(process: string): KafkaPort;
  /** Nothing comes from this process any more, and nothing reaches it. */
  kill(process: string): void;
  /** A new topic; its name. */
  topic(partitions?: number): Promise<string>;
  uniqueId(prefix: string): string;
  /** Kills the broker and starts it again; resolves when clients are let in. */
  restart(): Promise<void>;
  /** Retention takes what is before `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** Runs this step of this process, of whose first request the request or the answer is lost. */
  losing<T>(process: string, step: 'send' | 'commit', lost: 'request' | 'answer', run: () => Promise<T>): Promise<T>;
  /** Values that a reader which is not the product's sees with read_committed, now. */
  committed(topic: string, partition?: number): Promise<string[]>;
  sleep(ms: number): Promise<void>;
  now(): number;
}

export type Body = (kafka: KafkaUnderTest) => Promise<void>;
/** Runs a test against a Kafka of its own, or one that it shares. */
export type Runner = (t: TestContext, body: Body) => Promise<void>;

export const record = (value: string, key: string | null = null): OutRecord => ({ key, value });

export async function eventually(
  kafka: KafkaUnderTest,
  what: string,
  check: () => boolean | Promise<boolean>,
  timeout = 20_000,
): Promise<void> {
  const until = kafka.now() + timeout;
  while (!(await check())) {
    if (kafka.now() > until) throw new Error(`not within ${timeout} ms: ${what}`);
    await kafka.sleep(20);
  }
}

/** One transaction; the offset of its first record. */
export async function publish(
  producer: TransactionalProducer,
  topic: string,
  values: readonly string[],
  partition = 0,
): Promise<number | null> {
  const transaction = await producer.begin();
  const offset = await transaction.send(
    topic,
    partition,
    values.map((value) => record(value)),
  );
  await transaction.commit();
  return offset;
}

export async function lastStable(kafka: KafkaUnderTest, topic: string, partition = 0): Promise<number> {
  const [found] = await kafka.port('onlooker').endOffsets([{ topic, partition }]);
  return found!.end;
}

export interface Seen {
  readonly member: GroupMember;
  readonly assignments: (readonly number[])[];
  readonly batches: RecordBatch[];
  /** How many assignments there had been when each batch came. */
  readonly generations: number[];
  readonly crashes: Error[];
  owned(): readonly number[];
  values(): string[];
}

/** Starts a member that keeps what it is given. */
export async function join(
  kafka: KafkaUnderTest,
  process: string,
  groupId: string,
  topics: readonly string[],
  onAssigned: GroupHandlers['onAssigned'] = async () => undefined,
): Promise<Seen> {
  const seen: Seen = {
    member: kafka.port(process).joinGroup({ groupId, topics }),
    assignments: [],
    batches: [],
    generations: [],
    crashes: [],
    owned: () => seen.assignments.at(-1) ?? [],
    values: () => seen.batches.flatMap(({ records }) => records.map(({ value }) => String(value))),
  };
  await seen.member.start({
    async onAssigned(partitions) {
      seen.assignments.push(partitions);
      await onAssigned(partitions);
    },
    async onRecords(batch) {
      seen.batches.push(batch);
      seen.generations.push(seen.assignments.length);
    },
    onCrash: (error) => void seen.crashes.push(error),
  });
  return seen;
}

/** A member that joins anew when it was given up, as the product does. */
export async function keepJoined(
  kafka: KafkaUnderTest,
  process: string,
  groupId: string,
  topics: readonly string[],
): Promise<{ readonly current: () => Seen; readonly values: () => string[]; stop(): Promise<void> }> {
  const all = [await join(kafka, process, groupId, topics)];
  let stopping = false;
  const keeping = (async () => {
    while (!stopping) {
      await kafka.sleep(200);
      if (all.at(-1)!.crashes.length === 0) continue;
      const again = await join(kafka, process, groupId, topics).catch(() => undefined); // once more, later
      if (again !== undefined) all.push(again);
    }
  })();
  return {
    current: () => all.at(-1)!,
    values: () => all.flatMap((seen) => seen.values()),
    async stop() {
      stopping = true;
      await keeping;
    },
  };
}
