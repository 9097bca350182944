/** Broker and Temporal server as processes that can be killed and come back on their ports with their data. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafkaBroker } from '../../src/dev/kafka-broker.ts';
import { freshId } from '../../src/dev/kafka-format.ts';
import type { BrokerListener } from '../../src/dev/kafka-settings.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';

export interface Server {
  /** Of 127.0.0.1. */
  readonly port: number;
  readonly running: boolean;
  /** Starts so far that failed. */
  readonly failedStarts: number;
  /** Resolves when it is ready for clients. Errors: when it does not come up in several attempts. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; it stays away until it is started. */
  terminate(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

interface Started {
  readonly exited: Promise<unknown>;
  kill(): void;
  stop(): Promise<void>;
}

const ATTEMPTS = 4;

function restartable(port: number, launch: () => Promise<Started>): Server {
  let current: Started | undefined;
  let failedStarts = 0;
  let closed = false;
  const gone = async (end: (server: Started) => void | Promise<void>): Promise<void> => {
    const ended = current;
    if (ended === undefined) return;
    await end(ended);
    await ended.exited;
    current = undefined;
  };
  return {
    port,
    get running() {
      return current !== undefined;
    },
    get failedStarts() {
      return failedStarts;
    },
    async start() {
      for (let attempt = 1; current === undefined; attempt += 1) {
        try {
          if (closed) throw new Error('it was stopped');
          const started = await launch();
          current = started;
          if (closed) await started.stop();
          void started.exited.then(() => {
            if (current === started) current = undefined;
          });
        } catch (error) {
          failedStarts += 1;
          if (closed || attempt === ATTEMPTS) throw error;
          await sleep(500);
        }
      }
    },
    kill: () => gone((server) => server.kill()),
    terminate: () => gone((server) => server.stop()),
    stop: () => {
      closed = true;
      return gone((server) => server.stop());
    },
  };
}

export interface BrokerPlace {
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly listeners: readonly BrokerListener[];
}

/** One cluster of them; the first start of all has to be at one time, for none is ready without the others. */
export function createBrokers(places: readonly BrokerPlace[], log: (line: string) => void): Server[] {
  const clusterId = freshId();
  const controllerPorts = places.map(({ controllerPort }) => controllerPort);
  return places.map(({ dataDir, port, listeners }, index) =>
    restartable(port, () =>
      startKafkaBroker({ dataDir, port, listeners, log, member: { nodeId: index + 1, clusterId, controllerPorts } }),
    ),
  );
}

export function createTemporal(options: { dataDir: string; port: number; log: (line: string) => void }): Server {
  return restartable(options.port, () => startTemporalServer(options));
}

/**
 * Free ports below those that the kernel gives to outgoing connections: the port of a server that is away for a moment
 * must not be taken by a client's connection, least of all by one that tries to reach that very server.
 */
export async function quietPorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 11_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
