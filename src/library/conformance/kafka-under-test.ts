/** What the suite is given: a Kafka, and clients of it that implement the port. Times are the Kafka's own. */
import type { TestContext } from 'node:test';
import type { KafkaPort } from '../../engine/kafka/port.ts';

/** What every Kafka can do. */
interface Basics {
  /** The port of the process of this name: another name is another process, with connections of its own. */
  port(process: string): KafkaPort;
  /** A new topic, empty, which is ready to be written to; its name. One partition when absent. */
  topic(partitions?: number): Promise<string>;
  /** Values of a partition (0 when absent), in order, that a reader sees with read_committed, now: a reader that is not the port's. */
  committed(topic: string, partition?: number): Promise<string[]>;
}

/** What only some can: tests that need what is absent are skipped, and say so. */
interface Abilities {
  /** Nothing comes from this process any more, and nothing reaches it: all its connections break, and none is made. */
  kill(process: string): void;
  /** Kills the broker and starts it again; resolves when clients are let in. */
  restart(): Promise<void>;
  /** Retention takes what is before `offset`. */
  deleteBefore(topic: string, partition: number, offset: number): Promise<void>;
  /**
   * Runs this step of this process. Of the first request of its kind (Produce for `send`, EndTxn for `commit`) the request or the answer is
   * lost: the connection breaks before it has come to the broker, or after.
   */
  losing<T>(process: string, step: 'send' | 'commit', lost: 'request' | 'answer', run: () => Promise<T>): Promise<T>;
  /** ms: `transaction.timeout.ms` of the port's producers. */
  readonly transactionTimeout: number;
}

/** What there is without asking for it. */
interface Surroundings {
  /** A name that was never used: of a group, a transactional id, a topic that is not there. Random when absent. */
  uniqueId(prefix: string): string;
  /** The system's when absent, as `now`. */
  sleep(ms: number): Promise<void>;
  /** ms */
  now(): number;
}

export interface KafkaUnderTest extends Basics, Partial<Abilities>, Partial<Surroundings> {}

export type Ability = keyof Abilities;
/** With all that a test may ask for. */
export type Lab = Basics & Abilities & Surroundings;

/** Runs `body` on a Kafka that is there for this test alone, or on one that tests share; ends what was opened for it. */
export type Runner = (t: TestContext, body: (kafka: KafkaUnderTest) => Promise<void>) => Promise<void>;
