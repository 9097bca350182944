/**
 * One partition triple in the hands of a member: computed, looked up and written at the same time, each held back by the
 * next. It lives as long as the member owns the triple, over generations of the group.
 *
 * Exactly once: the transactional id belongs to the triple, so nobody who had it before can commit any more; what the topic
 * holds is then read, and only what is missing is written. The number of records it must hold is in the mark, which is
 * committed in the same transactions: a look at the topic that finds fewer came too early.
 */
import { sourceHeaders } from '../../engine/workflow/output-headers.ts';
import { setMaxListeners } from 'node:events';
import type { Clock } from '../../engine/clock.ts';
import type { Offsets, Rules, Output } from '../../money/domain/events.ts';
import { idsOf, othersThan, type LogNames } from '../../engine/ordering/log-identity.ts';
import { TRIPLE_BUDGET } from '../../engine/ordering/partition-triple.ts';
import { CodedError } from '../../engine/errors.ts';
import type { KafkaPort, OutRecord, TransactionalProducer } from '../../engine/kafka/port.ts';
import { batchesOf } from '../../engine/kafka/fitting.ts';
import { bytesOf } from '../../engine/kafka/port.ts';
import { TopicRooms } from '../../engine/kafka/topic-rooms.ts';
import type { Logger } from '../../engine/log.ts';
import type { EncodeOutput } from '../../engine/publish/group-commit.ts';
import { shardOf } from '../../money/codec/shard.ts';
import { PartitionReplay, type Question, type UserOutput } from './partition-replay.ts';
import type { BackfillLookups } from './lookups.ts';
import { decodeMark, encodeMark, lengthOf, MARKED, type BackfillProgress } from './progress-mark.ts';
import type { Written } from './written.ts';
import { backfillTransactionalIdOf } from '../../engine/naming.ts';

export interface BackfillSettings {
  readonly appId: string;
  /** Of the consumer group, and in front of the transactional ids. */
  readonly groupId: string;
  /** Indexed like INPUTS. */
  readonly inputTopics: readonly string[];
  readonly outputTopic: string;
  readonly outputPartitions: number;
  /** Event times of the money to write, epoch ms: at or after `from`, before `to`. */
  readonly window: { readonly from: number; readonly to: number };
  readonly rules: Rules;
  /** ms */
  readonly outOfOrderness: number;
  /** What decides the content, as text. */
  readonly identity: string;
}

export interface TripleDeps {
  readonly kafka: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lookups: BackfillLookups;
  readonly written: Written;
  readonly encode: EncodeOutput<Output>;
}

interface Item {
  /** Of the output topic. */
  readonly partition: number;
  readonly record: OutRecord;
  readonly bytes: number;
  readonly lookedUp: boolean;
  readonly incomplete: boolean;
}

const READ_BUDGET = 2_000;
/** Reading waits while more lookups are open. */
const MAX_OPEN_LOOKUPS = 5_000;
/** Of one transaction, and as many again may wait for it. */
const TRANSACTION_RECORDS = 5_000;
const TRANSACTION_BYTES = 4_000_000;
/** ms between commits at least, unless a transaction is full */
const COMMIT_INTERVAL = 500;
/** ms for open transactions of others to end that keep records from being seen; they time out after 15 s */
const SEEN_WITHIN = 30_000;

export class TripleRun {
  readonly partition: number;
  readonly #settings: BackfillSettings;
  readonly #deps: TripleDeps;
  readonly #ended = new AbortController();
  readonly #rooms: TopicRooms;
  #producer: TransactionalProducer | undefined;
  #current:
    | {
        readonly engine: PartitionReplay;
        readonly identity: string;
        readonly logs: LogNames;
        readonly starts: Offsets;
        readonly ends: Offsets;
      }
    | undefined;
  #outbox: Item[] = [];
  #outboxBytes = 0;
  #written = 0;
  #lookedUp = 0;
  #incomplete = 0;
  #open = 0;
  #wake = new AbortController();
  #over: Promise<unknown> = Promise.resolve();

