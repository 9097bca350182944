/** Starting several things at once, and undoing what was started. */

/**
 * All results, or the first error. When one fails, `failed` is aborted, for the others to give up, and they have ended
 * before the error is thrown.
 */
export async function allOrNone<T extends unknown[]>(
  failed: AbortController,
  parts: { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  let first: { readonly error: unknown } | undefined;
  for (const part of parts) {
    part.catch((error: unknown) => {
      first ??= { error };
      failed.abort(error);
    });
  }
  const results = await Promise.allSettled(parts);
  if (first !== undefined) throw first.error;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as T;
}

export type Undo = (() => Promise<void>)[];

/** Empties the list from its end; the first error is thrown when everything was tried. */
export async function undoAll(steps: Undo): Promise<void> {
  const errors: unknown[] = [];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    await step().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) throw errors[0];
}

/** Whether this error is only the answer to `signal`. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error as Error | null)?.name === 'AbortError');
}

/** The result of `work`, or the signal's reason without waiting for it. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  work.catch(() => undefined); // its failure counts only while it is waited for
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
