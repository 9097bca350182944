/**
 * Run by bin/temporal-enrichment.js, the program ends as by SIGTERM when that process is gone: Temporal's command line kills
 * it at Ctrl-C. On a terminal Ctrl-C reached this process as well, and is not a second request.
 */
const SIGNALS: ReadonlySet<string | symbol> = new Set(['SIGINT', 'SIGTERM']);
/** ms for a signal that was sent to both to be heard here. */
const HEARD_WITHIN = 200;

export function stopWithParent(): void {
  let asked = false;
  const listened = new Set<string | symbol>();
  // Only where a command listens too: without a listener a signal ends the process, as it should.
  process.on('newListener', (name) => {
    if (!SIGNALS.has(name) || listened.has(name)) return;
    listened.add(name);
    process.on(name as NodeJS.Signals, () => (asked = true));
  });
  process.once('disconnect', () => {
    setTimeout(() => {
      if (!asked) process.kill(process.pid, 'SIGTERM');
    }, HEARD_WITHIN);
  });
}
