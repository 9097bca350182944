/**
 * Drives partition triples over three logs in simulated time: fetches, ends of logs, signals and their acknowledgements,
 * commits, crashes. What the workflows would apply is collected, redeliveries dropped by the domain's own rule.
 */
import type { Ahead } from '../../../src/engine/ordering/ahead.ts';
import type { Checkpoint } from '../../../src/engine/ordering/checkpoint.ts';
import type { Fetched } from '../../../src/engine/ordering/merge-queue.ts';
import type { Flight } from '../../../src/engine/ordering/signal-outbox.ts';
import { PartitionTriple, type TripleOptions } from '../../../src/engine/ordering/partition-triple.ts';

import { INPUTS } from '../../../src/money/domain/events.ts';
import { Redeliveries, type Redelivery } from '../../../src/engine/workflow/redelivery.ts';
import { NOWHERE } from './given.ts';

/** Three inputs, as the application has. */
const INPUT_INDEXES = [0, 1, 2] as const;
type InputIndex = (typeof INPUT_INDEXES)[number];

const redeliveries = new Redeliveries(INPUTS);

/** A record of a log, and when it can be read there, ms of simulated time. */
export interface Logged extends Fetched {
  readonly visibleAt: number;
}
export type Logs = readonly [Logged[], Logged[], Logged[]];

/** `<input> <offset> <late watermark or 'on time'>`, in the order of application. */
export type Applications = Record<string, string[]>;

interface Committed {
  readonly checkpoint: Checkpoint;
  readonly deadLettersBelow: readonly number[];
  readonly ahead?: Ahead | undefined;
}

export class Driver {
  now = 1_000_000;
  triple: PartitionTriple;
  readonly applications: Applications = {};
  /** `<input> <offset>` as often as it was written. */
  readonly deadLetters: string[] = [];
  maxHeld = 0;
  readonly #logs: Logs;
  readonly #options: Omit<TripleOptions, 'start' | 'deadLettersBelow' | 'partition'>;
  readonly #redelivery = new Map<string, Redelivery>();
  /** Taken and not acknowledged. `lost`: of a bridge that is gone. */
  #flights: { readonly flight: Flight; delivered: boolean; readonly lost: boolean }[] = [];
  #committed: Committed = { checkpoint: NOWHERE, deadLettersBelow: [0, 0, 0] };

  constructor(logs: Logs, options: Partial<TripleOptions> = {}) {
    this.#logs = logs;
    this.#options = { outOfOrderness: 20, idleTimeout: 1_000_000, maxHeld: 1_000_000, maxHeldBytes: 1e9, ...options };
    this.triple = this.#begin();
  }

  /** Fetches up to `count` records of what is visible. */
  fetch(input: InputIndex, count = Infinity): void {
    const from = this.triple.nextFetch(input);
    const records = this.#logs[input].slice(from, Math.min(from + count, this.#end(input)));
    this.triple.offer(input, records, from + records.length, this.now);
  }

  fetchAll(): void {
    for (const input of INPUT_INDEXES) this.fetch(input);
  }

  sawEnds(): void {
    for (const input of INPUT_INDEXES) this.triple.sawEnd(input, this.#end(input), this.now);
  }

  read(budget = 1_000_000): number {
    const read = this.triple.read(budget, this.now);
    this.maxHeld = Math.max(this.maxHeld, this.triple.describe().held);
    return read;
  }

  /** Takes one signal, if one is ready. */
  take(): void {
    const flight = this.triple.outbox.take(this.now);
    if (flight !== undefined) this.#flights.push({ flight, delivered: false, lost: false });
  }

  /** The n-th signal under way (counted round) reaches its workflow; its acknowledgement gets lost or not. */
  deliver(n: number, acknowledge: boolean): void {
    const flying = this.#flights[n % this.#flights.length];
    if (flying === undefined) return;
    this.#apply(flying.flight);
    flying.delivered = true;
    if (!flying.lost && !acknowledge) return;
    this.#flights.splice(this.#flights.indexOf(flying), 1);
    if (!flying.lost) this.triple.acknowledged(flying.flight);
  }

  commit(): void {
    const { records, below } = this.triple.deadLetters();
    for (const { input, offset } of records) this.deadLetters.push(`${INPUTS[input]} ${offset}`);
    this.triple.deadLettersWritten(records.length);
    this.#committed = { checkpoint: this.triple.checkpoint(), deadLettersBelow: below, ahead: this.triple.ahead() };
  }

  /** Signals of this user wait from now on. */
  stand(userId: string): void {
    this.triple.outbox.setWaiting(userId, true);
  }

  /** Users of the signals under way, of this bridge. */
  get flying(): readonly string[] {
    return this.#flights.filter(({ lost }) => !lost).map(({ flight }) => flight.key);
  }

  /** A new bridge goes on at what was committed; signals under way may still arrive. */
  crash(): void {
    this.#flights = this.#flights.map((flying) => ({ ...flying, lost: true }));
    this.triple = this.#begin();
  }

  /** Reads and delivers everything; at the end all inputs are idle. */
  finish(): void {
    this.now = Math.max(this.now, ...this.#logs.flat().map(({ visibleAt }) => visibleAt));
    for (let turns = 0; ; turns += 1) {
      if (turns > 10_000) throw new Error(`the triple does not settle: ${JSON.stringify(this.triple.describe())}`);
      this.fetchAll();
      this.sawEnds();
      const read = this.read(100);
      this.take();
      while (this.#flights.length > 0) this.deliver(0, true);
      this.now += 500;
      if (read > 0 || !this.#allRead()) continue;
      // Silence, as long as it takes.
      if (this.triple.settled) break;
      this.now += this.#options.idleTimeout;
    }
    this.commit();
  }

  #allRead(): boolean {
    return INPUT_INDEXES.every(
      (input) => this.triple.nextFetch(input) === this.#logs[input].length && this.triple.queued(input).records === 0,
    );
  }

  #end(input: InputIndex): number {
    const log = this.#logs[input];
    const end = log.findIndex(({ visibleAt }) => visibleAt > this.now);
    return end < 0 ? log.length : end;
  }

  #begin(): PartitionTriple {
    const { checkpoint: start, deadLettersBelow, ahead } = this.#committed;
    return new PartitionTriple({ ...this.#options, partition: 0, start, deadLettersBelow, ahead });
  }

  #apply({ key: userId, lowWater, records }: Flight): void {
    const redelivery = this.#redelivery.get(userId) ?? {};
    this.#redelivery.set(userId, redelivery);
    redeliveries.raiseLowWater(redelivery, { partition: 0 }, lowWater);
    for (const { input, offset, applicable } of records) {
      if (!redeliveries.noteApplied(redelivery, { partition: 0 }, INPUTS[input]!, offset)) continue;
      (this.applications[userId] ??= []).push(`${INPUTS[input]} ${offset} ${applicable!.late ?? 'on time'}`);
    }
  }
}
