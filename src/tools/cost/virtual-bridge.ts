/**
 * Generated traffic through the bridge's own ordering, in virtual time: which signals it sends, and when. Nothing is read, sent or
 * waited for: the logs grow as the traffic says, a signal takes a fixed time, and the same load gives the same signals each time.
 */
import { MAX_SIGNALS_IN_FLIGHT } from '../../engine/bridge/signal-places.ts';
import { outboxLimits, type Flight } from '../../engine/ordering/signal-outbox.ts';
import { PartitionTriple } from '../../engine/ordering/partition-triple.ts';
import { readingLimits } from '../../engine/ordering/reading-limits.ts';
import { partitionOf } from '../../engine/kafka/partitioner.ts';
import { decodedOf, decodeRecord } from '../../money/codec/decode.ts';
import { INPUTS } from '../../money/domain/events.ts';
import { trafficOptions } from '../generate/options.ts';
import { generateTraffic } from '../generate/traffic.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What traffic is like, and how the bridge is set. */
export interface Load {
  readonly users: number;
  /** Records of all topics. */
  readonly events: number;
  /** Records a second, of all users. */
  readonly rate: number;
  /** Fraction of the money that comes before its session, if that ever comes. */
  readonly pending?: number;
  /** ms */
  readonly flushDelay: number;
  /** ms; 20 s when absent. */
  readonly outOfOrderness?: number;
  /** All of it is there when the bridge begins. */
  readonly backlog?: boolean;
  /** Touches a second that Temporal takes. */
  readonly capacity?: number;
}

export const START = Date.UTC(2026, 0, 1);
const PARTITIONS = 4;
/** ms */
const SIGNAL_MS = 10;
const LOOK_MS = 50;
const COMMIT_MS = 1_000;
const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };

export class VirtualBridge {
  readonly #load: Load;
  readonly #time: VirtualTime;
  readonly #onSignal: (partition: number, flight: Flight) => void;
  readonly #triples: readonly PartitionTriple[];
  readonly #released = readingLimits(PARTITIONS).released;
  /** By partition. */
  readonly #ends: number[][];
  readonly #committed: (number | null)[];
  #inFlight = 0;
  #nextLook = Infinity;
  #freeAt = -Infinity;

  constructor(load: Load, time: VirtualTime, onSignal: (partition: number, flight: Flight) => void) {
    this.#load = load;
    this.#time = time;
    this.#onSignal = onSignal;
    this.#triples = Array.from(
      { length: PARTITIONS },
      (_, partition) =>
        new PartitionTriple({
          partition,
          start: { next: [0, 0, 0], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity },
          deadLettersBelow: [0, 0, 0],
          outOfOrderness: load.outOfOrderness ?? 20_000,
          idleTimeout: 5_000,
          outboxLimits: outboxLimits(load.flushDelay),
        }),
    );
    this.#ends = this.#triples.map(() => [0, 0, 0]);
    this.#committed = this.#triples.map(() => null);
  }

  /** Epoch ms up to which all of a partition was acknowledged and committed. */
  committedWatermark(partition: number): number | null {
    return this.#committed[partition]!;
  }

  /** Everything was signalled. */
  get done(): boolean {
    return this.#time.now > START && this.#triples.every(({ settled }) => settled);
  }

  /** Puts all that will happen into the time; returns when the last record is written. */
  begin(): number {
    const last = this.#write();
    this.#tick(this.#load.backlog === true ? Infinity : last);
    return last;
  }

  #write(): number {
    const { users, events, rate, pending = 0, backlog = false } = this.#load;
    const span = (events / rate) * 1_000;
    const usual = { disorder: 5_000, duplicates: 0.01, pending };
    let last = START;
    for (const { key, value, timestamp, input } of generateTraffic(
      trafficOptions({ users, events, seed: 6, start: START, span, ...usual }),
    )) {
      last = timestamp;
      const partition = partitionOf(key!, PARTITIONS);
      const index = INPUTS.indexOf(input);
      this.#time.at(backlog ? START : timestamp, () => {
        const offset = this.#ends[partition]![index]!++;
        const decoded = decodedOf(decodeRecord(input, { key: Buffer.from(key!), value: value!, timestamp }, LIMITS));
        const record = { offset, timestamp, bytes: value!.length, decoded };
        this.#triples[partition]!.offer(index, [record], offset + 1, this.#time.now);
      });
    }
    return last;
  }

  /** The bridge looks at the ends of the logs when it needs them, and once a second; then it commits. */
  #tick(end: number, ticks = 0): void {
    const { now } = this.#time;
    const commits = (ticks * LOOK_MS) % COMMIT_MS === 0;
    this.#triples.forEach((triple, partition) => {
      if (commits || triple.blocked) for (const i of triple.inputs) triple.sawEnd(i, this.#ends[partition]![i]!, now);
      const { watermark } = triple.checkpoint();
      if (commits && Number.isFinite(watermark)) this.#committed[partition] = watermark;
    });
    this.#send();
    if (now < end && !(end === Infinity && this.done)) this.#time.after(LOOK_MS, () => this.#tick(end, ticks + 1));
  }

  #send(): void {
    const { now } = this.#time;
    let next = Infinity;
    for (const triple of this.#triples) {
      triple.read(triple.outbox.going < this.#released ? 1_000 : 0, now);
      while (this.#inFlight < MAX_SIGNALS_IN_FLIGHT) {
        const flight = triple.outbox.take(now);
        if (flight === undefined) break;
        this.#signal(triple, flight);
      }
      next = Math.min(next, triple.outbox.nextReadyAt() ?? Infinity);
    }
    if (next <= now || next >= this.#nextLook) return;
    this.#nextLook = next;
    this.#time.at(next, () => {
      this.#nextLook = Infinity;
      this.#send();
    });
  }

  #signal(triple: PartitionTriple, flight: Flight): void {
    this.#inFlight += 1;
    const { capacity = Infinity } = this.#load;
    this.#freeAt = Math.max(this.#freeAt, this.#time.now) + 1_000 / capacity;
    this.#time.at(Math.max(this.#time.now + SIGNAL_MS, this.#freeAt), () => {
      this.#onSignal(triple.partition, flight);
      this.#inFlight -= 1;
      triple.acknowledged(flight);
      this.#send();
    });
  }
}
