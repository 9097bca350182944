/**
 * Kafka in memory, as far as `KafkaPort` shows it: partitions with offsets, transactions with markers, fencing by
 * transactional id, read_committed up to the last stable offset, consumer groups with generations. One `KafkaInMemory` is
 * the cluster; `port()` is one process' connection to it. `intercept` sees every request of a transactional producer
 * and may delay it, lose it (throw before) or lose its answer (throw after).
 *
 * It passes the conformance suite of the port, as far as that asks for no process that is killed and no broker that is: without a
 * network no connection breaks, and no time passes but the caller's.
 */
import { CodedError } from '../../../engine/errors.ts';
import { assignPartitions, commonPartitionCount } from '../../../engine/kafka/kafkajs/assigner.ts';
import type {
  KafkaPort,
  OutRecord,
  SendOptions,
  TopicPartition,
  Transaction,
  TransactionalProducer,
} from '../../../engine/kafka/port.ts';
import { lastOf, refusal } from './broker-limits.ts';
import { MemberInMemory, type ClusterInMemory } from './member-in-memory.ts';
import { PartitionLog, type StoredRecord, type Txn } from './partition-log.ts';

type Api = 'fence' | 'begin' | 'send' | 'sendOffsets' | 'commit';
export interface Request {
  readonly api: Api;
  readonly transactionalId: string;
  readonly process: string;
  readonly topic?: string;
  readonly records?: readonly OutRecord[];
}
export type Intercept = (request: Request, when: 'before' | 'after') => void | Promise<void>;

/** bytes: the broker's `offset.metadata.max.bytes`. */
const MAX_METADATA = 4_096;

interface Holder {
  epoch: number;
  txn: Txn | undefined;
}

export class KafkaInMemory implements ClusterInMemory {
  intercept: Intercept = () => undefined;
  /** Records in one delivered batch at most. */
  fetchSize = 100;
  /** Of topics, by Kafka's names: `max.message.bytes`, `cleanup.policy` and `compression.type` are kept to. */
  readonly settings = new Map<string, Readonly<Record<string, string>>>();
  /** Whether those who ask may see them. */
  settingsVisible = true;
  /** Whether topics have ids, as on brokers since 2.8. */
  identified = false;
  /** How often each transactional id was taken. */
  readonly fences: string[] = [];
  readonly #topics = new Map<string, PartitionLog[]>();
  readonly #holders = new Map<string, Holder>();
  readonly #groups = new Map<string, MemberInMemory[]>();
  /** By group, of the last rebalance. */
  readonly #generations = new Map<string, number>();
  readonly #committed = new Map<string, { offset: number; metadata: string }>();
  readonly #anew = new Map<string, number>();
  #members = 0;

  /** How often a member has joined a group. */
  get joins(): number {
    return this.#members;
  }

