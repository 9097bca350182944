/**
 * One partition triple from its beginning to fixed ends: from fetched records to outputs and lookups. Pure. Reading,
 * lateness and order are the bridge's own (PartitionTriple), the rules the workflow's own (the fold of src/money/domain), so a
 * backfill cannot judge differently. An input that was read to its end counts as silent at once; when all are, what is
 * held passes, and what is pending is looked up. So the result is a function of the logs up to these ends.
 */
import type { Applicable, Offsets, Output, Rules } from '../../money/domain/events.ts';
import type { Fetched } from '../../engine/ordering/merge-queue.ts';
import { beginningAt } from '../../engine/ordering/checkpoint.ts';
import { PartitionTriple } from '../../engine/ordering/partition-triple.ts';
import type { InputIndex } from '../../engine/ordering/watermark.ts';
import { applyBatch, resolveLookup, type Answer } from '../../money/domain/apply.ts';
import { keptOf } from '../../money/domain/kept.ts';
import { initialState, type Lookup, type UserState } from '../../money/domain/state.ts';

type Event = Applicable['event'];

export interface EngineOptions {
  readonly partition: number;
  /** First offset of each input. */
  readonly starts: Offsets;
  /** Of each input, nothing from here on is read. */
  readonly ends: Offsets;
  readonly rules: Rules;
  /** ms */
  readonly outOfOrderness: number;
  /** Of records held for the watermark; above either, only the inputs that hold it back are read. */
  readonly maxHeld: number;
  readonly maxHeldBytes: number;
  /** Whether the output of this money is to be written; one that is not is not looked up either. `ts`: event time, ms. */
  readonly wants: (money: { readonly offset: number; readonly ts: number }) => boolean;
}

export interface UserOutput {
  readonly userId: string;
  readonly output: Output;
}

export interface Question {
  readonly userId: string;
  readonly sessionId: string;
  readonly lookup: Lookup;
}

/** What follows from a step. */
export interface StepResult {
  /** Records read. */
  readonly read: number;
  readonly outputs: readonly UserOutput[];
  readonly questions: readonly Question[];
}

export interface EngineCounts {
  deadLetters: number;
  duplicates: number;
  late: number;
}

/** Never the wall clock: the triple is told that all happens at 0, and the ends were seen long after. */
const NOW = 0;
const LATER = 1_000_000;

export class PartitionReplay {
  readonly counts: EngineCounts = { deadLetters: 0, duplicates: 0, late: 0 };
  readonly #options: EngineOptions;
  readonly #triple: PartitionTriple<Event>;
  readonly #users = new Map<string, UserState>();
  #ended = false;
  #fetching = true;

