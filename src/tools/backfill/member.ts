/**
 * One process of a backfill: a member of its consumer group, which takes its triples a few at a time. It stays in the group
 * until the triples of all members are done, so that it takes over those of a member that is gone.
 */
import type { Fetched } from '../../engine/ordering/merge-queue.ts';
import { WaitingBatches } from '../../engine/ordering/waiting-batches.ts';
import { INPUT_INDEXES, type InputIndex } from '../../engine/ordering/watermark.ts';
import { decodeWith, type Limits } from '../../money/codec/decode.ts';
import type { DecoderSource, ValueDecoder } from '../../engine/values/value.ts';
import type { Applicable } from '../../money/domain/events.ts';
import { EnrichmentError } from '../../engine/errors.ts';
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
/** Of one input of one triple: fetching pauses above, goes on below half. */
const MAX_QUEUED = 10_000;
const MAX_QUEUED_BYTES = 8_000_000;
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
  private readonly settings: MemberSettings;
  private readonly deps: MemberDeps;
  private readonly member: GroupMember;
  private readonly held = new Map<number, Held>();
  private readonly paused = new Set<string>();
  private readonly over = new AbortController();
  private readonly waiting: WaitingBatches;
  private fail: (error: unknown) => void = () => undefined;
  private readonly stopping: AbortSignal;
  private assigned = false;

  constructor(settings: MemberSettings, deps: MemberDeps, stopping: AbortSignal) {
    this.settings = settings;
    this.deps = deps;
    this.stopping = stopping;
    this.member = deps.kafka.joinGroup({ groupId: settings.groupId, topics: settings.inputTopics });
    this.waiting = new WaitingBatches({
      decoders: deps.decoders,
      clock: deps.clock,
      logger: deps.logger,
      ended: this.over.signal,
      onWaiting: (lane) => this.pauseLane(lane),
      onCaughtUp: (lane) => this.balance(Number(lane.split('/')[1])),
      onFailure: (error) => this.fail(error),
    });
  }

  /** Resolves when all is done, or it was told to stop; rejects when the member has to join anew. */
  async run(): Promise<void> {
    const unwatch = watchGone(this.deps.kafka, {
      awaited: () => this.awaited(),
      onGone: (gone, start) => this.gone(gone, start),
      onError: (error) => this.fail(error),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        this.fail = reject;
        if (this.stopping.aborted) return resolve();
        this.stopping.addEventListener('abort', () => resolve(), { once: true });
        const handlers = {
          onAssigned: async (partitions: readonly number[]) => this.assign(partitions),
          onRecords: async (batch: RecordBatch) => this.offer(batch),
          onCrash: reject,
        };
        this.member.start(handlers).catch(reject);
        this.waitForEnd().then(resolve, reject);
      });
    } finally {
      unwatch();
      this.over.abort();
      await Promise.all([...this.held.values()].map(({ run }) => run.end()));
      await this.member.stop();
    }
  }

  private async waitForEnd(): Promise<void> {
    const { kafka, clock } = this.deps;
    while (!this.over.signal.aborted) {
      const idle = this.assigned && [...this.held.values()].every(({ state }) => state === 'done');
      if (idle && (await readStatus(kafka, this.settings)).done) return;
      await clock.sleep(LOOK_FOR_END, this.over.signal);
    }
  }

  /** Triples that stay ours go on where they are; nothing of the others is delivered before they begin. */
  private async assign(partitions: readonly number[]): Promise<void> {
    this.paused.clear();
    const lost = [...this.held.keys()].filter((partition) => !partitions.includes(partition));
    const ended = lost.map((partition) => this.held.get(partition)!.run.end());
    for (const partition of lost) this.held.delete(partition);
    const added: Held[] = [];
    for (const partition of partitions) {
      const known = this.held.get(partition);
      if (known === undefined) {
        const held: Held = { run: new TripleRun(partition, this.settings, this.deps), state: 'new' };
        this.held.set(partition, held);
        added.push(held);
      }
      if (known?.state === 'active') this.seek(known.run);
      this.balance(partition);
    }
    this.assigned = true;
    await Promise.all(ended);
    if (added.length > 0) this.deps.logger.info({ partitions: added.map(({ run }) => run.partition) }, 'partitions taken');
    this.begin(added).catch((error: unknown) => this.fail(error));
  }

  private async begin(added: readonly Held[]): Promise<void> {
    await Promise.all(
      added.map(async (held) => {
        const { run } = held;
        const todo = await run.prepare().catch((error: unknown) => {
          if (this.held.get(run.partition) === held) throw error;
          return false;
        });
        held.state = todo ? 'waiting' : 'done';
        if (!todo) await run.end();
      }),
    );
    this.startNext();
  }

  private startNext(): void {
    const all = [...this.held.values()];
    const free = AT_A_TIME - all.filter(({ state }) => state === 'active').length;
    for (const held of all.filter(({ state }) => state === 'waiting').slice(0, Math.max(0, free))) {
      held.state = 'active';
      this.work(held).catch((error: unknown) => {
        if (this.held.get(held.run.partition) === held) this.fail(error);
      });
    }
  }

  private async work(held: Held): Promise<void> {
    const { run } = held;
    this.seek(run);
    this.balance(run.partition);
    await run.run(() => this.balance(run.partition));
    if (this.held.get(run.partition) !== held || run.engine === undefined) return;
    held.state = 'done';
    await run.end();
    this.balance(run.partition);
    this.startNext();
  }

  private seek(run: TripleRun): void {
    const { engine } = run;
    if (engine === undefined) return;
    for (const input of INPUT_INDEXES) this.member.seek(this.settings.inputTopics[input], run.partition, engine.nextFetch(input));
  }

  private offer(batch: RecordBatch): void {
    if (this.over.signal.aborted || this.held.get(batch.partition)?.state !== 'active') return;
    const { maxRecordBytes } = this.settings.limits;
    // What is too large is not decoded, so nothing need be known of it.
    const values = batch.records.flatMap(({ value }) => (value === null || value.length > maxRecordBytes ? [] : [value]));
    this.waiting.take(laneOf(batch.topic, batch.partition), values, (decoder) => this.decode(batch, decoder));
  }

  private decode({ topic, partition, fetchedFrom, next, records }: RecordBatch, decoder: ValueDecoder): void {
    const { inputTopics, limits } = this.settings;
    const decode = decodeWith(limits);
    const { run, state } = this.held.get(partition) ?? {};
    const input = inputTopics.indexOf(topic) as InputIndex;
    const from = run?.engine?.nextFetch(input);
    // What was fetched before a seek comes twice.
    if (run === undefined || from === undefined || state !== 'active' || next <= from) return;
    if (fetchedFrom > from) return this.gone({ topic, partition, next: from }, fetchedFrom);
    const fetched = records
      .filter(({ offset }) => offset >= from)
      .map((record): Fetched<Applicable['event']> => ({ offset: record.offset, timestamp: record.timestamp, bytes: record.value?.length ?? 0, decoded: decode(input, record, decoder) }));
    run.offer(input, fetched, next);
    this.balance(partition);
  }

  /** What is fetched and not there yet. */
  private awaited(): Awaited[] {
    return [...this.held.values()].flatMap(({ run: { engine, partition }, state }) =>
      INPUT_INDEXES.flatMap((input) => {
        const topic = this.settings.inputTopics[input];
        const awaits = engine !== undefined && state === 'active' && !engine.fetched(input) && !this.waiting.waits(laneOf(topic, partition));
        return awaits ? [{ topic, partition, next: engine.nextFetch(input) }] : [];
      }),
    );
  }

  private gone({ topic, partition, next }: Awaited, start: number): void {
    this.fail(new EnrichmentError('TOPIC', `${topic}, partition ${partition}: the records from offset ${next} to before ${start} were deleted while they were read: raise its retention, and begin with another --output-topic`));
  }

  /** Fetches what has room, and nothing of triples that are not under way. */
  private balance(partition: number): void {
    const held = this.held.get(partition);
    if (held === undefined) return;
    const engine = held.state === 'active' ? held.run.engine : undefined;
    for (const input of INPUT_INDEXES) {
      const lane = laneOf(this.settings.inputTopics[input], partition);
      if (engine === undefined || engine.fetched(input)) {
        this.pauseLane(lane);
        continue;
      }
      if (this.waiting.waits(lane)) continue;
      const { records, bytes } = engine.queued(input);
      if (records >= MAX_QUEUED || bytes >= MAX_QUEUED_BYTES) this.pauseLane(lane);
      else if (this.paused.has(lane) && records < MAX_QUEUED / 2 && bytes < MAX_QUEUED_BYTES / 2) {
        this.paused.delete(lane);
        this.member.resume(this.settings.inputTopics[input], partition);
      }
    }
  }

  private pauseLane(lane: string): void {
    if (this.paused.has(lane)) return;
    this.paused.add(lane);
    const at = lane.lastIndexOf('/');
    this.member.pause(lane.slice(0, at), Number(lane.slice(at + 1)));
  }
}

function laneOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
