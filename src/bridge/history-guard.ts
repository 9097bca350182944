/**
 * Keeps signals from outrunning a workflow. A signal is acknowledged when it is durable, not when it is processed: while
 * workers are away or slow, the history of a busy user grows, and Temporal terminates a workflow whose history passes
 * its limits (50 MB, 51,200 events, 10,000 signals), which would lose the user's state. So after every so many signals
 * or bytes to a user its history is looked at, and while it is long its signals wait. A workflow that keeps up continues
 * as new long before. One guard serves a bridge for as long as it lives: what it knows outlasts generations.
 */
import type { Clock } from '../clock.ts';
import type { Signaller } from './signaller.ts';

/** Since the last look. */
const LOOK_AFTER_SIGNALS = 200;
const LOOK_AFTER_BYTES = 1_000_000;
/** A quarter more than the longest runs, see workflows/enrich-user.ts: whoever takes such a user over replays it for some 7 s of processor, of the 10 s of a task. */
export const MAX_HISTORY = { events: 5_000, bytes: 7_000_000 };
/** ms between looks at a long history: the first, and the longest. */
const FIRST_POLL = 500;
const MAX_POLL = 5_000;
/** Users that are remembered (some 100 bytes each); the one that was signalled longest ago is forgotten first. */
const MAX_USERS = 250_000;

export class HistoryGuard {
  private readonly signaller: Pick<Signaller, 'history'>;
  private readonly clock: Pick<Clock, 'sleep'>;
  private readonly maxUsers: number;
  /** By user, signals since the last look; a large one counts as several. */
  private readonly sent = new Map<string, number>();
  private forgot = false;

  constructor(signaller: Pick<Signaller, 'history'>, clock: Pick<Clock, 'sleep'>, maxUsers = MAX_USERS) {
    this.signaller = signaller;
    this.clock = clock;
    this.maxUsers = maxUsers;
  }

  /**
   * Undefined when a signal of `bytes` may be sent to the user at once; otherwise resolves when it may, or when `ended`,
   * and rejects when Temporal does not answer.
   */
  admit(userId: string, bytes: number, ended: AbortSignal): Promise<void> | undefined {
    const weight = Math.max(1, (bytes * LOOK_AFTER_SIGNALS) / LOOK_AFTER_BYTES);
    // Of one that may have been forgotten nothing is known: it is looked at.
    const before = this.sent.get(userId) ?? (this.forgot ? LOOK_AFTER_SIGNALS : 0);
    if (before < LOOK_AFTER_SIGNALS) {
      this.note(userId, before + weight);
      return undefined;
    }
    return this.waitForShortHistory(userId, ended).then((short) => {
      // Whoever comes after one that gave up has to look as well.
      if (short) this.note(userId, weight);
    });
  }

  private note(userId: string, sent: number): void {
    this.sent.delete(userId);
    this.sent.set(userId, sent);
    if (this.sent.size <= this.maxUsers) return;
    this.forgot = true;
    this.sent.delete(this.sent.keys().next().value!);
  }

  /** False when ended before. */
  private async waitForShortHistory(userId: string, ended: AbortSignal): Promise<boolean> {
    for (let poll = FIRST_POLL; !ended.aborted; poll = Math.min(2 * poll, MAX_POLL)) {
      const history = await this.signaller.history(userId);
      if (history === null || (history.events < MAX_HISTORY.events && history.bytes < MAX_HISTORY.bytes)) return true;
      await this.clock.sleep(poll, ended);
    }
    return false;
  }
}
