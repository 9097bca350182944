/** A bridge on Kafka in memory, with signals that a test answers and a clock that a test moves. */
import type { TestContext } from 'node:test';
import { Bridge, type BridgeDeps } from '../../../src/engine/bridge/bridge.ts';
import type { BridgeObserver } from '../../../src/engine/bridge/assignment.ts';
import type { MoneyBridgeSettings } from '../../../src/money/bridge/settings.ts';
import type { Signaller } from '../../../src/engine/bridge/signaller.ts';
import type { MoneyInput } from '../../../src/money/domain/events.ts';
import { createLogger } from '../../../src/engine/log.ts';
import type { EventBatch } from '../../../workflows/messages.ts';
import { KafkaInMemory } from '../../../src/library/testing/kafka/kafka-in-memory.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RULES } from '../../money/domain/given.ts';
import { acceptCommand, decoding } from '../../../src/money/bridge/settings.ts';
import { eventBatchOf } from '../../../src/money/bridge/event-batch.ts';

export const SETTINGS: MoneyBridgeSettings = {
  acceptCommand,
  appId: 'app',
  groupId: 'bridges',
  inputTopics: ['user', 'session', 'money'],
  deadLetterTopic: 'dead',
  deadLetterPartitions: 1,
  outOfOrderness: 20_000,
  idleTimeout: 5_000,
  ...decoding({ maxRecordBytes: 10_000, maxFutureSkew: 3_600_000 }),
  rules: RULES,
};
/** Event time of {@link World.produce} at 0. */
export const START = 1_699_999_000_000;

const WARN = 40;
/** Of the clock, until a test fails. */
const MAX_STEPS = 5_000;
/** Of the event loop in each: more than anything here takes to answer. */
const TURNS = 10;

export interface Signal {
  readonly userId: string;
  readonly batch: EventBatch;
  readonly bridge: string;
  answered: boolean;
  acknowledge(): void;
  fail(error?: Error): void;
}

export const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const TEXTS: Record<MoneyInput, (n: number) => object> = {
  money: () => ({
    type: 'PaymentEvent',
    amount: 1.5,
    openingBalance: 0,
    closingBalance: 2,
    currency: 'EUR',
    moneyType: 'BET',
    paymentRelatedThing: 'x',
    isOldMoneyEvent: false,
  }),
  session: () => ({ type: 'UserSessionCreatedEvent', clientCountryCode: 'UY' }),
  user: () => ({ type: 'ChangeAddressEvent', address: 'a', residentCountryCode: 'UY', postalCode: 'p' }),
};

export class World {
  readonly kafka = new KafkaInMemory();
  readonly clock = new ManualClock();
  /** All signals ever sent, in order. */
  readonly signals: Signal[] = [];
  /** Of every workflow. */
  history = { events: 0, bytes: 0 };
  /** Whether signals are acknowledged at once. */
  autoAcknowledge = true;
  /** Kinds of failed signals. */
  readonly failures = new Set<string>();
  /** The log of all bridges, from `info` on. */
  readonly lines: {
    readonly level: number;
    readonly msg: string;
    readonly error?: string;
    readonly workflowIds?: readonly string[];
  }[] = [];
  readonly #stopped = new Set<string>();
  readonly counts = {
    read: 0,
    deadLetters: 0,
    cut: 0,
    late: 0,
    signalled: 0,
    failed: 0,
    committed: 0,
    lost: 0,
    split: 0,
  };
  readonly #t: TestContext;

  constructor(t: TestContext, partitions = 1) {
    this.#t = t;
    for (const topic of SETTINGS.inputTopics) this.kafka.createTopic(topic, partitions);
    this.kafka.createTopic('dead', 1);
  }

