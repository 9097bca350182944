/** A broker and a Temporal dev server of the benchmark's own, whose processor time and work can be told. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDataFolder } from '../src/dev/data-folder.ts';
import { startKafkaBroker } from '../src/dev/kafka-broker.ts';
import { freePorts, LOOPBACK } from '../src/dev/ports.ts';
import { startTemporalServer } from '../src/dev/temporal-server.ts';
import { readMetrics, type Sample } from './prometheus.ts';

export interface Servers {
  readonly brokers: string[];
  /** host:port */
  readonly temporal: string;
  readonly pids: { readonly broker: number; readonly server: number };
  /** The Temporal server's own metrics; it brings them up to date each second. */
  temporalMetrics(): Promise<readonly Sample[]>;
  stop(): Promise<void>;
}

/** ms */
const METRICS_LAG = 2_500;

export async function startServers(log: (line: string) => void): Promise<Servers> {
  const folder = await openDataFolder();
  const undo: (() => Promise<unknown>)[] = [() => folder.release()];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const [metricsPort = 0] = await freePorts(1);
    const broker = await startKafkaBroker({ dataDir: join(folder.path, 'kafka'), log });
    undo.push(() => broker.stop());
    const server = await startTemporalServer({ log, metricsPort });
    undo.push(() => server.stop());
    return {
      brokers: broker.brokers,
      temporal: server.address,
      pids: { broker: broker.pid, server: server.pid },
      async temporalMetrics() {
        await sleep(METRICS_LAG);
        return (await readMetrics(`http://${LOOPBACK}:${metricsPort}/metrics`)) ?? [];
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
