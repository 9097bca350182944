/** A broker of a test's own, which it may kill, stop and start again on the same port with the same data. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { startKafkaBroker } from '../../src/dev/kafka-broker.ts';
import { sharedCluster, type Cluster } from './cluster.ts';

const log = (line: string) => console.error(line);

export interface OwnBroker {
  /** Killed, and started again when it has been down for so many ms and `whileAway` has resolved. */
  restart(downFor: number, whileAway?: () => Promise<unknown>): Promise<void>;
  /** Stopped as it should be; `whileAway` is told the folder of the logs, one folder a partition. */
  stopped(whileAway: (logs: string) => Promise<unknown>): Promise<void>;
}

/** With the shared Temporal server. */
export async function ownBroker(): Promise<{ readonly cluster: Cluster; readonly broker: OwnBroker }> {
  const folder = await openDataFolder();
  const dataDir = join(folder.path, 'kafka');
  const first = await startKafkaBroker({ dataDir, log });
  const port = Number(first.brokers[0]!.split(':')[1]);
  let current = first;
  const release = async () => {
    await current.stop();
    await folder.release();
  };
  const { temporal } = await sharedCluster();
  return {
    cluster: { brokers: first.brokers, temporal, release },
    broker: {
      async restart(downFor, whileAway = async () => undefined) {
        current.kill();
        await current.exited;
        await pause(downFor);
        await whileAway();
        current = await startKafkaBroker({ dataDir, port, log });
      },
      async stopped(whileAway) {
        await current.stop();
        await whileAway(join(dataDir, 'data'));
        current = await startKafkaBroker({ dataDir, port, log });
      },
    },
  };
}
