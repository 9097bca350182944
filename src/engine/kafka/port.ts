/**
 * What this product needs of Kafka, and nothing more. `src/engine/kafka/kafkajs` is the only folder that imports kafkajs; bridge,
 * publisher and workflows see these interfaces, and a simulation stands in for them. Offsets are numbers (below 2^53).
 */

export interface OutRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: RecordHeaders;
  /** Epoch ms; now when absent. */
  readonly timestamp?: number;
}

/** The bytes that a record takes in a request, or a few more: key, value, headers and the record's own fields. */
export function bytesOf({ key, value, headers }: Pick<OutRecord, 'key' | 'value' | 'headers'>): number {
  return 64 + length(key) + length(value) + headerBytes(headers ?? {});
}

export function headerBytes(headers: RecordHeaders): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(headers)) {
    for (const value of valuesOf(values)) bytes += 10 + Buffer.byteLength(name) + length(value);
  }
  return bytes;
}

/** The values of one header, in their order. */
export function valuesOf(header: HeaderValue | readonly HeaderValue[]): readonly HeaderValue[] {
  return Array.isArray(header) ? (header as readonly HeaderValue[]) : [header as HeaderValue];
}

function length(data: HeaderValue): number {
  return data === null || data === undefined ? 0 : Buffer.byteLength(data);
}

/** A record as a fetch brings it. */
export interface InRecord {
  readonly offset: number;
  /** Kafka record timestamp, epoch ms; -1 for none. Beyond 2^53 (micro- or nanoseconds, by mistake) the nearest double. */
  readonly timestamp: number;
  /** The very number of `timestamp`, where a double has not all its digits. */
  readonly timestampText?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** A header that occurs several times is an array. */
  readonly headers?: RecordHeaders;
}

/** What is at an offset. null: a transaction marker; undefined: nothing is there, or nobody can, or may, read it. */
export type RecordFound = Pick<InRecord, 'timestamp' | 'key' | 'value'> | null | undefined;

export interface TopicIdentity {
  readonly topic: string;
  /** Null where the brokers have no ids. */
  readonly id: string | null;
  /** Null for a topic that does not exist. */
  readonly partitions: number | null;
}

export type HeaderValue = Buffer | string | null | undefined;
/** By name; one that occurs several times is an array, in the order of the record. */
export type RecordHeaders = Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>;

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to read; null when nothing was ever committed. */
  readonly offset: number | null;
  readonly metadata: string;
}

export interface SendOptions {
  /** With gzip. */
  readonly compressed?: boolean;
}

/** One transaction of a {@link TransactionalProducer}. Nothing of it is visible to a read_committed reader before `commit`. Errors: those of its producer. */
export interface Transaction {
  /**
   * One partition a call, answered for exactly that partition, or it throws. Resolves with the offset of the first
   * record; null when there was none to send. One request, and one batch: a broker refuses it if it is larger, as
   * written, than its topic takes (see fitting.ts).
   */
  send(topic: string, partition: number, records: readonly OutRecord[], options?: SendOptions): Promise<number | null>;
  /** Commits offsets of a group as a part of the transaction. */
  sendOffsets(
    groupId: string,
    offsets: readonly { topic: string; partition: number; offset: number; metadata: string }[],
  ): Promise<void>;
  /**
   * Resolves when the commit is decided. Readers see it a moment later, when the broker has written its markers; who
   * takes the transactional id next sees all of it.
   */
  commit(): Promise<void>;
}

/**
 * A fenced-in writer: while it lives, no earlier holder of its transactional id can commit. After ANY error of a
 * transaction its outcome is unknown and the producer is unusable: close it and fence again.
 * Errors: CodedError FENCED (a later holder exists) or KAFKA (anything else).
 */
export interface TransactionalProducer {
  begin(): Promise<Transaction>;
  /** Never throws. */
  close(): Promise<void>;
}

export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for: where the batch before ended, if nothing was skipped. */
  readonly fetchedFrom: number;
  /** Where the next fetch goes on, control records and aborted ones included. */
  readonly next: number;
  /** Last stable offset of the partition as seen by this fetch: `next` reaches it when all was read. */
  readonly end: number;
  /** Empty when the fetch held nothing but control records and aborted ones. */
  readonly records: readonly InRecord[];
}

