/**
 * One process of a backfill: a member of its consumer group, which takes its triples a few at a time. It stays in the group
 * until the triples of all members are done, so that it takes over those of a member that is gone.
 */
import { InputLanes } from '../../engine/ordering/input-lanes.ts';
import type { LaneLimit } from '../../engine/ordering/lanes.ts';
import { decodeWith, type Limits } from '../../money/codec/decode.ts';
import type { DecoderSource } from '../../engine/values/value.ts';
import type { Applicable } from '../../money/domain/events.ts';
import { CodedError } from '../../engine/errors.ts';
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
}

/** Triples under way at a time. */
const AT_A_TIME = 2;
const QUEUED: LaneLimit = { records: 10_000, bytes: 8_000_000 };
/** ms */
const LOOK_FOR_END = 500;

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
    onProblem: () => undefined,
    message: 'this part of the backfill lost its place in the group and joins it again',
  });
}

interface Held {
  readonly run: TripleRun;
  state: 'new' | 'waiting' | 'active' | 'done';
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
        const held: Held = { run: new TripleRun(partition, this.#settings, this.#deps), state: 'new' };
        this.#held.set(partition, held);
        added.push(held);
      }
      if (known?.state === 'active') this.#fetch(partition);
      else this.#lanes.hold(partition, 'taken');
    }
    this.#assigned = true;
    await Promise.all(ended);
    if (added.length > 0) {
      this.#deps.logger.info({ partitions: added.map(({ run }) => run.partition) }, 'partitions taken');
    }
    this.#begin(added).catch((error: unknown) => this.#fail(error));
  }

  async #begin(added: readonly Held[]): Promise<void> {
    await Promise.all(
      added.map(async (held) => {
        const { run } = held;
        const todo = await run.prepare().catch((error: unknown) => {
          if (this.#held.get(run.partition) === held) throw error;
          return false;
        });
        held.state = todo ? 'waiting' : 'done';
        if (!todo) await run.end();
      }),
    );
    this.#startNext();
  }

  #startNext(): void {
    const all = [...this.#held.values()];
    const free = AT_A_TIME - all.filter(({ state }) => state === 'active').length;
    for (const held of all.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free))) {
      held.state = 'active';
      this.#work(held).catch((error: unknown) => {
        if (this.#held.get(held.run.partition) === held) this.#fail(error);
      });
    }
  }

  async #work(held: Held): Promise<void> {
    const { run } = held;
    this.#fetch(run.partition);
    await run.run(() => this.#lanes.balance(run.partition));
    if (this.#held.get(run.partition) !== held || run.engine === undefined) return;
    held.state = 'done';
    await run.end();
    this.#lanes.hold(run.partition, 'taken');
    this.#startNext();
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
