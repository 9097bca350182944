/**
 * One process of a backfill: a member of its consumer group, which takes its triples a few at a time. It stays in the group
 * until the triples of all members are done, so that it takes over those of a member that is gone. A triple that cannot be
 * taken, read or written now (a partition has no leader) is tried again by itself: the others go on, and people are told.
 */
import { InputLanes } from '../../engine/ordering/input-lanes.ts';
import type { LaneLimit } from '../../engine/ordering/lanes.ts';
import { decodeWith, type Limits } from '../../money/codec/decode.ts';
import type { DecoderSource } from '../../engine/values/value.ts';
import type { Applicable } from '../../money/domain/events.ts';
import { CodedError, isFatalAtStart, messageOf } from '../../engine/errors.ts';
import { keepRunning } from '../../engine/process/keep-running.ts';
import { watchGone, type Awaited } from '../../engine/kafka/gone.ts';
import type { GroupMember, RecordBatch } from '../../engine/kafka/port.ts';
import { readStatus } from './status.ts';
import { TripleRun, type BackfillSettings, type TripleDeps } from './backfill-partition.ts';

export interface MemberSettings extends BackfillSettings {
  readonly limits: Limits;
  /** Of the inputs. */
  readonly partitions: number;
}

export interface MemberDeps extends TripleDeps {
  readonly decoders: DecoderSource;
  /** A line for people: what waits, why, and that it goes on. */
  readonly say: (line: string) => void;
}

/** Triples under way at a time. */
const AT_A_TIME = 2;
const QUEUED: LaneLimit = { records: 10_000, bytes: 8_000_000 };
/** ms */
const LOOK_FOR_END = 500;
/** ms until a triple that failed is tried again; twice as long each time, until it has worked for STEADY. */
const FIRST_BACKOFF = 500;
const MAX_BACKOFF = 10_000;
const STEADY = 60_000;

/** Resolves when the whole backfill is done, or `stopping` was aborted. Throws what no retry can mend. */
export function runMember(settings: MemberSettings, deps: MemberDeps, stopping: AbortSignal): Promise<void> {
  const done = new AbortController();
  return keepRunning({
    clock: deps.clock,
    logger: deps.logger,
    stopping: AbortSignal.any([stopping, done.signal]),
    attempt: async () => {
      await new Attempt(settings, deps, stopping).run();
      done.abort();
    },
    onProblem: (problem) => deps.say(`this process joins the backfill again: ${problem}`),
    message: 'this part of the backfill lost its place in the group and joins it again',
  });
}

interface Held {
  readonly partition: number;
  /** Another one after a failure. */
  run: TripleRun;
  state: 'new' | 'waiting' | 'active' | 'done';
  /** It is active and can read nothing: another one may have its turn. */
  stalled: boolean;
  /** What people were told last; undefined: nothing is the matter. */
  problem: string | undefined;
  backoff: number;
  /** When it was tried last. */
  triedAt: number;
}

class Attempt {
  readonly #settings: MemberSettings;
  readonly #deps: MemberDeps;
  readonly #member: GroupMember;
  readonly #held = new Map<number, Held>();
  readonly #over = new AbortController();
  readonly #lanes: InputLanes<Applicable['event']>;
  #fail: (error: unknown) => void = () => undefined;
  readonly #stopping: AbortSignal;
  #assigned = false;

