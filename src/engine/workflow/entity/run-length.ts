/**
 * When a run continues as new. Whoever takes a shard over replays the runs of its keys whole, each within a task's 10 s, so runs
 * are short; the larger the state that each begins with, the longer they are, up to four times.
 * That is far below the server's limits (10,000 signals, which its suggestion ignores, 51,200 events, 50 MB), and below what
 * makes the bridge wait (src/engine/bridge/history-guard.ts). Pure.
 */
import type { TemporalPort } from './port.ts';

const RUN_SIGNALS = 100;
const RUN_EVENTS = 400;
/** bytes of the state that a run begins with, for each further length. */
const CARRIED_BYTES = 100_000;
const LONGEST_RUN = 10;
/** Since 0.3, in place of {@link LONGEST_RUN}: `patched` tells whether a history was recorded with it. */
const LONGEST_RUN_NOW = 4;
/** Records of full signals cost a replay as much as many signals. */
const RUN_RECORDS = 5_000;
const MAX_HISTORY_BYTES = 4_000_000;

type History = ReturnType<TemporalPort['history']>;

export class RunLength {
  readonly #length: number;
  readonly #lengthNow: number;
  #signals = 0;
  #records = 0;
  #nudged = false;

  /** `carried`: bytes of the history when the run begins. */
  constructor(carried: number) {
    this.#length = Math.min(LONGEST_RUN, 1 + Math.floor(carried / CARRIED_BYTES));
    this.#lengthNow = Math.min(LONGEST_RUN_NOW, this.#length);
  }

  /** A signal came, whoever sent it. */
  signal(): void {
    this.#signals += 1;
  }

  /** So many records came with a signal of the bridge. */
  took(records: number): void {
    this.#records += records;
  }

  /** Somebody wants the run to be continued as new. */
  nudge(): void {
    this.#nudged = true;
  }

  /** Whether the run is to continue as new. `patched`: as of Temporal, asked only where it decides. */
  isOver(history: History, patched: (change: string) => boolean): boolean {
    const { events, newVersion } = history;
    const long =
      this.#signals >= this.#length * RUN_SIGNALS || events >= this.#length * RUN_EVENTS || fillsItsHistory(history);
    return long || newVersion || this.#nudged || (this.#isLong(events) && patched('shorter-runs'));
  }

  /** Whether it is to continue as new for signals that are not ours. */
  isOverfilled(history: History): boolean {
    return this.#isLong(history.events) || fillsItsHistory(history);
  }

  #isLong(events: number): boolean {
    return (
      this.#records >= RUN_RECORDS ||
      this.#signals >= this.#lengthNow * RUN_SIGNALS ||
      events >= this.#lengthNow * RUN_EVENTS
    );
  }
}

function fillsItsHistory({ bytes, continueAsNewSuggested }: History): boolean {
  return bytes >= MAX_HISTORY_BYTES || continueAsNewSuggested;
}
