/** Resolves at the first SIGINT or SIGTERM. The second ends the process at once: somebody is in a hurry. */
export function onStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const handle = () => {
      if (asked) process.exit(1);
      asked = true;
      resolve();
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  });
}
