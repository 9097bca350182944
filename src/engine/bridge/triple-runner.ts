/**
 * The life of one partition triple, as long as the group leaves it to this member: taken, committed at intervals, and taken anew
 * after a failure, alone and with back-off, while all others go on. Taking anew is what another member would do: its transactional id
 * is fenced again, the committed place is read again, what is in memory of it is forgotten, and fetching goes back to that place.
 *
 * A bridge that lost the triple without knowing must not take it back from the one that has it: before every attempt but
 * the first the group has to confirm that this member still belongs to its current generation.
 */
import { setMaxListeners } from 'node:events';
import { orAborted, type Clock } from '../clock.ts';
import { CodedError, messageOf, isFatal } from '../errors.ts';
import { Brake } from '../ordering/brake.ts';
import type { GroupMember, KafkaPort } from '../kafka/port.ts';
import type { TopicRooms } from '../kafka/topic-rooms.ts';
import type { Logger } from '../log.ts';
import type { BridgeObserver, BridgeSettings } from './bridge-settings.ts';
import { describeStop, markNow } from './committed-place.ts';
import { Committer } from './committer.ts';
import type { InputLanes, PartitionReading } from '../ordering/input-lanes.ts';
import { LogDoubts } from './log-doubts.ts';
import { isOther, type KnownLogs } from '../ordering/log-identity.ts';
import { outboxLimits } from '../ordering/signal-outbox.ts';
import { PartitionTriple } from '../ordering/partition-triple.ts';
import type { Sending } from './signal-sender.ts';
import type { WaitReason, Waits } from './waits.ts';
import type { InputIndex } from '../ordering/watermark.ts';

export type TripleMember = Pick<GroupMember, 'pause' | 'resume' | 'seek' | 'confirmed'>;

export interface TripleRunnerDeps {
  readonly settings: BridgeSettings;
  readonly kafka: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: BridgeObserver;
  readonly member: TripleMember;
  readonly lanes: InputLanes<unknown>;
  readonly waits: Waits;
  readonly rooms: TopicRooms;
  readonly workflowIdOf: (key: string) => string;
  /** It is not this member's any more. */
  readonly ended: AbortSignal;
  /** Whoever had it in this process before has committed, or does not any more. */
  readonly after?: Promise<void>;
  /** It is taken. */
  readonly onTaken: () => void;
  /** One of its logs ends before what was read of it. */
  readonly onShort: () => void;
}

/** As long as it is taken. */
export interface TakenPlace extends Sending {
  readonly reading: PartitionReading<unknown>;
  readonly committer: Committer;
  readonly giveUp: AbortController;
  /** ms; what was asked before says nothing. */
  readonly since: number;
}

/** ms */
const COMMIT_INTERVAL = 1_000;
const FIRST_BACKOFF = 500;
const MAX_BACKOFF = 10_000;
/** ms of a taking before it is said that the triple waits. */
const SLOW = 5_000;
/** Seconds without the group's word, where a member cannot give it: longer than a session lasts. */
const UNCONFIRMED = 15;
/** ms between looks at whether a person has decided about a log. */
const LOOK_AGAIN = 5_000;
/** ms; after the leader of a partition has moved, the end that it tells may be behind for a while. */
const SHORT_FOR = 30_000;

/** A log ends before the place that was read of it, or belongs to another topic now. */
class LogChanged extends Error {}

/** A person has to decide: why it waits for that. */
function decisionOf(error: unknown): WaitReason | undefined {
  const code = error instanceof CodedError ? error.code : undefined;
  return code === 'LOG_CHANGED' ? 'log' : code === 'STOPPED' ? 'brake' : undefined;
}

export class TripleRunner {
  readonly partition: number;
  readonly #deps: TripleRunnerDeps;
  #current: TakenPlace | undefined;
  /** Since when each log has been seen to end too early, ms. */
  readonly #shortSince = new Map<InputIndex, number>();
  /** Logs that were cut, up to where they were read and by their names then: a decision of a person gives them others. */
  readonly #cuts = new Map<InputIndex, { readonly below: number; readonly name: string }>();
  readonly #doubts = new LogDoubts();
  #onFirstAttempt: () => void = () => undefined;

