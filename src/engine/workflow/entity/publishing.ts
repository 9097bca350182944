/**
 * How outputs are published. While Kafka takes nothing, for days perhaps, no history may grow: a local activity adds
 * events as long as it runs (a heartbeat of its task each 8 s), so after some seconds a regular one goes on, which the server
 * repeats without an event, and soon after Kafka is back.
 */
import type { PublishAnswer, PublishRequest } from '../publish-request.ts';
import { FINAL, finalFailureOf, lastBeforeReset, taskFailure } from '../publish-failure.ts';
import { PUBLISH_ACTIVITY } from './names.ts';
import type { CallOptions, TemporalPort } from './port.ts';

const LOCALLY: CallOptions = {
  local: true,
  startToCloseTimeout: 7_000,
  scheduleToCloseTimeout: 7_000,
  // The SDK (Core of 1.24) forgets the time-out when it comes between two attempts: so many take 1.5 s and what they take themselves.
  retry: { initialInterval: 50, maximumInterval: 2_000, maximumAttempts: 6, nonRetryableErrorTypes: [...FINAL] },
};
/** ms; a timer that never fires, see {@link publishLocally}. */
const MARK = 86_400_000;
const DURABLY: CallOptions = { startToCloseTimeout: 10_000, retry: { initialInterval: 200, maximumInterval: 5_000 } };

type Publishes = Pick<TemporalPort, 'call' | 'timer'>;

/** One publish: what is asked, and how that is written for the activity. */
export interface Asked {
  readonly request: PublishRequest;
  readonly input: object;
}

export interface Answers {
  /** The outputs are published; the answer is absent in what releases before 0.3.0 recorded. */
  published(answer: PublishAnswer | void): void;
  /** This workflow was reset: its outputs have to be numbered from `last + 1` on, and to be published again. */
  reset(last: number): void;
  /** With an error that fails the task, for what is {@link FINAL}. */
  fail(error: Error): void;
}

/**
 * Calls back once. Not a promise: recorded histories have the number of steps between an answer and what follows from it.
 *
 * The task of a local activity that runs for 8 s is completed to wait on, a heartbeat. For whoever replays it, a heartbeat that recorded
 * nothing is one with the task after it, and has the later time: deadlines would be other ones. So `marked` has a timer begin
 * before and cancelled after: a heartbeat records it, and any other task nothing. Histories of releases before 0.3.0 have none.
 */
export function publishLocally(
  port: Publishes,
  asked: Asked,
  answers: Answers,
  { marked }: { readonly marked: boolean },
): void {
  const unmark = marked ? port.timer(MARK, () => undefined) : () => undefined;
  const published = (answer: PublishAnswer | void): void => {
    unmark();
    answers.published(answer);
  };
  port.call<PublishAnswer | void>(PUBLISH_ACTIVITY, asked.input, LOCALLY).result.then(published, (error: unknown) => {
    unmark();
    if (finalFailureOf(error) === undefined) publishDurably(port, asked, answers);
    else refused(asked.request, error, answers);
  });
}

export function publishDurably(port: Publishes, asked: Asked, answers: Answers): void {
  const { first, outputs } = asked.request;
  const summary = `publish ${outputs.length === 1 ? '1 output' : `${outputs.length} outputs`}, from number ${first} on`;
  port
    .call<PublishAnswer | void>(PUBLISH_ACTIVITY, asked.input, { ...DURABLY, summary })
    .result.then(answers.published, (error: unknown) => refused(asked.request, error, answers));
}

function refused(request: PublishRequest, error: unknown, { reset, fail }: Answers): void {
  const last = lastBeforeReset(error);
  if (last !== undefined) reset(last);
  else fail(taskFailure(describe(request), error));
}

function describe({ stream, first, outputs }: PublishRequest): string {
  return `Publishing ${outputs.length} ${stream} outputs from ${first} on`;
}