export interface GroupHandlers {
  /**
   * A new generation: everything of the one before is void. Records of its partitions start at the committed offsets.
   * No records are delivered until this resolves. All that is not so for those of `partitions` that a cooperative member has
   * `kept`: they go on where they are. Nor are those held back that it seeks. Empty for a member that is not cooperative, and of a port
   * that knows no such members.
   */
  onAssigned(partitions: readonly number[], kept: readonly number[]): Promise<void>;
  /** Returns when the batch is taken over (queued); it must not wait for its processing. */
  onRecords(batch: RecordBatch): Promise<void>;
  /**
   * The next offset of a partition is not in its log: before its start, or behind its end. Told again now and then until
   * the receiver has sought another one. Without this, fetching goes on at the start of the log.
   */
  onOutOfRange?(topic: string, partition: number): void;
  /** A batch that cannot be read stands in the way: it is asked for again and again. `text`: for people, with its offset. */
  onUnreadable?(topic: string, partition: number, text: string): void;
  /** The consumer is dead and will not come back by itself. */
  onCrash(error: Error): void;
}

/** A member of a consumer group that is given whole partition numbers: partition p of every subscribed topic. */
export interface GroupMember {
  start(handlers: GroupHandlers): Promise<void>;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** The next batch of this partition starts here. */
  seek(topic: string, partition: number, offset: number): void;
  /** Resolves when the group has confirmed, after this call, that this member belongs to its current generation. */
  confirmed?(): Promise<void>;
  /** Leaves the group. Never throws. */
  stop(): Promise<void>;
}

export interface JoinOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * A generation that leaves a partition to this member does not touch it: it is not read again from its committed offset, and
   * is paused if it was. That is so only where nobody else can have had it in between.
   */
  readonly cooperative?: boolean;
  /**
   * A static member: who comes back under this id within `timeout` (ms) gets what it had, and the group does not
   * rebalance; meanwhile nobody has it. Who comes while it is there takes its place: CodedError CONFIG there.
   */
  readonly instance?: { readonly id: string; readonly timeout: number };
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A {@link KafkaPort} on brokers; with what only commands for people need. */
export interface KafkaClient extends KafkaPort {
  /** The offset of the first record with this Kafka timestamp (epoch ms) or a later one; null when there is none. */
  firstOffsetSince(partition: TopicPartition, timestamp: number): Promise<number | null>;
  /** The ends of the logs, with what is in transactions that are not decided. */
  highWatermarks(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { readonly end: number })[]>;
}

/**
 * A connection to a cluster. Errors are CodedErrors: UNREACHABLE (no broker can be talked to), CONFIG (what was configured is refused),
 * TOPIC (a topic or a partition that is named does not exist), KAFKA (anything else, such as a partition without a leader). All
 * but CONFIG may be tried again.
 */
export interface KafkaPort {
  /** Connects, takes the transactional id (InitProducerId: aborts and fences whoever held it). */
  fence(transactionalId: string): Promise<TransactionalProducer>;
  /** Joins nothing yet: `start` does. It rejects with TOPIC where a topic is missing, or the topics' partition counts differ. */
  joinGroup(options: JoinOptions): GroupMember;
  /** In the order of `partitions`. */
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]>;
  /**
   * First and last stable offsets, as a read_committed consumer would see them, in the order of `partitions`, whoever leads
   * them. `partial`: a partition that has no leader, or whose leader does not answer soon, is left out; without it all are
   * answered, or it throws: TOPIC for a partition that does not exist, KAFKA for one without a leader.
   */
  endOffsets(
    partitions: readonly TopicPartition[],
    options?: { readonly partial?: boolean },
  ): Promise<(TopicPartition & { readonly start: number; readonly end: number })[]>;
  /** Partition count of each topic; null for one that does not exist. */
  partitionCounts(topics: readonly string[]): Promise<(number | null)[]>;
  /** Which topics these are; without it, or empty, one that was made anew is not told from the one before. */
  topicIdentities?(topics: readonly string[]): Promise<readonly TopicIdentity[]>;
  /** What is at this offset, as a read_uncommitted reader sees it; without it, one log is not told from another of the same id. */
  recordAt?(place: TopicPartition, offset: number): Promise<RecordFound>;
  /** Settings of a topic by Kafka's names; undefined when this user may not see them. */
  topicSettings(topic: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Ends every producer and member that came out of it. */
  close(): Promise<void>;
}