  constructor(partition: number, deps: TripleRunnerDeps) {
    this.partition = partition;
    this.#deps = deps;
    deps.lanes.hold(partition, 'taken');
  }

  /** Settles with the first attempt to take it. */
  readonly attempted = new Promise<void>((resolve) => (this.#onFirstAttempt = resolve));

  /** It is not this member's any more: what is told of it is of no use. */
  get over(): boolean {
    return this.#deps.ended.aborted;
  }

  get taken(): TakenPlace | undefined {
    return this.#current;
  }

  get lanes(): readonly { readonly topic: string; readonly partition: number }[] {
    return this.#deps.settings.inputTopics.map((topic) => ({ topic, partition: this.partition }));
  }

  /** Until it is taken away. Throws only what no retry can mend. */
  async run(): Promise<void> {
    const { clock, ended } = this.#deps;
    for (let backoff = FIRST_BACKOFF; !ended.aborted; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
      try {
        const taken = await this.#take();
        this.#onFirstAttempt();
        if (taken === undefined) return;
        await this.#commitAtIntervals(taken, () => (backoff = FIRST_BACKOFF / 2));
      } catch (error) {
        this.#onFirstAttempt();
        if (ended.aborted) return;
        if (isFatal(error)) throw error;
        const decision = decisionOf(error);
        if (decision !== undefined) this.#wait(decision, messageOf(error));
        else if (!(error instanceof LogChanged)) {
          this.#wait(this.#current === undefined ? 'taking' : 'commit', `${messageOf(error)}; it is tried again`);
        }
        await this.#forget();
        // Soon at first: after a leader has moved, its end may be behind for a moment.
        await clock.sleep(decision === undefined ? backoff : Math.min(backoff, LOOK_AGAIN), ended);
        await this.#confirmed(error);
      }
    }
  }

  /** Undefined when it was taken away meanwhile. */
  async #take(): Promise<TakenPlace | undefined> {
    const { settings, kafka, clock, ended, rooms, observer } = this.#deps;
    const slow = new AbortController();
    void clock.sleep(SLOW, slow.signal).then(() => {
      if (!slow.signal.aborted && !ended.aborted) this.#wait('taking', 'Kafka does not answer when it is to be taken');
    });
    try {
      await this.#deps.after;
      // Somebody else has it now, whom taking it would fence.
      if (ended.aborted) return undefined;
      const { committer, committed } = await Committer.take(kafka, {
        ...settings,
        partition: this.partition,
        rooms,
        onCut: (letters) => observer.deadLettersCut(letters),
      });
      try {
        if (!ended.aborted) await this.#noteCuts(committer);
      } catch (error) {
        await committer.close();
        throw error;
      }
      if (ended.aborted) {
        await committer.close();
        return undefined;
      }
      const giveUp = new AbortController();
      // Every signal that waits listens to it.
      setMaxListeners(0, giveUp.signal);
      const triple = new PartitionTriple({
        partition: this.partition,
        ...committed,
        logs: committer.logs,
        outOfOrderness: settings.outOfOrderness,
        idleTimeout: settings.idleTimeout,
        outboxLimits: outboxLimits(settings.flushDelay ?? 0),
        brake: settings.brake && new Brake(settings.brake, committed.releasedBelow ?? []),
        workflowIdOf: this.#deps.workflowIdOf,
      });
      this.#current = {
        triple,
        reading: this.#readingOf(triple),
        committer,
        giveUp,
        givenUp: giveUp.signal,
        since: clock.elapsed(),
      };
      this.#deps.lanes.seek(this.partition);
      this.#deps.lanes.release(this.partition, 'taken');
    } finally {
      slow.abort();
    }
    for (const reason of ['taking', 'commit', 'log', 'brake'] as const) {
      this.#deps.waits.end(this.partition, reason, clock.elapsed());
    }
    this.#deps.onTaken();
    return this.#current;
  }

