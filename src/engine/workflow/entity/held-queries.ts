/**
 * A query that comes with a task waits while a local activity runs. The SDK (Core of 1.24) would complete the task with the answer, and
 * record what the local activity has just answered before the workflow has heard of it: whoever replays that hears of it a task too
 * early, and may do something else than what was recorded ("CancelTimerCommandSent says the transition is invalid"), for ever.
 * Temporal's server keeps the queries of a task that is completed without their answers, as by a heartbeat, for the next one.
 */

/** What is asked of a workflow by itself, while no task is under way, has this id. It is never held: nobody would ask again. */
const ALONE = 'legacy_query';

export class HeldQueries {
  /** By the id of the query. */
  readonly #held = new Map<string, () => void>();

  get some(): boolean {
    return this.#held.size > 0;
  }

  static mayWait(queryId: string): boolean {
    return queryId !== ALONE;
  }

  hold(queryId: string, answer: () => void): void {
    this.#held.set(queryId, answer);
  }

  answer(): void {
    const all = [...this.#held.values()];
    this.#held.clear();
    for (const answer of all) answer();
  }
}
