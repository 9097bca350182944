/**
 * The questions of one workflow to the outside: which are asked, and when no answer is waited for any more.
 *
 * - A call goes to a task queue of its own, whose slots are the requests that are under way: however slow their answers are,
 *   publishing keeps its slots.
 * - The give-up time is kept by the server (schedule-to-close), by the one clock that all of it is measured with, and also for a
 *   call that waits for a slot.
 * - A call that nobody took in its time is repeated once, for a moment, where that is heard of late: no worker was there, and every
 *   question is asked. Where it is heard of at once, all slots were taken for all that time: it is given up, as one to which there
 *   was no answer. Thousands that end together must not each cost a call more.
 * - The server ends a call early when the pause before its next attempt goes beyond its time; its questions wait for that time.
 */
import { questionsQueueBeside } from '../../naming.ts';
import type { Identified } from '../publish-request.ts';
import { NO_TIME, type EntityLife, type EntityQuestions, type QuestionFailures } from './entity.ts';
import type { CallOptions, TemporalPort } from './port.ts';

const MAX_CALLS_IN_FLIGHT = 100;
/** ms of a call that is made about the give-up time, or after it. Twice that is the most that a question ends after its time. */
const LAST_CALL = 2_500;
/** ms, or a share of the give-up time where that is less: who hears of its end by then had workers at that time. */
const AT_ONCE = 10_000;
const AT_ONCE_SHARE = 1 / 20;
/** ms without a sign of life of an attempt; it gives one every second. */
const HEARTBEAT_TIMEOUT = 6_000;
/** ms; an attempt ends by itself before. */
const ATTEMPT_TIMEOUT = 30_000;
const MAX_BACKOFF = 10_000;

/** One call of the activity. */
export interface QuestionCall<Q> {
  readonly questions: readonly Q[];
  /** Epoch ms: given up then. */
  readonly until: number;
  /** Given up when it ends without an answer, whether somebody took it or not. */
  readonly last: boolean;
}

/** How a call ended: by what it returned, or without. */
export type QuestionEnd<Q, A> = 'no answer' | 'not asked' | { readonly answers: (question: Q) => A | undefined };
export type Settled<Q, A> = readonly [Q, A];

function questionCall<Q>(questions: readonly Q[], giveUpAt: number, now: number, giveUpAfter: number): QuestionCall<Q> {
  const until = giveUpAt === NO_TIME ? now + giveUpAfter : giveUpAt;
  return { questions, until, last: until - now <= LAST_CALL };
}

/** Which questions are under way. Pure. */
export class QuestionBook<Q extends object, A> {
  readonly #givenUp: A;
  readonly #inFlight = new Set<Q>();
  /** Asked no more: until when each waits, epoch ms. They are in flight as well. */
  readonly #unanswered = new Map<Q, number>();

  constructor(givenUp: A) {
    this.#givenUp = givenUp;
  }

