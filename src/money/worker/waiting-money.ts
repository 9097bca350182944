/** What waits in the workflows of this process, as they tell it: for the gauges. One that was never run here is not in it. */
interface Standing {
  readonly taskQueue: string;
  readonly pending: number;
  readonly lookups: number;
}

export class WaitingMoney {
  readonly #standing = new Map<string, Standing>();

  /** A workflow told how much waits in it. */
  told(
    { workflowId, taskQueue }: { readonly workflowId: string; readonly taskQueue: string },
    { pending = 0, lookups = 0 }: Readonly<Record<string, number>>,
  ): void {
    if (pending === 0 && lookups === 0) this.#standing.delete(workflowId);
    else this.#standing.set(workflowId, { taskQueue, pending, lookups });
  }

  /** Its workflows run elsewhere from now on. */
  forget(taskQueue: string): void {
    for (const [workflowId, standing] of this.#standing) {
      if (standing.taskQueue === taskQueue) this.#standing.delete(workflowId);
    }
  }

  get pending(): number {
    return this.#sum(({ pending }) => pending);
  }

  get lookups(): number {
    return this.#sum(({ lookups }) => lookups);
  }

  #sum(of: (standing: Standing) => number): number {
    let sum = 0;
    for (const standing of this.#standing.values()) sum += of(standing);
    return sum;
  }
}