  #readingOf(triple: PartitionTriple): PartitionReading<unknown> {
    return {
      nextFetch: (input) => triple.nextFetch(input),
      queued: (input) => triple.queued(input),
      offer: (input, records, next) => triple.offer(input, records, next, this.#deps.clock.elapsed()),
      closed: (input) => this.isShort(input),
    };
  }

  /** Notes logs that were cut with the committed place: it waits for a person then, in every bridge. Throws LogChanged if there are any. */
  async #noteCuts(committer: Committer): Promise<void> {
    const undecided = [...this.#cuts].filter(([input, { name }]) => committer.logs.names[input] === name);
    if (undecided.length > 0) await committer.noteCuts(new Map(undecided.map(([input, { below }]) => [input, below])));
    this.#cuts.clear();
    if (undecided.length > 0) throw new LogChanged();
  }

  async #commitAtIntervals(taken: TakenPlace, onCommitted: () => void): Promise<void> {
    while (!this.#deps.ended.aborted) {
      // What is found decides about what was read since.
      if (!this.#doubts.checking) await this.#commit(taken);
      onCommitted();
      await this.#deps.clock.sleep(COMMIT_INTERVAL, this.#deps.ended);
      if (!taken.givenUp.aborted || this.#deps.ended.aborted) continue;
      // What was read last is what tells a log that was cut and grows again.
      if (this.#shortSince.size > 0) await this.#commit(taken);
      await this.#noteCuts(taken.committer);
      throw new LogChanged();
    }
  }

  /** Throws CodedError STOPPED where the brake has stopped it: that is noted for every bridge. */
  async #commit({ triple, committer }: TakenPlace): Promise<void> {
    const { stopped } = triple;
    const written = await committer.commit(triple);
    if (written !== null) {
      this.#deps.observer.committed();
      if (written.length > 0) this.#deps.observer.deadLettersWritten(written.map(({ rejection }) => rejection.reason));
    }
    if (stopped === undefined) return;
    await committer.noteStop(stopped);
    const place = { topic: this.#topicOf(stopped.input), partition: this.partition };
    throw new CodedError('STOPPED', describeStop(place, stopped, this.#deps.settings.releaseCommand));
  }

  /** What is known of it is void; it is not fetched until it is taken again. */
  async #forget(): Promise<void> {
    const current = this.#current;
    this.#deps.lanes.hold(this.partition, 'taken');
    this.#current = undefined;
    this.#shortSince.clear();
    this.#doubts.clear();
    if (current === undefined) return;
    current.giveUp.abort();
    this.#deps.lanes.forget(this.partition);
    await current.committer.close();
  }

  /** Resolves when the group has said that this member belongs to it, or the triple was taken away. */
  async #confirmed(error: unknown): Promise<void> {
    const { member, clock, ended } = this.#deps;
    if (ended.aborted) return;
    if (member.confirmed !== undefined) {
      await orAborted(member.confirmed(), ended);
      return;
    }
    if (!(error instanceof CodedError) || error.code !== 'FENCED') return;
    // In small steps: while the process is paused, no time passes here.
    for (let second = 0; second < UNCONFIRMED && !ended.aborted; second += 1) await clock.sleep(1_000, ended);
  }

  #wait(reason: WaitReason, text: string): void {
    this.#deps.waits.begin(this.partition, reason, text, this.#deps.clock.elapsed());
  }

  /** The log of `input` held the offsets from `start` to before `end`, asked at `at` ms. `decoding`: some of it waits for its decoder. */
  sawEnd(input: InputIndex, start: number, end: number, at: number, decoding: boolean): void {
    const current = this.#current;
    if (this.over || current === undefined || at < current.since) return;
    const { triple } = current;
    if (start > triple.nextFetch(input) && !decoding) {
      this.lost(input, triple.nextFetch(input), start);
      triple.skipTo(input, start);
      this.#deps.member.seek(this.#topicOf(input), this.partition, start);
    }
    if (triple.sawEnd(input, end, at)) {
      if (this.isShort(input)) current.giveUp.abort();
      else void this.#check(current, input, start, end);
      return;
    }
    if (!this.#shortSince.has(input)) this.#deps.onShort();
    const since = this.#shortSince.get(input) ?? at;
    this.#shortSince.set(input, since);
    this.#wait(
      'log',
      `${this.#topicOf(input)}, partition ${this.partition} ends at offset ${end}, but was read up to ${triple.nextFetch(input)}: it was cut, restored or made anew. Nothing of this partition is processed until a person has decided: see "A log that has changed" in docs/operations.md`,
    );
    if (at - since < SHORT_FOR) return;
    for (const short of this.#shortSince.keys()) {
      this.#cuts.set(short, { below: triple.nextFetch(short), name: current.committer.logs.names[short]! });
    }
    current.giveUp.abort();
  }

  /**
   * How far the logs of these inputs reach was not to be known for a while, or a broker has refused the next offset: one that was cut
   * meanwhile and has grown again looks as if it had only grown. What was fetched last of it tells, once it fits.
   */
  doubt(inputs?: readonly InputIndex[]): void {
    const { triple } = this.#current ?? {};
    for (const input of inputs ?? triple?.inputs ?? []) this.#doubts.begin(input, triple?.lastFetched(input));
  }

  async #check(current: TakenPlace, input: InputIndex, start: number, end: number): Promise<void> {
    const { kafka, logger } = this.#deps;
    const place = { topic: this.#topicOf(input), partition: this.partition };
    try {
      const mark = await this.#doubts.other(input, { start, end }, (last) => markNow(kafka, place, last));
      if (mark === undefined || this.#current !== current) return;
      this.#cuts.set(input, { below: mark.offset + 1, name: current.committer.logs.names[input]! });
      current.giveUp.abort();
    } catch (error) {
      logger.debug({ err: error, ...place }, 'what was fetched last could not be looked at; it is tried again');
    }
  }

  /**
   * Whether its log was seen to end before what was read of it. However it goes on (its leader was behind for a while, it was cut
   * and has grown since, somebody has decided about it), it is not read on from there: the triple is taken again.
   */
  isShort(input: InputIndex): boolean {
    return this.#shortSince.has(input);
  }

  /** The inputs are the topics with these ids, and so many partitions, asked at `at` ms. */
  sawLogs({ names, partitions }: KnownLogs, at: number): void {
    const current = this.#current;
    if (this.over || current === undefined || at < current.since) return;
    const known = current.committer.logs;
    const changed =
      known.names.some((name, input) => isOther(name, names[input]!)) ||
      (known.partitions > 0 && partitions > known.partitions);
    // What it was, and is, is said by whoever takes the triple next.
    if (changed) current.giveUp.abort();
  }

  /** Offsets of a log that went before they were read. */
  lost(input: InputIndex, from: number, to: number): void {
    const topic = this.#topicOf(input);
    this.#deps.logger.error(
      { topic, partition: this.partition, from, to },
      `${topic}, partition ${this.partition}: the records from offset ${from} to before ${to} went from the topic before they were read, and are not processed: raise its retention`,
    );
    this.#deps.observer.recordsLost?.(input, to - from);
  }

  #topicOf(input: InputIndex): string {
    return this.#deps.settings.inputTopics[input]!;
  }

  /** What was acknowledged is committed if that is still possible. Never throws. */
  async end(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    try {
      if (!current.givenUp.aborted) await this.#commit(current);
      else await this.#noteCuts(current.committer);
    } catch (error) {
      this.#deps.logger.debug(
        { err: error, partition: this.partition },
        'the last commit of a partition did not go through; its records are read again',
      );
    }
    current.giveUp.abort();
    await current.committer.close();
  }
}
