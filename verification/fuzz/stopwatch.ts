/** Time that this process has worked, ms: on a machine that others use too, waiting for a processor is no stall of ours. */
export function stopwatch(): () => number {
  const started = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return Math.min(performance.now() - started, (user + system) / 1_000);
  };
}
