import type { SignalFailure } from './signal-failure.ts';
import type { DeadLetterReason } from '../ordering/rejection.ts';
import type { BrakeSettings } from '../ordering/brake.ts';
import type { DecodeInput } from '../ordering/decoded.ts';
import type { JoinOptions } from '../kafka/port.ts';
import type { InputIndex } from '../ordering/watermark.ts';

export interface BridgeSettings {
  readonly appId: string;
  readonly groupId: string;
  /** Set for a static member of the group. */
  readonly instance?: JoinOptions['instance'];
  /** Co-partitioned; their order is the order of records with equal Kafka timestamps. */
  readonly inputTopics: readonly string[];
  /** For people: the command by which they decide about logs of these topics that are not the ones that were read. */
  readonly acceptCommand?: (topics: readonly string[]) => string;
  /** For people: the command by which they let a partition go on that the brake has stopped. */
  readonly releaseCommand?: (topic: string, partition: number) => string;
  /** Stops a partition before too many of its records have become dead letters; none when absent. */
  readonly brake?: BrakeSettings | undefined;
  readonly deadLetterTopic: string;
  readonly deadLetterPartitions: number;
  readonly outOfOrderness: number;
  readonly idleTimeout: number;
  /** ms that urgent events wait for company before their signal; 0 when absent. */
  readonly flushDelay?: number;
  /** bytes of a value; what is larger is not decoded */
  readonly maxRecordBytes: number;
  readonly decode: DecodeInput<unknown>;
  /** What the application's workflows are to go by: handed on with every batch, and nothing that the bridge knows. */
  readonly rules: unknown;
}

/** What happens, for metrics. */
export interface BridgeObserver {
  read(input: InputIndex, records: number): void;
  deadLettersWritten(reasons: readonly DeadLetterReason[]): void;
  /** So many dead letters lack something of their records, which no batch of their topic could carry. */
  deadLettersCut(letters: number): void;
  /** A late record was signalled. */
  late(): void;
  /** A signal of so many events was acknowledged; their Kafka timestamps, epoch ms. */
  signalled(events: number, timestamps: readonly number[]): void;
  /** An attempt to signal failed and is repeated: for its own sake, for too much at once, or because Temporal is away. */
  signalFailed(why: SignalFailure): void;
  committed(): void;
  /** A signal for a key that this process had met in another partition: its producers do not agree where keys go. */
  splitKey(key: string, partitions: readonly [before: number, now: number]): void;
  /** The group has assigned partitions anew. */
  rebalanced?(): void;
  /** So many offsets of an input went from its log before they were read. */
  recordsLost?(input: InputIndex, offsets: number): void;
}
