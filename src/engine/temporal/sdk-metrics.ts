/**
 * The metrics of Temporal's SDK (`temporal_*`), for whoever asks for ours: the SDK adds them up by itself and serves them on a port of
 * the loopback interface, where this process fetches them. (It can also hand over each single update, which costs the thread of the
 * workflows what it costs the SDK's own threads here.)
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { MetricsExporterConfig } from '@temporalio/worker';
import { messageOf } from '../errors.ts';

const LOOPBACK = '127.0.0.1';
/** Somebody may take a port that was free. */
const ATTEMPTS = 5;
/** ms */
const TIMEOUT = 2_000;

/** `install`: puts these into the options of the runtime, and throws what that throws. Resolves with how to read them. */
export async function serveSdkMetrics(
  install: (metrics: MetricsExporterConfig) => void,
): Promise<() => Promise<string>> {
  for (let attempt = 1; ; attempt += 1) {
    const bindAddress = `${LOOPBACK}:${await freePort()}`;
    try {
      // Names and units by the conventions of Prometheus.
      install({
        prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
      });
      return () => read(`http://${bindAddress}/metrics`);
    } catch (error) {
      if (attempt === ATTEMPTS || !messageOf(error).includes('in use')) throw error;
    }
  }
}

/** What does not answer is said in a comment: the other metrics are needed all the same. */
async function read(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    return await response.text();
  } catch (error) {
    return `# metrics of Temporal's SDK: ${messageOf(error)}\n`;
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
