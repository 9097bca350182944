/** Waits for a condition, not for time. */
import { setTimeout as pause } from 'node:timers/promises';

/** Polls until `check` returns something other than false or undefined; throws `what` after `timeout` ms. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  timeout = 10_000,
): Promise<Exclude<T, false | undefined>> {
  const until = Date.now() + timeout;
  for (;;) {
    const found = await check();
    if (found !== false && found !== undefined) return found as Exclude<T, false | undefined>;
    if (Date.now() > until) throw new Error(`timed out after ${timeout} ms: ${what}`);
    await pause(5);
  }
}