  constructor(partition: number, settings: BackfillSettings, deps: TripleDeps) {
    this.partition = partition;
    this.#settings = settings;
    this.#deps = deps;
    this.#rooms = new TopicRooms(deps.kafka, deps.clock);
    // Every lookup that waits listens to it.
    setMaxListeners(0, this.#ended.signal);
  }

  /** Undefined before it is prepared. */
  get engine(): PartitionReplay | undefined {
    return this.#ended.signal.aborted ? undefined : this.#current?.engine;
  }

  /**
   * Takes the triple. Resolves with whether there is anything to do. Errors: CodedError CONFIG (begun with other
   * settings), TOPIC (the inputs are others), KAFKA, FENCED.
   */
  prepare(): Promise<boolean> {
    const taken = this.#take();
    this.#over = taken;
    return taken;
  }

  /** Resolves when all of it is written, or it was ended; `onTurn` is called whenever there may be room for more records. */
  run(onTurn: () => void): Promise<void> {
    const work = this.#work(onTurn);
    this.#over = work;
    return work;
  }

  /** Ends it early; a transaction under way is finished. Never throws. */
  async end(): Promise<void> {
    this.#ended.abort();
    this.#wakeUp();
    await this.#over.catch(() => undefined);
    await this.#producer?.close();
  }

  /** More of it was offered to its engine. */
  offered(): void {
    this.#wakeUp();
  }

  async #take(): Promise<boolean> {
    const { kafka, written, logger } = this.#deps;
    const { groupId, inputTopics, outputTopic, identity, rules, outOfOrderness, window } = this.#settings;
    const { partition } = this;
    this.#producer = await kafka.fence(backfillTransactionalIdOf(groupId, partition));
    const places = inputTopics.map((topic) => ({ topic, partition }));
    const [committed, bounds, identities] = await Promise.all([
      kafka.committedOffsets(groupId, places),
      kafka.endOffsets(places),
      kafka.topicIdentities?.(inputTopics) ?? [],
    ]);
    const logs = idsOf(inputTopics, identities);
    const found = decodeMark(committed.find(({ topic }) => topic === inputTopics[MARKED])?.metadata ?? '');
    const now = offsetsOf(inputTopics, bounds);
    const complete = await this.#see(found?.written ?? 0);
    if (!complete) {
      logger.warn(
        { partition, topic: outputTopic },
        'the output topic holds fewer records than were written: the missing ones are written again',
      );
    }
    // Of a topic that was deleted since, or of a run that wrote nothing of this triple: it binds nobody.
    const isVoid = !complete || (written.count(partition) === 0 && found?.identity !== identity);
    const mark = isVoid ? undefined : found;
    if (mark !== undefined) assertSame(mark, now.ends, this.#settings);
    const others = othersThan(mark?.logs, logs, inputTopics);
    if (others.length > 0) {
      throw new CodedError(
        'TOPIC',
        `${others.join(', ')} was deleted and made anew since the backfill into "${outputTopic}" began: name another --output-topic`,
      );
    }
    if (mark?.done === true) return false;
    const starts = mark?.starts ?? now.starts;
    const ends = mark?.ends ?? now.ends;
    if (starts.some((start, input) => start < now.starts[input]!)) {
      throw new CodedError(
        'TOPIC',
        `records of partition ${partition} of the inputs are gone since this backfill began: begin a new one with another --output-topic`,
      );
    }
    this.#written = written.count(partition);
    this.#lookedUp = mark?.lookedUp ?? 0;
    this.#incomplete = mark?.incomplete ?? 0;
    this.#current = {
      identity,
      logs,
      starts,
      ends,
      engine: new PartitionReplay({
        partition,
        starts,
        ends,
        rules,
        outOfOrderness,
        ...TRIPLE_BUDGET,
        wants: ({ offset, ts }) => ts >= window.from && ts < window.to && !written.has(partition, offset),
      }),
    };
    return true;
  }

  async #work(onTurn: () => void): Promise<void> {
    const stop = (error: unknown): never => {
      this.#ended.abort();
      this.#wakeUp();
      throw error;
    };
    await Promise.all([this.#compute(onTurn).catch(stop), this.#write().catch(stop)]);
  }

  async #compute(onTurn: () => void): Promise<void> {
    const { engine } = this.#current!;
    while (!this.#ended.signal.aborted && !engine.finished) {
      const full =
        this.#outbox.length >= TRANSACTION_RECORDS ||
        this.#outboxBytes >= TRANSACTION_BYTES ||
        this.#open >= MAX_OPEN_LOOKUPS;
      const { read, outputs, questions } = full ? { read: 0, outputs: [], questions: [] } : engine.step(READ_BUDGET);
      for (const output of outputs) this.#put(output);
      for (const question of questions) void this.#lookUp(engine, question);
      onTurn();
      if (read < READ_BUDGET && !engine.finished) await this.#sleep(1_000);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    this.#wakeUp();
  }

  async #lookUp(engine: PartitionReplay, question: Question): Promise<void> {
    this.#open += 1;
    const answer = await this.#deps.lookups.answer(question.sessionId, this.#ended.signal);
    if (answer === undefined) return;
    this.#open -= 1;
    this.#put(engine.resolve(question, answer), true);
    this.#wakeUp();
  }

  #put({ userId, output }: UserOutput, lookedUp = false): void {
    const { key, value, headers } = this.#deps.encode(output, userId);
    const record: OutRecord = {
      key,
      value,
      headers: { ...sourceHeaders(output), ...headers },
    };
    const bytes = bytesOf(record);
    const partition = shardOf(userId, this.#settings.outputPartitions);
    this.#outbox.push({ partition, record, bytes, lookedUp, incomplete: output.incomplete === true });
    this.#outboxBytes += bytes;
  }

