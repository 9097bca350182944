/**
 * One partition triple from the beginning of its logs to fixed ends: the state of its users as the live system has it there,
 * and the place where the live bridge goes on. Pure. Reading, lateness and order are the bridge's own (PartitionTriple), the
 * rules the workflow's own (the fold of src/money/domain).
 *
 * What the watermark has not passed at the ends is not applied: the checkpoint lies before it, as after a crash of a bridge
 * at this place. What was applied behind the checkpoint comes again, and the state drops it.
 */
import type { Snapshot } from '../../../workflows/life.ts';
import { NO_WORKFLOW } from '../../engine/workflow/entity/life.ts';
import { newLife } from '../../../workflows/life.ts';
import type { Applicable, Offsets, Output, Rules } from '../../money/domain/events.ts';
import type { Fetched } from '../../engine/ordering/merge-queue.ts';
import { beginningAt } from '../../engine/ordering/checkpoint.ts';
import { PartitionTriple } from '../../engine/ordering/partition-triple.ts';
import type { InputIndex } from '../../engine/ordering/watermark.ts';
import { applyBatch } from '../../money/domain/apply.ts';
import { initialState, type UserState } from '../../money/domain/state.ts';

type Event = Applicable['event'];

export interface HistoryOptions {
  readonly partition: number;
  /** First offset of each input. */
  readonly starts: Offsets;
  /** Of each input, nothing from here on is read. */
  readonly ends: Offsets;
  readonly rules: Rules;
  /** ms */
  readonly outOfOrderness: number;
  /** ms; the time between Kafka timestamps stands for the wall clock. */
  readonly idleTimeout: number;
  /** Epoch ms, from which what waits at the ends counts its time. */
  readonly now: number;
  /** The outputs of the history are part of what the workflows are to do. */
  readonly publish: boolean;
}

export interface HistoryCounts {
  users: number;
  money: number;
  /** Money that waits for its session at the end. */
  pending: number;
  /** Money of which the session service is to be asked, with `publish`. */
  lookups: number;
  /** To be published, with `publish`. */
  outputs: number;
  deadLetters: number;
}

/** The triple is told that everything arrives at 0, and that the ends are seen from here on; ms. */
const ARRIVED = 0;
const SEEN = 1_000;
/** ms of Kafka timestamps: what comes within it is there together, as a bridge reads (GRACE in merge-queue.ts). */
const TOGETHER = 300;

export class TripleHistory {
  readonly triple: PartitionTriple<Event>;
  readonly #options: HistoryOptions;
  readonly #users = new Map<string, { readonly state: UserState; readonly unpublished: Output[] }>();
  /** Kafka timestamp of the last usable record of each input that was read, epoch ms; before there is one, of the first record of all. */
  readonly #last: number[];
  #deadLetters = 0;

  constructor(options: HistoryOptions) {
    const { partition, starts, outOfOrderness, idleTimeout } = options;
    this.#options = options;
    this.#last = starts.map(() => Infinity);
    this.triple = new PartitionTriple<Event>({
      partition,
      start: beginningAt(starts),
      deadLettersBelow: starts,
      outOfOrderness,
      idleTimeout,
      // It is bounded by what lies within the out-of-orderness and the idle timeout: an input without records for longer is silent.
      maxHeld: Infinity,
      maxHeldBytes: Infinity,
      outboxLimits: { spacing: 0, burst: 1, flushDelay: 0, prompt: 0, linger: 0, maxEvents: 500, maxBytes: Infinity },
    });
    for (const [input, end] of options.ends.entries()) this.triple.sawEnd(input, end, SEEN);
  }

  /** All of this input up to its end was offered. */
  fetched(input: InputIndex): boolean {
    return this.triple.nextFetch(input) >= this.#options.ends[input]!;
  }

  get finished(): boolean {
    return this.triple.inputs.every((input) => this.fetched(input) && this.triple.queued(input).records === 0);
  }

