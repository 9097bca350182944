import type { Clock } from '../clock.ts';
import { messageOf, isFatal, isFatalAtStart } from '../errors.ts';
import type { Logger } from '../log.ts';

export interface KeepRunningOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted: told to stop. */
  readonly stopping: AbortSignal;
  /** Resolves when told to stop; rejects when it has to begin anew. It calls `works` when it is under way. */
  readonly attempt: (works: () => void) => Promise<void>;
  /** Told why it does not work at the moment. */
  readonly onProblem: (problem: string) => void;
  /** For the log: what happened and what follows. */
  readonly message: string;
}

const FIRST_BACKOFF = 500;
const MAX_BACKOFF = 10_000;
/** ms after which an attempt counts as one that worked. */
const STEADY = 60_000;

/** Attempts again and again, with back-off, until told to stop; throws only what no retry can mend, which is less once it has worked. */
export async function keepRunning({
  clock,
  logger,
  stopping,
  attempt,
  onProblem,
  message,
}: KeepRunningOptions): Promise<void> {
  let hasWorked = false;
  let said: string | undefined;
  for (let backoff = FIRST_BACKOFF; !stopping.aborted; backoff = Math.min(2 * backoff, MAX_BACKOFF)) {
    const startedAt = clock.elapsed();
    try {
      await attempt(() => (hasWorked = true));
    } catch (error) {
      if (hasWorked ? isFatal(error) : isFatalAtStart(error)) throw error;
      if (stopping.aborted) return;
      const problem = messageOf(error);
      onProblem(problem);
      if (clock.elapsed() - startedAt > STEADY) {
        backoff = FIRST_BACKOFF;
        said = undefined;
      }
      // What is the matter for an hour is one line.
      logger[problem === said ? 'debug' : 'warn']({ error: problem, retryInMs: backoff }, message);
      said = problem;
      await clock.sleep(backoff, stopping);
    }
  }
}