  async #write(): Promise<void> {
    const { clock } = this.#deps;
    const { engine } = this.#current!;
    for (let lastCommit = -Infinity; ;) {
      const done = engine.finished && this.#open === 0;
      const due =
        clock.elapsed() - lastCommit >= COMMIT_INTERVAL ||
        this.#outbox.length >= TRANSACTION_RECORDS ||
        this.#outboxBytes >= TRANSACTION_BYTES;
      if (this.#ended.signal.aborted) return;
      if (done || due) {
        lastCommit = clock.elapsed();
        const all = await this.#commit(done);
        if (all) return;
      } else {
        await this.#sleep(Math.max(1, lastCommit + COMMIT_INTERVAL - clock.elapsed()));
      }
    }
  }

  /** One transaction. Whether it was the last one. */
  async #commit(finished: boolean): Promise<boolean> {
    const { groupId, inputTopics, outputTopic } = this.#settings;
    const batch = this.#cut();
    const done = finished && this.#outbox.length === 0;
    const position = this.#current!.engine.position;
    const transaction = await this.#producer!.begin();
    const room = await this.#rooms.of(outputTopic);
    for (const { partition, records } of byPartition(batch)) {
      await this.#rooms.send(transaction, outputTopic, partition, await batchesOf(records, room));
    }
    const mark = this.#markAfter(batch, done);
    await transaction.sendOffsets(
      groupId,
      inputTopics.map((topic, input) => ({
        topic,
        partition: this.partition,
        offset: position[input]!,
        metadata: input === MARKED ? encodeMark(mark) : '',
      })),
    );
    await transaction.commit();
    this.#written = mark.written;
    this.#lookedUp = mark.lookedUp;
    this.#incomplete = mark.incomplete;
    this.#wakeUp();
    return done;
  }

  #cut(): Item[] {
    let bytes = 0;
    let count = 0;
    for (const item of this.#outbox) {
      if (count > 0 && (count >= TRANSACTION_RECORDS || bytes + item.bytes > TRANSACTION_BYTES)) break;
      bytes += item.bytes;
      count += 1;
    }
    const batch = this.#outbox.slice(0, count);
    this.#outbox = this.#outbox.slice(count);
    this.#outboxBytes -= bytes;
    return batch;
  }

  #markAfter(batch: readonly Item[], done: boolean): BackfillProgress {
    const { engine, identity, logs, starts, ends } = this.#current!;
    const read = engine.position.reduce((sum, offset, input) => sum + offset - starts[input]!, 0);
    return {
      identity,
      logs,
      starts,
      ends,
      done,
      ...engine.counts,
      read: Math.min(read, lengthOf({ starts, ends })),
      written: this.#written + batch.length,
      lookedUp: this.#lookedUp + batch.filter(({ lookedUp }) => lookedUp).length,
      incomplete: this.#incomplete + batch.filter(({ incomplete }) => incomplete).length,
      open: this.#open,
    };
  }

  /** Looks at the output topic until it holds `count` records of this triple; false when it does not in time. */
  async #see(count: number): Promise<boolean> {
    const { clock, written } = this.#deps;
    for (const until = clock.elapsed() + SEEN_WITHIN; ;) {
      await written.look();
      if (written.count(this.partition) >= count) return true;
      if (clock.elapsed() >= until || this.#ended.signal.aborted) return false;
      await clock.sleep(1_000, this.#ended.signal);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#wake.signal);
  }

  /** For all that sleep. */
  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = new AbortController();
    wake.abort('woken');
  }
}

function offsetsOf(
  inputTopics: readonly string[],
  bounds: readonly { readonly topic: string; readonly start: number; readonly end: number }[],
) {
  const own = inputTopics.map((topic) => bounds.find((bound) => bound.topic === topic)!);
  return { starts: own.map(({ start }) => start), ends: own.map(({ end }) => end) };
}

function assertSame(mark: BackfillProgress, ends: Offsets, { identity, outputTopic }: BackfillSettings): void {
  if (mark.identity !== identity) {
    throw new CodedError(
      'CONFIG',
      `the backfill into "${outputTopic}" was begun with ${mark.identity}, not ${identity}: use the same, or another --output-topic`,
    );
  }
  if (mark.ends.some((end, input) => end > ends[input]!)) {
    throw new CodedError(
      'TOPIC',
      `the inputs end before where they ended when the backfill into "${outputTopic}" began: name another --output-topic`,
    );
  }
}

function byPartition(batch: readonly Item[]): { partition: number; records: OutRecord[] }[] {
  const partitions = new Map<number, OutRecord[]>();
  for (const { partition, record } of batch) {
    const records = partitions.get(partition) ?? [];
    records.push(record);
    partitions.set(partition, records);
  }
  return [...partitions].map(([partition, records]) => ({ partition, records }));
}
