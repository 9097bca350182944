/** BackfillLookups of a backfill: as in the activity, without Temporal's retries. A session that is being asked for is not asked twice at a time. */
import { Limiter } from '../../../activities/limiter.ts';
import type { SessionService } from '../../../activities/session-service.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Answer } from '../../money/domain/apply.ts';

export interface BackfillLookupsOptions {
  readonly service: SessionService;
  readonly clock: Clock;
  /** ms of the wall clock, from when a money is first asked for. */
  readonly giveUpAfter: number;
  /** Requests under way at a time. */
  readonly concurrency?: number;
}

const CONCURRENCY = 64;
/** ms */
const FIRST_BACKOFF = 200;
const MAX_BACKOFF = 10_000;

export class BackfillLookups {
  readonly #options: BackfillLookupsOptions;
  readonly #limiter: Limiter;
  readonly #asking = new Map<string, ReturnType<SessionService['get']>>();

  constructor(options: BackfillLookupsOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency ?? CONCURRENCY);
  }

  /** Undefined when `ended` was aborted first. Never rejects. */
  async answer(sessionId: string, ended: AbortSignal): Promise<Answer | undefined> {
    const { clock, giveUpAfter } = this.#options;
    const giveUpAt = clock.elapsed() + giveUpAfter;
    for (let backoff = FIRST_BACKOFF; !ended.aborted; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
      try {
        return await this.#ask(sessionId);
      } catch {
        if (clock.elapsed() >= giveUpAt) return { status: 'given-up' };
      }
      await clock.sleep(Math.min(backoff, Math.max(0, giveUpAt - clock.elapsed())), ended);
    }
    return undefined;
  }

  #ask(sessionId: string): ReturnType<SessionService['get']> {
    const before = this.#asking.get(sessionId);
    if (before !== undefined) return before;
    const answer = this.#limiter
      .run(() => this.#options.service.get(sessionId))
      .finally(() => this.#asking.delete(sessionId));
    this.#asking.set(sessionId, answer);
    return answer;
  }
}
