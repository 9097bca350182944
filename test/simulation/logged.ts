/** What got into the input topics, when, and what that means for whoever reads them. */
import { decode, type Usable } from '../../src/model/decode.ts';
import { DEFAULT_SETTINGS, type RawRecord } from '../../src/model/model.ts';
import { EPOCH } from './kernel/scheduler.ts';
import type { Scenario } from './scenario.ts';

interface Logged {
  readonly at: number;
  /** Undefined for a record that cannot be used. */
  readonly usable: Usable | undefined;
}

/** By arrival: the largest event time in one log so far. */
type Progress = { readonly at: number; readonly maxTs: number }[];

export class Log {
  readonly records: RawRecord[] = [];
  /** Places (`topic/partition/offset`) of the records that some workflow has to get. */
  readonly applicable = new Set<string>();
  readonly #scenario: Scenario;
  readonly #logged = new Map<string, Logged>();
  readonly #progress = new Map<string, Progress>();
  readonly #lastArrival = new Map<number, number>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  /** `at`: simulated time of its arrival. */
  add(record: RawRecord, at: number): void {
    const { topic, partition, offset } = record;
    const decoded = decode(record, { ...DEFAULT_SETTINGS, ...this.#scenario.settings.limits });
    const usable = typeof decoded === 'string' ? undefined : decoded;
    const place = `${topic}/${partition}/${offset}`;
    this.records.push(record);
    this.#logged.set(place, { at, usable });
    this.#lastArrival.set(partition, at);
    if (usable === undefined) return;
    if (usable.content.is !== 'time') this.applicable.add(place);
    const log = `${topic}/${partition}`;
    const progress = this.#progress.get(log) ?? [];
    this.#progress.set(log, progress);
    progress.push({ at, maxTs: Math.max(usable.ts, progress.at(-1)?.maxTs ?? -Infinity) });
  }

  onlyMovesTime(place: string): boolean {
    return this.#logged.get(place)?.usable?.content.is === 'time';
  }

  arrivedAt(place: string): number {
    return this.#logged.get(place)!.at;
  }

  /**
   * From when on nothing in the logs holds a record back: all three logs of its partition are ahead of it by more than
   * the out-of-orderness, or nothing comes to that partition any more and it has fallen silent.
   */
  readyAt(place: string): number {
    const { at, usable } = this.#logged.get(place)!;
    const [, partition] = place.split('/');
    const { outOfOrderness, idleTimeout } = this.#scenario.settings;
    // What a fault kept from its readers came to them later.
    const silent = Math.max(this.#lastArrival.get(Number(partition))!, EPOCH + this.#scenario.healAt) + idleTimeout;
    const passed = ['user', 'session', 'money'].map((topic) => {
      const progress = this.#progress.get(`${topic}/${partition}`) ?? [];
      return progress.find(({ maxTs }) => maxTs > usable!.ts + outOfOrderness)?.at ?? Infinity;
    });
    return Math.max(at, Math.min(silent, Math.max(...passed)));
  }
}
