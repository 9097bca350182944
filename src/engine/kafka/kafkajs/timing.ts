/** Deadlines for requests of which kafkajs itself gives no end. */
import { setTimeout as pause } from 'node:timers/promises';
import { CodedError } from '../../errors.ts';

export { pause };

/** Rejects with CodedError KAFKA after `ms`; what `run` still does then is nobody's. */
export async function deadline<T>(ms: number, what: string, run: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CodedError('KAFKA', `${what}: no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([run(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Repeats `run` until it succeeds, `ms` have passed, or `hopeless` says that the error will stay. */
export async function retrying<T>(
  ms: number,
  hopeless: (error: unknown) => boolean,
  run: () => Promise<T>,
): Promise<T> {
  const until = performance.now() + ms;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await run();
    } catch (error) {
      if (hopeless(error) || performance.now() + wait >= until) throw error;
      await pause(wait);
    }
  }
}
