/** A real broker as the suite sees it: one that can be killed, processes that are their connections, a reader in Java. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient, PATIENT_RETRY } from '../../src/engine/kafka/kafkajs/client.ts';
import type { SocketFactory } from '../../src/engine/kafka/kafkajs/client.ts';
import { createKafka } from '../../src/engine/kafka/kafkajs/create-kafka.ts';
import { TRANSACTION_TIMEOUT } from '../../src/engine/kafka/kafkajs/transactional-producer.ts';
import type { KafkaPort } from '../../src/engine/kafka/port.ts';
import { openDataFolder } from '../../src/dev/data-folder.ts';
import { startKafkaBroker } from '../../src/dev/kafka-broker.ts';
import { silentLogger } from '../../src/engine/log.ts';
import { readAll } from '../chaos/reader.ts';
import { API, fault } from '../../test/support/kafka-lab.ts';
import type { Fault } from '../../test/support/kafka-lab.ts';
import type { KafkaUnderTest } from '../../src/library/conformance.ts';

interface RealProcess {
  readonly port: KafkaPort;
  readonly fault: Fault;
  kill(): void;
}

export interface RealKafka {
  /** For one test: processes of its own, closed by `close`. */
  forTest(): Required<KafkaUnderTest> & { close(): Promise<void> };
  stop(): Promise<void>;
}

export async function startRealKafka(): Promise<RealKafka> {
  const folder = await openDataFolder();
  const log = (line: string): void => console.error(line);
  const start = (port?: number) =>
    startKafkaBroker({ dataDir: join(folder.path, 'kafka'), log, ...(port === undefined ? {} : { port }) });
  let broker = await start();
  const { brokers } = broker;
  const port = Number(brokers[0]!.split(':')[1]);
  const config = { brokers, ssl: false };
  const client = createClient(config, silentLogger(), { retry: PATIENT_RETRY });
  const admin = client.kafka.admin();

  const createProcess = (): RealProcess => {
    const broken = fault();
    const sockets = new Set<Socket>();
    let dead = false;
    const socketFactory: SocketFactory = (options) => {
      if (dead) return deadSocket();
      const socket = broken.socketFactory(options);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    };
    return {
      port: createKafka(config, silentLogger(), { socketFactory }),
      fault: broken,
      kill() {
        dead = true;
        for (const socket of sockets) socket.destroy(new Error('killed'));
      },
    };
  };

  return {
    forTest() {
      const processes = new Map<string, RealProcess>();
      const processOf = (name: string): RealProcess => {
        const process = processes.get(name) ?? createProcess();
        processes.set(name, process);
        return process;
      };
      return {
        port: (name) => processOf(name).port,
        kill: (name) => processOf(name).kill(),
        async topic(partitions = 1) {
          const topic = `t-${randomUUID()}`;
          await admin.createTopics({
            topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }],
            waitForLeaders: true,
          });
          return topic;
        },
        uniqueId: (prefix) => `${prefix}-${randomUUID()}`,
        async restart() {
          broker.kill();
          await broker.exited;
          broker = await start(port);
        },
        async deleteBefore(topic, partition, offset) {
          await admin.fetchTopicOffsets(topic); // it looks for the leader before it has asked for one
          await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
        },
        async losing(name, step, lost, run) {
          const { fault: armed } = processOf(name);
          armed.arm(step === 'send' ? API.produce : API.endTxn, lost);
          try {
            return await run();
          } finally {
            assert.ok(armed.done(), 'nothing was lost');
          }
        },
        committed: async (topic, partition = 0) =>
          (await readAll(brokers[0]!, [topic]))
            .filter((record) => record.partition === partition)
            .map(({ value }) => String(value)),
        transactionTimeout: TRANSACTION_TIMEOUT,
        sleep: (ms) => pause(ms),
        now: () => Date.now(),
        close: async () => void (await Promise.all([...processes.values()].map((process) => process.port.close()))),
      };
    },
    async stop() {
      await admin.disconnect();
      client.destroy();
      await broker.stop();
      await folder.release();
    },
  };
}

function deadSocket(): Socket {
  const socket = new net.Socket();
  process.nextTick(() => socket.destroy(new Error('killed')));
  return socket;
}