  /** How many are. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  isInFlight(question: Q): boolean {
    return this.#inFlight.has(question);
  }

  begin({ questions }: QuestionCall<Q>): void {
    for (const question of questions) this.#inFlight.add(question);
  }

  /** What is settled by it. */
  end({ questions, until, last }: QuestionCall<Q>, end: QuestionEnd<Q, A>, now: number): Settled<Q, A>[] {
    const settled: Settled<Q, A>[] = [];
    for (const question of questions) {
      const answer = typeof end === 'string' ? undefined : end.answers(question);
      if (answer !== undefined) settled.push(this.#settle(question, answer));
      else if (end === 'no answer' || (end === 'not asked' && last)) this.#unanswered.set(question, until);
      else this.#inFlight.delete(question);
    }
    return [...settled, ...this.due(now)];
  }

  /** What is given up by now. */
  due(now: number): Settled<Q, A>[] {
    return [...this.#unanswered]
      .filter(([, until]) => until <= now)
      .map(([question]) => this.#settle(question, this.#givenUp));
  }

  /** When the next one is given up, epoch ms; undefined: none waits for that. */
  get nextDue(): number | undefined {
    return this.#unanswered.size === 0 ? undefined : [...this.#unanswered.values()].reduce((a, b) => Math.min(a, b));
  }

  #settle(question: Q, answer: A): Settled<Q, A> {
    this.#unanswered.delete(question);
    this.#inFlight.delete(question);
    return [question, answer];
  }
}

export interface QuestionsOptions<L extends EntityLife<O>, O extends Identified, Q extends object, A> {
  readonly port: Pick<TemporalPort, 'now' | 'call' | 'taskQueue' | 'patched'>;
  readonly asks: EntityQuestions<L, O, Q, A>;
  readonly life: L;
  /** Runs an action in its turn. */
  readonly happened: (act: () => void) => void;
  /** Once for each question. */
  readonly settled: (question: Q, answer: A) => void;
  /** With an error that says nothing of who is asked. */
  readonly failed: (error: unknown) => void;
}

export class Questions<L extends EntityLife<O>, O extends Identified, Q extends object, A> {
  readonly #options: QuestionsOptions<L, O, Q, A>;
  readonly #book: QuestionBook<Q, A>;
  #calls = 0;

  constructor(options: QuestionsOptions<L, O, Q, A>) {
    this.#options = options;
    this.#book = new QuestionBook(options.asks.givenUp);
  }

  /** Asks every question that is not in flight, as far as there is room. */
  ask(): void {
    const { life, port, asks, happened, failed } = this.#options;
    const open = asks.open(life);
    if (open.length === this.#book.inFlight || this.#calls >= MAX_CALLS_IN_FLIGHT) return;
    const giveUpAfter = asks.giveUpAfter(life);
    const waiting = open.filter((question) => !this.#book.isInFlight(question));
    for (const { request, giveUpAt, questions } of asks.groups(waiting)) {
      if (this.#calls >= MAX_CALLS_IN_FLIGHT) return;
      const now = port.now();
      const call = questionCall(questions, giveUpAt, now, giveUpAfter);
      const options = {
        ...optionsOf(Math.max(call.until - now, LAST_CALL), giveUpAfter, questionsQueueBeside(port.taskQueue)),
        summary: asks.summary(questions, life),
      };
      const ended = (end: QuestionEnd<Q, A>): void => happened(() => this.#ended(call, end));
      this.#calls += 1;
      this.#book.begin(call);
      void port.call<unknown>(asks.activity, request, options).result.then(
        (result) => ended({ answers: asks.answersIn(result) }),
        (error: unknown) => {
          const isOver = (asked: boolean): boolean =>
            // Until 0.3 each was repeated.
            (asked || this.#heardAtOnce(call, giveUpAfter)) && port.patched('give-up-without-last-call');
          const end = endOf(error, asks.failures, isOver);
          if (end === undefined) failed(error);
          else ended(end);
        },
      );
    }
  }

  #heardAtOnce({ until }: QuestionCall<Q>, giveUpAfter: number): boolean {
    const late = this.#options.port.now() - until;
    return late >= 0 && late <= Math.min(AT_ONCE, giveUpAfter * AT_ONCE_SHARE);
  }

  giveUpDue(): void {
    this.#settle(this.#book.due(this.#options.port.now()));
  }

  get nextGivenUp(): number | undefined {
    return this.#book.nextDue;
  }

  #ended(call: QuestionCall<Q>, end: QuestionEnd<Q, A>): void {
    this.#calls -= 1;
    this.#settle(this.#book.end(call, end, this.#options.port.now()));
  }

  #settle(all: readonly Settled<Q, A>[]): void {
    for (const [question, answer] of all) this.#options.settled(question, answer);
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

/** How a call ended that failed; undefined: by an error that is none of a question's. */
function endOf(
  error: unknown,
  failures: QuestionFailures,
  isOver: (asked: boolean) => boolean,
): 'no answer' | 'not asked' | undefined {
  const types: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    types.push(String((cause as { type?: unknown }).type), cause.name);
  }
  return endByTypes(types, failures, isOver);
}

/**
 * `types`: of the failure and its causes, types of application failures and names of the others. `isOver`: whether nobody is to be
 * asked again after a time-out. `asked`: somebody was, before it.
 */
function endByTypes(
  types: readonly string[],
  { noAnswer, notAsked }: QuestionFailures,
  isOver: (asked: boolean) => boolean,
): 'no answer' | 'not asked' | undefined {
  const asked = types.includes(noAnswer);
  if (types.includes('TimeoutFailure')) return isOver(asked) ? 'no answer' : 'not asked';
  return asked ? 'no answer' : types.includes(notAsked) ? 'not asked' : undefined;
}
