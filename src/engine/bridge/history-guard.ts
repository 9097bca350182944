/**
 * Keeps signals from outrunning a workflow. A signal is acknowledged when it is durable, not when it is processed: while
 * workers are away or slow, the history of a busy one grows, and Temporal terminates a workflow whose history passes
 * its limits (50 MB, 51,200 events, 10,000 signals), which would lose its state. And whoever takes it over
 * replays all of it, within the 10 s of a workflow task. So after every so many signals, bytes or records to a workflow its history is looked
 * at, and while it is long, or so many records are not all applied, its signals wait. A workflow that keeps up continues
 * as new long before. One guard serves a bridge for as long as it lives: what it knows outlasts memberships.
 */
import type { Clock } from '../clock.ts';
import type { HistoryLength, Signaller } from './signaller.ts';

/** Since the last look. */
const LOOK_AFTER_SIGNALS = 200;
const LOOK_AFTER_BYTES = 1_000_000;
/** Half of what a workflow continues as new after. */
const LOOK_AFTER_RECORDS = 2_500;
/** A quarter more than the longest runs, see src/engine/workflow/entity/run-entity.ts: whoever takes such a workflow over replays it for some 7 s of processor, of the 10 s of a task. */
export const MAX_HISTORY = { events: 5_000, bytes: 7_000_000 };
/** ms between looks at a long history: the first, and the longest. */
const FIRST_POLL = 100;
const MAX_POLL = 5_000;
/** Workflows that are remembered (some 100 bytes each); the one that was signalled longest ago is forgotten first. */
const MAX_WORKFLOWS = 250_000;

/** `signals`: since the last look; a large one counts as several. `records`: since it was seen that all were applied. */
interface Sent {
  readonly signals: number;
  readonly records: number;
}

export interface SignalSize {
  /** bytes of the records' values. */
  readonly bytes: number;
  readonly records: number;
}

export class HistoryGuard {
  readonly #signaller: Pick<Signaller, 'history'>;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #maxWorkflows: number;
  /** By key. */
  readonly #sent = new Map<string, Sent>();
  #forgot = false;

  constructor(signaller: Pick<Signaller, 'history'>, clock: Pick<Clock, 'sleep'>, maxWorkflows = MAX_WORKFLOWS) {
    this.#signaller = signaller;
    this.#clock = clock;
    this.#maxWorkflows = maxWorkflows;
  }

  /**
   * Undefined when a signal of this size may be sent to the workflow at once; otherwise resolves when it may, or when `ended`,
   * and rejects when Temporal does not answer.
   */
  admit(key: string, { bytes, records }: SignalSize, ended: AbortSignal): Promise<void> | undefined {
    const signals = Math.max(1, (bytes * LOOK_AFTER_SIGNALS) / LOOK_AFTER_BYTES);
    // Of one that may have been forgotten nothing is known: it is looked at.
    const before = this.#sent.get(key) ?? { signals: this.#forgot ? LOOK_AFTER_SIGNALS : 0, records: 0 };
    if (before.signals < LOOK_AFTER_SIGNALS && before.records < LOOK_AFTER_RECORDS) {
      this.#note(key, { signals: before.signals + signals, records: before.records + records });
      return undefined;
    }
    const applied = before.records >= LOOK_AFTER_RECORDS;
    return this.#waitForShortHistory(key, applied, ended).then((short) => {
      // Whoever comes after one that gave up has to look as well.
      if (short) this.#note(key, { signals, records: applied ? records : before.records + records });
    });
  }

  #note(key: string, sent: Sent): void {
    this.#sent.delete(key);
    this.#sent.set(key, sent);
    if (this.#sent.size <= this.#maxWorkflows) return;
    this.#forgot = true;
    this.#sent.delete(this.#sent.keys().next().value!);
  }

  /** `applied`: and for all that was signalled to be applied. False when ended before. */
  async #waitForShortHistory(key: string, applied: boolean, ended: AbortSignal): Promise<boolean> {
    for (let poll = FIRST_POLL; !ended.aborted; poll = Math.min(2 * poll, MAX_POLL)) {
      const history = await this.#signaller.history(key);
      if (history === null || (isShort(history) && !(applied && history.busy))) return true;
      await this.#clock.sleep(poll, ended);
    }
    return false;
  }
}

function isShort({ events, bytes }: HistoryLength): boolean {
  return events < MAX_HISTORY.events && bytes < MAX_HISTORY.bytes;
}