  constructor(settings: MemberSettings, deps: MemberDeps, stopping: AbortSignal) {
    this.#settings = settings;
    this.#deps = deps;
    this.#stopping = stopping;
    this.#member = deps.kafka.joinGroup({ groupId: settings.groupId, topics: settings.inputTopics });
    this.#lanes = new InputLanes({
      inputTopics: settings.inputTopics,
      decode: decodeWith(settings.limits),
      maxRecordBytes: settings.limits.maxRecordBytes,
      member: this.#member,
      decoders: deps.decoders,
      clock: deps.clock,
      logger: deps.logger,
      ended: this.#over.signal,
      limit: QUEUED,
      reading: (partition) => {
        const { run, state } = this.#held.get(partition) ?? {};
        return state === 'active' ? run?.engine : undefined;
      },
      onGap: (partition, input, from, to) => {
        this.#gone({ topic: settings.inputTopics[input]!, partition, next: from }, to);
        return false;
      },
      onOffered: (partition) => this.#held.get(partition)!.run.offered(),
      onFailure: (error) => this.#fail(error),
    });
  }

  /** Resolves when all is done, or it was told to stop; rejects when the member has to join anew. */
  async run(): Promise<void> {
    const unwatch = watchGone(this.#deps.kafka, {
      awaited: () => this.#awaited(),
      onGone: (gone, start) => this.#gone(gone, start),
      onUnanswered: (unanswered) => this.#stall(unanswered),
      onError: (error) => this.#fail(error),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        if (this.#stopping.aborted) return resolve();
        this.#stopping.addEventListener('abort', () => resolve(), { once: true });
        const handlers = {
          onAssigned: async (partitions: readonly number[]) => this.#assign(partitions),
          onRecords: async (batch: RecordBatch) => this.#lanes.offer(batch),
          onCrash: reject,
        };
        this.#member.start(handlers).catch(reject);
        this.#waitForEnd().then(resolve, reject);
      });
    } finally {
      unwatch();
      this.#over.abort();
      await Promise.all([...this.#held.values()].map(({ run }) => run.end()));
      await this.#member.stop();
    }
  }

  async #waitForEnd(): Promise<void> {
    const { kafka, clock } = this.#deps;
    while (!this.#over.signal.aborted) {
      const idle = this.#assigned && [...this.#held.values()].every(({ state }) => state === 'done');
      if (idle && (await readStatus(kafka, this.#settings)).done) return;
      await clock.sleep(LOOK_FOR_END, this.#over.signal);
    }
  }

  /** Triples that stay ours go on where they are; nothing of the others is delivered before they begin. */
  async #assign(partitions: readonly number[]): Promise<void> {
    this.#lanes.reset();
    const lost = [...this.#held.keys()].filter((partition) => !partitions.includes(partition));
    const ended = lost.map((partition) => this.#held.get(partition)!.run.end());
    for (const partition of lost) this.#held.delete(partition);
    const added: Held[] = [];
    for (const partition of partitions) {
      const known = this.#held.get(partition);
      if (known === undefined) {
        const held = this.#newHeld(partition);
        this.#held.set(partition, held);
        added.push(held);
      }
      if (known?.state === 'active') this.#fetch(partition);
      else this.#lanes.hold(partition, 'taken');
    }
    this.#assigned = true;
    await Promise.all(ended);
    if (added.length > 0) {
      this.#deps.logger.info({ partitions: added.map(({ partition }) => partition) }, 'partitions taken');
    }
    for (const held of added) this.#try(held, () => this.#prepare(held));
    this.#startNext();
  }

  #newHeld(partition: number): Held {
    const run = new TripleRun(partition, this.#settings, this.#deps);
    return { partition, run, state: 'new', stalled: false, problem: undefined, backoff: FIRST_BACKOFF, triedAt: 0 };
  }

  #has(held: Held): boolean {
    return !this.#over.signal.aborted && this.#held.get(held.partition) === held;
  }

  #try(held: Held, work: () => Promise<void>): void {
    work()
      .catch((error: unknown) => this.#tryAgain(held, error))
      .catch((error: unknown) => this.#fail(error));
  }

  async #prepare(held: Held): Promise<void> {
    held.triedAt = this.#deps.clock.elapsed();
    const todo = await held.run.prepare();
    if (!this.#has(held)) return;
    this.#tell(held, undefined);
    if (!todo) return this.#finish(held);
    held.state = 'waiting';
    this.#startNext();
  }

  /** After a failure: from what is written of it, with a run of its own. */
  async #tryAgain(held: Held, error: unknown): Promise<void> {
    if (!this.#has(held)) return;
    // A fenced triple has another owner: the group says whose it is.
    if (isFatalAtStart(error) || (error instanceof CodedError && error.code === 'FENCED')) throw error;
    const { clock } = this.#deps;
    if (clock.elapsed() - held.triedAt > STEADY) held.backoff = FIRST_BACKOFF;
    this.#tell(held, messageOf(error));
    held.state = 'new';
    held.stalled = false;
    this.#lanes.hold(held.partition, 'taken');
    this.#lanes.forget(held.partition);
    this.#startNext();
    await held.run.end();
    held.run = new TripleRun(held.partition, this.#settings, this.#deps);
    await clock.sleep(held.backoff, this.#over.signal);
    held.backoff = Math.min(2 * held.backoff, MAX_BACKOFF);
    if (this.#has(held)) this.#try(held, () => this.#prepare(held));
  }

  #startNext(): void {
    const all = [...this.#held.values()];
    const free = AT_A_TIME - all.filter(({ state, stalled }) => state === 'active' && !stalled).length;
    for (const held of all.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free))) {
      held.state = 'active';
      this.#try(held, () => this.#work(held));
    }
  }

  async #work(held: Held): Promise<void> {
    const { run, partition } = held;
    this.#fetch(partition);
    await run.run(() => this.#lanes.balance(partition));
    if (!this.#has(held) || run.engine === undefined) return;
    await this.#finish(held);
  }

  async #finish(held: Held): Promise<void> {
    held.state = 'done';
    held.stalled = false;
    await held.run.end();
    this.#lanes.hold(held.partition, 'taken');
    this.#startNext();
  }

  /** Some of what is awaited has no leader: as long as it has none, others have the turn of those that read it. */
  #stall(unanswered: readonly Awaited[]): void {
    for (const held of this.#held.values()) {
      if (held.state !== 'active') continue;
      const topics = unanswered.filter(({ partition }) => partition === held.partition).map(({ topic }) => topic);
      held.stalled = topics.length > 0;
      this.#tell(held, held.stalled ? `${topics.join(', ')}: it has no leader` : undefined);
    }
    this.#startNext();
  }

  /** What is the matter for an hour is one line, and another one when it goes on. */
  #tell(held: Held, problem: string | undefined): void {
    if (problem === held.problem) return;
    held.problem = problem;
    const { partition } = held;
    this.#deps.say(
      problem === undefined
        ? `partition ${partition} goes on`
        : `partition ${partition} waits, the others go on: ${problem}`,
    );
  }

  /** From where it is, unless it ended before it began. */
  #fetch(partition: number): void {
    this.#lanes.seek(partition);
    this.#lanes.balance(partition);
    this.#lanes.release(partition, 'taken');
  }

  /** What is fetched and not there yet. */
  #awaited(): Awaited[] {
    return [...this.#held.values()].flatMap(({ run: { engine, partition }, state }) =>
      this.#settings.inputTopics.flatMap((topic, input) => {
        const awaits =
          engine !== undefined && state === 'active' && !engine.fetched(input) && !this.#lanes.waits(partition, input);
        return awaits ? [{ topic, partition, next: engine.nextFetch(input) }] : [];
      }),
    );
  }

  #gone({ topic, partition, next }: Awaited, start: number): void {
    this.#fail(
      new CodedError(
        'TOPIC',
        `${topic}, partition ${partition}: the records from offset ${next} to before ${start} were deleted while they were read: raise its retention, and begin with another --output-topic`,
      ),
    );
  }
}
