/** Bounds how many things are under way at a time; who waits longest comes next. */
export class Limiter {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Waits for a place. Rejects when `ended` is aborted before there is one. */
  async run<T>(work: () => Promise<T>, ended?: AbortSignal): Promise<T> {
    ended?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#place(ended);
    return this.#holding(work);
  }

  /** Undefined when no place is free, or others wait for one. */
  runNow<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#free === 0 || this.#waiting.size > 0) return undefined;
    this.#free -= 1;
    return this.#holding(work);
  }

  async #holding<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  #place(ended: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(take);
        reject(ended!.reason as Error);
      };
      const take = (): void => {
        this.#waiting.delete(take);
        ended?.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(take);
      ended?.addEventListener('abort', leave, { once: true });
    });
  }
}