  start(name: string, settings: Partial<MoneyBridgeSettings> = {}, deps: Partial<BridgeDeps> = {}): Bridge {
    const bridge = new Bridge(
      { ...SETTINGS, ...settings },
      {
        kafka: this.kafka.port(name),
        signaller: this.#signaller(name),
        clock: this.clock,
        logger: createLogger({ destination: { write: (line) => this.lines.push(JSON.parse(line)) } }),
        observer: this.#observer(),
        ...deps,
      },
    );
    const stopped = () => void this.#stopped.add(name);
    bridge.run().then(stopped, stopped);
    this.#t.after(async () => {
      this.autoAcknowledge = true;
      for (const signal of this.signals) signal.acknowledge();
      bridge.stop();
      await this.until('the bridge has stopped', () => this.hasStopped(name));
    });
    return bridge;
  }

  hasStopped(name: string): boolean {
    return this.#stopped.has(name);
  }

  /** `ts`: ms after START. Returns the offset. */
  produce(
    input: MoneyInput,
    ts: number,
    {
      user = 1,
      partition = 0,
      timestamp = ts,
      key,
    }: { user?: number; partition?: number; timestamp?: number; key?: string } = {},
  ): number {
    const value = {
      ...TEXTS[input](ts),
      id: uuid(ts),
      userId: uuid(user),
      processedAt: new Date(START + ts).toISOString(),
    };
    return this.kafka.append(input, partition, {
      key: key ?? uuid(user),
      value: JSON.stringify(value),
      timestamp: START + timestamp,
    });
  }

  /** Moves the clock by `step` ms at a time, and lets happen what follows, until it is so. */
  async until<T>(what: string, check: () => T | Promise<T>, step = 100): Promise<Exclude<T, false | undefined>> {
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const found = await check();
      if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
      for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      this.clock.advance(step);
    }
    throw new Error(`not after ${MAX_STEPS} steps of ${step} ms: ${what}`);
  }

  /** Lets everything happen that a time brings. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    await this.until(`${ms} ms have passed`, () => this.clock.now() >= until);
  }

  /** Messages of the log at `warn` and above that match. */
  warnings(pattern: RegExp): string[] {
    return this.lines.filter(({ level, msg }) => level >= WARN && pattern.test(msg)).map(({ msg }) => msg);
  }

  /** Committed offsets of a partition, by input. */
  async committed(partition = 0): Promise<(number | null)[]> {
    const offsets = await this.kafka.port('test').committedOffsets(
      'bridges',
      SETTINGS.inputTopics.map((topic) => ({ topic, partition })),
    );
    return offsets.map(({ offset }) => offset);
  }

  /** Offsets of money signalled, in the order of the signals. */
  get signalledMoney(): number[] {
    return this.signals.flatMap(({ batch }) =>
      batch.records.filter(({ event }) => event.type === 'money').map(({ offset }) => offset),
    );
  }

  #signaller(bridge: string): Signaller {
    return {
      workflowIdOf: (userId) => `app/${userId}`,
      history: async () => ({ busy: false, ...this.history }),
      signal: (userId, batch) =>
        new Promise<void>((resolve, reject) => {
          const signal: Signal = {
            userId,
            batch: eventBatchOf(batch),
            bridge,
            answered: false,
            acknowledge() {
              this.answered = true;
              resolve();
            },
            fail(error = new Error('unavailable')) {
              this.answered = true;
              reject(error);
            },
          };
          this.signals.push(signal);
          if (this.autoAcknowledge) signal.acknowledge();
        }),
    };
  }

  #observer(): BridgeObserver {
    const { counts } = this;
    return {
      read: (_, records) => (counts.read += records),
      deadLettersCut: (letters) => (counts.cut += letters),
      deadLettersWritten: (reasons) => (counts.deadLetters += reasons.length),
      late: () => (counts.late += 1),
      signalled: (events) => (counts.signalled += events),
      signalFailed: (why) => {
        counts.failed += 1;
        this.failures.add(why);
      },
      committed: () => (counts.committed += 1),
      splitKey: () => (counts.split += 1),
      recordsLost: (_, offsets) => (counts.lost += offsets),
    };
  }
}
