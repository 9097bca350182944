/** Who writes the records of a scenario into the topics: each at its time, when its partition takes it. People may stop them, or mistake partitions. */
import type { MoneyInput } from '../../src/money/domain/events.ts';
import type { LogRecord } from '../../src/money/model/model.ts';
import { EPOCH, type Scheduler } from './kernel/scheduler.ts';
import type { Scenario } from './scenario.ts';
import type { SimKafka } from './kafka/sim-kafka.ts';
import type { Arrival } from './workload.ts';

/** ms until a producer tries again. */
const RETRY = 100;

export class Producers {
  readonly #scheduler: Scheduler;
  readonly #kafka: SimKafka;
  readonly #log: (record: LogRecord) => void;
  readonly #stopped = new Map<string, (end: number) => boolean>();
  /** By lane: what is to be written there. */
  readonly #waiting = new Map<string, Arrival[]>();
  readonly #left: Set<Arrival>;
  /** Where a record is written instead of where its key belongs. */
  #elsewhere: (arrival: Arrival) => number | undefined = () => undefined;

  constructor(
    scheduler: Scheduler,
    { arrival }: Scenario,
    kafka: SimKafka,
    arrivals: readonly Arrival[],
    log: (record: LogRecord) => void,
  ) {
    this.#scheduler = scheduler;
    this.#kafka = kafka;
    this.#log = log;
    this.#left = new Set(arrivals);
    for (const one of arrivals) {
      if (arrival === 'backlog') this.#append(one, one.partition, one.timestamp);
      else scheduler.after(one.timestamp - EPOCH, null, () => this.#due(one));
    }
  }

  /** Whether all records are in the topics. */
  get done(): boolean {
    return this.#left.size === 0;
  }

  /** What is to come yet. */
  get left(): readonly Arrival[] {
    return [...this.#left];
  }

  /** Nothing is written there for now; where `may` is given, nothing beyond what it lets. `end`: where the log ends. */
  stop(topic: string, partition: number, may: (end: number) => boolean = () => false): void {
    this.#stopped.set(`${topic}/${partition}`, may);
  }

  goOn(topic: string, partition: number): void {
    this.#stopped.delete(`${topic}/${partition}`);
  }

  /** A producer with another partitioner writes some of the records; undefined for those that it does not write. */
  misplace(elsewhere: (arrival: Arrival) => number | undefined): void {
    this.#elsewhere = elsewhere;
  }

  /** In the order in which they come: what waits holds up what comes behind it in the same partition. */
  #due(one: Arrival): void {
    const partition = this.#elsewhere(one) ?? one.partition;
    const lane = `${one.input}/${partition}`;
    const waiting = this.#waiting.get(lane);
    if (waiting !== undefined) return void waiting.push(one);
    this.#waiting.set(lane, [one]);
    this.#write(one.input, partition, lane);
  }

  #write(input: MoneyInput, partition: number, lane: string): void {
    const waiting = this.#waiting.get(lane)!;
    while (waiting.length > 0 && this.#mayWrite(input, partition, lane)) {
      this.#append(waiting.shift()!, partition, this.#scheduler.now);
    }
    if (waiting.length === 0) this.#waiting.delete(lane);
    else this.#scheduler.after(RETRY, null, () => this.#write(input, partition, lane));
  }

  #mayWrite(input: MoneyInput, partition: number, lane: string): boolean {
    const may = this.#stopped.get(lane);
    return this.#kafka.takes(input, partition) && (may === undefined || may(this.#kafka.offsets(input, partition).end));
  }

  #append(one: Arrival, partition: number, timestamp: number): void {
    const { input, key, value } = one;
    const offset = this.#kafka.append(input, partition, { key, value, timestamp });
    this.#left.delete(one);
    this.#log({ topic: input, partition, offset, timestamp, key: key === null ? null : Buffer.from(key), value });
  }
}
