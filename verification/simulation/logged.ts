/**
 * What got into the input topics, when, what became of it there, and what that means for whoever reads them. A log that took the
 * place of another under the same name has the same offsets: here they are told apart by the turn of the log.
 */
import type { MoneyInput } from '../../src/money/domain/events.ts';
import { decode, type Usable } from '../../src/money/model/decode.ts';
import { DEFAULT_SETTINGS, type LogRecord } from '../../src/money/model/model.ts';
import type { StoredRecord } from './kafka/sim-kafka.ts';
import { EPOCH } from './kernel/scheduler.ts';
import type { Scenario } from './scenario.ts';

interface Logged {
  readonly at: number;
  readonly record: LogRecord;
  /** Undefined for a record that cannot be used. */
  readonly usable: Usable | undefined;
}

/** By arrival: the largest event time in one log so far. */
type Progress = { readonly at: number; readonly maxTs: number }[];

/** Offsets of each turn of a log are so far from those of the turn before. */
const TURN = 1_000_000;

export class Log {
  /** With offsets that are told apart. */
  readonly records: LogRecord[] = [];
  /** Places (`topic/partition/offset`) of the records that some workflow has to get. */
  readonly applicable = new Set<string>();
  /** Places of what went from its log, whether it was read before or not. */
  readonly gone = new Set<string>();
  readonly #scenario: Scenario;
  readonly #logged = new Map<string, Logged>();
  readonly #progress = new Map<string, Progress>();
  readonly #lastArrival = new Map<number, number>();
  /** By log: how often another took its place. */
  readonly #turns = new Map<string, number>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** `at`: simulated time of its arrival. */
  add(added: LogRecord, at: number): void {
    const { topic, partition } = added;
    const record = { ...added, offset: added.offset + TURN * this.turn(topic, partition) };
    const decoded = decode(record, { ...DEFAULT_SETTINGS, ...this.#scenario.settings.limits });
    const usable = typeof decoded === 'string' ? undefined : decoded;
    const place = `${topic}/${partition}/${record.offset}`;
    this.records.push(record);
    this.#logged.set(place, { at, record, usable });
    this.#lastArrival.set(partition, at);
    if (usable === undefined) return;
    if (usable.content.is !== 'time') this.applicable.add(place);
    const log = `${topic}/${partition}`;
    const progress = this.#progress.get(log) ?? [];
    this.#progress.set(log, progress);
    progress.push({ at, maxTs: Math.max(usable.ts, progress.at(-1)?.maxTs ?? -Infinity) });
  }

  turn(topic: string, partition: number): number {
    return this.#turns.get(`${topic}/${partition}`) ?? 0;
  }

  /** Of a log with this name: all others have the name that it had first. */
  place(topic: MoneyInput, partition: number, offset: number, turn: number): string {
    return `${topic}/${partition}/${offset + TURN * turn}`;
  }

  /** From now on there is another log; what the one before had from `kept` on is gone. */
  replaced(topic: MoneyInput, partition: number, kept: number): void {
    const turn = this.turn(topic, partition);
    this.went(topic, partition, kept, Infinity);
    this.#turns.set(`${topic}/${partition}`, turn + 1);
  }

  /** What the log has from one offset to before another is gone. */
  went(topic: MoneyInput, partition: number, from: number, to: number): void {
    const least = TURN * this.turn(topic, partition);
    for (const record of this.records) {
      const offset = record.offset - least;
      if (record.topic === topic && record.partition === partition && offset >= from && offset < to) {
        this.gone.add(`${topic}/${partition}/${record.offset}`);
      }
    }
  }

  /** All but what was gone before any workflow had it. `durable`: places that workflows have. */
  owed(durable: ReadonlySet<string>): readonly LogRecord[] {
    if (this.gone.size === 0) return this.records;
    return this.records.filter(({ topic, partition, offset }) => {
      const place = `${topic}/${partition}/${offset}`;
      return !this.gone.has(place) || durable.has(place);
    });
  }

  /** Of which record an output or a dead letter is, that names an offset; `isIt` decides between logs with that offset. */
  recordAt(
    topic: string,
    partition: number,
    offset: number,
    isIt: (record: LogRecord) => boolean,
  ): LogRecord | undefined {
    const found: LogRecord[] = [];
    for (let turn = 0; turn <= this.turn(topic, partition); turn += 1) {
      const logged = this.#logged.get(`${topic}/${partition}/${offset + TURN * turn}`);
      if (logged !== undefined) found.push(logged.record);
    }
    return found.length > 1 ? found.find(isIt) : found[0];
  }

  /** The place of the money that an output stands for; undefined when there is none. */
  moneyOf({ headers, value }: Pick<StoredRecord, 'headers' | 'value'>): string | undefined {
    const partition = Number(headers['source-partition']);
    const { money } = JSON.parse(String(value)) as { money: { id: string; processedAt: string } };
    // A duplicate may have the very offset of the first one, in a later log.
    const record = this.recordAt('money', partition, Number(headers['source-offset']), ({ offset }) => {
      const { ts, content } = this.usable(`money/${partition}/${offset}`) ?? {};
      return content?.is === 'money' && content.money.id === money.id && ts === Date.parse(money.processedAt);
    });
    return record === undefined ? undefined : `money/${partition}/${record.offset}`;
  }

  usable(place: string): Usable | undefined {
    return this.#logged.get(place)?.usable;
  }

  onlyMovesTime(place: string): boolean {
    return this.#logged.get(place)?.usable?.content.is === 'time';
  }

  /** Of money: whether it is of a session. */
  namesSession(place: string): boolean {
    const content = this.#logged.get(place)?.usable?.content;
    return content?.is === 'money' && content.money.sessionId !== null;
  }

  arrivedAt(place: string): number {
    return this.#logged.get(place)!.at;
  }

  /**
   * From when on nothing in the logs holds a record back: all three logs of its partition are ahead of it by more than
   * the out-of-orderness, or nothing comes to that partition any more and it has fallen silent. `decidedAt`: when a person said how
   * reading goes on there.
   */
  readyAt(place: string, decidedAt = -Infinity): number {
    const { at, usable } = this.#logged.get(place)!;
    const [, partition] = place.split('/');
    const { outOfOrderness, idleTimeout } = this.#scenario.settings;
    // What a fault, or a decision that nobody had taken, kept from its readers came to them later.
    const arrived = Math.max(this.#lastArrival.get(Number(partition))!, EPOCH + this.#scenario.healAt, decidedAt);
    const silent = arrived + idleTimeout;
    const passed = ['user', 'session', 'money'].map((topic) => {
      const progress = this.#progress.get(`${topic}/${partition}`) ?? [];
      return progress.find(({ maxTs }) => maxTs > usable!.ts + outOfOrderness)?.at ?? Infinity;
    });
    return Math.max(at, Math.min(silent, Math.max(...passed)));
  }
}
