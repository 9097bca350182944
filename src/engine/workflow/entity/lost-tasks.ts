/**
 * A workflow task that Temporal has given up, because it took too long or too much came meanwhile, is not told to a workflow in memory that
 * waits for a local activity: the SDK (Core of 1.24, "Trying to send a new WFT for a run which already has one!") lets it go on with the
 * next task. What it then does is recorded, but for whoever replays it both tasks are one: with one time, one length of the history and
 * other timers. Such a run could not be replayed any more, or continued as new without the signals of the second task. So the second
 * task is failed, which drops the workflow from memory: it is replayed, and sees what all will see after it.
 */

/** An activation. What comes of a local activity has the length of the history that its task began with. */
export interface Activated {
  readonly isReplaying: boolean;
  /** ms since the epoch. */
  readonly at: number;
  /** Events. */
  readonly historyLength: number;
  readonly historyBytes: number;
  readonly signals: number;
}

/** Part of a task's time, a little less than the four fifths after which the SDK completes one that waits for a local activity, and is given another. */
const HEARTBEAT = 0.75;
/** Temporal gives a task up when more comes meanwhile: 100 events, or 2 MB. */
const MAX_SIGNALS = 100;
const MAX_BYTES = 1_900_000;

export class LostTasks {
  /** Local activities under way. */
  #local = 0;
  /** The one that its task began with. */
  #last: Activated | undefined;

  localBegins(): void {
    this.#local += 1;
  }

  localEnds(): void {
    this.#local -= 1;
  }

  /** Whether a local activity runs. */
  get waits(): boolean {
    return this.#local > 0;
  }

  /** Throws when a task before this one was given up, and this is the workflow that was in memory. `taskTimeout` in ms. */
  activated(now: Activated, taskTimeout: number): void {
    const last = this.#last;
    if (last !== undefined && now.historyLength === last.historyLength) {
      this.#last = { ...last, isReplaying: now.isReplaying };
      return;
    }
    this.#last = now;
    // A replay sees a task that was given up and the next as one.
    if (last === undefined || last.isReplaying || this.#local === 0) return;
    const passed = now.at - last.at;
    const isHeartbeat =
      passed >= HEARTBEAT * taskTimeout &&
      passed < taskTimeout &&
      now.signals < MAX_SIGNALS &&
      now.historyBytes - last.historyBytes < MAX_BYTES;
    if (!isHeartbeat) {
      throw new Error('the workflow task before this one was given up: this workflow is replayed from its history');
    }
  }
}
