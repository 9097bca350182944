/**
 * How many workflows a shard's worker replays at a time: as many as end within the time of a workflow task. A replay costs a
 * millisecond or two of processor for each event, and all that a worker is given at once are replayed by one thread, side by side. On a
 * machine that is full none of them may end in the 10 s of its task then, and all begin again, for ever, while their histories grow.
 * So replays that take long halve their number, and quick ones raise it again, one by one.
 *
 * Temporal gives a task to whoever has a slot for it, and does not say beforehand what kind of task comes. A task from the sticky
 * queue is of a workflow that is in memory. One from the other queue may be a replay: it counts as one until its workflow's first step
 * has said what it is (src/engine/workflow/entity/interceptors.ts). First tasks of new runs are none, and wait for no replay once they have said so.
 */
import type {
  CustomSlotSupplier,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
  WorkflowSlotInfo,
} from '@temporalio/worker';
import type { Clock } from '../clock.ts';

export interface ReplayObserver {
  /** A replay has ended; `ms` since its task was taken. */
  replayed(ms: number): void;
}

/** Workflow tasks of a worker at a time, of whatever kind. */
export const MAX_TASKS = 50;
const FIRST_LIMIT = 4;
/** ms of a replay; a task has 10 s. */
const QUICK = 2_000;
const SLOW = 5_000;
export const TASK_TIMEOUT = 10_000;
/** ms after which nobody waits for the end of a replay any more. */
const LOST_AFTER = 60_000;

interface Permit extends SlotPermit {
  readonly sticky: boolean;
  /** Taken at, ms; undefined while it waits for a task. */
  usedAt: number | undefined;
  /** It may be for a replay, and nothing was heard of it yet. */
  unheard: boolean;
}

interface Replay {
  readonly since: number;
  /** How often the limit had been lowered when it began. */
  readonly lowered: number;
}

interface Waiting {
  readonly sticky: boolean;
  readonly go: (permit: Permit) => void;
}

export class ReplaySlots implements CustomSlotSupplier<WorkflowSlotInfo> {
  readonly type = 'custom';
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #observer: ReplayObserver;
  readonly #held = new Set<Permit>();
  /** Under way, by run id. */
  readonly #replays = new Map<string, Replay>();
  readonly #waiting = new Set<Waiting>();
  #limit = FIRST_LIMIT;
  #lowered = 0;
  /** ms of the last replay that took longer than its task has, and when it ended. */
  #late: { readonly ms: number; readonly at: number } | undefined;

  constructor(clock: Pick<Clock, 'elapsed'>, observer: ReplayObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Replays at a time. */
  get limit(): number {
    return this.#limit;
  }

  get replays(): number {
    return this.#replays.size;
  }

  /** ms of the longest replay under way, or of one that ended a moment ago, where it is longer than a task may take; undefined otherwise. */
  get late(): number | undefined {
    const now = this.#clock.elapsed();
    const longest = Math.max(0, ...[...this.#replays.values()].map(({ since }) => now - since));
    const ended = this.#late !== undefined && now - this.#late.at < LOST_AFTER ? this.#late.ms : 0;
    const ms = Math.max(longest, ended);
    return ms > TASK_TIMEOUT ? ms : undefined;
  }

  /** The first step of a workflow that was not in memory. */
  began(runId: string, isReplay: boolean): void {
    const now = this.#clock.elapsed();
    // Which task it is of is not known; whose turn it was is near enough.
    const permit = [...this.#held].find(({ unheard, usedAt }) => unheard && usedAt !== undefined);
    if (permit !== undefined) permit.unheard = false;
    if (isReplay) this.#replays.set(runId, { since: permit?.usedAt ?? now, lowered: this.#lowered });
    this.#handOut();
  }

  /** A workflow has come to where its history ends. */
  caughtUp(runId: string): void {
    const replay = this.#replays.get(runId);
    if (replay === undefined) return;
    this.#ended(runId, replay);
    this.#handOut();
  }

  /** The SDK aborts what it needs no more, which may be a moment after it was given; once it has it, it never does. */
  reserveSlot({ isSticky }: SlotReserveContext, abort: AbortSignal): Promise<SlotPermit> {
    return new Promise<SlotPermit>((resolve, reject) => {
      let given: Permit | null = null;
      const waiting: Waiting = {
        sticky: isSticky,
        go: (permit) => {
          given = permit;
          this.#waiting.delete(waiting);
          resolve(permit);
        },
      };
      const giveUp = (): void => {
        this.#waiting.delete(waiting);
        if (given !== null) this.#return(given);
        // The SDK logs any other error.
        reject(abort.reason as Error);
      };
      if (abort.aborted) return giveUp();
      abort.addEventListener('abort', giveUp, { once: true });
      const permit = this.#take(isSticky);
      if (permit !== null) waiting.go(permit);
      else this.#waiting.add(waiting);
    });
  }

  tryReserveSlot({ isSticky }: SlotReserveContext): SlotPermit | null {
    return this.#take(isSticky);
  }

  markSlotUsed({ permit }: SlotMarkUsedContext<WorkflowSlotInfo>): void {
    (permit as Permit).usedAt = this.#clock.elapsed();
  }

  releaseSlot({ permit }: SlotReleaseContext<WorkflowSlotInfo>): void {
    this.#return(permit as Permit);
  }

  #return(permit: Permit): void {
    this.#held.delete(permit);
    this.#forgetLost();
    this.#handOut();
  }

  #take(sticky: boolean): Permit | null {
    if (this.#held.size >= MAX_TASKS) return null;
    if (!sticky && this.#unheard() + this.#replays.size >= this.#limit) return null;
    const permit: Permit = { sticky, usedAt: undefined, unheard: !sticky };
    this.#held.add(permit);
    return permit;
  }

  #unheard(): number {
    let unheard = 0;
    for (const permit of this.#held) if (permit.unheard) unheard += 1;
    return unheard;
  }

  #handOut(): void {
    for (const { sticky, go } of [...this.#waiting]) {
      const permit = this.#take(sticky);
      if (permit !== null) go(permit);
    }
  }

  /** Those whose workflows were dropped from the cache on the way: each that goes on has a task. */
  #forgetLost(): void {
    const now = this.#clock.elapsed();
    const tasks = [...this.#held].filter(({ usedAt }) => usedAt !== undefined).length;
    for (const [runId, replay] of this.#replays) {
      if (this.#replays.size > tasks || now - replay.since >= LOST_AFTER) this.#replays.delete(runId);
    }
  }

  #ended(runId: string, { since, lowered }: Replay): void {
    this.#replays.delete(runId);
    const now = this.#clock.elapsed();
    const ms = now - since;
    this.#observer.replayed(ms);
    if (ms > TASK_TIMEOUT) this.#late = { ms, at: now };
    else this.#late = undefined;
    // Those that began before it was lowered say nothing of what it is now.
    if (ms >= SLOW && lowered === this.#lowered) {
      this.#limit = Math.max(1, Math.floor(this.#limit / 2));
      this.#lowered += 1;
    } else if (ms < QUICK) {
      this.#limit = Math.min(MAX_TASKS, this.#limit + 1);
    }
  }
}