  /** Records that follow where the last ones ended; what lies beyond the end is dropped. */
  offer(input: InputIndex, records: readonly Fetched<Event>[], next: number): void {
    const end = this.#options.ends[input]!;
    this.triple.offer(
      input,
      records.filter(({ offset }) => offset < end),
      Math.min(next, end),
      ARRIVED,
    );
  }

  /** Reads what can be read, up to about `budget` records, and applies what that releases. Returns how many it read. */
  step(budget: number): number {
    let read = 0;
    while (read < budget && this.#readNext()) read += 1;
    this.#apply();
    const { records } = this.triple.deadLetters();
    if (!this.#options.publish) {
      this.#deadLetters += records.length;
      this.triple.deadLettersWritten(records.length);
    }
    return read;
  }

  get counts(): HistoryCounts {
    const unwritten = this.triple.deadLetters().records.length;
    const counts = {
      users: this.#users.size,
      money: 0,
      pending: 0,
      lookups: 0,
      outputs: 0,
      deadLetters: this.#deadLetters + unwritten,
    };
    for (const { state, unpublished } of this.#users.values()) {
      counts.money += state.counters.moneyApplied;
      counts.pending += Object.values(state.pending).reduce((sum, waiting) => sum + waiting.length, 0);
      counts.lookups += state.lookups.length;
      counts.outputs += unpublished.length;
    }
    return counts;
  }

  /** What the workflows are started with. */
  *snapshots(): Generator<Snapshot> {
    const { partition, rules } = this.#options;
    for (const [userId, { state, unpublished }] of this.#users) {
      yield { userId, life: { ...newLife(NO_WORKFLOW), rules, partition, unpublished, user: state } };
    }
  }

  /**
   * One record, because each may be the one that makes another input silent: an input is silent when it had nothing for the idle timeout
   * before the time that is read, be it at its end or in a gap. What that lets the watermark pass is applied before the record is
   * read, as a bridge would have done long before; where all were silent, everything that was held.
   */
  #readNext(): boolean {
    const { ends, idleTimeout } = this.#options;
    const now = this.triple.oldestTimestamp;
    const { inputs } = this.triple;
    const heads = inputs.map((input) => this.triple.head(input));
    for (const input of inputs) {
      const last = Math.min(this.#last[input]!, now);
      this.#last[input] = last;
      // Behind the last record of all no time passes: a bridge reads on there.
      const hadNothing = now < Infinity && (heads[input] !== undefined || this.fetched(input));
      if (hadNothing && now - last >= idleTimeout) this.triple.beSilent(input);
      this.triple.sawEnd(input, ends[input]!, SEEN);
    }
    this.triple.read(0, ARRIVED);
    for (const input of inputs) {
      if ((heads[input]?.timestamp ?? Infinity) <= now + TOGETHER) this.triple.beActive(input);
    }
    if (this.triple.read(1, ARRIVED) === 0) return false;
    // The merge takes the first of those with the least timestamp.
    const taken = inputs.find((input) => heads[input]?.timestamp === now);
    if (taken !== undefined && heads[taken]!.decoded.ok) this.#last[taken] = now;
    return true;
  }

  #apply(): void {
    const { partition, rules, now, publish } = this.#options;
    for (
      let flight = this.triple.outbox.take(ARRIVED);
      flight !== undefined;
      flight = this.triple.outbox.take(ARRIVED)
    ) {
      const { key: userId, lowWater } = flight;
      let user = this.#users.get(userId);
      if (user === undefined) this.#users.set(userId, (user = { state: initialState(), unpublished: [] }));
      const records = flight.records.flatMap(({ applicable }) => applicable ?? []);
      const { applied, resolved } = applyBatch(user.state, { partition, lowWater, rules, records }, { userId, now });
      if (publish) user.unpublished.push(...applied, ...resolved);
      else user.state.lookups.length = 0;
      this.triple.acknowledged(flight);
    }
  }
}
