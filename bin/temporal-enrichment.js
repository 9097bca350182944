#!/usr/bin/env node
// What Temporal's command line runs as `temporal enrichment`. It kills that process at Ctrl-C, without a word: so the program
// runs in a child, which ends in good order when this one is gone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

if (process.send === undefined) {
  const child = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    },
  );
  // The end of the channel is the one request to stop, whoever makes it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.connected && child.disconnect());
  child.on('error', (error) => {
    process.stderr.write(`temporal enrichment: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} else {
  const inCheckout = existsSync(new URL('../src/cli/main.ts', import.meta.url));
  if (inCheckout) (await import('tsx/esm/api')).register();
  const { main } = await import(inCheckout ? '../src/cli/main.ts' : '../dist/src/cli/main.js');
  await main(process.argv, 'temporal enrichment');
}
