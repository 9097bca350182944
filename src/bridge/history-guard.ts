/**
 * Keeps signals from outrunning a workflow. A signal is acknowledged when it is durable, not when it is processed: while
 * workers are away or slow, the history of a busy user grows, and Temporal terminates a workflow whose history passes
 * its limits (50 MB, 51,200 events, 10,000 signals), which would lose the user's state. So after every so many signals
 * or bytes to a user its history is looked at, and while it is long its signals wait. A workflow that keeps up continues
 * as new long before.
 */
import type { Clock } from '../clock.ts';
import type { Signaller } from './signaller.ts';

/** Since the last look. */
const LOOK_AFTER_SIGNALS = 200;
const LOOK_AFTER_BYTES = 1_000_000;
/** About twice what the workflow continues as new at, see workflows/enrich-user.ts. */
export const MAX_HISTORY = { events: 8_000, bytes: 7_000_000 };
/** ms between looks at a long history. */
const POLL = 500;
/** Users that are remembered; the one that was signalled longest ago is forgotten first. */
const MAX_USERS = 50_000;

interface Sent {
  readonly signals: number;
  readonly bytes: number;
}

export class HistoryGuard {
  private readonly signaller: Pick<Signaller, 'history'>;
  private readonly clock: Clock;
  private readonly sent = new Map<string, Sent>();

  constructor(signaller: Pick<Signaller, 'history'>, clock: Clock) {
    this.signaller = signaller;
    this.clock = clock;
  }

  /**
   * Undefined when a signal of `bytes` may be sent to the user at once; otherwise resolves when it may, or when `ended`,
   * and rejects when Temporal does not answer.
   */
  admit(userId: string, bytes: number, ended: AbortSignal): Promise<void> | undefined {
    const { signals, bytes: before } = this.sent.get(userId) ?? { signals: 0, bytes: 0 };
    if (signals < LOOK_AFTER_SIGNALS && before < LOOK_AFTER_BYTES) {
      this.note(userId, { signals: signals + 1, bytes: before + bytes });
      return undefined;
    }
    return this.waitForShortHistory(userId, ended).then(() => this.note(userId, { signals: 1, bytes }));
  }

  private note(userId: string, sent: Sent): void {
    this.sent.delete(userId);
    this.sent.set(userId, sent);
    if (this.sent.size > MAX_USERS) this.sent.delete(this.sent.keys().next().value!);
  }

  private async waitForShortHistory(userId: string, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const history = await this.signaller.history(userId);
      if (history === null || (history.events < MAX_HISTORY.events && history.bytes < MAX_HISTORY.bytes)) return;
      await this.clock.sleep(POLL, ended);
    }
  }
}