  constructor(options: EngineOptions) {
    const { partition, starts, outOfOrderness, maxHeld, maxHeldBytes } = options;
    this.#options = options;
    this.#triple = new PartitionTriple<Event>({
      partition,
      start: beginningAt(starts),
      deadLettersBelow: starts,
      outOfOrderness,
      idleTimeout: 0,
      maxHeld,
      maxHeldBytes,
      outboxLimits: { spacing: 0, burst: 1, flushDelay: 0, prompt: 0, linger: 0, maxEvents: 500, maxBytes: Infinity },
    });
    this.#seeEnds();
  }

  /** Where the next fetch of this input has to begin. */
  nextFetch(input: InputIndex): number {
    return this.#triple.nextFetch(input);
  }

  /** All of this input up to its end was offered. */
  fetched(input: InputIndex): boolean {
    return this.nextFetch(input) >= this.#options.ends[input]!;
  }

  queued(input: InputIndex): { readonly records: number; readonly bytes: number } {
    return this.#triple.queued(input);
  }

  /** Everything was read, applied and, where it was pending, asked for; answers may be missing. */
  get finished(): boolean {
    return this.#ended;
  }

  /** Offsets below which everything was read. */
  get position(): Offsets {
    return this.#options.ends.map((end, input) => (this.#ended ? end : this.#oldestQueued(input)));
  }

  /** Records that follow where the last ones ended; what lies beyond the end is dropped. */
  offer(input: InputIndex, records: readonly Fetched<Event>[], next: number): void {
    const end = this.#options.ends[input]!;
    this.#triple.offer(
      input,
      records.filter(({ offset }) => offset < end),
      Math.min(next, end),
      NOW,
    );
    this.#fetching = true;
  }

  /** Reads up to about `budget` records and applies what they release. */
  step(budget: number): StepResult {
    const outputs: UserOutput[] = [];
    const questions: Question[] = [];
    let read = 0;
    if (!this.#ended && this.#fetching) {
      for (let some = 1; some > 0 && read < budget; read += some) {
        some = this.#triple.read(Math.min(budget - read, this.#untilNextEnd()), NOW);
        this.#seeEnds();
      }
      this.#triple.read(0, NOW);
      this.#apply(outputs, questions);
      this.#countDeadLetters();
      this.#fetching = read >= budget;
      if (this.#triple.inputs.every((input) => this.fetched(input)) && this.#triple.settled) this.#end(questions);
    }
    return { read, outputs, questions };
  }

  /** The output of a money that was asked for. */
  resolve({ userId, lookup }: Question, answer: Answer): UserOutput {
    return { userId, output: resolveLookup(this.#stateOf(userId), lookup, answer, { userId, now: null }) };
  }

  /** An input becomes silent with its last record, and neither before nor after: the watermark depends on it. */
  #untilNextEnd(): number {
    return this.#triple.inputs.reduce((least, input) => {
      const { records } = this.#triple.queued(input);
      return records > 0 && this.fetched(input) ? Math.min(least, records) : least;
    }, Infinity);
  }

  #seeEnds(): void {
    for (const [input, end] of this.#options.ends.entries()) this.#triple.sawEnd(input, end, LATER);
  }

  #apply(outputs: UserOutput[], questions: Question[]): void {
    const { partition, rules, wants } = this.#options;
    for (let flight = this.#triple.outbox.take(NOW); flight !== undefined; flight = this.#triple.outbox.take(NOW)) {
      const { key: userId, lowWater } = flight;
      const state = this.#stateOf(userId);
      const asked = state.lookups.length;
      const { duplicatesDropped, late } = state.counters;
      const records = flight.records.flatMap(({ applicable }) => applicable ?? []);
      const { applied, resolved } = applyBatch(state, { partition, lowWater, rules, records }, { userId, now: null });
      for (const output of [...applied, ...resolved]) {
        if (wants({ offset: output.offset, ts: output.enriched.money.ts })) outputs.push({ userId, output });
      }
      this.#ask(userId, state, asked, questions);
      this.counts.duplicates += state.counters.duplicatesDropped - duplicatesDropped;
      this.counts.late += state.counters.late - late;
      this.#triple.acknowledged(flight);
    }
  }

  /** Lookups of this user from `first` on are new. */
  #ask(userId: string, state: UserState, first: number, questions: Question[]): void {
    const { wants } = this.#options;
    const lookups = state.lookups.splice(first);
    for (const lookup of lookups) {
      if (!wants({ offset: lookup.offset, ts: lookup.money.ts })) continue;
      state.lookups.push(lookup);
      questions.push({ userId, sessionId: lookup.money.userSessionId, lookup });
    }
  }

  /** What is still pending at the end of the log is looked up (semantics, section 3). */
  #end(questions: Question[]): void {
    this.#ended = true;
    for (const [userId, state] of this.#users) {
      const asked = state.lookups.length;
      for (const { dueAt: _, wallDueAt: __, ...waiting } of keptOf(state).pending.takeAll()) {
        state.lookups.push(waiting);
      }
      this.#ask(userId, state, asked, questions);
    }
  }

  #countDeadLetters(): void {
    const { records } = this.#triple.deadLetters();
    this.counts.deadLetters += records.length;
    this.#triple.deadLettersWritten(records.length);
  }

  #oldestQueued(input: InputIndex): number {
    return Math.max(this.#options.starts[input]!, this.nextFetch(input) - this.#triple.queued(input).records);
  }

  #stateOf(userId: string): UserState {
    let state = this.#users.get(userId);
    if (state === undefined) {
      state = initialState();
      this.#users.set(userId, state);
    }
    return state;
  }
}