  createTopic(topic: string, partitions: number): void {
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, () => new PartitionLog()),
    );
  }

  /** What a read_committed reader sees. */
  committed(topic: string, partition = 0): StoredRecord[] {
    const log = this.partition(topic, partition);
    return log.entries
      .slice(0, log.lastStable)
      .flatMap(({ record, txn }) => (record !== null && txn?.state !== 'aborted' ? [record] : []));
  }

  /** A record outside any transaction. */
  append(topic: string, partition: number, record: OutRecord): number {
    const offset = this.#append(this.partition(topic, partition), record, null);
    this.#changed();
    return offset;
  }

  port(process: string): KafkaPort {
    const members = new Set<MemberInMemory>();
    return {
      fence: (transactionalId) => this.#fence(transactionalId, process),
      joinGroup: (options) => {
        const member = new MemberInMemory(this, `${process}-${this.#members++}`, options);
        members.add(member);
        return member;
      },
      committedOffsets: async (groupId, partitions) =>
        partitions.map(({ topic, partition }) => {
          const found = this.#committed.get(`${groupId}/${topic}/${partition}`);
          return { topic, partition, offset: found?.offset ?? null, metadata: found?.metadata ?? '' };
        }),
      endOffsets: async (partitions, { partial = false } = {}) =>
        partitions.flatMap(({ topic, partition }) => {
          if (this.#topics.get(topic)?.[partition] === undefined) {
            throw new CodedError('TOPIC', `${topic}-${partition} does not exist`);
          }
          const { start, lastStable, leaderless } = this.partition(topic, partition);
          if (!leaderless) return [{ topic, partition, start, end: lastStable }];
          if (partial) return [];
          throw new CodedError('KAFKA', `${topic}-${partition}: LEADER_NOT_AVAILABLE`);
        }),
      partitionCounts: async (topics) => topics.map((topic) => this.#topics.get(topic)?.length ?? null),
      topicIdentities: async (topics) =>
        this.identified
          ? topics.map((topic) => ({
              topic,
              id: `id-of-${topic}${this.#anew.get(topic) ?? ''}`,
              partitions: this.#topics.get(topic)?.length ?? null,
            }))
          : [],
      recordAt: async ({ topic, partition }, offset) => {
        const { start, entries } = this.partition(topic, partition);
        const entry = offset < start ? undefined : entries[offset];
        return entry && entry.record;
      },
      topicSettings: async (topic) => (this.settingsVisible ? this.settings.get(topic) : undefined),
      close: async () => void (await Promise.all([...members].map((member) => member.stop()))),
    };
  }

  addPartitions(topic: string, partitions: number): void {
    const all = this.#topics.get(topic)!;
    while (all.length < partitions) all.push(new PartitionLog());
  }

  /** The topic is deleted and made: another id, no records, no offsets of any group. */
  makeAnew(topic: string): void {
    this.#anew.set(topic, (this.#anew.get(topic) ?? 0) + 1);
    for (const partition of this.#topics.get(topic)!) partition.entries.splice(0);
    for (const key of [...this.#committed.keys()]) if (key.split('/').at(-2) === topic) this.#committed.delete(key);
  }

  /** Retention: everything below `offset` is gone. */
  deleteBefore(topic: string, partition: number, offset: number): void {
    this.partition(topic, partition).start = offset;
  }

  /** The log is cut: from `offset` on there is nothing. */
  truncate(topic: string, partition: number, offset: number): void {
    this.partition(topic, partition).entries.splice(offset);
  }

  setLeaderless(topic: string, partition: number, leaderless: boolean): void {
    this.partition(topic, partition).leaderless = leaderless;
    this.#changed();
  }

  partition(topic: string, partition: number): PartitionLog {
    const found = this.#topics.get(topic)?.[partition];
    if (found === undefined) throw new CodedError('KAFKA', `${topic}-${partition} does not exist`);
    return found;
  }

  counts(topics: readonly string[]): number {
    return commonPartitionCount(topics.map((topic) => ({ topic, partitions: this.#topics.get(topic)?.length ?? 0 })));
  }

  startOffset(groupId: string, { topic, partition }: TopicPartition): number {
    return this.#committed.get(`${groupId}/${topic}/${partition}`)?.offset ?? this.partition(topic, partition).start;
  }

  forgetOffset(groupId: string, { topic, partition }: TopicPartition): void {
    this.#committed.delete(`${groupId}/${topic}/${partition}`);
  }

  join(member: MemberInMemory): void {
    const members = this.#groups.get(member.groupId) ?? [];
    this.#groups.set(member.groupId, [...members, member]);
    this.rebalance(member.groupId);
  }

  leave(member: MemberInMemory): void {
    this.#groups.set(
      member.groupId,
      (this.#groups.get(member.groupId) ?? []).filter((other) => other !== member),
    );
    this.rebalance(member.groupId);
  }

  /** Every member is given up, as a client does that has tried for long enough. */
  crash(groupId: string): void {
    for (const member of this.#groups.get(groupId) ?? []) member.crash(new CodedError('KAFKA', 'given up'));
  }

  /** A new generation for every member. `without`: ids of processes that are cut off and do not notice. */
  rebalance(groupId: string, without: readonly string[] = []): void {
    const members = (this.#groups.get(groupId) ?? []).filter(
      ({ id }) => !without.some((process) => id.startsWith(`${process}-`)),
    );
    const [first] = members;
    if (first === undefined) return;
    const claims = members.map(({ id, owned }) => ({ id, owned }));
    let count: number;
    try {
      count = this.counts(first.topics);
    } catch (error) {
      // As the member does that has to assign.
      for (const member of members) member.crash(error as Error);
      return;
    }
    const assignment = assignPartitions(count, claims);
    const generation = (this.#generations.get(groupId) ?? 0) + 1;
    this.#generations.set(groupId, generation);
    for (const member of this.#groups.get(groupId) ?? []) member.cutOff = !members.includes(member);
    for (const member of members) member.assign(generation, assignment.get(member.id) ?? []);
  }

  async #fence(transactionalId: string, processName: string): Promise<TransactionalProducer> {
    const request = (api: Api, topic?: string, records?: readonly OutRecord[]): Request => ({
      api,
      transactionalId,
      process: processName,
      ...(topic === undefined ? {} : { topic }),
      ...(records === undefined ? {} : { records }),
    });
    await this.intercept(request('fence'), 'before');
    const holder = this.#holders.get(transactionalId) ?? { epoch: -1, txn: undefined };
    this.#holders.set(transactionalId, holder);
    holder.epoch += 1;
    if (holder.txn !== undefined) this.#finish(holder, 'aborted');
    this.fences.push(transactionalId);
    const { epoch } = holder;
    await this.intercept(request('fence'), 'after');

    let usable = true;
    const step = async <T>(api: Api, run: () => T, topic?: string, records?: readonly OutRecord[]): Promise<T> => {
      if (!usable) throw new CodedError('KAFKA', `${api}: this producer met an error before`);
      try {
        await this.intercept(request(api, topic, records), 'before');
        if (holder.epoch !== epoch) throw new CodedError('FENCED', `${transactionalId}: INVALID_PRODUCER_EPOCH`);
        const answer = run();
        await this.intercept(request(api, topic, records), 'after');
        return answer;
      } catch (error) {
        usable = false;
        throw error;
      }
    };
    return {
      begin: async () => {
        let txn: Txn | undefined;
        const ongoing = (): Txn => (txn ??= holder.txn = { state: 'open', touched: new Set(), offsets: [] });
        if (!usable) throw new CodedError('KAFKA', 'begin: this producer met an error before');
        const transaction: Transaction = {
          send: (topic, partition, records, options?: SendOptions) => {
            const append = (): number | null => {
              const answer = refusal(this.settings.get(topic), records, options);
              if (answer !== undefined) {
                throw Object.assign(new CodedError('KAFKA', `send to ${topic}-${partition} failed: ${answer}`), {
                  type: answer,
                });
              }
              const log = this.partition(topic, partition);
              if (records.length === 0) return null;
              const current = ongoing();
              current.touched.add(log);
              const [first] = records.map((record) => this.#append(log, record, current));
              return first ?? null;
            };
            return step('send', append, topic, records);
          },
          sendOffsets: (group, offsets) =>
            step('sendOffsets', () => {
              for (const { topic, partition, offset, metadata } of offsets) {
                if (Buffer.byteLength(metadata) > MAX_METADATA) {
                  throw new CodedError('KAFKA', `${topic}-${partition}: OFFSET_METADATA_TOO_LARGE`);
                }
                ongoing().offsets.push({ group, key: `${group}/${topic}/${partition}`, offset, metadata });
              }
            }),
          commit: () => step('commit', () => void (txn !== undefined && this.#finish(holder, 'committed'))),
        };
        return transaction;
      },
      close: async () => {
        usable = false;
      },
    };
  }

  #finish(holder: Holder, state: 'committed' | 'aborted'): void {
    const { txn } = holder;
    if (txn === undefined) return;
    holder.txn = undefined;
    txn.state = state;
    for (const log of txn.touched) log.entries.push({ record: null, txn: null });
    if (state === 'committed') {
      for (const { key, offset, metadata } of txn.offsets) this.#committed.set(key, { offset, metadata });
    }
    this.#changed();
  }

  #append(log: PartitionLog, record: OutRecord, txn: Txn | null): number {
    const offset = log.entries.length;
    const allHeaders = record.headers ?? {};
    const headers = Object.fromEntries(Object.entries(allHeaders).map(([name, value]) => [name, lastOf(value)]));
    const stored = {
      offset,
      timestamp: record.timestamp ?? 0,
      key: bytes(record.key),
      value: bytes(record.value),
      headers,
      allHeaders,
    };
    log.entries.push({ record: stored, txn });
    return offset;
  }

  #changed(): void {
    for (const member of [...this.#groups.values()].flat()) member.poll();
  }
}

function bytes(data: Buffer | string | null): Buffer | null {
  return typeof data === 'string' ? Buffer.from(data) : data;
}
