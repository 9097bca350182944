/** What the lookups of a process tell of the session service: said once when it gives no usable answers, and when it does again. */
import type { LookupOutcome } from '../../../activities/contract.ts';
import type { Clock } from '../../engine/clock.ts';
import type { Logger } from '../../engine/log.ts';
import { Part } from '../../engine/process/dependencies.ts';

/** ms without a usable answer that are not worth a line. */
const PATIENCE = 5_000;
/** ms without a lookup after which a failure is an old story. */
const FORGOTTEN = 60_000;
/** Sessions that are not known, one after the other and since the start, that make the address suspicious. */
const SUSPICIOUS = 100;

export class SessionServiceWatch {
  /** For /readyz. */
  readonly part: Part;
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #logger: Logger;
  #failing: { readonly since: number; last: number; said: boolean } | undefined;
  #found = false;
  #unknown = 0;

  constructor(clock: Pick<Clock, 'elapsed'>, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.part = new Part(clock);
  }

  /** `why`: of an outcome that is no answer. */
  observe(outcome: LookupOutcome['status'], why = 'no usable answer'): void {
    if (outcome === 'found' || outcome === 'not-found') this.#answered(outcome);
    else this.#failed(why);
  }

  #answered(outcome: 'found' | 'not-found'): void {
    this.part.worked();
    if (this.#failing?.said === true) {
      this.#logger.info(
        { afterMs: Math.round(this.#clock.elapsed() - this.#failing.since) },
        'the session service answers again',
      );
    }
    this.#failing = undefined;
    if (outcome === 'found') this.#found = true;
    else if ((this.#unknown += 1) === SUSPICIOUS && !this.#found) {
      this.#logger.warn(
        { sessions: SUSPICIOUS },
        'the session service has known no session that it was asked for so far (404): check ENRICHMENT_SESSION_SERVICE_URL with "doctor"',
      );
    }
  }

  #failed(why: string): void {
    const now = this.#clock.elapsed();
    this.part.failed(`it gives no usable answer (${why})`);
    const known = this.#failing;
    const failing =
      known !== undefined && now - known.last <= FORGOTTEN ? known : { since: now, last: now, said: false };
    failing.last = now;
    this.#failing = failing;
    if (failing.said || now - failing.since < PATIENCE) return;
    failing.said = true;
    this.#logger.warn(
      { why },
      'the session service gives no usable answer: its lookups are repeated until their give-up time, all other money goes on',
    );
  }
}
