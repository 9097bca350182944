/** The activity that asks one question of an entity, as the workflow expects it to behave (src/engine/workflow/entity/questions.ts). */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { messageOf } from '../errors.ts';
import { QUESTION_FAILURES } from '../workflow/entity/plain.ts';

/** ms between signs of life; the server waits for six times that. */
const HEARTBEAT_INTERVAL = 1_000;

/**
 * `ask`: the answer, as JSON; what it throws is retried until the question is given up. `signal` is aborted when nobody waits for
 * this attempt any more.
 */
export function questionActivity(
  ask: (question: never, signal: AbortSignal) => Promise<unknown>,
): (request: { readonly question: unknown }) => Promise<unknown> {
  return async ({ question }) => {
    const context = Context.current();
    const signsOfLife = setInterval(() => context.heartbeat(), HEARTBEAT_INTERVAL);
    try {
      // One that does not listen to the signal would keep its slot.
      return (await Promise.race([ask(question as never, context.cancellationSignal), context.cancelled])) ?? null;
    } catch (error) {
      if (error instanceof CancelledFailure) throw error;
      throw ApplicationFailure.create({
        type: QUESTION_FAILURES.noAnswer,
        message: `No answer: ${messageOf(error)}`,
        ...(error instanceof Error && { cause: error }),
      });
    } finally {
      clearInterval(signsOfLife);
    }
  };
}
