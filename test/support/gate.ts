/** Where a test stops what goes on beside it, and how it waits until nothing goes on any more. */

/** A point at which a request stands still until the test lets it go. */
export function gate(): { readonly reached: Promise<void>; pass(): Promise<void>; open(): void } {
  let arrive = (): void => undefined;
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    async pass() {
      arrive();
      await opened;
    },
    open: () => release(),
  };
}

/** Until everything that can happen has happened. */
export async function soon(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether the promise is settled after everything that can happen has happened. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await soon();
  return done;
}
