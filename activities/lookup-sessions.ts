/**
 * Asks the session service for several sessions. Each attempt has a place for one request at a time, which is its slot, and takes
 * more only while places are free; it ends in time and returns what it has. While the service is silent an attempt stays, and asks
 * now and then. No clock is compared with another: what is over is told by the server's times of the attempt, and by the time that
 * passes here.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { untilAborted, type Clock } from '../src/engine/clock.ts';
import { messageOf } from '../src/engine/errors.ts';
import { FAILURES, type Activities, type LookupOutcome } from './contract.ts';
import type { Limiter } from './limiter.ts';
import { Silence } from './silence.ts';
import { httpSessionService, type HttpSessionServiceOptions, type SessionService } from './session-service.ts';

/** The attempt that runs, as the server knows it. */
export interface LookupAttempt {
  /** From 1. */
  readonly number: number;
  /** When it could begin, epoch ms of the server. */
  readonly scheduledAt: number;
  /** ms from then on after which the server waits for it no more. */
  readonly limit: number;
  /** Aborted when nobody waits for it any more. */
  readonly cancelled: AbortSignal;
  /** Says that it is alive. */
  heartbeat(): void;
}

export interface LookupDeps extends HttpSessionServiceOptions {
  /** Bounds the requests under way in this process. */
  readonly limiter: Limiter;
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>;
  /** One outcome of a session that was asked for; `why`: there was no usable answer. */
  readonly observeLookup: (outcome: LookupOutcome['status'], why?: string) => void;
  /** The attempt that runs; Temporal is asked when absent. */
  readonly attempt?: () => LookupAttempt;
}

/** ms between two signs of life */
const HEARTBEAT_INTERVAL = 1_000;
/** ms after which an attempt begins no more requests and returns what it has. */
const ATTEMPT_TIME = 5_000;
/** ms that an attempt stays while the service is silent, and between its requests then. */
const STAY = 20_000;
const REST = 5_000;
/** ms for its answer to reach the server before that stops waiting. */
const MARGIN = 300;
/** ms; what a timer can wait. */
const LONGEST = 86_400_000;

export function createLookupSessions(
  deps: LookupDeps,
  sessionService: SessionService = httpSessionService(deps),
): Activities['lookupSessions'] {
  const silence = new Silence(deps.clock);
  return async ({ sessionIds, giveUpAt }) => {
    const attempt = (deps.attempt ?? temporalAttempt)();
    const noAnswer = attempt.scheduledAt >= giveUpAt ? 'given-up' : 'retry';
    const { answers, problem } = await askFor(sessionIds, attempt, noAnswer, deps, sessionService, silence);
    if (noAnswer === 'retry' && answers.size === 0) {
      throw ApplicationFailure.create({
        type: problem === undefined ? FAILURES.lookupsBusy : FAILURES.sessionServiceUnavailable,
        category: ApplicationFailureCategory.BENIGN,
        message:
          problem === undefined
            ? 'The attempt was over before the session service had its time to answer'
            : `The session service gave no usable answer for ${sessionIds.length === 1 ? 'a session' : `${sessionIds.length} sessions`}: ${problem}`,
      });
    }
    return sessionIds.map((sessionId) => answers.get(sessionId) ?? { sessionId, status: noAnswer });
  };
}

interface Asked {
  readonly answers: ReadonlyMap<string, LookupOutcome>;
  /** The last one; undefined: no request had its time. */
  readonly problem: string | undefined;
}

async function askFor(
  sessionIds: readonly string[],
  attempt: LookupAttempt,
  noAnswer: 'retry' | 'given-up',
  deps: LookupDeps,
  sessionService: SessionService,
  silence: Silence,
): Promise<Asked> {
  const { clock, limiter, observeLookup } = deps;
  const answers = new Map<string, LookupOutcome>();
  let left = inTurn(sessionIds, attempt.number, deps.lookupTimeout);
  let problem: string | undefined;
  const over = new AbortController();
  const ended = AbortSignal.any([attempt.cancelled, over.signal]);

  async function askNext(): Promise<void> {
    const sessionId = left.shift()!;
    try {
      const answer = await sessionService.get(sessionId, ended);
      silence.answered();
      answers.set(sessionId, answer);
      observeLookup(answer.status);
    } catch (error) {
      // One that was cut short says nothing of the service.
      if (ended.aborted) return;
      silence.unanswered();
      problem = describe(error);
      observeLookup(noAnswer, problem);
    }
  }

  async function askAll(): Promise<void> {
    const more: Promise<void>[] = [];
    const startedAt = clock.elapsed();
    // The last attempt asks for all of them.
    const time = noAnswer === 'given-up' ? Infinity : ATTEMPT_TIME;
    while (left.length > 0 && !ended.aborted && clock.elapsed() - startedAt < time) {
      await limiter.run(async () => {
        const own = askNext();
        for (let asking; left.length > 0 && (asking = limiter.runNow(askNext)) !== undefined;) more.push(asking);
        await own;
      }, ended);
    }
    await Promise.all(more);
  }

  async function askWhileSilent(): Promise<void> {
    const startedAt = clock.elapsed();
    const stays = (): boolean =>
      noAnswer === 'retry' &&
      answers.size === 0 &&
      silence.lasts &&
      !ended.aborted &&
      clock.elapsed() - startedAt < STAY;
    await askAll();
    for (let round = 1; stays(); round += 1) {
      await silence.rest(REST, ended);
      const [first, ...others] = inTurn(sessionIds, attempt.number + round, deps.lookupTimeout);
      left = [first!];
      await askAll();
      if (silence.lasts) continue;
      left = others;
      await askAll();
    }
  }

  void clock.sleep(Math.min(LONGEST, Math.max(1, attempt.limit - MARGIN)), over.signal).then(() => over.abort());
  void signsOfLife(attempt, clock, over.signal);
  // What is under way when the time is over is left: its answer would come too late.
  try {
    await Promise.race([askWhileSilent(), untilAborted(ended)]);
  } catch (error) {
    if (!ended.aborted) throw error;
  } finally {
    over.abort();
  }
  return { answers, problem };
}

/** Each attempt begins where the one before cannot have come to, so that a few that hang do not keep the others from being asked for. */
function inTurn(sessionIds: readonly string[], attempt: number, lookupTimeout: number): string[] {
  const asked = Math.max(1, Math.floor(ATTEMPT_TIME / Math.max(1, lookupTimeout)));
  const first = ((attempt - 1) * asked) % sessionIds.length;
  return [...sessionIds.slice(first), ...sessionIds.slice(0, first)];
}

async function signsOfLife({ heartbeat }: LookupAttempt, clock: LookupDeps['clock'], over: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(HEARTBEAT_INTERVAL, over);
    if (over.aborted) return;
    heartbeat();
  }
}

function temporalAttempt(): LookupAttempt {
  const context = Context.current();
  const {
    attempt,
    scheduledTimestampMs,
    currentAttemptScheduledTimestampMs,
    scheduleToCloseTimeoutMs,
    startToCloseTimeoutMs,
  } = context.info;
  const whole =
    scheduleToCloseTimeoutMs > 0
      ? scheduledTimestampMs + scheduleToCloseTimeoutMs - currentAttemptScheduledTimestampMs
      : Infinity;
  return {
    number: attempt,
    scheduledAt: currentAttemptScheduledTimestampMs,
    limit: Math.min(whole, startToCloseTimeoutMs > 0 ? startToCloseTimeoutMs : Infinity),
    cancelled: context.cancellationSignal,
    heartbeat: () => context.heartbeat(),
  };
}

function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `${messageOf(error)} (${cause.message})` : messageOf(error);
}
