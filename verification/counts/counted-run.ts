/**
 * Traffic through the bridge's own ordering and the product's own workflow, in virtual time: how many touches, tasks, actions and
 * bytes of history 1,000 events cost. The same each time. Counted is the steady part: after the hold of the watermark, and before
 * the traffic ends and all that is held comes at once.
 */
import { createReadWatermark } from '../../activities/read-watermark.ts';
import { decodedOf, decodeRecord } from '../../src/money/codec/decode.ts';
import { partitionOf } from '../../src/engine/kafka/partitioner.ts';
import { outboxLimits, type Flight } from '../../src/engine/ordering/outbox.ts';
import { PartitionTriple } from '../../src/engine/ordering/partition-triple.ts';
import { readingLimits } from '../../src/engine/ordering/reading-limits.ts';
import { BOUNDS } from '../../src/money/domain/bounds.ts';
import { INPUTS, type Rules } from '../../src/money/domain/events.ts';
import { trafficOptions } from '../../src/tools/generate/options.ts';
import { generateTraffic } from '../../src/tools/generate/traffic.ts';
import { userProgram } from '../simulation/user-program.ts';
import { Counters } from './counters.ts';
import { CountedTemporal } from './counted-temporal.ts';
import { VirtualTime } from './virtual-time.ts';

/** What traffic is like, and how the product is set. */
export interface Case {
  readonly users: number;
  readonly events: number;
  /** Events a second, of all users. */
  readonly rate: number;
  /** ms from the begin of the traffic until counting begins; 30 s when absent. */
  readonly settled?: number;
  /** Fraction of the money that comes before its session, if that ever comes. */
  readonly pending?: number;
  /** ms */
  readonly flushDelay: number;
  /** All of it is there when the bridge begins, and all is counted. */
  readonly backlog?: boolean;
  /** Touches a second that Temporal takes. */
  readonly capacity?: number;
}

const PARTITIONS = 4;
const START = Date.UTC(2026, 0, 1);
const OUT_OF_ORDERNESS = 20_000;
/** ms */
const SIGNAL_MS = 10;
const LOOK_MS = 50;
const COMMIT_MS = 1_000;
/** Of a bridge, see signal-sender.ts. */
const MAX_IN_FLIGHT = 64;
const LIMITS = { maxRecordBytes: 1_048_576, maxFutureSkew: 3_600_000 };
const RULES: Rules = {
  sessionTtl: 86_400_000,
  dedupTtl: 60_000,
  pendingTimeout: 3_600_000,
  lookupGiveUpAfter: 600_000,
  bounds: BOUNDS,
};

export async function count(given: Case): Promise<Counters> {
  return new CountedRun(given).run();
}

class CountedRun {
  readonly #case: Case;
  readonly #time = new VirtualTime(START - 1);
  readonly #counters = new Counters();
  readonly #temporal: CountedTemporal;
  readonly #triples: readonly PartitionTriple[];
  readonly #released = readingLimits(PARTITIONS).released;
  /** By partition. */
  readonly #ends: number[][];
  readonly #committed: (number | null)[];
  #inFlight = 0;
  #nextLook = Infinity;
  #freeAt = -Infinity;

  constructor(given: Case) {
    this.#case = given;
    this.#triples = Array.from(
      { length: PARTITIONS },
      (_, partition) =>
        new PartitionTriple({
          partition,
          start: { next: [0, 0, 0], maxTs: [-Infinity, -Infinity, -Infinity], watermark: -Infinity },
          deadLettersBelow: [0, 0, 0],
          outOfOrderness: OUT_OF_ORDERNESS,
          idleTimeout: 5_000,
          outboxLimits: outboxLimits(given.flushDelay),
        }),
    );
    this.#ends = this.#triples.map(() => [0, 0, 0]);
    this.#committed = this.#triples.map(() => null);
    const readWatermark = createReadWatermark({
      committedWatermark: async (partition) => this.#committed[partition]!,
    });
    this.#temporal = new CountedTemporal({
      time: this.#time,
      counters: this.#counters,
      program: userProgram,
      activities: {
        readWatermark,
        publish: async ({ outputs }: { outputs: unknown[] }) => this.#counters.add('outputs', outputs.length),
        lookupSessions: async ({ sessionIds }: { sessionIds: string[] }) =>
          sessionIds.map((sessionId) => ({ sessionId, status: 'found', clientCountryCode: 'UY' })),
      },
    });
  }

  async run(): Promise<Counters> {
    const { settled = 30_000, backlog = false } = this.#case;
    const last = this.#write();
    if (backlog) this.#counters.looking = true;
    else {
      this.#time.at(START + settled, () => void (this.#counters.looking = true));
      this.#time.at(last, () => void (this.#counters.looking = false));
    }
    this.#tick(backlog ? Infinity : last);
    if (!backlog) await this.#time.run(last);
    else for (let end = START; !this.#done; end += 10_000) await this.#time.run(end);
    return this.#counters;
  }

  get #done(): boolean {
    return this.#time.now > START && this.#triples.every(({ settled }) => settled);
  }

  /** Returns when the last record is written. */
  #write(): number {
    const { users, events, rate, pending = 0, backlog = false } = this.#case;
    const traffic = trafficOptions({
      users,
      events,
      seed: 6,
      start: START,
      span: (events / rate) * 1_000,
      disorder: 5_000,
      duplicates: 0.01,
      pending,
    });
    let last = START;
    for (const { key, value, timestamp, input } of generateTraffic(traffic)) {
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
    if (now < end && !(end === Infinity && this.#done)) this.#time.after(LOOK_MS, () => this.#tick(end, ticks + 1));
  }

  #send(): void {
    const { now } = this.#time;
    let next = Infinity;
    for (const triple of this.#triples) {
      triple.read(triple.outbox.going < this.#released ? 1_000 : 0, now);
      while (this.#inFlight < MAX_IN_FLIGHT) {
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
    const { capacity = Infinity } = this.#case;
    this.#freeAt = Math.max(this.#freeAt, this.#time.now) + 1_000 / capacity;
    this.#time.at(Math.max(this.#time.now + SIGNAL_MS, this.#freeAt), () => {
      const records = flight.records.map(({ applicable }) => applicable!);
      const batch = { partition: triple.partition, lowWater: flight.lowWater, rules: RULES, records };
      this.#temporal.signalWithStart(`app/${flight.key}`, { userId: flight.key }, batch);
      this.#inFlight -= 1;
      triple.acknowledged(flight);
      this.#send();
    });
  }
}
