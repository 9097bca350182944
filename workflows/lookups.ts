/**
 * The session lookups of one user's workflow: which are asked for, and when no answer is waited for any more.
 *
 * - A call goes to a task queue of its own, whose slots are the requests to the session service that are under way: however
 *   slow that is, publishing keeps its slots.
 * - The give-up time is kept by the server (schedule-to-close), by the one clock that all of it is measured with, and also for a
 *   call that waits for a slot.
 * - A call that nobody took in its time, as while no worker was there, is repeated once, for a moment: every session is asked for.
 * - The server ends a call early when the pause before its next attempt goes beyond its time; its money waits for that time.
 */
import { FAILURES, type LookupOutcome } from '../activities/contract.ts';
import type { Answer } from '../src/money/domain/apply.ts';
import type { Lookup } from '../src/money/domain/state.ts';
import type { CallOptions, Engine } from './engine.ts';
import type { Life } from './life.ts';
import { lookupGroups, NO_TIME } from './lookup-groups.ts';
import { lookupsQueueBeside } from '../src/engine/naming.ts';

const MAX_CALLS_IN_FLIGHT = 100;
/** ms of a call that is made about the give-up time, or after it. Twice that is the most that a lookup ends after its time. */
const LAST_CALL = 2_500;
/** ms without a sign of life of an attempt; it gives one every second. */
const HEARTBEAT_TIMEOUT = 6_000;
/** ms; an attempt ends by itself before. */
const ATTEMPT_TIMEOUT = 30_000;
const MAX_BACKOFF = 10_000;
const HOUR = 3_600_000;

export interface LookupCall {
  readonly lookups: readonly Lookup[];
  /** Epoch ms: given up then. */
  readonly until: number;
  /** Given up when it ends without an answer, whether somebody took it or not. */
  readonly last: boolean;
}

/** How a call ended: what it answered, or that it did not. */
export type LookupEnd = readonly LookupOutcome[] | 'no answer' | 'not asked';
export type Settled = readonly [Lookup, Answer];

export function lookupCall(lookups: readonly Lookup[], giveUpAt: number, now: number, giveUpAfter: number): LookupCall {
  const until = giveUpAt === NO_TIME ? now + giveUpAfter : giveUpAt;
  return { lookups, until, last: until - now <= LAST_CALL };
}

/** Which lookups are under way. Pure; src/tools/explain keeps the same book from what was recorded. */
export class LookupBook {
  readonly #inFlight = new Set<Lookup>();
  /** Asked for no more: until when each waits, epoch ms. They are in flight as well. */
  readonly #unanswered = new Map<Lookup, number>();

  isInFlight(lookup: Lookup): boolean {
    return this.#inFlight.has(lookup);
  }

  begin({ lookups }: LookupCall): void {
    for (const lookup of lookups) this.#inFlight.add(lookup);
  }

  /** What is settled by it. */
  end({ lookups, until, last }: LookupCall, end: LookupEnd, now: number): Settled[] {
    const settled: Settled[] = [];
    const bySession = new Map(typeof end === 'string' ? [] : end.map((outcome) => [outcome.sessionId, outcome]));
    for (const lookup of lookups) {
      const outcome = bySession.get(lookup.money.userSessionId);
      if (outcome !== undefined && outcome.status !== 'retry') settled.push(this.#settle(lookup, outcome));
      else if (end === 'no answer' || (end === 'not asked' && last)) this.#unanswered.set(lookup, until);
      else this.#inFlight.delete(lookup);
    }
    return [...settled, ...this.due(now)];
  }

  /** What is given up by now. */
  due(now: number): Settled[] {
    return [...this.#unanswered]
      .filter(([, until]) => until <= now)
      .map(([lookup]) => this.#settle(lookup, { status: 'given-up' }));
  }

  /** When the next one is given up, epoch ms; undefined: none waits for that. */
  get nextDue(): number | undefined {
    return this.#unanswered.size === 0 ? undefined : [...this.#unanswered.values()].reduce((a, b) => Math.min(a, b));
  }

  #settle(lookup: Lookup, answer: Answer): Settled {
    this.#unanswered.delete(lookup);
    this.#inFlight.delete(lookup);
    return [lookup, answer];
  }
}

export interface LookupsOptions {
  readonly engine: Pick<Engine, 'now' | 'call' | 'taskQueue'>;
  readonly life: Life;
  /** Runs an action in its turn. */
  readonly happened: (act: () => void) => void;
  /** Once for each lookup. */
  readonly settled: (lookup: Lookup, answer: Answer) => void;
  /** With an error that says nothing of the session service. */
  readonly failed: (error: unknown) => void;
}

export class Lookups {
  readonly #options: LookupsOptions;
  readonly #book = new LookupBook();
  #calls = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
  }

  /** Asks for every lookup that is not in flight, as far as there is room. */
  ask(): void {
    const { life, engine, happened, failed } = this.#options;
    const giveUpAfter = life.rules?.lookupGiveUpAfter ?? HOUR;
    const waiting = life.user.lookups.filter((lookup) => !this.#book.isInFlight(lookup));
    for (const { sessionIds, giveUpAt, lookups } of lookupGroups(waiting)) {
      if (this.#calls >= MAX_CALLS_IN_FLIGHT) return;
      const now = engine.now();
      const call = lookupCall(lookups, giveUpAt, now, giveUpAfter);
      const options = optionsOf(
        Math.max(call.until - now, LAST_CALL),
        giveUpAfter,
        lookupsQueueBeside(engine.taskQueue),
      );
      const ended = (end: LookupEnd): void => happened(() => this.#ended(call, end));
      this.#calls += 1;
      this.#book.begin(call);
      void engine.call('lookupSessions', { sessionIds, giveUpAt }, options).result.then(ended, (error: unknown) => {
        const end = endOf(error);
        if (end === undefined) failed(error);
        else ended(end);
      });
    }
  }

  giveUpDue(): void {
    this.#settle(this.#book.due(this.#options.engine.now()));
  }

  get nextGivenUp(): number | undefined {
    return this.#book.nextDue;
  }

  #ended(call: LookupCall, end: LookupEnd): void {
    this.#calls -= 1;
    this.#settle(this.#book.end(call, end, this.#options.engine.now()));
  }

  #settle(all: readonly Settled[]): void {
    for (const [lookup, answer] of all) this.#options.settled(lookup, answer);
  }
}

function optionsOf(scheduleToCloseTimeout: number, giveUpAfter: number, taskQueue: string | undefined): CallOptions {
  const maximumInterval = Math.max(100, Math.min(MAX_BACKOFF, giveUpAfter / 10));
  return {
    ...(taskQueue === undefined ? {} : { taskQueue }),
    scheduleToCloseTimeout,
    startToCloseTimeout: ATTEMPT_TIMEOUT,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { initialInterval: Math.min(500, maximumInterval), maximumInterval },
  };
}

/** How a call ended that failed; undefined: by an error that is none of a lookup's. */
function endOf(error: unknown): 'no answer' | 'not asked' | undefined {
  const types: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    types.push(String((cause as { type?: unknown }).type), cause.name);
  }
  return endByTypes(types);
}

/** `types`: of the failure and its causes, types of application failures and names of the others. */
export function endByTypes(types: readonly string[]): 'no answer' | 'not asked' | undefined {
  if (types.includes(FAILURES.sessionServiceUnavailable)) return 'no answer';
  return types.includes('TimeoutFailure') || types.includes(FAILURES.lookupsBusy) ? 'not asked' : undefined;
}
